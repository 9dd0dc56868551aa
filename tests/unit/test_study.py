"""A search that is interrupted is the search that was not, and what was killed is tried again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perennial.errors import ConfigError, ServiceError
from perennial.studies.search import Range, Study, connect_storage
from perennial.studies.tune import Budget, watch_stage
from perennial.tracking.store import Store
from perennial.tracking.trials import show_trials

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

pytestmark = pytest.mark.unit

SPACE = {"rate": Range(low=1e-4, high=1e-1, log=True), "width": Range(low=4, high=64, is_integer=True)}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RDBStorage]:
    pytest.importorskip("optuna")
    storage = connect_storage(f"sqlite:///{tmp_path / 'tune.db'}")
    yield storage
    storage.remove_session()
    storage.engine.dispose()


def opened(database: RDBStorage, title: str, root: str = "/here") -> Study:
    return Study.open(database, title, Path(root), 1, SPACE)


def spend(study: Study, trials: int) -> None:
    while study.n_spent < trials:
        trial, params = study.ask()
        study.finish(trial, 1.0 if params is None else abs(params["rate"] - 0.01))


def test_a_search_that_goes_on_is_the_one_that_was_never_interrupted(database: RDBStorage) -> None:
    spend(opened(database, "straight"), 14)
    for so_far in (3, 9, 14):
        spend(opened(database, "in parts"), so_far)
    straight, parts = (opened(database, title).ended for title in ("straight", "in parts"))
    assert straight == parts
    assert len({trial.params["rate"] for trial in straight[1:]}) == 13
    assert straight[0].params == {}


def test_the_block_as_it_is_comes_first_and_wins_where_nothing_is_better(database: RDBStorage) -> None:
    study = opened(database, "one")
    assert study.best is None
    trial, params = study.ask()
    assert params is None
    study.finish(trial, -1.0)
    spend(study, 3)
    best = study.best
    assert best is not None
    assert (best.number, best.params, study.current_loss) == (0, None, -1.0)


def test_what_was_killed_is_tried_again_with_the_same_params_and_costs_nothing(database: RDBStorage) -> None:
    study = opened(database, "one")
    spend(study, 2)
    _, lost = study.ask()
    assert study.n_spent == 3
    assert opened(database, "one", "/elsewhere").requeue_killed() == 0  # another machine's lives until it has long been silent
    again = opened(database, "one")
    assert (again.requeue_killed(), again.n_spent) == (1, 2)
    trial, params = again.ask()
    assert params == lost
    again.finish(trial, abs(params["rate"] - 0.01))
    assert again.n_spent == 3
    assert again.requeue_killed() == 0
    spend(again, 13)
    straight = opened(database, "straight")
    spend(straight, 13)
    assert [tried.number for tried in again.ended if tried.state == "killed"] == [2]
    done = [tried.params for tried in again.ended if tried.state == "complete"]
    assert done == [tried.params for tried in straight.ended]  # from then on too


def test_the_block_as_it_is_is_tried_again_too(database: RDBStorage) -> None:
    opened(database, "one").ask()
    again = opened(database, "one")
    assert again.requeue_killed() == 1
    assert again.ask()[1] is None


def test_a_failed_trial_counts_and_a_pruned_one_is_no_best(database: RDBStorage) -> None:
    study = opened(database, "one")
    study.finish(study.ask()[0], state="fail")
    trial, _ = study.ask()
    trial.report(0.5, 1)
    study.finish(trial, state="pruned")
    assert study.n_spent == 2
    assert Budget(trials=3).left(study) == 1
    assert 0 < study.minutes < 1
    assert Budget(minutes=1).left(study) == 1 - study.minutes
    assert study.best is None
    assert [tried.state for tried in study.ended] == ["fail", "pruned"]
    assert list(study.ended[1].curve) == [(1, 0.5)]


def test_an_address_that_is_none_is_refused_without_being_repeated() -> None:
    pytest.importorskip("optuna")
    with pytest.raises(ConfigError, match="not a database address") as caught:
        connect_storage("secret")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"needs the driver|does not answer") as caught:
        connect_storage("postgresql://me:hidden@127.0.0.1:1/x")
    assert "hidden" not in str(caught.value)


def test_a_deep_trial_is_stopped_when_others_did_better(database: RDBStorage, tmp_path: Path) -> None:
    study, curve = opened(database, "one"), tmp_path / "curves.csv"
    for _ in range(5):
        trial, _ = study.ask()
        for epoch in range(1, 6):
            trial.report(0.5, epoch)
        study.finish(trial, 0.5)
    result = {}
    for loss in (0.4, 0.6):
        lines = "".join(f"{epoch},0.1,{loss}\n" for epoch in range(1, 6))
        curve.write_text(f"epoch,train_loss,val_loss\n{lines}6,0.")  # the last line is being written
        begun, trial = time.monotonic(), study.ask()[0]
        with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({1 if loss < 0.5 else 60})"]) as child:
            result[loss] = watch_stage(child, study, trial, curve)
        assert time.monotonic() - begun < 30
        assert [value for _, value in sorted(study.inner.trials[-1].intermediate_values.items())] == (
            [0.4] * 5 if loss < 0.5 else [0.6] * 4  # three epochs are waited for
        )
    assert result == {0.4: True, 0.6: False}


def test_a_tracker_that_is_down_is_a_service_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store = Store(uri="http://me:hidden@127.0.0.1:9", artifacts=None)
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9 does not answer") as caught:
        show_trials(store, "shop", "shop/deep/1", [])
    assert "hidden" not in str(caught.value)
