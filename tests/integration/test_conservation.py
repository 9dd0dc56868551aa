"""No row is lost from the raw file to the features: what was planted is found, what remains is the truth."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from perennial.data.names import ORDER, ROW_ID
from perennial.errors import InputError
from perennial.files.tables import read_table
from tests.fakes.simulator import compute_truth, list_planted

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration

RULES = {
    "customers.csv": {
        "conflict": "unique:customer_id",
        "impossible_date": "cell:signup",
        "wrong_type": "cell:birth_year",
        "unknown_code": "in_set:channel",
        "future_date": "before:signup",
        "ragged": "record:field_count",
        "invalid_utf8": "record:invalid_utf8",
        "unclosed_quote": "record:unclosed_quote",
        "null_id": "not_null:customer_id",
    },
    "events.csv": {
        "conflict": "unique:event_id",
        "impossible_date": "cell:at",
        "wrong_type": "cell:amount",
        "unknown_code": "in_set:kind",
        "future_date": "before:at",
        "negative_amount": "between:amount",
        "ragged": "record:field_count",
        "invalid_utf8": "record:invalid_utf8",
        "unclosed_quote": "record:unclosed_quote",
    },
}
STAY = {"duplicate": "clean", "orphan": "featurize"}  # kinds that are no fault of a row: where they are listed


def quarantined(toy: Toy) -> pl.DataFrame:
    return pl.concat(read_table(toy.out(stage, "quarantine.parquet")) for stage in ("ingest", "validate"))


def test_each_planted_row_is_quarantined_under_its_rule_with_its_bytes(prepared_toy: Toy) -> None:
    expected = Counter(
        (row.file, RULES[row.file][row.kind], row.raw) for row in list_planted(prepared_toy.population) if row.kind not in STAY
    )
    assert {rule for _, rule, _ in expected} == {rule for rules in RULES.values() for rule in rules.values()}
    result = Counter(quarantined(prepared_toy).select("source", "rule", "raw").iter_rows())
    assert result == expected
    assert result.total() == 9 + 153


def test_raw_bytes_are_those_of_the_line_that_is_named(prepared_toy: Toy) -> None:
    lines = {name: (prepared_toy.project.raw(prepared_toy.name) / name).read_bytes().split(b"\n") for name in RULES}
    rows = quarantined(prepared_toy)
    for source, record, line, raw in rows.select("source", "record", "line", "raw").iter_rows():
        assert lines[source][line - 1] == raw
        assert line == record + 1, "each record of these files is one line"
    assert rows.height == 162
    assert rows["reason"].null_count() == 0


def test_reasons_name_the_column_and_the_cell(prepared_toy: Toy) -> None:
    reasons = dict(quarantined(prepared_toy).filter(pl.col("source") == "customers.csv").select("rule", "reason").iter_rows())
    assert reasons["cell:birth_year"] == "birth_year: '19x4' is not a whole number of at most 18 digits"
    assert reasons["cell:signup"] == "signup: '2025-02-30' is a date that does not exist"
    assert reasons["in_set:channel"] == "channel is none of store, web, app"
    assert reasons["before:signup"] == "signup is not before 2026-06-01"
    assert reasons["unique:customer_id"] == "customer_id was seen before with other content"
    assert reasons["not_null:customer_id"] == "customer_id is empty"
    assert reasons["record:field_count"] == "field count"


def test_rows_stay_in_the_order_of_the_file(prepared_toy: Toy) -> None:
    for stage in ("ingest", "validate", "clean"):
        for table in ("main", "events"):
            order = read_table(prepared_toy.out(stage, f"{table}.parquet"), [ORDER])[ORDER]
            assert order.is_sorted(), (stage, table)
            assert order.n_unique() == len(order)


def test_cleaned_customers_are_the_truth(prepared_toy: Toy) -> None:
    known, clean = compute_truth(prepared_toy.population), read_table(prepared_toy.out("clean", "main.parquet"))
    assert clean["customer_id"].to_list() == [f"{number:09d}" for number in known["customer"]]
    assert clean["message"].to_list() == known["message"].tolist()
    assert clean["responded"].to_list() == known["responded"].tolist()
    assert (clean["spend_14d"] * 100).round().cast(pl.Int64).to_list() == known["spend_cents"].tolist()


def test_cleaned_events_are_the_truth(prepared_toy: Toy) -> None:
    """Purchases by customer and number, visits by customer: each event that was drawn once, and the orphans."""
    known, clean = compute_truth(prepared_toy.population), read_table(prepared_toy.out("clean", "events.parquet"))
    orphans = clean.filter(pl.col("customer_id") == "999999999")
    assert orphans.height == 25
    numbers = clean.join(orphans, on=ROW_ID, how="anti")["event_id"].to_list()
    expected = {
        f"{customer:09d}-{letter}{k:03d}"
        for letter, counts in (("p", known["F"]), ("v", known["V"]))
        for customer, count in zip(known["customer"], counts, strict=True)
        for k in range(count)
    }
    assert len(numbers) == len(expected)
    assert set(numbers) == expected


def test_features_of_every_customer_are_the_truth(prepared_toy: Toy) -> None:
    known = pl.DataFrame({name: values for name, values in compute_truth(prepared_toy.population).items() if values.ndim == 1})
    known = known.filter(pl.col("message") != "none")
    units = read_table(prepared_toy.out("featurize", "units.parquet"))
    assert units["_entity"].to_list() == [f"{number:09d}" for number in known["customer"]]

    def same(feature: str, values: pl.Series) -> None:
        np.testing.assert_array_equal(units[feature].to_numpy(), values.cast(pl.Float64).to_numpy(), err_msg=feature)

    same("last_purchase", known["R"] + 1)  # day 0 is the day before the as-of date
    same("purchases", known["F"])
    same("purchases_365d", known["Y"])
    same("visits_90d", known["V"])
    same("visits_30d", known["V30"])
    assert (units["spent"] * 100).round().cast(pl.Int64).to_list() == known["cents"].to_list()
    categories = [name for name in units.columns if name.startswith("bought_") and not name.startswith("bought_by")]
    assert len(categories) == 6
    same("purchases", units.select(pl.sum_horizontal(categories)).to_series())


def test_flow_tables_add_up_and_hand_over_what_they_kept(prepared_toy: Toy) -> None:
    flows: dict[str, dict[str, Any]] = {}
    for stage in ("ingest", "validate", "clean", "featurize", "split"):
        flows[stage] = prepared_toy.summary(stage)["flow"]
        for table, flow in flows[stage].items():
            assert flow["rows_in"] == sum(flow["to"].values()), (stage, table)
    handed = [("ingest", "passed", "validate"), ("validate", "passed", "clean"), ("clean", "kept", "featurize")]
    for stage, remaining, after in handed:
        for table in ("main", "events"):
            assert flows[stage][table]["to"][remaining] == flows[after][table]["rows_in"], (stage, table)
    assert flows["featurize"]["main"]["to"]["fed"] == flows["split"]["units"]["rows_in"]
    assert flows["clean"]["main"]["to"]["duplicate"] == 1
    assert flows["clean"]["events"]["to"]["duplicate"] == 25
    assert flows["featurize"]["events"]["to"]["no entity"] == 25
    assert flows["ingest"]["main"]["rows_in"] == 2_010


def test_a_second_copy_of_a_delivery_has_no_effect(prepared_toy: Toy, project: Toy) -> None:
    raw = project.project.raw(project.name)
    project.edit_contract("files: events.csv", 'files: "events*.csv"')
    shutil.copy(raw / "events.csv", raw / "events_again.csv")
    summary = project.run("ingest")
    words = "events_again.csv holds the same bytes as events.csv and is read once"
    assert summary["warnings"] == [{"code": "same_file", "message": words}]
    for file in ("main.parquet", "events.parquet", "quarantine.parquet"):
        assert read_table(project.out("ingest", file)).equals(read_table(prepared_toy.out("ingest", file))), file


def test_a_delivery_again_in_another_file_changes_no_feature(prepared_toy: Toy, project: Toy) -> None:
    """Not the same bytes, but the same rows in another order: duplicates all, listed as such."""
    raw = project.project.raw(project.name)
    project.edit_contract("files: events.csv", 'files: "events*.csv"')
    header, *lines = (raw / "events.csv").read_bytes().splitlines(keepends=True)
    (raw / "events_later.csv").write_bytes(header + b"".join(reversed(lines)))
    summary = project.run("ingest", "validate", "clean")
    remaining = prepared_toy.summary("clean")["flow"]["events"]["to"]["kept"]
    assert summary["flow"]["events"]["to"] == {"kept": remaining, "duplicate": remaining + 2 * 25}
    project.run("featurize")
    units = [read_table(toy.out("featurize", "units.parquet")) for toy in (prepared_toy, project)]
    assert units[0].equals(units[1])


def test_a_file_of_no_table_is_refused_by_name(project: Toy) -> None:
    (project.project.raw(project.name) / "notes.txt").write_text("x")
    with pytest.raises(
        InputError, match=r"notes\.txt belongs to no table: the contract knows customers\.csv, events\.csv; remove it"
    ):
        project.run("ingest")
    done = project.stage("ingest")
    assert done.returncode == 2
    assert done.stderr.startswith("ingest: InputError: ")
    assert done.stderr.count("\n") == 1


def test_a_missing_file_is_named(project: Toy) -> None:
    (project.project.raw(project.name) / "events.csv").unlink()
    with pytest.raises(InputError, match=r"table events: no file named events\.csv among customers\.csv"):
        project.run("ingest")
