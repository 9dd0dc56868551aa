"""A shop's order lines become segments through all ten stages, a decision, a page and a list, with no outcome anywhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from perennial.config.gate import GateParams
from perennial.data.names import ENTITY
from perennial.files.tables import read_table
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import SegmentationEvidence, decide
from perennial.promotion.overview import build_overview
from perennial.report.context import ExplainedRow
from perennial.report.pages.compose import compose
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.decision import RuleName, RuleState
from perennial.results.evaluations import read_evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.split import SplitSummary
from perennial.results.summary import read_summary
from perennial.results.train import TrainSummary
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import prepare_rows
from perennial.serving.score_list import build_score_list
from tests.conftest import LIGHT, Toy, lay_out
from tests.fakes.decisions import decision_record
from tests.fakes.reports import segments_report
from tests.fakes.stages import read_stages

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAME = "customer_segments"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GATE = GateParams(seed=1, bootstrap=100)
KITCHEN = ("pan", "cup", "fork", "bowl", "plate", "lamp")  # each customer buys things of one sort, whatever they spend
KINDS = {"best": (3, 20, 40.0), "middle": (40, 5, 12.0), "gone": (250, 1, 5.0)}  # silence, orders, price


def lines() -> list[str]:
    """150 customers of each of three kinds, as far from each other as log days, orders and money can be."""
    rng, end, result = np.random.default_rng(7), dt.datetime(2011, 12, 9, 12), []
    for kind, (silence, orders, price) in enumerate(KINDS.values()):
        for i in range(150):
            customer, last = 10_000 + 1_000 * kind + i, silence * rng.lognormal(0, 0.25)
            for order in range(max(1, round(orders * rng.lognormal(0, 0.25)))):
                at = end - dt.timedelta(days=last + 3 * order)
                cost = price * rng.lognormal(0, 0.25)
                item = f"{KITCHEN[i % 6]} {rng.integers(5)}"
                result.append(f"{customer}-{order},x,{item},2,{at:%F %T},{cost:.2f},{customer},UK\n")
    return result


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The gallery's contract over a small log, run through every stage. Shared: read it only."""
    root, params = tmp_path_factory.mktemp("segments") / "project", {"baseline": {"segments": {"pairs": 12, "starts": 3}}}
    toy = lay_out(root, NAME, params, {"k: [2, 8]": "k: [2, 4]"})
    (toy.project.raw(NAME) / "online_retail.csv").write_text(HEADER + "".join(lines()))
    toy.run(*LIGHT, "train", "baseline", "evaluate", "explain")
    return toy


def scorer(toy: Toy) -> Scorer:
    return Scorer.load(toy.out("baseline", "kmeans"))


def evaluation(toy: Toy) -> ClusteringEvaluation:
    read = read_evaluation(toy.project, NAME)
    assert isinstance(read, ClusteringEvaluation)
    return read


def evidence(toy: Toy, new: Scorer, old: Scorer | None) -> SegmentationEvidence:
    gathered = gather_evidence(toy.project, NAME, toy.contract, new, old, GATE)
    assert isinstance(gathered, SegmentationEvidence)
    return gathered


def test_the_kinds_of_customers_come_out_with_their_names_and_money(shop: Toy) -> None:
    segments = evaluation(shop).segments
    assert evaluation(shop).k == 3
    assert [segment.n for segment in segments] == [150, 150, 150]
    assert segments[0].name == "Champions"
    assert segments[2].name == "Lost customers"
    shares = [segment.amount_share or 0.0 for segment in segments]
    assert sum(shares) == pytest.approx(1)
    assert shares[0] > 0.8
    units = read_table(shop.out("featurize", "units.parquet")).filter(pl.col("cutoff") == dt.date(2011, 12, 10))
    kind = units[ENTITY].str.slice(0, 2).to_list()
    assert len(set(zip(kind, scorer(shop).score(units).argmax(axis=1), strict=True))) == 3


def test_customers_who_buy_alike_are_one_purchase_cluster(shop: Toy) -> None:
    table = read_table(shop.out("evaluate", "purchase_clusters.parquet"))
    units = read_table(shop.out("featurize", "units.parquet")).join(table, on="row_id")
    sort = [KITCHEN[int(who) % 1_000 % 6] for who in units[ENTITY]]
    assert len(set(zip(sort, units["cluster"], strict=True))) == 6
    clusters = evaluation(shop).purchase_clusters
    assert sum(cluster.n for cluster in clusters) == 450
    for cluster in clusters:
        assert len({item.item.split()[0] for item in cluster.items}) == 1
        assert cluster.segment_shares == pytest.approx([1 / 6] * 3, abs=0.05)


