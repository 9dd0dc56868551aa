"""Classes and amounts through every stage, decided, reported and scored: the same simulated customers, asked otherwise."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.data.prepare.parts import select_part
from perennial.evaluation.statistics import metrics
from perennial.files.tables import read_table
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_incoming
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import Evidence, decide
from perennial.promotion.reporting import Exhibits, read_customers
from perennial.report.context import AnyReport
from perennial.report.pages.compose import compose
from perennial.results.decision import RuleName
from perennial.results.evaluations import read_evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.families import FAMILIES, Family
from perennial.results.summary import read_summary
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import prepare_rows
from perennial.serving.score_list import build_score_list
from tests.fakes.reports import amounts_report
from tests.fakes.stages import read_stages

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FITTED: tuple[Family, ...] = ("linear", "boosted", "deep", "blend")
MESSAGE = "{role: treatment, control: none, assignment: randomised, arms: {discover: {cost: 2}, reward: {cost: 2}}}"
ASKED: dict[str, dict[str, Any]] = {
    "multiclass": {"kind": "multiclass", "target": "channel", "primary": "log_loss", "minimum": 1.2, "ordered": True},
    "two_part": {"kind": "regression", "target": "spend_14d", "primary": "gini_norm", "minimum": 0.0, "zeros": "two_part"},
}


@pytest.fixture(scope="module", params=sorted(ASKED))
def asked(request: pytest.FixtureRequest, prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The shared project asked for channels or for money, up to the reasons. Shared: read it only."""
    toy = type(prepared_toy)(root=tmp_path_factory.mktemp(request.param) / "project")
    shutil.copytree(prepared_toy.root, toy.root)
    path = toy.project.contract(toy.name)
    contract = yaml.safe_load(path.read_text())
    contract |= {"task": ASKED[request.param], "money": {}, "slices": ["newsletter"]}
    if request.param == "multiclass":
        contract["columns"]["channel"] = {"role": "outcome", "values": ["store", "web", "app"]}
        contract["unit"]["features"].pop("bought_by")  # what was bought through the channel nearly is the channel
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    toy.edit("params.yaml", "epochs: 40", "epochs: 4")
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.edit("params.yaml", "rounds: 800", "rounds: 60")
    toy.edit("params.yaml", "bootstrap: 500", "bootstrap: 100")
    toy.edit("params.yaml", "bootstrap: 1000", "bootstrap: 100")
    toy.edit("params.yaml", "rows: 400", "rows: 60")
    anew = ("ingest", "validate", "clean") if request.param == "multiclass" else ()  # whose columns are others
    toy.run(*anew, "featurize", "split", "augment", "train", "baseline", "evaluate", "explain")
    return toy


def scorer(toy: Toy, family: Family) -> Scorer:
    return Scorer.load(toy.out(FAMILIES[family].stage, family))


def test_families_are_evaluated_as_their_bundles_score(asked: Toy) -> None:
    evaluation, contract = read_evaluation(asked.project, asked.name), asked.contract
    units, splits = (read_table(asked.out("featurize", "units.parquet")), read_table(asked.out("split", "splits.parquet")))
    test = select_part(units, splits, "test", contract)
    assert sorted(evaluation.families) == sorted(FITTED)
    for family in FITTED:
        score = scorer(asked, family).score(test.frame)
        score = score[:, 0] if score.shape[1] == 1 else score
        figure = evaluation.families[family].test[contract.task.primary]
        assert figure.value == pytest.approx(metrics.measure(contract.task.primary, test.y, score), rel=1e-9)
        assert figure.low < figure.value < figure.high
    assert ("kappa" in evaluation.families["deep"].test) is (contract.task.kind == "multiclass")


def test_the_table_of_predictions_has_each_output_of_each_family(asked: Toy) -> None:
    table = read_table(asked.out("evaluate", "predictions.parquet"))
    outputs = list(scorer(asked, "deep").outputs)
    assert table.columns == ["row_id", "split", "y", "arm", *(f"{f}:{o}" for f in FITTED for o in outputs)]
    splits = read_table(asked.out("split", "splits.parquet"))
    assert set(table["row_id"]) == set(splits.filter(splits["split"].is_in(["val", "test"]))["row_id"])
    assert np.isfinite(table.drop("row_id", "split").to_numpy()).all()


