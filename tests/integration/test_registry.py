"""Register, decide, promote and roll back with a real MLflow: each step once, however often and wherever it stops."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from perennial.cli import run
from perennial.data.prepare.parts import select_part
from perennial.errors import IntegrityError, Refused
from perennial.files.durable import write_text
from perennial.files.manifest import folder_digest, seal
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.promote import promote
from perennial.promotion.register import register
from perennial.promotion.reporting import find_candidate_decision
from perennial.promotion.rollback import rollback
from perennial.promotion.run_views import bundle_folder
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import read_evaluation
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import Store, open_store, store_exists
from tests.fakes.decisions import decision_record

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration


class Killed(BaseException):
    """As if the process had ended here."""


def killed_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    """The first call of `name` dies instead, and puts the true function back."""
    true = getattr(where, name)

    def dies(*_: Any, **__: Any) -> None:
        monkeypatch.setattr(where, name, true)
        raise Killed

    monkeypatch.setattr(where, name, dies)


def counts(toy: Toy) -> dict[str, int]:
    store = open_store(toy.project)
    experiment = store.experiment(toy.name)
    return {
        "runs": len(store.client.search_runs([experiment])),
        "models": len(store.client.search_logged_models([experiment])),
        "versions": len(store.client.search_model_versions(f"name = '{toy.name}'")),
        "decisions": len(registry.read_decisions(store, toy.name)),
    }


def retrained(toy: Toy, seed: int) -> None:
    """Another candidate on the same rows."""
    text = (toy.root / "params.yaml").read_text()
    (toy.root / "params.yaml").write_text(text.replace("seed: 1\n", f"seed: {seed}\n"))
    toy.run("train", "baseline", "evaluate")


def in_use(toy: Toy, number: str) -> None:
    """As if the gate had let this version pass."""
    store = open_store(toy.project)
    result, before = registry.get_version(store, toy.name, number), registry.find_champion(store, toy.name)
    record = decision_record(
        version=number,
        digest=result.digest,
        family=result.family,
        champion=before.reference if before else None,
        reasons=("as if",),
        rules=(),
    )
    registry.append_decision(store, toy.name, record)
    registry.set_champion(store, toy.name, number)


def test_registering_twice_leaves_one_run_one_model_one_version(shop: Toy) -> None:
    first = register(shop.project, shop.name)
    assert register(shop.project, shop.name) == first
    assert counts(shop) == {"runs": 5, "models": 1, "versions": 1, "decisions": 0}
    store = open_store(shop.project)
    result = registry.find_by_alias(store, shop.name, "challenger")
    assert result is not None
    assert result.number == first.version == "1"
    assert result.digest == first.digest == folder_digest(bundle_folder(shop.project, shop.name, first.family))
    assert registry.find_champion(store, shop.name) is None
    run = store.client.get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["lineage.raw"] == "0123.dir"
    test_auc = shop.summary("evaluate")["families"][first.family]["test"]["auc"]["value"]
    assert run.data.metrics["test.auc"] == pytest.approx(test_auc)


@pytest.mark.parametrize("step", ["log_batch", "create_model_version", "set_registered_model_alias"])
def test_a_registration_that_was_killed_is_completed_by_the_next(shop: Toy, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    import mlflow
    from mlflow import MlflowClient

    killed_once(monkeypatch, MlflowClient, step)
    with pytest.raises(Killed):
        register(shop.project, shop.name)
    assert "MLFLOW_TRACKING_URI" not in os.environ, "nothing is left behind that the next process would not have"
    mlflow.set_tracking_uri(None)
    registration = register(shop.project, shop.name)
    assert counts(shop) == {"runs": 5, "models": 1, "versions": 1, "decisions": 0}
    store = open_store(shop.project)
    challenger = registry.find_by_alias(store, shop.name, "challenger")
    assert challenger is not None
    assert challenger.number == registration.version
    runs = store.client.search_runs([store.experiment(shop.name)])
    assert {run.info.status for run in runs} == {"FINISHED"}
    deep = next(run for run in runs if run.data.params.get("family") == "deep")
    assert [metric.step for metric in store.client.get_metric_history(deep.info.run_id, "val_loss")] == [1, 2, 3]


def test_the_first_model_is_promoted_once(shop: Toy) -> None:
    register(shop.project, shop.name)
    record = promote(shop.project, shop.name)
    assert (record.verdict, record.champion, record.number, record.previous) == ("PROMOTE", None, 1, "")
    assert promote(shop.project, shop.name) == record
    register(shop.project, shop.name)
    assert promote(shop.project, shop.name) == record
    assert counts(shop)["decisions"] == 1
    result = registry.find_champion(open_store(shop.project), shop.name)
    assert result is not None
    assert result.number == "1"


def test_a_promotion_that_was_killed_before_the_alias_is_carried_out(shop: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    register(shop.project, shop.name)
    killed_once(monkeypatch, registry, "set_alias")
    with pytest.raises(Killed):
        promote(shop.project, shop.name)
    store = open_store(shop.project)
    assert registry.find_champion(store, shop.name) is None
    assert len(registry.read_decisions(store, shop.name)) == 1
    assert promote(shop.project, shop.name).verdict == "PROMOTE"
    result = registry.find_champion(store, shop.name)
    assert result is not None
    assert result.number == "1"
    assert counts(shop)["decisions"] == 1


def test_nothing_registered_nothing_promoted(shop: Toy) -> None:
    with pytest.raises(Refused, match=r"ad_response has no registered version: perennial register ad_response"):
        promote(shop.project, shop.name)
    register(shop.project, shop.name)
    with pytest.raises(Refused, match=r"ad_response has no version 7: `perennial history ad_response` lists them"):
        promote(shop.project, shop.name, "7")


def test_a_model_in_use_that_an_older_version_of_us_made_is_not_comparable(shop: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shop.name
    register(shop.project, name)
    assert promote(shop.project, name).verdict == "PROMOTE"
    retrained(shop, 2)
    register(shop.project, name)
    known = registry.load_scorer

    def of_now(store: Any, result: registry.Version) -> Any:
        if result.number == "1":
            raise Refused("bundle.json says format 1: this version reads format 2")
        return known(store, result)

    monkeypatch.setattr(registry, "load_scorer", of_now)
    record = promote(shop.project, name)
    assert record.verdict == "HOLD"
    assert record.reasons == (
        "not comparable: the champion cannot be read any more (bundle.json says format 1: this version reads format 2)",
    )
    by_hand = promote(shop.project, name, why="made by version 0.1, which nobody has any more")
    assert by_hand.verdict == "PROMOTE"
    assert by_hand.reasons[0].startswith("judged as a first model by hand (made by version 0.1")
    result = registry.find_champion(open_store(shop.project), name)
    assert result is not None
    assert result.number == "2"


def test_a_reason_does_not_stand_in_for_being_better(shop: Toy) -> None:
    register(shop.project, shop.name)
    promote(shop.project, shop.name)
    retrained(shop, 2)
    register(shop.project, shop.name)
    with pytest.raises(Refused, match="can be compared with this one, so it decides"):
        promote(shop.project, shop.name, why="I like it")


def test_rollback_goes_to_the_champion_before_and_leaves_a_record(shop: Toy) -> None:
    name, store = shop.name, open_store(shop.project)
    register(shop.project, name)
    promote(shop.project, name)
    with pytest.raises(Refused, match=r"no earlier champion"):
        rollback(shop.project, name, None, "nothing there")
    retrained(shop, 2)
    assert register(shop.project, name).version == "2"
    with pytest.raises(Refused, match=r"version 1 is the champion already"):
        rollback(shop.project, name, "1", "same")
    with pytest.raises(Refused, match=r"no version 9"):
        rollback(shop.project, name, "9", "none")
    with pytest.raises(Refused, match=r"version 2 was never in use, so there is no way back to it; in use were: 1\."):
        rollback(shop.project, name, "2", "by hand")
    assert len(registry.read_decisions(store, name)) == 1
    in_use(shop, "2")
    assert rollback(shop.project, name, None, "it misbehaves").version == "1"
    result = registry.find_champion(store, name)
    assert result is not None
    assert result.number == "1"
    document = [(r.verdict, r.version, r.reasons[0]) for r in registry.read_decisions(store, name)][1:]
    assert document == [("PROMOTE", "2", "as if"), ("ROLLBACK", "1", "it misbehaves")]


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_a_broken_chain_of_decisions_is_found_out(shop: Toy, change: str) -> None:
    name, store = shop.name, open_store(shop.project)
    register(shop.project, name)
    for verdict in ("HOLD", "REJECT", "PROMOTE"):
        registry.append_decision(store, name, decision_record(verdict))
    assert [record.number for record in registry.read_decisions(store, name)] == [1, 2, 3]
    if change == "edited":
        text = store.client.get_registered_model(name).tags["decision.000001"]
        store.client.set_registered_model_tag(name, "decision.000001", text.replace("HOLD", "PROMOTE"))
    else:
        store.client.delete_registered_model_tag(name, "decision.000002")
    with pytest.raises(IntegrityError, match=rf"{name}: decision [23] does not follow from the one before it"):
        registry.read_decisions(store, name)
    with pytest.raises(IntegrityError, match=r"does not follow"):
        promote(shop.project, name)


@pytest.mark.parametrize("change", ["edited", "resealed", "emptied", "removed"])
def test_files_of_a_version_that_are_not_those_registered_are_refused(shop: Toy, tmp_path: Path, change: str) -> None:
    register(shop.project, shop.name)
    store = open_store(shop.project)
    result = registry.get_version(store, shop.name, "1")
    assert registry.download_bundle(store, result, tmp_path / "good").is_dir()
    remaining = next(p.parent for p in (shop.project.services / "mlflow" / "artifacts").rglob("bundle.json"))
    text = (remaining / "calibration.json").read_text()
    match change:
        case "edited":
            (remaining / "calibration.json").write_text(text + " ")
        case "resealed":
            (remaining / "calibration.json").write_text(text + " ")
            seal(remaining)
        case "emptied":
            shutil.rmtree(remaining)
        case _:
            shutil.rmtree(shop.project.services / "mlflow" / "artifacts")
    words = {
        "edited": r"calibration.json differ from manifest.json",
        "resealed": r"version 1: the files are not those that were registered",
        "emptied": r"the files of ad_response version 1 are gone: restore the artifact store, or delete this version",
        "removed": r"the files of ad_response version 1 (are gone|cannot be read .*): restore the artifact store",
    }
    with pytest.raises(IntegrityError, match=words[change]):
        registry.download_bundle(store, result, tmp_path / "bad")
    with pytest.raises(IntegrityError):
        promote(shop.project, shop.name)
    assert registry.find_champion(store, shop.name) is None


def test_mlflow_predicts_by_the_champions_name_what_the_scorer_says(shop: Toy) -> None:
    import mlflow

    registration = register(shop.project, shop.name)
    promote(shop.project, shop.name)
    mlflow.set_tracking_uri(open_store(shop.project).uri)
    scorer = Scorer.load(bundle_folder(shop.project, shop.name, registration.family))
    units, splits = (read_table(shop.out(s, f)) for s, f in (("featurize", "units.parquet"), ("split", "splits.parquet")))
    names = [feature.name for feature in scorer.bundle.serving.features]
    rows = select_part(units, splits, "test", shop.contract).frame.select(names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mlflow.pyfunc.load_model(f"models:/{shop.name}@champion")
        result = model.predict(rows.to_pandas())
    assert list(result.columns) == ["probability"]
    assert rows.height > 100
    np.testing.assert_allclose(result.to_numpy(), scorer.score(rows), rtol=0, atol=1e-9)
    folder = shop.project.services / "mlflow" / "artifacts"
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle", ".joblib", ".pt"}]


def test_two_processes_that_open_a_new_store_make_one_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert not store_exists(Project(root=tmp_path))
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=in_silence, args=(str(tmp_path), n)) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(200)
        assert process.exitcode == 0
    folder = tmp_path / ".perennial" / "mlflow"
    with sqlite3.connect(folder / "mlflow.db") as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert database.execute("pragma journal_mode").fetchall() == [("wal",)]
        assert len(database.execute("select * from alembic_version").fetchall()) == 1
        names = [row[0] for row in database.execute("select name from experiments").fetchall()]
    database.close()
    assert sorted(names) == ["Default", "shop-0", "shop-1"]
    assert store_exists(Project(root=tmp_path))


def in_silence(root: str, number: int) -> None:
    warnings.simplefilter("ignore")
    open_store(Project(root=Path(root))).experiment(f"shop-{number}")


def test_a_server_that_is_named_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker.example:5000")
    assert open_store(Project(root=tmp_path)) == Store(uri="http://tracker.example:5000", artifacts=None)
    assert store_exists(Project(root=tmp_path))
    assert not (tmp_path / ".perennial").exists()


def test_a_decision_is_plain_json(shop: Toy) -> None:
    register(shop.project, shop.name)
    record = promote(shop.project, shop.name)
    assert DecisionRecord.model_validate_json(json.dumps(record.model_dump(mode="json"), allow_nan=False)) == record
    assert {rule.name for rule in record.rules} >= {"improvement", "minimum"}
    assert pl.DataFrame({"reason": record.reasons}).height >= 1


def test_a_version_that_was_rolled_back_comes_back_by_hand_only(shop: Toy) -> None:
    store = open_store(shop.project)
    register(shop.project, shop.name)
    assert promote(shop.project, shop.name).verdict == "PROMOTE"
    retrained(shop, 2)
    second = register(shop.project, shop.name)
    in_use(shop, second.version)
    rollback(shop.project, shop.name, "1", "complaints")
    register(shop.project, shop.name)  # the next nightly run
    held_rows = promote(shop.project, shop.name)
    assert held_rows.verdict == "HOLD"
    assert held_rows.reasons == ("this version was rolled back (complaints); promote it by hand with --version 2",)
    champion = registry.find_champion(store, shop.name)
    assert champion is not None
    assert champion.number == "1"
    assert promote(shop.project, shop.name) == held_rows, "said once"
    by_hand = promote(shop.project, shop.name, "2")
    assert by_hand.number >= held_rows.number


def test_the_word_that_stands_on_a_candidate_is_of_the_version_in_use(shop: Toy) -> None:
    name, store = shop.name, open_store(shop.project)
    register(shop.project, name)
    promote(shop.project, name)
    retrained(shop, 2)
    register(shop.project, name)
    in_use(shop, "2")
    rollback(shop.project, name, "1", "complaints")

    def standing() -> DecisionRecord:
        evaluation = read_evaluation(shop.project, name)
        return find_candidate_decision(shop.project, name, evaluation, registry.read_decisions(store, name))

    with pytest.raises(Refused, match=r"was taken out of use and not judged since: perennial run ad_response"):
        standing()
    register(shop.project, name)  # the next run
    promote(shop.project, name)
    assert (standing().verdict, standing().champion.version) == ("HOLD", "1")
    rollback(shop.project, name, "2", "it was not the model")
    register(shop.project, name)
    assert promote(shop.project, name).verdict == "ROLLBACK"
    assert (standing().verdict, standing().version) == ("PROMOTE", "2"), "what put it into use, not the HOLD"


def test_history_folds_its_reasons_into_a_wide_column(
    shop: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(shop.root / "dvc.yaml", "stages: {}\n")
    register(shop.project, shop.name)
    (reason,) = promote(shop.project, shop.name).reasons
    retrained(shop, 2)
    register(shop.project, shop.name)
    in_use(shop, "2")
    rollback(shop.project, shop.name, "1", "[red]complaints")
    monkeypatch.chdir(shop.root)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["history", shop.name]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert reason == " ".join(why for _, why in cells if why not in {"as if", "[red]complaints"}).strip()
    assert " at 99 %: its lower end clears the agreed minimum" in reason
    assert sum(bool(why) for _, why in cells) <= 5, "one reason takes three lines at most"
    whats = [what for what, _ in cells]
    assert [what for what in whats if what.startswith("version")] == [
        "version 1, the first",
        "version 2 against 1",
        "version 1 against 2",
    ]
    assert lines[-1].startswith("champion: version 1 (")
