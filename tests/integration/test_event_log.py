"""A shop's order lines become customers at cut-offs through the stages, and a list that needs no outcome."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from perennial.campaigns import audience
from perennial.campaigns import record as campaigns
from perennial.campaigns.outcome import evaluate_outcome
from perennial.config.audience import AudienceParams
from perennial.data.names import CUTOFF, ENTITY, ROW_ID
from perennial.errors import DataStopped, InputError
from perennial.files.tables import read_table
from perennial.promotion.overview import build_overview
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import prepare_rows
from perennial.serving.score_list import build_score_list
from perennial.sources import fetch
from perennial.tracking.registry import Version
from tests.conftest import LIGHT, Toy, lay_out

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAME = "customer_churn"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
START, DAYS = dt.datetime(2010, 12, 1, 9), 375
CANCELLED, NOBODY, FREE = 40, 60, 25


def lines() -> list[str]:
    """400 customers with a pace of their own, each day's invoices in order; some lines are cancelled, free or nobody's."""
    rng = np.random.default_rng(7)
    result: list[tuple[int, str]] = []
    for customer in range(400):
        day = int(rng.integers(0, 200))
        while day < DAYS:
            for _ in range(int(rng.integers(1, 4))):
                item, price = int(rng.integers(100, 130)), rng.integers(10, 900) / 100
                result.append(
                    (day, f"{customer}-{day},{item},thing,{rng.integers(1, 9)},{{at}},{price:.2f},{10000 + customer},UK")
                )
            day += int(rng.geometric(1 / (10 + customer / 2)))
    for i in range(CANCELLED):
        result.append((i, f"C{i},100,thing,-1,{{at}},1.00,10001,UK"))
    for i in range(NOBODY):
        result.append((i, f"9{i},100,thing,1,{{at}},1.00,,UK"))
    for i in range(FREE):
        result.append((i, f"8{i},100,thing,1,{{at}},0.0,10001,UK"))
    result.append((DAYS, "7,100,thing,1,{at},1.00,10001,UK"))
    at = [START + dt.timedelta(days=day, minutes=i % 600) for i, (day, _) in enumerate(result)]
    return [f"{text.format(at=when)}\n" for when, (_, text) in sorted(zip(at, result, strict=True))]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The gallery's contract over a small log, run from ingest to augment. Shared: read it only."""
    toy = lay_out(tmp_path_factory.mktemp("shop") / "project", NAME, {"baseline": {"trials": 1}})
    (toy.project.raw(NAME) / "online_retail.csv").write_text(HEADER + "".join(lines()))
    toy.run(*LIGHT)
    return toy


@pytest.fixture
def mine(shop: Toy, tmp_path: Path) -> Toy:
    """A copy of one's own."""
    shutil.copytree(shop.root, tmp_path / "project")
    return Toy(root=tmp_path / "project", name=NAME)


def test_every_line_is_accounted_for_at_every_stage(shop: Toy) -> None:
    n_lines = len(lines())
    clean = shop.summary("clean")["flow"]["lines"]
    assert clean["rows_in"] == n_lines
    remaining = n_lines - CANCELLED - NOBODY - FREE
    document = {"kept": remaining, "cancelled or adjusted": CANCELLED, "no CustomerID": NOBODY, "without quantity or price": FREE}
    assert clean["to"] == document
    dropped = read_table(shop.out("clean", "dropped.parquet"))
    assert dropped["reason"].value_counts().height == 3
    built = shop.summary("featurize")["flow"]["lines"]
    assert built["rows_in"] == remaining == sum(built["to"].values())
    assert set(built["to"]) <= {"fed", "no history before the cut-off", "outside every window"}
    assert read_table(shop.out("featurize", "unused.parquet")).height == remaining - built["to"]["fed"]


def test_units_are_split_by_their_cut_off_and_their_customer(shop: Toy) -> None:
    units = read_table(shop.out("featurize", "units.parquet"))
    parts = units.join(read_table(shop.out("split", "splits.parquet")), on=ROW_ID)
    assert set(parts.filter(pl.col(CUTOFF) == dt.date(2011, 9, 10))["split"]) == {"test"}
    of = {name: set(parts.filter(pl.col("split") == name)[ENTITY]) for name in ("train", "val", "test")}
    assert not of["train"] & of["val"]
    assert of["train"] & of["test"]
    assert sum(shop.summary("featurize")["cutoffs"].values()) == units.height == shop.summary("split")["flow"]["units"]["rows_in"]
    assert build_overview(shop.project, NAME).rows.raw == len(lines())


def test_a_line_added_on_or_after_a_cut_off_changes_no_feature_of_it(shop: Toy, mine: Toy) -> None:
    more = "X1,101,thing,5,2011-06-12 00:00:00,9.99,10003,UK\nX2,102,thing,5,2011-07-01 10:00:00,1.00,10004,UK\n"
    with open(mine.project.raw(NAME) / "online_retail.csv", "a") as file:
        file.write(more.replace("00:00:00", "08:00:00"))
    mine.run("ingest", "validate", "clean", "featurize")
    first = pl.col(CUTOFF) <= dt.date(2011, 6, 12)
    before, after = (read_table(toy.out("featurize", "units.parquet")).filter(first) for toy in (shop, mine))
    assert after.drop("buys_again").equals(before.drop("buys_again"))
    grown = after.filter(after["buys_again"] != before["buys_again"])
    assert set(grown[ENTITY]) <= {"10003", "10004"}


def test_an_outcome_of_the_future_stops_with_the_day_it_will_be_known(mine: Toy) -> None:
    mine.edit_contract('test: ["2011-09-10"]', 'test: ["2011-10-10"]')
    with pytest.raises(DataStopped, match=r"buys_again of cut-off 2011-10-10 is known on 2012-01-08, the last row of lines is"):
        mine.run("featurize")