def test_the_split_tells_how_common_the_outcome_is(asked: Toy) -> None:
    rate = asked.summary("split")["rate"]
    units, splits = (read_table(asked.out("featurize", "units.parquet")), read_table(asked.out("split", "splits.parquet")))
    for name in ("train", "val", "test"):
        rows = select_part(units, splits, name, asked.contract)
        is_class = asked.contract.task.kind == "multiclass"
        expected = np.bincount(rows.y.astype(int)).max() / len(rows) if is_class else rows.y.mean()
        assert rate[name] == pytest.approx(expected)


def test_what_is_decided_follows_from_both_models_on_the_same_rows(asked: Toy) -> None:
    contract = asked.contract
    gate = read_section(asked.root / "params.yaml", asked.name, "gate", GateParams)
    new, other = scorer(asked, "blend"), scorer(asked, "linear")
    first = decide(gather_evidence(asked.project, asked.name, contract, new, None, gate))
    assert first.verdict in {"PROMOTE", "REJECT"}
    assert first.rules[0].state == "info"
    again = gather_evidence(asked.project, asked.name, contract, new, new, gate)
    assert isinstance(again, Evidence)
    assert again.not_comparable is None
    assert again.profit is None
    enough = contract.task.kind == "multiclass"  # of either group fewer than 30 spent anything
    assert {part.value: part.better_by is not None for part in again.slices} == {"0": enough, "1": enough}
    assert decide(again).verdict == ("HOLD" if first.verdict == "PROMOTE" else "REJECT")
    pair = gather_evidence(asked.project, asked.name, contract, new, other, gate)
    assert isinstance(pair, Evidence)
    assert pair.champion is not None
    rule = decide(pair).rules[0]
    assert rule.name == RuleName.IMPROVEMENT
    assert rule.interval is not None
    figures = [metrics.measure(contract.task.primary, pair.comparison.y, flat(s)) for s in (pair.candidate, pair.champion)]
    sign = 1 if pair.comparison.higher_is_better else -1
    assert rule.interval.value == pytest.approx(sign * (figures[0] - figures[1]))
    json.dumps([list(map(str, decision.rules)) for decision in (first, decide(pair))])


def flat(score: Any) -> Any:
    return score[:, 0] if score.shape[1] == 1 else score


def test_reasons_add_up_and_name_what_the_model_goes_by(asked: Toy) -> None:
    explain = read_summary(asked.project, asked.name, ExplainSummary)
    assert explain.completeness_error <= 0.2 * explain.spread
    rows = read_table(asked.out("explain", "reasons.parquet"))
    assert (rows["reasons"].str.len_chars() > 0).all()
    assert explain.importance[0].label


def test_new_customers_are_ranked_by_what_the_task_asks_and_nothing_is_decided_without_money(asked: Toy, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    write_incoming(incoming, Population(seed=1, first=0, n=4_000, month=0, concept=0))
    assert FITTED
    for family in FITTED[::2]:
        model = scorer(asked, family)
        units = prepare_rows(asked.contract, incoming).units
        table = build_score_list(model, units, asked.contract)
        outputs = model.outputs
        if asked.contract.task.kind == "multiclass":
            assert table.columns == ["customer_id", "rank", "class", "probability", "decile", "reasons", *outputs, "row_id"]
            likeliest = table.select(outputs).to_numpy().argmax(axis=1)
            assert table["class"].to_list() == [outputs[i] for i in likeliest]
        else:
            assert table.columns == ["customer_id", "rank", *outputs, "decile", "reasons", "row_id"]
        rank = table.select(outputs).to_numpy().max(axis=1)
        best = (table["decile"] == 1).to_numpy()
        assert rank[best].min() >= rank[~best].max()
        assert 0.09 < best.mean() < 0.11
        if asked.contract.task.kind == "multiclass":
            np.testing.assert_allclose(table.select(outputs).to_numpy().sum(axis=1), 1)


def test_the_report_is_made_of_what_the_stages_left(asked: Toy) -> None:
    base: Any = amounts_report()  # of whichever task the fixture asks
    report: AnyReport = replace(
        base,
        name=asked.name,
        contract=asked.contract,
        quarantine=(),
        quarantined={},
        evaluation=read_evaluation(asked.project, asked.name),
        **read_stages(asked.project, asked.name),
        customers=read_customers(asked.project, asked.name, asked.contract, Exhibits(quotes={}, photos={})),
    )
    page, headline = compose(report)
    assert headline.startswith("Use this model")
    assert ">nan<" not in page
    assert report.customers
    for row in report.customers:
        assert row.row in page
