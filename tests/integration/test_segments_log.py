"""A shop's order lines become segments through all ten stages, a decision, a page and a list, with no outcome anywhere."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from perennial.config.gate import GateParams
from perennial.data.names import ENTITY
from perennial.files.durable import read_json
from perennial.files.tables import read_table
from perennial.promotion.gate import Segmentation, decide
from perennial.promotion.overview import show
from perennial.promotion.promote import evidence
from perennial.report.context import Story
from perennial.report.pages.compose import compose
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import prepare_rows
from perennial.serving.score_list import build_score_list
from tests.conftest import LIGHT, REPO, Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAME = "customer_segments"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GATE = GateParams(seed=1, bootstrap=100)
KITCHEN = ("pan", "cup", "fork", "bowl", "plate", "lamp")  # each customer buys things of one sort, whatever they spend
KINDS = {"best": (3, 20, 40.0), "middle": (40, 5, 12.0), "gone": (250, 1, 5.0)}  # silence, orders, price


def lines() -> list[str]:
    """150 customers of each of three kinds, as far from each other as log days, orders and money can be."""
    rng, end, found = np.random.default_rng(7), dt.datetime(2011, 12, 9, 12), []
    for kind, (silence, orders, price) in enumerate(KINDS.values()):
        for i in range(150):
            customer, last = 10_000 + 1_000 * kind + i, silence * rng.lognormal(0, 0.25)
            for order in range(max(1, round(orders * rng.lognormal(0, 0.25)))):
                at = end - dt.timedelta(days=last + 3 * order)
                cost = price * rng.lognormal(0, 0.25)
                item = f"{KITCHEN[i % 6]} {rng.integers(5)}"
                found.append(f"{customer}-{order},x,{item},2,{at:%F %T},{cost:.2f},{customer},UK\n")
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The gallery's contract over a small log, run through every stage. Shared: read it only."""
    root, gallery = tmp_path_factory.mktemp("segments") / "project", REPO / "src" / "perennial" / "gallery"
    block = yaml.safe_load((gallery / "params.yaml").read_text())["use_cases"][NAME]
    block["baseline"]["segments"] = {"pairs": 12, "starts": 3}
    (root / "contracts").mkdir(parents=True)
    (root / "contracts" / f"{NAME}.yaml").write_text(
        (gallery / f"{NAME}.yaml").read_text().replace("k: [2, 8]", "k: [2, 4]")
    )
    (root / "params.yaml").write_text(yaml.safe_dump({"use_cases": {NAME: block}}))
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copy(REPO / file, root)
    toy = Toy(root=root, name=NAME)
    toy.project.raw(NAME).mkdir(parents=True)
    (toy.project.raw(NAME) / "online_retail.csv").write_text(HEADER + "".join(lines()))
    toy.run(*LIGHT, "train", "baseline", "evaluate", "explain")
    return toy


def scorer(toy: Toy) -> Scorer:
    return Scorer.load(toy.out("baseline", "kmeans"))


def test_the_kinds_of_customers_come_out_with_their_names_and_money(shop: Toy) -> None:
    found = shop.summary("evaluate")
    assert found["k"] == 3
    assert [one["n"] for one in found["segments"]] == [150, 150, 150]
    assert found["segments"][0]["name"] == "Champions"
    assert found["segments"][2]["name"] == "Lost customers"
    assert sum(one["amount_share"] for one in found["segments"]) == pytest.approx(1)
    assert found["segments"][0]["amount_share"] > 0.8
    units = read_table(shop.out("featurize", "units.parquet")).filter(pl.col("cutoff") == dt.date(2011, 12, 10))
    kind = units[ENTITY].str.slice(0, 2).to_list()
    assert len(set(zip(kind, scorer(shop).score(units).argmax(axis=1), strict=True))) == 3


def test_who_buys_alike_has_one_taste_beside_the_segment(shop: Toy) -> None:
    clusters = read_table(shop.out("evaluate", "purchase_clusters.parquet"))
    units = read_table(shop.out("featurize", "units.parquet")).join(clusters, on="row_id")
    sort = [KITCHEN[int(who) % 1_000 % 6] for who in units[ENTITY]]
    assert len(set(zip(sort, units["cluster"], strict=True))) == 6
    told = shop.summary("evaluate")["purchase_clusters"]
    assert sum(one["n"] for one in told) == 450
    for one in told:
        assert len({item["item"].split()[0] for item in one["items"]}) == 1
        assert one["segment_shares"] == pytest.approx([1 / 6] * 3, abs=0.05)