def test_a_cut_off_before_everything_and_an_outcome_that_never_varies_stop(mine: Toy) -> None:
    mine.edit_contract('train: ["2011-03-14",', 'train: ["2010-11-01", "2011-03-14",')
    with pytest.raises(DataStopped, match="nobody has an event before cut-off 2010-11-01: choose a later one"):
        mine.run("featurize")
    mine.edit_contract('train: ["2010-11-01", "2011-03-14",', 'train: ["2011-03-14",')
    mine.edit_contract(
        "{kind: any, from: lines, after_days: 90", '{kind: any, from: lines, where: {StockCode: "7"}, after_days: 90'
    )
    with pytest.raises(DataStopped, match="the outcome buys_again is always 0"):
        mine.run("featurize")


def test_events_alone_are_scored_as_of_the_day_after_the_last(mine: Toy, caplog: pytest.LogCaptureFixture) -> None:
    mine.run("baseline")
    model, contract = Scorer.load(mine.out("baseline", "linear")), mine.contract
    source = mine.root / "some_lines.csv"  # one file is the log, whatever its name
    source.write_text(HEADER + "".join(lines()))
    with caplog.at_level("INFO", logger="perennial"):
        prepared = prepare_rows(contract, source)
    assert prepared.as_of == dt.date(2011, 12, 12)
    assert "the last event is of 2011-12-11: every customer is scored as of 2011-12-12" in caplog.text
    assert prepared.n_rows == len(lines())
    assert prepared.rejected["reason"].value_counts(sort=True).rows() == [
        ("no CustomerID", NOBODY),
        ("cancelled or adjusted", CANCELLED),
        ("without quantity or price", FREE),
    ]
    table = build_score_list(model, prepared.units, contract)
    assert table.columns == ["CustomerID", "rank", "probability", "decile", "reasons", "row_id"]
    assert table.height == table["CustomerID"].n_unique() == 400
    assert table["row_id"].to_list() == [f"{who}@2011-12-12" for who in table["CustomerID"]]
    assert "buys_again" not in prepared.units.columns


def test_what_is_scored_as_of_a_cut_off_is_what_was_tested_as_of_it(shop: Toy, tmp_path: Path) -> None:
    """The log up to the eve of the test cut-off, which needs an event on that very day, gives the same features."""
    eve = [line for line in lines() if line.split(",")[4] < "2011-09-10"]
    eve.append("8,100,thing,1,2011-09-09 12:00:00,1.00,99999,UK\n")
    source = tmp_path / "eve.csv"
    source.write_text(HEADER + "".join(eve))
    prepared = prepare_rows(shop.contract, source)
    assert prepared.as_of == dt.date(2011, 9, 10)
    units = read_table(shop.out("featurize", "units.parquet")).filter(pl.col(CUTOFF) == prepared.as_of)
    names = [name for name in units.columns if name not in {"_order", "label_end", "buys_again"}]
    again = prepared.units.filter(pl.col(ENTITY) != "99999").select(names).sort(ROW_ID)
    assert again.equals(units.select(names).sort(ROW_ID))


def test_a_log_without_a_single_usable_line_is_refused(mine: Toy) -> None:
    source = mine.root / "lines.csv"
    source.write_text(f"{HEADER}C1,100,thing,-1,2011-01-01 10:00:00,1.00,10001,UK\n")
    with pytest.raises(InputError, match="none of 1 rows can be scored: cancelled or adjusted"):
        prepare_rows(mine.contract, source)


def test_a_folder_is_read_by_the_names_of_the_contract(mine: Toy, tmp_path: Path) -> None:
    folder: Any = tmp_path / "incoming"
    folder.mkdir()
    (folder / "online_retail_december.csv").write_text(HEADER + "".join(lines()[:200]))
    with pytest.raises(InputError, match="belongs to no table: the contract knows online_retail"):
        prepare_rows(mine.contract, folder)
    (folder / "online_retail_december.csv").rename(folder / "online_retail.csv")
    assert prepare_rows(mine.contract, folder).n_rows == 200


def test_customers_made_of_events_get_a_campaign_and_it_comes_back(mine: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.edit_contract("money: {}", "money: {currency: EUR, value_of_response: 20, cost_of_contact: 4, budget_share: 1.0}")
    mine.run("baseline")
    scorer = Scorer.load(mine.out("baseline", "linear"))
    result = Version(name=NAME, number="1", run_id="", digest="d", family="linear", source="")
    monkeypatch.setattr(audience, "load_champion", lambda *_: (result, scorer))
    monkeypatch.setattr(fetch, "record_raw", lambda *_: None)
    options = AudienceParams(control=0.4, columns=("CustomerID", "decile", "last"))
    record = audience.build_audience(mine.project, NAME, "back", mine.project.raw(NAME), options)
    room = campaigns.campaign_folder(mine.project, NAME, "back")
    population, data = read_table(room / "population.parquet"), mine.root / "told.csv"
    assert population.height == record.counts.chosen > 100
    y = (population["group"] == "treated").cast(pl.Int64) * (pl.Series(range(population.height)) % 2)
    population.select(pl.col("key").alias("CustomerID"), y.alias("buys_again")).write_csv(data)
    said = evaluate_outcome(mine.project, NAME, "back", data)
    assert any(line.startswith("no effect is claimed: 0 of ") for line in said), said
    learner = Toy(root=mine.root, name="customer_churn_back")
    learner.run("ingest", "validate", "clean", "featurize", "split")
    assert read_table(learner.out("featurize", "units.parquet")).height == population.height