def test_customers_of_a_month_before_are_compared_and_nothing_else_is_made_of_them(shop: Toy) -> None:
    parts = read_summary(shop.project, NAME, SplitSummary).flow["units"].to
    assert parts["lookback"] > 300
    assert parts["train"] + parts["val"] + parts["test"] == 450
    moves = evaluation(shop).moves
    assert moves is not None
    assert (moves.from_date, moves.to_date) == ("2011-11-10", "2011-12-10")
    assert sum(map(sum, moves.counts)) == parts["lookback"]
    stayed = sum(moves.counts[s][s] for s in range(3))
    assert moves.moved.value == pytest.approx(1 - stayed / parts["lookback"])
    assert 0 < moves.moved.value < 1
    assert sum(moves.counts[2][:2]) < 0.1 * parts["lookback"], "who is gone for 250 days was gone before"


def test_train_has_nothing_to_learn_and_the_others_cope(shop: Toy) -> None:
    train = read_summary(shop.project, NAME, TrainSummary)
    assert train.families == {}
    assert read_summary(shop.project, NAME, SplitSummary).rate == {}
    assert not shop.out("evaluate", "blend").exists()
    overview = build_overview(shop.project, NAME)
    assert overview.families is not None
    assert set(overview.families["kmeans"]) == {"stability"}
    assert overview.deep_minus_traditional is None
    assert read_summary(shop.project, NAME, ExplainSummary).completeness_error == 0


def test_a_first_version_needs_stability_and_a_later_one_the_labels(shop: Toy) -> None:
    new = scorer(shop)
    assert decide(evidence(shop, new, None)).verdict == "PROMOTE"
    again = evidence(shop, new, new)
    assert again.retention is not None
    assert again.retention.overall.value == 1
    assert decide(again).verdict == "PROMOTE"
    serving = new.bundle.serving
    turned = serving.model_copy(
        update={"head": serving.head.model_copy(update={"outputs": tuple(reversed(serving.head.outputs))})}
    )
    other = Scorer(bundle=replace(new.bundle, serving=turned))
    decision = decide(evidence(shop, other, new))
    assert decision.verdict == "HOLD"
    assert "33.3% of all customers keep their label" in decision.reasons[0].sentence
    assert "100.0% if labels went by shared customers" in decision.reasons[0].sentence


def test_the_list_names_a_segment_and_why_for_every_customer(shop: Toy, tmp_path: Path) -> None:
    source = tmp_path / "lines.csv"
    source.write_text(HEADER + "".join(lines()[:400]))
    prepared = prepare_rows(shop.contract, source)
    table = build_score_list(scorer(shop), prepared.units, shop.contract)
    assert {"CustomerID", "segment", "Champions", "reasons"} <= set(table.columns)
    assert not {"rank", "decile", "action"} & set(table.columns)
    assert table["segment"].null_count() == 0
    shares = table.select(scorer(shop).outputs).sum_horizontal()
    np.testing.assert_allclose(shares.to_numpy(), 1)
    assert table.filter(pl.col("reasons") == "").height == 0


def test_the_page_is_composed_of_what_the_stages_left(shop: Toy) -> None:
    decision = decide(evidence(shop, scorer(shop), None))
    sentences = tuple(rule.sentence for rule in decision.reasons)
    record = decision_record("PROMOTE", "1", family="kmeans", rules=decision.rules, reasons=sentences)
    customer = ExplainedRow(row="10001", score="Champions 99 %", reasons="purchases: 20")
    report = replace(
        segments_report(),
        contract=shop.contract,
        decision=record,
        history=(record,),
        customers=(customer,),
        quarantine=(),
        quarantined={},
        evaluation=evaluation(shop),
        **read_stages(shop.project, NAME),
    )
    page, headline = compose(report)
    assert headline.startswith("Use these 3 segments. Models of separate halves of the customers find the same ones.")
    assert page.count('<article class="card') == 3
    assert "Message to try" in page
    assert "of customers changed segment between 2011-11-10 and 2011-12-10" in page
    assert "Six purchase clusters, a second label" in page
    rejected, headline = compose(replace(report, decision=record.model_copy(update={"verdict": "REJECT"})))
    assert headline.startswith("Do not deploy these segments")
    assert "Message to try" not in rejected
    rule = decision.rules[0].model_copy(update={"name": RuleName.LABEL_RETENTION, "state": RuleState.HOLD})
    on_hold = replace(report, decision=record.model_copy(update={"verdict": "HOLD", "rules": (rule,)}))
    assert compose(on_hold)[1].startswith("Keep the current segments: too many customers would change their name.")