def test_customers_of_a_month_before_are_compared_and_nothing_else_is_made_of_them(shop: Toy) -> None:
    split = shop.summary("split")["flow"]["units"]["to"]
    assert split["lookback"] > 300
    assert split["train"] + split["val"] + split["test"] == 450
    moves = shop.summary("evaluate")["moves"]
    assert (moves["from"], moves["to"]) == ("2011-11-10", "2011-12-10")
    assert sum(map(sum, moves["counts"])) == split["lookback"]
    kept = sum(moves["counts"][s][s] for s in range(3))
    assert moves["moved"]["value"] == pytest.approx(1 - kept / split["lookback"])
    assert 0 < moves["moved"]["value"] < 1
    assert sum(moves["counts"][2][:2]) < 0.1 * split["lookback"], "who is gone for 250 days was gone before"


def test_train_says_that_it_has_nothing_to_learn_and_the_others_cope(shop: Toy) -> None:
    assert shop.summary("train")["words"] == "no deep family for clustering"
    assert shop.summary("train")["families"] == {}
    assert shop.summary("split")["rate"] == {}
    assert not shop.out("evaluate", "blend").exists()
    told = show(shop.project, NAME)
    assert set(told["families"]["kmeans"]) == {"stability"}
    assert told["deep_minus_traditional"] is None
    assert shop.summary("explain")["completeness_error"] == 0


def test_a_first_version_needs_stability_and_a_later_one_the_names(shop: Toy) -> None:
    new = scorer(shop)
    first = decide(evidence(shop.project, NAME, shop.contract, new, None, GATE))
    assert first.verdict == "PROMOTE"
    again = evidence(shop.project, NAME, shop.contract, new, new, GATE)
    assert isinstance(again, Segmentation)
    assert again.kept is not None
    assert again.kept.overall.value == 1
    assert decide(again).verdict == "PROMOTE"
    serving = new.bundle.serving
    turned = serving.model_copy(
        update={"head": serving.head.model_copy(update={"outputs": tuple(reversed(serving.head.outputs))})}
    )
    other = Scorer(bundle=replace(new.bundle, serving=turned))
    held = decide(evidence(shop.project, NAME, shop.contract, other, new, GATE))
    assert held.verdict == "HOLD"
    assert "33.3% of all customers keep their name" in held.reasons[0].words
    assert "100.0% if names went by shared customers" in held.reasons[0].words


def test_the_list_names_a_segment_and_why_for_every_customer(shop: Toy, tmp_path: Path) -> None:
    source = tmp_path / "lines.csv"
    source.write_text(HEADER + "".join(lines()[:400]))
    prepared = prepare_rows(shop.contract, source)
    table = build_score_list(scorer(shop), prepared.units, shop.contract)
    assert {"CustomerID", "segment", "Champions", "reasons"} <= set(table.columns)
    assert not {"decile", "action"} & set(table.columns)
    assert table["segment"].null_count() == 0
    shares = table.select(scorer(shop).outputs).sum_horizontal()
    np.testing.assert_allclose(shares.to_numpy(), 1)
    assert table.filter(pl.col("reasons") == "").height == 0


def test_the_page_is_composed_of_what_the_stages_left(shop: Toy) -> None:
    new = scorer(shop)
    decision = decide(evidence(shop.project, NAME, shop.contract, new, None, GATE))
    rules = [
        {
            "name": r.name, "words": r.words, "state": r.state, "line": r.line,
            "interval": r.interval and vars(r.interval),
        }
        for r in decision.rules
    ]  # fmt: skip
    record = {
        "verdict": decision.verdict, "version": "1", "family": "kmeans", "digest": "d" * 64, "champion": None,
        "reasons": [r.words for r in decision.reasons], "rules": rules, "at": "2026-01-01 00:00:00", "number": 1,
    }  # fmt: skip
    stages = (*LIGHT, "train", "baseline", "evaluate", "explain")
    story = Story(
        name=NAME, contract=shop.contract, at="2026-01-02 00:00", decision=record, history=[record], version="1",
        summaries={stage: read_json(shop.out(stage, "summary.json")) for stage in stages}, curve=[], quarantine=[],
        people=[{"row": "10001", "score": "Champions 99 %", "reasons": "purchases: 20"}], quarantined={},
        lineage={"commit": "c" * 40, "changed": "false", "raw": "r", "code": "k" * 64, "python": "3", "cpu": "x"},
    )  # fmt: skip
    page, told = compose(story)
    assert told.startswith("Use these 3 segments: they come out the same from other halves of the customers.")
    assert page.count('<article class="card') == 3
    assert "Message to try" in page
    assert "of customers moved by themselves from 2011-11-10 to 2011-12-10" in page
    assert "Six tastes, a second label" in page
    refused, told = compose(replace(story, decision={**record, "verdict": "REJECT"}))
    assert told.startswith("Do not build on these segments")
    assert "Message to try" not in refused
    held = replace(
        story, decision={**record, "verdict": "HOLD", "rules": [{**rules[0], "name": "names", "state": "holds"}]}
    )
    assert compose(held)[1].startswith("Keep the segments in use: too many customers would change their name.")
