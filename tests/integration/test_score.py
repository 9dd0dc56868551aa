"""Batch scoring: rows in = rows out + rejected, unknown values, missing columns, safe CSV, the right action."""

from __future__ import annotations

import csv
import datetime as dt
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import python_calamine

from perennial.contract.model import Money
from perennial.errors import ConfigError, ContractError, InputError, Refused
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_incoming
from perennial.results.receipt import ScoredList
from perennial.scoring.scorer import Scorer
from perennial.serving import score as module
from perennial.serving.list_files import write_list
from perennial.serving.meaning import ListFacts, describe_list
from perennial.serving.preparation import prepare_rows
from perennial.serving.score import score
from perennial.serving.score_list import build_score_list, sort_list
from perennial.serving.workbook import write_workbook
from perennial.tracking.registry import Version
from tests.fakes.simulator import list_planted
from tests.fakes.workbooks import write_xlsx

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAME = "ad_response"

RESULT = ScoredList(rows=1000, scored=1000, rejected=0, output="list.csv", model_version="7")


@pytest.fixture(scope="module")
def model(prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A linear model on the shared project's rows."""
    import shutil

    from tests.conftest import Toy as Project

    root = tmp_path_factory.mktemp("model") / "project"
    shutil.copytree(prepared_toy.root, root)
    toy = Project(root=root)
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.run("baseline")
    return Scorer.load(toy.out("baseline", "linear"))


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """1,000 new customers with the simulator's dirt among their events."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    write_incoming(folder, Population(seed=1, first=0, n=20_000, month=0, concept=0))
    return folder


def test_every_new_customer_is_scored_once(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    prepared = prepare_rows(prepared_toy.contract, incoming)
    table = build_score_list(model, prepared.units, prepared_toy.contract)
    assert prepared.n_rows == 1000
    assert table.height + prepared.rejected.height == 1000
    assert table["row_id"].n_unique() == table.height
    assert table["customer_id"].str.len_chars().unique().to_list() == [9], "leading zeros are there"
    decided = ["expected_profit", "decile", "action", "action_reason"]
    assert table.columns == ["customer_id", "rank", "probability", *decided, "reasons", "row_id"]
    assert table["reasons"].str.len_chars().min() > 0
    assert table["row_id"].to_list() == prepared.units["row_id"].to_list(), "in the order of the input"


def test_the_list_is_the_best_within_the_budget_that_pays(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    table = build_score_list(model, prepare_rows(prepared_toy.contract, incoming).units, prepared_toy.contract)
    chosen = table.filter(pl.col("action") == "contact")
    left = table.filter(pl.col("action") == "leave")
    assert 0 < chosen.height <= 0.4 * table.height
    assert chosen["probability"].min() >= left["probability"].max()
    assert chosen["probability"].min() > 2 / 40, "a contact costs 2, a response earns 40"
    assert chosen["action_reason"].unique().to_list() == ["profit expected: break-even is 0.05"]
    assert left["action_reason"].unique().to_list() == ["no profit expected: break-even is 0.05"]
    np.testing.assert_allclose(table["expected_profit"], 40 * table["probability"] - 2)
    best = table.filter(pl.col("decile") == 1)
    assert abs(best.height - table.height / 10) <= 1
    assert best["probability"].min() >= table.filter(pl.col("decile") == 2)["probability"].max()


def test_a_lender_gets_points_and_why_not_for_the_refused_only(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    units = prepare_rows(prepared_toy.contract, incoming).units
    cut = float(np.quantile(model.score(units)[:, 0], 0.7))
    serving = model.bundle.serving.model_copy(update={"money": Money(gain_if_good=cut, loss_if_bad=1 - cut)})
    table = build_score_list(Scorer(bundle=replace(model.bundle, serving=serving)), units, prepared_toy.contract)
    refused, approved = (table.filter(pl.col("action") == action) for action in ("refuse", "approve"))
    assert refused.height + approved.height == table.height
    assert refused.height == pytest.approx(0.3 * table.height, abs=5)
    assert refused["probability"].min() > cut >= approved["probability"].max()
    assert refused["points"].max() <= approved["points"].min()
    assert approved["rank"].max() < refused["rank"].min(), "the safest first"
    assert refused["expected_profit"].max() < 0 <= approved["expected_profit"].min()
    assert refused["action_reason"].unique().to_list() == [f"loss expected: break-even is {cut:.3g}"]
    assert not refused["reasons"].str.contains("but").any()
    assert (refused["reasons"].str.count_matches(", ") <= 3).all()
    assert approved["reasons"].str.contains("; but ").any()


def test_a_list_without_a_key_or_with_alerts_says_what_it_can(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    units = prepare_rows(prepared_toy.contract, incoming).units
    columns = {name: column for name, column in prepared_toy.contract.columns.items() if name != "customer_id"}
    contract = prepared_toy.contract.model_copy(update={"columns": columns, "money": Money(alerts_per_1000=10)})
    serving = model.bundle.serving.model_copy(update={"money": contract.money})
    table = build_score_list(Scorer(bundle=replace(model.bundle, serving=serving)), units, contract)
    assert table.columns == ["row_id", "rank", "probability", "decile", "action", "action_reason", "reasons"]
    assert table.filter(pl.col("action") == "examine")["rank"].sort().to_list() == list(range(1, 11))
    facts = ListFacts(use_case=NAME, contract=contract, money=contract.money, result=RESULT, date=dt.date(2026, 5, 1))
    meaning = dict(describe_list(table, facts))
    assert (meaning["Budget"], meaning["To examine"]) == ("10 in 1,000 rows: 10 alerts", "10 of 1,000")
    assert "Break-even" not in meaning
    bare = replace(facts, contract=contract.model_copy(update={"money": Money()}), money=Money())
    assert not {"Budget", "To contact"} & dict(describe_list(table.drop("action"), bare)).keys()


def test_scores_are_those_of_the_scorer(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    prepared = prepare_rows(prepared_toy.contract, incoming)
    table = build_score_list(model, prepared.units, prepared_toy.contract)
    np.testing.assert_array_equal(table["probability"].to_numpy(), model.score(prepared.units)[:, 0])


def test_bad_rows_are_rejected_with_their_reason_and_counted(prepared_toy: Toy, incoming: Path) -> None:
    lines = (incoming / "customers.csv").read_bytes().splitlines(keepends=True)
    extra = [
        b"900000001,2025-02-30,1980,Bern,web,1\n",  # no such day
        b"900000002,2025-02-03,1980,Bern,fax,1\n",  # no such channel
        b"900000003,2025-02-03,1980,Bern,web\n",  # a field too few
        b"900000004,2027-01-01,1980,Bern,web,1\n",  # in the future
        lines[1],  # twice the same
    ]
    (incoming / "customers.csv").write_bytes(b"".join([*lines, *extra]))
    prepared = prepare_rows(prepared_toy.contract, incoming)
    assert prepared.n_rows == 1005
    assert prepared.units.height == 1000
    reasons = " | ".join(prepared.rejected["reason"])
    for words in ("does not exist", "channel is none of", "field", "before 2026-06-01", "duplicate"):
        assert words in reasons, words


def test_an_unknown_category_is_scored_and_counted_where_the_contract_allows_it(
    prepared_toy: Toy, model: Scorer, incoming: Path
) -> None:
    column = prepared_toy.contract.columns["city"].model_copy(update={"values": None})
    contract = prepared_toy.contract.model_copy(update={"columns": {**prepared_toy.contract.columns, "city": column}})
    text = (incoming / "customers.csv").read_text()
    (incoming / "customers.csv").write_text(text.replace(",Bern,", ",Lausanne,"))
    prepared = prepare_rows(contract, incoming)
    assert prepared.units.height == 1000
    assert model.bundle.encoding.count_unknown(prepared.units)["city"] == text.count(",Bern,")


def test_a_missing_column_is_named_unless_it_is_optional(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    rows = [line.rpartition(",")[0] for line in (incoming / "customers.csv").read_text().splitlines()]
    (incoming / "customers.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"customers\.csv lacks column newsletter"):
        prepare_rows(prepared_toy.contract, incoming)
    update: dict[str, Any] = {"required": False, "nullable": True}
    column = prepared_toy.contract.columns["newsletter"].model_copy(update=update)
    contract = prepared_toy.contract.model_copy(update={"columns": {**prepared_toy.contract.columns, "newsletter": column}})
    prepared = prepare_rows(contract, incoming)
    assert prepared.units.height == 1000
    assert np.isfinite(model.score(prepared.units)).all()


def test_the_best_stand_first_unless_the_order_is_kept(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    table = build_score_list(model, prepare_rows(prepared_toy.contract, incoming).units, prepared_toy.contract)
    ranked = sort_list(table)
    assert ranked["rank"].to_list() == list(range(1, table.height + 1)) != table["rank"].to_list()
    assert ranked["probability"].is_sorted(descending=True)
    assert sort_list(table.drop("rank")).equals(table.drop("rank")), "segments have no rank"


@pytest.fixture
def champion(model: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    version = Version(name=NAME, number="7", run_id="", digest="d", family="linear", source="")
    monkeypatch.setattr(module, "load_champion", lambda *_: (version, model))


@pytest.mark.usefixtures("champion")
def test_score_writes_a_ranked_list_and_where_each_rejected_row_stands(
    prepared_toy: Toy, model: Scorer, incoming: Path, tmp_path: Path
) -> None:
    lines = (incoming / "customers.csv").read_text().splitlines()
    bad = "900000001,2025-02-30,1980,Bern,web,1"
    (incoming / "customers.csv").write_text("\n".join([*lines, bad]) + "\n")
    result = score(prepared_toy.project, NAME, incoming, tmp_path / "list.csv", None)
    assert (result.rows, result.scored, result.rejected) == (1001, 1000, 1)
    rows = read_csv(tmp_path / "list.csv")
    assert [int(row["rank"]) for row in rows] == list(range(1, 1001))
    assert all(re.fullmatch(r"[01]\.[0-9]{3}", row["probability"]) for row in rows)
    assert all(re.fullmatch(r"-?[0-9]+\.[0-9]{2}", row["expected_profit"]) for row in rows)
    assert {row["model_version"] for row in rows} == {"7"}
    (rejected,) = read_csv(tmp_path / "list.rejected.csv")
    assert (rejected["row"], rejected["raw"]) == (f"customers.csv:{len(lines) + 1}", "•••,2025-02-30,1980,Bern,web,1")
    assert "does not exist" in rejected["reason"]
    score(prepared_toy.project, NAME, incoming, tmp_path / "kept.csv", None, keep_order=True)
    kept = read_csv(tmp_path / "kept.csv")
    assert [row["customer_id"] for row in kept] == [line.partition(",")[0] for line in lines[1:]]
    assert sorted(kept, key=lambda row: int(row["rank"])) == rows
    score(prepared_toy.project, NAME, incoming, tmp_path / "list.parquet", None)
    exact = pl.read_parquet(tmp_path / "list.parquet")
    np.testing.assert_array_equal(
        exact["probability"], np.sort(model.score(prepare_rows(prepared_toy.contract, incoming).units)[:, 0])[::-1]
    )


def to_workbook(path: Path) -> list[list[Any]]:
    """The customers' file as a workbook beside it: days as days, numbers as numbers, ids as text; the file is removed."""
    with open(path, newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    cells: list[list[Any]] = [head]
    for who, signup, born, city, channel, newsletter in rows:
        cells.append([who, dt.date.fromisoformat(signup), int(born), city, channel, int(newsletter)])
    path.unlink()
    write_xlsx(path.with_suffix(".xlsx"), {"Customers": cells})
    return cells


@pytest.mark.usefixtures("champion")
def test_a_workbook_of_customers_gets_the_scores_of_the_same_csv(prepared_toy: Toy, incoming: Path, tmp_path: Path) -> None:
    score(prepared_toy.project, NAME, incoming, tmp_path / "of_csv.csv", None)
    to_workbook(incoming / "customers.csv")
    score(prepared_toy.project, NAME, incoming, tmp_path / "of_xlsx.csv", None)
    of_csv, of_xlsx = (read_csv(tmp_path / name) for name in ("of_csv.csv", "of_xlsx.csv"))
    assert len(of_csv) == 1000
    for row in (*of_csv, *of_xlsx):
        del row["row_id"]  # has the digest of the file
    assert of_csv == of_xlsx


@pytest.mark.usefixtures("champion")
def test_a_list_as_a_workbook_has_text_ids_what_it_means_and_the_rejected_rows(
    prepared_toy: Toy, incoming: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cells = to_workbook(incoming / "customers.csv")
    day = cells[1][1]
    bad = ["900000001", day, 1980, "=1+1", "web", 1]
    several = {"Customers": [*cells, bad, [900000002, day, 1980, "Bern", "fax", 1]], "Totals": [["n"], [1000]]}
    write_xlsx(incoming / "customers.xlsx", several)
    output = tmp_path / "list.xlsx"
    result = score(prepared_toy.project, NAME, incoming, output, None, sheet="Customers")
    assert (result.rows, result.scored, result.rejected) == (1002, 1000, 2)
    assert "customers.xlsx, sheet Customers: id column customer_id is stored as numbers" in caplog.text
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["list.xlsx"], "the rejected rows are in it"
    book = python_calamine.load_workbook(output)
    assert book.sheet_names == ["List", "What it means", "Rejected rows"]
    head, *rows = book.get_sheet_by_name("List").to_python()
    assert head[:3] == ["customer_id", "rank", "probability"]
    assert {row[0] for row in rows} == {row[0] for row in cells[1:]}, "texts that keep their zeros"
    assert [row[1] for row in rows] == list(range(1, 1001))
    assert all(row[2] == round(row[2], 3) for row in rows)
    meaning = dict(book.get_sheet_by_name("What it means").to_python())
    assert set(head) <= meaning.keys(), "every column is explained"
    assert meaning["Model version"] == "7"
    assert meaning["Rows"] == "1,002 in the input: 1,000 in the list, 2 rejected"
    assert meaning["Break-even"] == "a probability of 0.05: a contact costs 2 EUR, a response earns 40 EUR"
    assert meaning["Budget"] == "40 % of the list: 400 contacts at most"
    assert meaning["To contact"].startswith(f"{result.chosen} of 1,000, expected profit ")
    assert meaning["Scored on"] == dt.datetime.now(dt.UTC).date().isoformat()
    head, *rejected = book.get_sheet_by_name("Rejected rows").to_python()
    assert head == ["row", "reason", "raw", "row_id"]
    assert [row[0] for row in rejected] == [
        "customers.xlsx, sheet Customers, row 1002",
        "customers.xlsx, sheet Customers, row 1003",
    ]
    assert rejected[0][1].startswith("city is none of")
    assert '"city": "=1+1"' in rejected[0][2]


@pytest.mark.usefixtures("champion")
def test_a_list_says_the_money_that_it_goes_by(
    prepared_toy: Toy, incoming: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dearer = prepared_toy.contract.model_copy(update={"money": Money(value_of_response=50, cost_of_contact=5)})
    monkeypatch.setattr(module, "load", lambda _: dearer)
    score(prepared_toy.project, NAME, incoming, tmp_path / "list.xlsx", None)
    meaning = dict(python_calamine.load_workbook(tmp_path / "list.xlsx").get_sheet_by_name("What it means").to_python())
    assert meaning["Break-even"] == "a probability of 0.05: a contact costs 2 EUR, a response earns 40 EUR"
    assert "money has changed since version 7 was trained, which decides by what it was then" in caplog.text


def test_a_workbook_runs_nothing_and_says_the_same_with_the_same_bytes(tmp_path: Path) -> None:
    risky = ["=cmd|' /C calc'!A0", "+1", "-2", "@x", "https://example.org", "00123"]
    table = pl.DataFrame({"id": risky, "probability": [0.12345] * 6, "expected_profit": [1234.567] * 6})
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in paths:
        digits = {"probability": 3, "expected_profit": 2}
        write_workbook(path, table, digits, [("=entry", "=1+1")], pl.DataFrame({"raw": ["=2+2"]}), dt.date(2026, 5, 1))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    rows = python_calamine.load_workbook(paths[0]).get_sheet_by_name("List").to_python()[1:]
    assert [row[0] for row in rows] == risky
    assert {(row[1], row[2]) for row in rows} == {(0.123, 1234.57)}
    with zipfile.ZipFile(paths[0]) as archive:
        sheets = [archive.read(f"xl/worksheets/sheet{i}.xml").decode() for i in (1, 2, 3)]
        styles = archive.read("xl/styles.xml").decode()
    assert not any("<f>" in sheet or "hyperlink" in sheet for sheet in sheets), "no formula and no link"
    assert '<autoFilter ref="A1:C7"/>' in sheets[0]
    assert all('state="frozen"' in sheet for sheet in sheets)
    assert 'formatCode="0.000"' in styles


def test_a_list_longer_than_a_sheet_is_refused(tmp_path: Path) -> None:
    table = pl.DataFrame({"id": pl.repeat("x", 1_048_576, eager=True)})
    with pytest.raises(ConfigError, match=r"1,048,576 rows are more than a sheet holds \(1,048,575\); end it in \.csv"):
        write_workbook(tmp_path / "a.xlsx", table, {}, [], table.head(0), dt.date(2026, 5, 1))
    assert not (tmp_path / "a.xlsx").exists()


def test_an_id_that_is_called_as_a_column_of_the_list_is_refused(prepared_toy: Toy, model: Scorer, incoming: Path) -> None:
    columns = {("rank" if name == "customer_id" else name): column for name, column in prepared_toy.contract.columns.items()}
    contract = prepared_toy.contract.model_copy(update={"columns": columns})
    units = prepare_rows(prepared_toy.contract, incoming).units.rename({"customer_id": "rank"})
    with pytest.raises(ContractError, match="id column 'rank' has the name of a column of the list; rename it"):
        build_score_list(model, units, contract)


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_csv_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    table = pl.DataFrame({"id": ["=cmd|' /C calc'!A0", "+1", "-2", "@x", "plain"], "p": [-0.5, 0.1, 0.2, 0.3, 0.4]})
    write_list(tmp_path / "list.csv", table)
    with open(tmp_path / "list.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'+1", "'-2", "'@x", "plain"]
    assert [row[1] for row in rows[1:]] == ["-0.5", "0.1", "0.2", "0.3", "0.4"], "numbers stay numbers"


def test_without_a_champion_or_a_known_ending_it_refuses(prepared_toy: Toy, incoming: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--output list\.xls: end it in \.csv or \.parquet or \.xlsx"):
        score(prepared_toy.project, NAME, incoming, Path("list.xls"), None)
    with pytest.raises(Refused, match=r"ad_response has no champion yet"):
        score(prepared_toy.project, NAME, incoming, tmp_path / "list.csv", None)


def test_an_input_that_is_not_there_or_not_all_of_it_is_one_line(prepared_toy: Toy, incoming: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--input missing\.csv: there is no such file or folder"):
        score(prepared_toy.project, NAME, Path("missing.csv"), tmp_path / "list.csv", None)
    both = r"customers\.csv is one file, the contract has 2 tables: give the folder that holds customers\.csv and events"
    with pytest.raises(InputError, match=both):
        prepare_rows(prepared_toy.contract, incoming / "customers.csv")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("incoming/customers.csv", r"customers\.csv is part of the input .*incoming; name a file elsewhere"),
        ("incoming/lists/new.csv", r"new\.csv is part of the input"),
        ("linked.csv", r"linked\.csv is part of the input"),
        ("b.csv", r"b\.rejected\.csv is part of the input"),
        ("folder.csv", r"folder\.csv is a folder; name a file"),
        ("plain/list.csv", r"its folder cannot be made \(File exists\)"),
    ],
)
def test_a_list_never_takes_the_place_of_what_is_read(
    prepared_toy: Toy, incoming: Path, tmp_path: Path, output: str, words: str
) -> None:
    (tmp_path / "linked.csv").symlink_to(incoming / "events.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "plain").write_text("a file")
    source = incoming
    if output == "b.csv":
        source = tmp_path / "b.rejected.csv"
        source.write_text("id\n1\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=words):
        score(prepared_toy.project, NAME, source, tmp_path / output, None)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_events_with_dirt_do_not_lose_a_customer(prepared_toy: Toy, incoming: Path) -> None:
    dirty = [
        row for row in list_planted(Population(seed=1, first=20_000, n=1000, month=0, concept=0)) if row.file == "events.csv"
    ]
    assert dirty
    assert prepare_rows(prepared_toy.contract, incoming).units.height == 1000
