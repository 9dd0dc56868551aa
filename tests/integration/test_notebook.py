"""The five names for a notebook: their examples run as they stand, and they say what stages and gate say."""

from __future__ import annotations

import doctest
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import perennial
from perennial import api as notebook
from perennial.config.gate import GateParams
from perennial.errors import ConfigError, ContractError
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import decide

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAMES = ("load_table", "load_features", "load_scorer", "evaluate", "gate")


@pytest.fixture(scope="module")
def trained(prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    root = tmp_path_factory.mktemp("notebook") / "project"
    shutil.copytree(prepared_toy.root, root)
    toy = type(prepared_toy)(root=root)
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.run("baseline")
    return toy


@pytest.fixture(autouse=True)
def _here(trained: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.root)


def test_the_examples_of_the_docstrings_run_in_their_order() -> None:
    globs: dict[str, object] = {}
    examples = 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for name in NAMES:
        for test in doctest.DocTestFinder(recurse=False).find(getattr(notebook, name), name, globs=globs):
            test.globs = globs
            runner.run(test, clear_globs=False)
            examples += len(test.examples)
    assert examples >= 9
    assert runner.summarize().failed == 0


def test_features_stand_apart_from_what_would_leak(trained: Toy) -> None:
    table = perennial.load_features("ad_response", "train")
    scorer = perennial.load_scorer("ad_response", family="linear")
    assert table.features.columns == [feature.name for feature in scorer.bundle.serving.features]
    assert not {"row_id", "split", "customer_id", "responded", "message"} & set(table.features.columns)
    assert table.outcome is not None
    assert set(table.outcome) == {0, 1}
    assert table.keys.columns == ["row_id", "split", "customer_id"]
    assert table.keys["customer_id"].null_count() == 0
    assert set(table.keys["split"]) == {"train"}
    assert scorer.score(table.features).shape == (table.features.height, 1)
    assert repr(table) == f"FeatureTable({table.features.height:,} rows, {table.features.width} features, outcome responded)"


def test_a_scorer_is_short_and_lists_its_features() -> None:
    scorer = perennial.load_scorer("ad_response", family="linear")
    assert repr(scorer) == f"Scorer(linear, {len(scorer.bundle.serving.features)} features → probability)"
    assert len(repr(scorer.bundle)) < 60
    page = scorer._repr_html_()
    assert page.count("<tr>") == 1 + 12
    assert "garden visits" in page or "and 16 more" in page


def test_the_gate_says_what_promote_would(trained: Toy) -> None:
    scorer = perennial.load_scorer("ad_response", family="boosted")
    parts = {part: perennial.load_table("ad_response", part) for part in ("val", "test")}
    decision = perennial.gate(
        scorer, perennial.load_scorer("ad_response", family="linear"), parts, trained.contract, bootstrap=100
    )
    old = perennial.load_scorer("ad_response", family="linear")
    expected = decide(
        gather_evidence(trained.project, "ad_response", trained.contract, scorer, old, GateParams(seed=1, bootstrap=100))
    )
    assert decision == expected


def test_figures_are_those_of_the_metric_with_an_interval(trained: Toy) -> None:
    from perennial.evaluation.statistics.metrics import measure

    scorer, rows = perennial.load_scorer("ad_response", family="linear"), perennial.load_table("ad_response", "test")
    figures = perennial.evaluate(scorer, rows, trained.contract)
    assert set(figures) == {"auc", "ap", "log_loss", "brier"}
    for metric, interval in figures.items():
        assert interval.value == pytest.approx(measure(metric, rows["responded"].to_numpy(), scorer.score(rows)[:, 0]))
        assert interval.low < interval.value < interval.high


def test_what_is_not_there_is_said(trained: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="has no deep model of its own: perennial run ad_response"):
        perennial.load_scorer("ad_response", family="deep")
    with pytest.raises(ConfigError, match="'dep' is no family; there are: linear"):
        perennial.load_scorer("ad_response", family="dep")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="has no rows in the part 'tset'; there are: test, train, val"):
        perennial.load_table("ad_response", "tset")  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="`perennial list` names the use cases there are"):
        perennial.load_table("nope")
    below = trained.root / "src"
    below.mkdir(exist_ok=True)
    monkeypatch.chdir(below)
    assert perennial.load_contract("contracts/ad_response.yaml") == trained.contract
    with pytest.raises(AttributeError, match="it has: evaluate, gate, load_contract, load_features, load_results, "):
        _ = perennial.load_everything
    task = trained.contract.task.model_copy(update={"kind": "binary"})
    assert perennial.load_contract(Path("contracts") / "ad_response.yaml").task == task


def test_importing_the_package_loads_nothing_but_itself() -> None:
    code = "import sys, perennial; sys.exit(any(name in sys.modules for name in ('polars', 'numpy', 'torch', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
