"""What a file that nobody described is taken for: how it is written, its kinds of column, the outcome, leaks, the contract."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from perennial.contract.columns import Column
from perennial.contract.load import parse
from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat
from perennial.data.names import ENTITY
from perennial.data.quality.validate import count_unexpected
from perennial.discovery.column_types import type_column
from perennial.discovery.confirm import ValueSummary
from perennial.discovery.contract_draft import dump_piece
from perennial.discovery.dialect import detect_dialect
from perennial.discovery.draft import Answers
from perennial.discovery.outcome import choose_event
from perennial.discovery.profile import ColumnProfile
from perennial.discovery.proposal import propose
from perennial.errors import ConfigError, InputError
from tests.fakes.proposals import proposed
from tests.fakes.workbooks import write_xlsx

pytestmark = pytest.mark.unit


def saved(folder: Path, text: str, name: str = "data.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def table(folder: Path, columns: dict[str, Any], name: str = "data.csv") -> Path:
    path = folder / name
    pl.DataFrame(columns).write_csv(path)
    return path


def chances(n: int = 2000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A number and an outcome that it tells a little of."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, (rng.random(n) < 1 / (1 + np.exp(1.5 - x))).astype(int)


WRITTEN: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("a,b\n1,x\n2,y\n", "utf-8", {}, ["a", "b"]),
    ("a;b;c\n1,5;x;2\n2,5;y;3\n", "utf-8", {"delimiter": ";"}, ["a", "b", "c"]),
    ("a\tb\n1\tx\n", "utf-8", {"delimiter": "\t"}, ["a", "b"]),
    ("a|b\n1|x,y\n2|z,w\n", "utf-8", {"delimiter": "|"}, ["a", "b"]),
    ("Ort,n\n" + "Köln,1\nGießen,2\n" * 9, "cp1252", {"encoding": "cp1252"}, ["Ort", "n"]),
    ("Ort,n\nKöln,1\n", "utf-16", {"encoding": "utf-16"}, ["Ort", "n"]),
    ("Report of May\nby sales\nid,n\n1,2\n3,4\n", "utf-8", {"skip": 2}, ["id", "n"]),
    ("1,x\n2,y\n3,z\n", "utf-8", {"header": ["c1", "c2"]}, ["c1", "c2"]),
    ("39, State-gov, 7\n50, Private, 8\n", "utf-8", {"header": ["c1", "c2", "c3"], "trim": True}, ["c1", "c2", "c3"]),
    (",a,a,_x\n0,1,2,3\n", "utf-8", {"header": ["column_1", "a", "a_2", "x_x"], "skip": 1}, ["column_1", "a", "a_2", "x_x"]),
    ("t,n\n" + 'say "hi,1\nno "quotes,2\na "b,3\n' * 9, "utf-8", {"quoting": "none"}, ["t", "n"]),
]


@pytest.mark.parametrize(("text", "encoding", "source", "names"), WRITTEN)
def test_how_a_file_is_written_is_seen_and_read_by_the_exact_reader_so(
    text: str, encoding: str, source: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    path = saved(tmp_path, text, encoding=encoding)
    detected = detect_dialect(path)
    assert dump_piece(detected.to_source("*")) == {"kind": "file", "files": "*", **source}
    assert list(detected.names) == names
    columns = {name: {"role": "ignore", "why": "x"} for name in names[1:]} | {names[0]: {"role": "categorical"}}
    document = {
        "task": {"kind": "clustering", "k": [2, 3], "min_stability": 0.8, "primary": "stability", "minimum": 0.8},
        "source": {"kind": "file", "files": "*", **source},
        "columns": columns,
        "rules": [],
        "events": {},
        "sampling": {},
        "unit": {"rows": "as_is", "duplicates": "keep"},
        "leakage_suspects": [],
        "slices": [],
        "money": {},
        "split": {"kind": "hash", "by": "record", "salt": "s", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}},
    }
    document["columns"]["n"] = {"role": "numeric"}  # so that there is something to cluster by, whether it is in the file or not
    document["columns"]["n"]["required"] = False
    contract = parse(document, "x")
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert read.rows.height + read.rejects.height == len(text.strip().split("\n")) - detected.dialect.skip - (
        "header" not in source
    )


def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for text, words in (("", "empty"), ("ab  cd\nef  gh\nij  kl\n", "fixed width"), ("{\na\n}}\nxx yy zz\n", "no delimiter")):
        with pytest.raises(InputError, match=words):
            detect_dialect(saved(tmp_path, text))


KINDS: list[tuple[str, list[str], dict[str, Any]]] = [
    ("n", ["1", "2", "-3"], {"role": "numeric", "type": "int"}),
    ("n", ["1.5", "2", "NA"], {"role": "numeric", "type": "decimal", "null": ["NA"]}),
    ("n", ["1,5", "2,25", "7"], {"role": "numeric", "type": "decimal", "decimal": ","}),
    ("n", ["1.234,50", "12,5", "7"], {"role": "numeric", "type": "decimal", "decimal": ",", "thousands": "."}),
    ("n", ["1,234", "12,345,678", "7"], {"role": "numeric", "type": "decimal", "thousands": ","}),
    ("n", ["$1,234.50", "$7", "$12"], {"role": "numeric", "type": "decimal", "strip": ["$"], "thousands": ","}),
    ("n", ["5,5 %", "7,25 %", "1 %"], {"role": "numeric", "type": "decimal", "strip": ["%"], "decimal": ",", "thousands": "."}),
    ("plz", ["01234", "99999", "50667"], {"role": "categorical"}),
    ("n", ["12345678901234567", "12345678901234568"], {"role": "categorical"}),
    ("region", ["1", "2", "3", "4"], {"role": "categorical"}),
    ("d", ["2024-01-31", "2024-02-01"], {"role": "time", "type": "date", "format": "%Y-%m-%d"}),
    ("d", ["31/01/2024", "01/02/2024"], {"role": "time", "type": "date", "format": "%-d/%-m/%Y"}),
    ("d", ["1/31/2024 8:05", "2/1/2024 18:05"], {"role": "time", "type": "datetime", "format": "%-m/%-d/%Y %-H:%M"}),
    ("d", ["2024-01-31T08:05:01Z", "2024-02-01T08:05:01Z"], {"role": "time", "type": "datetime", "format": "%Y-%m-%dT%H:%M:%SZ"}),
    ("d", ["31.1.2024", "1.2.2024"], {"role": "time", "type": "date", "format": "%-d.%-m.%Y"}),
    ("mail", ["a@b.de", "c@d.com", "x"], {"role": "contact", "type": "text"}),
    ("phone", ["+49 221 123456", "+49 30 987654"], {"role": "contact", "type": "text"}),
    ("t", ["red", "blue", "?"], {"role": "categorical", "null": ["?"]}),
    ("t", [f"this is a review of number {i}" for i in range(30)], {"role": "text"}),
]


@pytest.mark.parametrize(("name", "cells", "keys"), KINDS)
def test_the_shape_of_all_cells_says_what_a_column_is(name: str, cells: list[str], keys: dict[str, Any]) -> None:
    assert typed_keys(name, cells * (9 if len(cells) < 9 else 1)) == keys


def typed_keys(name: str, cells: list[str]) -> dict[str, Any]:
    """What the contract says of a column."""
    return dict(dump_piece(type_column(profiled(name, cells)).draft))


def profiled(name: str, cells: list[str]) -> ColumnProfile:
    column = ColumnProfile(name=name)
    for start in range(0, len(cells), 7):  # block by block, as it is read
        column.add(pl.Series(name, cells[start : start + 7], dtype=pl.String))
    return column


def test_a_day_that_could_be_a_month_is_asked_about_and_never_guessed() -> None:
    keys = typed_keys("d", ["01/02/2024", "03/04/2024", "11/12/2023"] * 5)
    assert keys["role"] == "ignore"
    assert "day first or month first" in keys["why"]


def test_one_odd_cell_flips_no_column_and_a_far_number_that_is_common_is_nothing() -> None:
    assert typed_keys("n", [str(i) for i in range(300)] + ["oops"]) == {"role": "numeric", "type": "int"}
    days = [str(i % 28) for i in range(300)]
    assert typed_keys("pdays", days + ["999"] * 40)["null"] == ["999"]
    assert "null" not in typed_keys("amount", [*(str(i * 10) for i in range(300)), "999"])
    assert typed_keys("n", ["1", "", "2"] * 9) == {"role": "numeric", "type": "int"}


EVENTS: list[tuple[dict[str, int], str, bool]] = [
    ({"0": 10, "1": 90}, "1", True),
    ({"no": 10, "yes": 90}, "yes", True),
    ({"good": 700, "bad": 300}, "bad", True),
    ({"1": 700, "2": 300}, "2", False),
    ({"Existing Customer": 90, "Attrited Customer": 10}, "Attrited Customer", True),
    ({"<=50K": 76, ">50K": 24}, ">50K", True),
    ({"Fully Paid": 80, "Charged Off": 20}, "Charged Off", True),
    ({"ham": 87, "spam": 13}, "spam", True),
    ({"FALSE": 85, "TRUE": 15}, "TRUE", True),
    ({"A": 60, "B": 40}, "B", False),
    ({"-1": 60, "1": 40}, "1", True),
]


@pytest.mark.parametrize(("values", "event", "sure"), EVENTS)
def test_the_event_is_what_the_value_says_and_else_the_rarer_one(values: dict[str, int], event: str, sure: bool) -> None:
    assert choose_event(values) == (event, sure)
    assert choose_event(dict(reversed(values.items()))) == (event, sure)


def test_a_leak_is_refused_a_suspect_left_out_and_many_strong_columns_are_honest(tmp_path: Path) -> None:
    x, y = chances()
    rng = np.random.default_rng(2)
    strong = {f"v{i}": np.round(2.5 * y + rng.normal(size=len(y)), 3) for i in range(5)}
    weak = {f"w{i}": rng.normal(size=len(y)).round(3) for i in range(5)}
    gone = [None if one else 1.5 for one in y]
    path = table(tmp_path, {"x": x.round(4), "score": y * 3 + 1, "closed": gone, "churn": y})
    _, contract = proposed(path)
    for leak in ("score", "closed"):
        assert contract.columns[leak].role == "ignore"
        assert contract.columns[leak].known == "after_outcome"
    _, contract = proposed(table(tmp_path, {**weak, "late": np.round(2.2 * y + rng.normal(size=len(y)), 3), "churn": y}))
    assert contract.leakage_suspects == ("late",)
    assert contract.columns["late"].role == "numeric", "it is one answer away"
    _, contract = proposed(
        table(tmp_path, {**weak, "late": np.round(2.2 * y + rng.normal(size=len(y)), 3), "churn": y}), known=("late",)
    )
    assert contract.leakage_suspects == ()
    _, contract = proposed(table(tmp_path, {**weak, **strong, "churn": y}))
    assert contract.leakage_suspects == ()


def test_later_outcomes_and_lotteries_are_no_features(tmp_path: Path) -> None:
    x, _ = chances(4000)
    rng = np.random.default_rng(3)
    group = rng.choice(["control", "mail", "call"], 4000)
    visit = (rng.random(4000) < 0.1 + 0.05 * (group == "mail")).astype(int)
    buys = visit * (rng.random(4000) < 0.3)
    path = table(
        tmp_path,
        {"x": x.round(3), "group": group, "visit": visit, "buys": buys, "spend": (buys * rng.lognormal(3, 1, 4000)).round(2)},
    )
    _, contract = proposed(path, target="visit")
    assert contract.task.kind == "uplift"
    assert contract.arms == ["control", "call", "mail"]
    assert [name for name, column in contract.columns.items() if column.is_feature] == ["x"]
    _, plain = proposed(path, target="visit", treatment="")
    assert plain.task.kind == "binary"


def test_who_was_treated_by_how_they_looked_is_not_randomized(tmp_path: Path) -> None:
    x, y = chances(3000)
    treated = np.where(x + np.random.default_rng(4).normal(size=3000) > 0, "treated", "control")
    _, contract = proposed(table(tmp_path, {"x": x.round(3), "treatment_group": treated, "churn": y}))
    assert contract.task.kind == "binary"


def test_what_to_predict_must_be_said_where_it_cannot_be_seen(tmp_path: Path) -> None:
    x, y = chances()
    path = table(tmp_path, {"visit": y, "converted": y[::-1], "x": x.round(3)})
    with pytest.raises(InputError, match=r"--target.*It could be: (visit|converted) \(event = 1, .*rows\); (visit|converted) \("):
        proposed(path)
    with pytest.raises(InputError, match="no such column; there are: visit, converted, x"):
        proposed(path, target="gone")
    with pytest.raises(ConfigError, match="event 'yes' is no value of visit"):
        proposed(path, target="visit", event="yes")
    _, contract = proposed(path, target="visit", event="0")
    assert contract.columns["visit"].values == {"1": 0, "0": 1}


def test_rows_of_a_customer_stay_together_and_time_splits_where_nobody_comes_twice(tmp_path: Path) -> None:
    x, y = chances()
    days = [str(dt.date(2024, 1, 1) + dt.timedelta(days=i // 10)) for i in range(2000)]
    _, contract = proposed(
        table(tmp_path, {"customer_id": [f"c{i % 500}" for i in range(2000)], "day": days, "x": x, "churn": y})
    )
    assert (contract.split.kind, contract.split.by) == ("hash", "entity")  # type: ignore[union-attr]
    assert contract.columns["day"].role == "ignore"
    _, contract = proposed(table(tmp_path, {"order_date": days, "birth_date": days[::-1], "x": x, "churn": y}))
    assert (contract.split.kind, contract.split.order) == ("time", "order_date")  # type: ignore[union-attr]
    assert contract.unit.features["birth_date_days"].kind == "days_since"
    rare = np.where(np.arange(2000) % 12 == 0, 1, 0)
    built, contract = proposed(table(tmp_path, {"order_date": days, "x": x, "churn": rare}))
    assert contract.split.fractions.test == 0.3  # type: ignore[union-attr]
    assert any("the newest 30 %" in line for line in built.words)


def test_a_guess_that_would_lose_more_than_one_row_in_a_hundred_is_taken_back(tmp_path: Path) -> None:
    x, y = chances(3000)
    cells = [f"{v:.2f}" if i % 150 else f"odd{i}" for i, v in enumerate(x)]
    others = [f"{v:.2f}" if i % 140 else f"new{i}" for i, v in enumerate(x)]
    path = table(tmp_path, {"a": cells, "b": others, "x": x.round(3), "churn": y})
    _, contract = proposed(path)
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert read.rejects.height <= 30
    assert "numeric" in {contract.columns["a"].role, contract.columns["b"].role}, "one may stay: it alone loses few"


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ([17, 98], 10, 100),
        ([0, 49], 0, 50),
        ([2019, 2021], 2019, 2021),
        ([-8019, 102127], -100000, 200000),
        ([0.013, 0.47], 0, 0.5),
        ([-3.5, None, 1e15], -1e15, 1e15),
    ],
)
def test_a_range_is_widened_to_round_numbers_of_its_own_size(cells: list[float | None], low: float, high: float) -> None:
    column = Column.model_validate({"role": "numeric", "type": "decimal"})
    summary = ValueSummary({"x": column})
    for cell in cells:
        summary.add(pl.DataFrame({"x": [cell]}, schema={"x": pl.Float64}))
    rules = [expected.rule for expected in summary.derive_rules()]
    assert [(rule.min, rule.max, rule.soft) for rule in rules] == [(low, high, True)]


@pytest.mark.parametrize(("n", "once", "is_set"), [(2, [], True), (20, [], True), (21, [], False), (3, ["x"], False)])
def test_values_are_a_set_where_each_came_again(n: int, once: list[str], is_set: bool) -> None:
    summary = ValueSummary({"c": Column(role="categorical"), "why": Column(role="ignore", why="not used")})
    values = [f"v{i:02d}" for i in range(n)]
    summary.add(pl.DataFrame({"c": values + once, "why": ["-"] * (n + len(once))}))
    summary.add(pl.DataFrame({"c": values, "why": ["-"] * n}))
    assert [list(expected.rule.values) for expected in summary.derive_rules()] == ([values] if is_set else [])


def test_guessed_rules_are_soft_have_a_reason_and_are_broken_by_no_row_of_the_file(tmp_path: Path) -> None:
    x, y = chances(3000)
    plan = [f"plan {i % 4}" if i % 300 else "none@firm.de" for i in range(3000)]
    path = table(tmp_path, {"plan": plan, "x": x.round(3), "age": np.arange(3000) % 60 + 18, "churn": y})
    built, contract = proposed(path)
    assert {(rule.kind, rule.column) for rule in contract.soft_rules("main")} == {  # type: ignore[union-attr]
        ("between", "x"),
        ("between", "age"),
        ("in_set", "plan"),
    }
    assert "- {kind: between, column: age, min: 10, max: 80, soft: true}  # guess: " in built.contract
    assert "none@firm.de" not in built.contract
    assert contract.row_rules("main") == [rule for rule in contract.row_rules("main") if not rule.soft]
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert count_unexpected("main", read.rows, contract.soft_rules("main")) == []


def test_dates_that_read_both_ways_are_read_as_said(tmp_path: Path) -> None:
    x, y = chances(600)
    days = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2023" for i in range(600)]
    path = table(tmp_path, {"joined": days, "x": x.round(3), "churn": y})
    built, contract = proposed(path)
    assert contract.columns["joined"].role == "ignore"
    assert "--dates" in "".join(built.words)
    for first, form in (("day", "%-d/%-m/%Y"), ("month", "%-m/%-d/%Y")):
        assert proposed(path, first=first)[1].columns["joined"].format == form


def test_a_log_is_asked_who_comes_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    start = dt.datetime(2024, 1, 1)
    rows = [
        (f"u{c}", start + dt.timedelta(days=float(rng.uniform(0, 400))), f"o{c}-{k}", round(float(rng.lognormal(3, 1)), 2))
        for c in range(120)
        for k in range(rng.integers(2, 9))
    ]
    frame = pl.DataFrame(rows, schema=["customer_id", "ordered_at", "order_id", "amount"], orient="row")
    path = tmp_path / "log.csv"
    frame.with_columns(pl.col("ordered_at").dt.strftime("%Y-%m-%d %H:%M:%S")).write_csv(path)
    _, contract = proposed(path)
    assert contract.unit.rows == "entity_by_cutoff"
    assert contract.entity == "customer_id"
    assert contract.unit.target["comes_again"].after_days == 90
    cutoffs = contract.unit.cutoffs
    assert cutoffs is not None
    assert max(cutoffs.test) + dt.timedelta(days=90) <= dt.date(2025, 2, 5)
    assert {"last", "overdue", "total_90d"} <= set(contract.unit.features)


def test_names_with_signs_of_yaml_and_lines_are_written_so_that_they_are_read_back(tmp_path: Path) -> None:
    x, y = chances(300)
    names = ["a: b", "# no", "yes", "100%", "ö\u2028x", "{curly}", "'quoted'"]
    path = table(tmp_path, {name: (x + i).round(3) for i, name in enumerate(names)} | {"churn": y})
    built, contract = proposed(path)
    assert list(contract.columns) == [*names, "churn"]
    for line in built.contract.splitlines():
        assert "guess:" not in line or "  # guess: " in line


def test_any_mixture_of_columns_makes_a_contract_that_keeps_nearly_all_rows(tmp_path: Path) -> None:
    """Forty made-up tables: every one has a valid contract, and at most one row in a hundred is set aside."""
    observed = 0
    for seed in range(40):
        path = table(tmp_path, mixture(random.Random(seed)))
        built, contract = proposed(path, target="y")
        read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
        assert read.rejects.height <= 0.01 * 400, seed
        params = yaml.safe_load("use_cases:\n" + built.params)["use_cases"]["shop"]
        assert {"augment", "train", "baseline", "evaluate", "explain", "gate"} == set(params)
        observed += 1
    assert observed == 40


def mixture(draw: random.Random) -> dict[str, list[str]]:
    """Columns of 400 cells of all kinds, with nulls and odd cells here and there."""
    makers = [
        lambda i: str(draw.randint(0, 99)),
        lambda i: f"{draw.random():.3f}",
        lambda i: draw.choice(["a", "b", "c"]),
        lambda i: f"2024-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
        lambda i: f"user{i}@mail.com",
        lambda i: f"{draw.randint(0, 9999999):07d}",
        lambda i: f"{draw.randint(1, 9)},{draw.randint(0, 99):02d}",
        lambda i: " ".join(draw.choices(["good", "bad", "size", "fit", "red"], k=8)),
        lambda i: f"id{i}",
        lambda i: "same",
        lambda i: str(draw.randint(10**17, 10**18)),
        lambda i: f"${draw.randint(1, 9)},{draw.randint(100, 999)}.5",
    ]
    result = {}
    for c, maker in enumerate(draw.sample(makers, draw.randint(3, len(makers)))):
        nothing = draw.choice(["", "NA", "?", "-999"])
        odd = draw.choice([0.0, 0.002, 0.05])
        result[f"col{c}"] = [
            nothing if draw.random() < 0.05 else "odd one" if draw.random() < odd else maker(i) for i in range(400)
        ]
    return result | {"y": [draw.choice(["yes", "no", "no"]) for _ in range(400)]}


PLACES: list[tuple[str, list[str], dict[str, Any]]] = [
    ("issue_d", ["Dec-2015", "Jan-2016"], {"role": "time", "type": "date", "format": "%b-%Y"}),
    ("d", ["2.1.23", "28.12.24"], {"role": "time", "type": "date", "format": "%-d.%-m.%y"}),
    ("d", ["May 1, 2024", "June 30, 2024"], {"role": "time", "type": "date", "format": "%B %-d, %Y"}),
    (
        "d",
        ["4/13/2016 2:47:30 PM", "4/1/2016 12:00:00 AM"],
        {"role": "time", "type": "datetime", "format": "%-m/%-d/%Y %-I:%M:%S %p"},
    ),
    ("Region_Code", ["28.0", "3.0", "11.0"], {"role": "categorical"}),
    ("StateHoliday", ["0", "0", "a", "b"], {"role": "categorical"}),
    ("Contact", ["Ann Li <ann@firm.com>", "Bo Ox <bo@firm.com>"], {"role": "contact", "type": "text"}),
    ("Account Manager", [f"Anna M{i}" for i in range(30)], {"role": "contact", "type": "text"}),
    ("CustomerNo", ["2.98725E+13", "5.58998E+14"], {"role": "categorical"}),
    ("CustomerRef", ["2.98725E+13", "5.58998E+14"], {"role": "categorical"}),
    (
        "ItemNo",
        ["2.98725E+13", "5.58998E+14"],
        {"role": "ignore", "why": "numbers that a spreadsheet has rounded: they no longer name anything"},
    ),
]


@pytest.mark.parametrize(("name", "cells", "keys"), PLACES)
def test_months_codes_with_a_point_people_and_rounded_numbers_are_what_they_are(
    name: str, cells: list[str], keys: dict[str, Any]
) -> None:
    assert typed_keys(name, cells * 9) == keys


def test_a_row_is_named_by_its_number_and_a_numbering_without_a_name_is_no_feature(tmp_path: Path) -> None:
    x, y = chances()
    order = np.random.default_rng(1).permutation(2000)
    for name in ("EmployeeNumber", "Kundennr", "IDpol", "PatientId"):
        _, contract = proposed(table(tmp_path, {name: order, "controln": order * 2, "x": x.round(3), "churn": y}))
        assert (contract.columns[name].role, contract.columns["controln"].role) == ("id", "ignore")


def test_ids_that_were_numbers_name_people_still_and_no_row_is_lost_by_them(tmp_path: Path) -> None:
    x, y = chances()
    rng = np.random.default_rng(6)
    people = [f"{number:.5E}" for number in rng.choice(rng.uniform(1e12, 9e14, 700), 2000)]
    rows = {"PatientId": people, "IDpol": [f"{i}.0" for i in range(2000)], "x": x.round(3), "no_show": y}
    path = table(tmp_path, rows | {"visit_day": [f"2024-0{1 + i % 9}-01" for i in range(2000)]})
    _, contract = proposed(path, target="no_show")
    assert contract.columns["PatientId"].role == "entity"
    assert contract.split.by == "entity"  # type: ignore[union-attr]
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert read.rejects.height == 0
    assert set(read.rows["PatientId"]) == set(people), "as they stand in the file"


def test_a_date_over_three_columns_orders_the_rows_and_the_date_of_a_leak_does_not(tmp_path: Path) -> None:
    x, y = chances()
    days = [dt.date(2022, 1, 1) + dt.timedelta(days=i // 3) for i in range(2000)]
    ended = [day + dt.timedelta(days=-9 if one else 9) for day, one in zip(days, y, strict=True)]
    rows = {
        "arrival_date_year": [day.year for day in days],
        "arrival_date_month": [f"{day:%B}" for day in days],
        "arrival_date_day_of_month": [day.day for day in days],
        "x": x.round(3),
        "canceled": y,
        "stay_status": np.where(y == 1, "Canceled", "Check-Out"),
        "stay_status_date": [str(day) for day in ended],
    }
    path = table(tmp_path, rows)
    _, contract = proposed(path, target="canceled")
    assert contract.split.order == "arrival_date_day"  # type: ignore[union-attr]
    for leak in ("stay_status", "stay_status_date"):
        assert contract.columns[leak].known == "after_outcome"
    assert contract.columns["arrival_date_year"].role == "ignore"
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert read.rows["arrival_date_day"].to_list() == days
    others = {name: cells for name, cells in rows.items() if not name.startswith("stay")}
    renamed = table(tmp_path, others | {"when": [str(day) for day in ended]}, "other.csv")
    _, contract = proposed(renamed, target="canceled")
    assert contract.columns["when"].known == "after_outcome", "its distance to the arrival tells it"


def test_what_only_the_treated_have_is_no_feature_and_does_not_hide_the_randomization(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    treated = (rng.random(4000) < 0.5).astype(int)
    opened = treated * (rng.random(4000) < 0.4)
    buys = (rng.random(4000) < 0.1 + 0.05 * treated).astype(int)
    rows = {"x": rng.normal(size=4000).round(3), "treatment": treated, "opened": opened, "buys": buys}
    _, contract = proposed(table(tmp_path, rows), target="buys")
    assert contract.task.kind == "uplift"
    assert [name for name, column in contract.columns.items() if column.is_feature] == ["x"]


def test_a_treatment_that_was_not_drawn_by_lot_is_no_feature_and_said_so(tmp_path: Path) -> None:
    x, y = chances(3000)
    treated = np.where(x + np.random.default_rng(4).normal(size=3000) > 0, "treated", "control")
    built, contract = proposed(table(tmp_path, {"x": x.round(3), "treatment_group": treated, "churn": y}))
    assert contract.columns["treatment_group"].role == "ignore"
    assert any("not at random" in line for line in built.words)


def test_a_protected_column_is_never_a_suspect(tmp_path: Path) -> None:
    _, y = chances()
    rng = np.random.default_rng(2)
    sex = np.where(rng.random(2000) < 0.15 + 0.7 * y, "female", "male")
    path = table(tmp_path, {"sex": sex, "a": rng.normal(size=2000).round(3), "b": rng.integers(0, 90, 2000), "churn": y})
    _, contract = proposed(path)
    assert contract.columns["sex"].role == "protected"
    assert contract.leakage_suspects == ()


def test_texts_with_addresses_in_some_cells_are_read_as_texts_and_none_is_shown(tmp_path: Path) -> None:
    x, y = chances(600)
    notes = [f"mail me at ann{i}@firm.de" if i % 9 == 0 else "wants an offer soon" for i in range(600)]
    phone = [f"0171 {1000000 + i}" if i % 9 == 0 else "none" for i in range(600)]
    path = table(tmp_path, {"notes": notes, "line": phone, "x": x.round(3), "churn": y})
    built, contract = proposed(path)
    assert contract.columns["notes"].role == "text"
    assert contract.columns["line"].role == "contact"
    assert not any("firm.de" in line or "1000000" in line for line in (built.contract, *built.words))
    assert ingest([path], contract.columns, TableFormat.of(contract, "main")).rejects.height == 0
    assert sum(line.startswith("row ") for line in built.words) == 3


def test_the_test_part_holds_enough_events_where_these_become_rarer(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    y = (rng.random(4000) < np.linspace(0.2, 0.01, 4000)).astype(int)
    days = [str(dt.date(2024, 1, 1) + dt.timedelta(days=i // 10)) for i in range(4000)]
    built, contract = proposed(table(tmp_path, {"order_date": days, "x": rng.normal(size=4000).round(3), "churn": y}))
    share = contract.split.fractions.test  # type: ignore[union-attr]
    assert y[int((1 - share) * 4000) :].sum() >= 50 > y[int(0.8 * 4000) :].sum()
    assert any("fewer than 50" in line for line in built.words)


def test_a_log_is_of_people_not_of_their_sessions_and_no_count_is_an_owner(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = sorted(
        (str(dt.datetime(2024, 1, 1) + dt.timedelta(hours=int(rng.integers(0, 9000)))), int(rng.integers(1, 90)), f"s{k}")
        for k in range(800)
        for _ in range(2)
    )
    log = pl.DataFrame(rows, schema=["event_time", "user_id", "user_session"], orient="row")
    path = tmp_path / "log.csv"
    log.write_csv(path)
    assert proposed(path)[1].entity == "user_id"
    log.drop("user_id", "user_session").with_columns(
        pl.Series("Customers", rng.integers(100, 400, 1600)), pl.Series("Amount", rng.integers(0, 99, 1600))
    ).write_csv(path)
    with pytest.raises(InputError, match="--target"):
        proposed(path)


def test_ratings_and_a_first_column_without_a_name_are_outcomes(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    stars = rng.integers(1, 6, 400)
    path = table(tmp_path, {"Score": stars, "Text": [f"good thing number {i} of it" for i in range(400)]})
    assert proposed(path)[1].target == "Score"
    path.write_text("".join(f"{one}\t{v}\t{w}\n" for one, v, w in zip(stars % 2, stars, rng.integers(0, 99, 400), strict=True)))
    assert proposed(path)[1].target == "c1"


@pytest.mark.parametrize("form", ["jsonl", "parquet", "zip", "tar.gz"])
def test_every_format_that_fetch_takes_can_be_proposed_for(form: str, tmp_path: Path) -> None:
    x, y = chances(400)
    moments = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(400)]
    frame = pl.DataFrame({"when": moments, "x": x, "tags": [["a"]] * 400, "churn": y.astype(bool)})
    path = packed(frame, form, tmp_path)
    _, contract = proposed(path)
    assert contract.target == "churn"
    assert contract.columns["churn"].values == {"false": 0, "true": 1}
    assert contract.split.order == "when"  # type: ignore[union-attr]
    if form in {"jsonl", "parquet"}:
        assert contract.source.format == form
        assert contract.columns["tags"].role == "ignore"
        read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
        assert read.rows["when"].dt.replace_time_zone(None).to_list() == moments
    else:
        assert contract.source.files == "rows.csv"


def packed(frame: pl.DataFrame, form: str, folder: Path) -> Path:
    """A frame as a file of a format; of the archives, beside what else lies in them."""
    path = folder / f"rows.{form}"
    if form == "parquet":
        frame.write_parquet(path)
    elif form == "jsonl":
        texts = frame.with_columns(pl.col("when").dt.strftime("%Y-%m-%dT%H:%M:%S"))
        path.write_text("".join(json.dumps(row) + "\n" for row in texts.to_dicts()))
    else:
        table_file, other = folder / "rows.csv", folder / "readme.txt"
        frame.drop("tags").with_columns(pl.col("when").dt.strftime("%Y-%m-%d %H:%M:%S")).write_csv(table_file)
        other.write_text("hello")
        shutil.make_archive(str(folder / "rows"), "zip" if form == "zip" else "gztar", folder, ".")
    return path


def test_a_workbook_is_proposed_like_any_table(tmp_path: Path) -> None:
    x, y = chances()
    day = dt.date(2020, 1, 1)
    head = ["customer_id", "x", "since", "seen", "vip", "churn"]
    rows: list[list[Any]] = [["Customers of May"], [], head]
    for i in range(len(x)):
        since, seen = day + dt.timedelta(days=i), dt.datetime(2024, 1, 1) + dt.timedelta(hours=12 * i)
        rows.append([7919 * i % 99_991, round(float(x[i]), 3), since, seen, bool(x[i] > 1), int(y[i])])
    path = write_xlsx(tmp_path / "book.xlsx", {"Customers": rows, "About": [["from the shop"]]}, merged={"Customers": ["B5:B6"]})
    proposal, contract = proposed(path, target="churn")
    assert (contract.source.format, contract.source.sheet, contract.source.skip) == ("workbook", None, 2)
    assert {name: column.role for name, column in contract.columns.items()} == {
        "customer_id": "id",
        "x": "numeric",
        "since": "time",
        "seen": "time",
        "vip": "categorical",
        "churn": "outcome",
    }
    assert contract.columns["since"].cell_type == "date"
    assert contract.columns["seen"].cell_type == "datetime", "midnights are written as the other moments"
    assert any(line.startswith("id column customer_id is stored as numbers: leading zeros are lost") for line in proposal.words)
    head_lines = proposal.contract.split("task:")[0]
    assert "it is sheet Customers of a workbook" in head_lines
    assert "merged cells B5:B6: the first has the value, the others are empty" in head_lines
    form = TableFormat.of(contract, "main")
    read = ingest([path], contract.columns, form)
    assert (read.rows.height, read.rejects.height) == (len(x), 0), "what was proposed reads every row"


def test_the_sheet_of_a_workbook_with_several_is_asked_for(tmp_path: Path) -> None:
    x, y = chances(200)
    rows = [["x", "churn"], *([round(float(a), 3), int(b)] for a, b in zip(x, y, strict=True))]
    path = write_xlsx(tmp_path / "book.xlsx", {"May": rows, "June": rows})
    with pytest.raises(InputError, match="2 sheets have rows: May, June; name one: --sheet 'May'"):
        proposed(path, target="churn")
    proposal = propose("t", [path], Answers(target="churn"), sheet="June")
    assert yaml.safe_load(proposal.contract)["source"] == {
        "kind": "file",
        "files": "book.xlsx",
        "format": "workbook",
        "sheet": "June",
    }
    text = table(tmp_path, {"x": x, "churn": y})
    with pytest.raises(InputError, match=r"--sheet June: data\.csv is no workbook"):
        propose("t", [text], Answers(target="churn"), sheet="June")


def test_keys_that_come_again_and_ids_that_nearly_never_do_keep_their_rows_together(tmp_path: Path) -> None:
    x, y = chances()
    keys = [hashlib.md5(str(i % 300).encode()).hexdigest() for i in range(2000)]
    _, contract = proposed(table(tmp_path, {"msno": keys, "x": x.round(3), "churn": y}))
    assert contract.columns["msno"].role == "entity"
    twice = [min(i, 1990) * 3 + 10**6 for i in range(2000)]
    _, contract = proposed(table(tmp_path, {"order_id": twice, "x": x.round(3), "churn": y}))
    assert contract.columns["order_id"].role == "entity"
    assert contract.split.by == "entity"  # type: ignore[union-attr]


def test_a_log_loses_no_event_to_a_guess(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    rows = {
        "customer_id": [f"{int(one)}.0" for one in rng.integers(1, 90, 1600)],
        "at": [str(dt.datetime(2024, 1, 1) + dt.timedelta(hours=int(h))) for h in np.sort(rng.integers(0, 9000, 1600))],
        "amount": [f"{i}.5" if i % 140 else f"odd{i}" for i in range(1600)],
        "price": [f"{i}.25" if i % 150 else f"far{i}" for i in range(1600)],
    }
    path = table(tmp_path, rows)
    _, contract = proposed(path)
    assert contract.entity == "customer_id"
    read = ingest([path], contract.events["events"].columns, TableFormat.of(contract, "events"))
    assert read.rejects.height <= 16


def test_a_total_below_the_table_does_not_make_two_values_an_amount(tmp_path: Path) -> None:
    x, y = chances(600)
    rows = "".join(f"{v:.3f};{one}\n" for v, one in zip(x, y, strict=True))
    built, contract = proposed(saved(tmp_path, f"x;churn\n{rows}Total;{y.sum()}\n"))
    assert contract.columns["churn"].values == {"0": 0, "1": 1}
    assert any("set aside" in line for line in built.words)


def test_a_key_that_is_a_list_somewhere_costs_no_row(tmp_path: Path) -> None:
    x, y = chances(600)
    rows = [{"x": v, "b": [1] if i % 3 else 2, "churn": int(y[i])} for i, v in enumerate(x.round(3).tolist())]
    path = saved(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
    _, contract = proposed(path)
    assert contract.columns["b"].role == "ignore"
    assert ingest([path], contract.columns, TableFormat.of(contract, "main")).rows.height == 600


def test_a_table_without_a_feature_is_refused(tmp_path: Path) -> None:
    _, y = chances(600)
    with pytest.raises(InputError, match="no other column is left"):
        proposed(table(tmp_path, {"same": ["a"] * 600, "churn": y}))


def test_without_ids_an_address_says_whose_a_row_is_and_nobody_can_read_it(tmp_path: Path) -> None:
    x, y = chances(600)
    mails = [f"{'u' if i % 2 else 'U'}{i % 200}@a.com" for i in range(600)]
    names = [f"Jo Doe{i % 300}" for i in range(600)]
    path = table(tmp_path, {"email": mails, "full_name": names, "x": x.round(3), "churn": y})
    built, contract = proposed(path)
    person = contract.columns["person"]
    assert (person.role, person.source, person.hashed) == ("entity", "email", True)
    assert (contract.split.kind, contract.entity) == ("hash", "person")
    rows = ingest([path], contract.columns, TableFormat.of(contract, "main")).rows
    assert rows["person"].n_unique() == 200
    assert rows[ENTITY].n_unique() == 200
    assert not rows["person"].str.contains("@").any()
    assert "@" not in built.contract + "".join(built.words)
    one_each = [f"u{i}@a.com" for i in range(600)]
    _, contract = proposed(table(tmp_path, {"email": one_each, "full_name": names, "x": x.round(3), "churn": y}))
    assert "person" not in contract.columns, "another address in every row: everybody is there once"
    some = [mail if i % 3 else "" for i, mail in enumerate(mails)]
    built, contract = proposed(table(tmp_path, {"email": some, "x": x.round(3), "churn": y}))
    assert "person" not in contract.columns, "a third of the rows would be lost"
    assert any("email comes again" in line for line in built.words)


@pytest.mark.parametrize(("n", "primary"), [(600, "accuracy"), (3000, "log_loss")])
def test_of_few_rows_the_share_that_is_right_decides_and_not_one_sure_mistake(n: int, primary: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    path = table(tmp_path, {"x": rng.normal(size=n).round(3), "label": rng.choice(["low", "mid", "high"], n, p=[0.5, 0.3, 0.2])})
    _, contract = proposed(path)
    assert contract.task.primary == primary
    assert contract.task.minimum == pytest.approx(0.5 if primary == "accuracy" else 1.03, abs=0.06)
