"""Row rules, our check: which rows break which rule, and how the quarantine says it."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.contract.columns import Column
from perennial.contract.rules import (
    Before,
    Between,
    CustomRule,
    Implies,
    InSet,
    Matches,
    NotNull,
    Ordered,
    RowCount,
    RowRule,
    Rule,
    Unique,
    name_rule,
)
from perennial.data.names import CONTENT, LINE, ORDER, RAW, RECORD, ROW_ID, SOURCE, conserve_rows
from perennial.data.quality.rules import BROKEN, describe_violation, mark_broken
from perennial.data.quality.table_checks import find_problems
from perennial.data.quality.validate import count_unexpected, summarise_table, validate
from perennial.errors import ConservationError

pytestmark = pytest.mark.unit

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def table(content: list[str] | None = None, **columns: list[Any]) -> pl.DataFrame:
    """Rows as ingest hands them over."""
    n = len(next(iter(columns.values())))
    ids = [f"f-{i}" for i in range(n)]
    return pl.DataFrame(
        {
            **columns,
            ROW_ID: ids,
            ORDER: range(n),
            CONTENT: content or ids,
            SOURCE: ["f.csv"] * n,
            RECORD: range(1, n + 1),
            LINE: range(2, n + 2),
            RAW: [b"raw %d" % i for i in range(n)],
        }
    )


def broken(frame: pl.DataFrame, *rules: RowRule) -> list[str | None]:
    judged = mark_broken(nw.from_native(frame.lazy()), rules).to_native().collect()
    names: list[str | None] = judged.sort(ORDER)[BROKEN].to_list()
    return names


CASES: list[tuple[RowRule, dict[str, list[Any]], list[bool]]] = [
    (NotNull(column="x"), {"x": ["a", None, ""]}, [True, False, True]),
    (InSet(column="x", values=("a", "b")), {"x": ["a", "B", None, "b"]}, [True, False, True, True]),
    (Between(column="x", min=0, max=9), {"x": [0, 9, -1, 10, None]}, [True, True, False, False, True]),
    (Between(column="x", min=0.5), {"x": [0.5, 0.49, 1e9]}, [True, False, True]),
    (Between(column="x", max=9007199254740991), {"x": [2**53 - 1, 2**53, 10**18 - 1]}, [True, False, False]),
    (
        Before(column="x", date=dt.date(2026, 1, 1)),
        {"x": [dt.date(2025, 12, 31), dt.date(2026, 1, 1), None]},
        [True, False, True],
    ),
    (
        Before(column="x", date=dt.date(2026, 1, 1)),
        {"x": [NOON - dt.timedelta(hours=12, microseconds=1), NOON - dt.timedelta(hours=12), NOON]},
        [True, False, False],
    ),
    (Matches(column="x", pattern=r"\A[0-9]{2}\z"), {"x": ["01", "1", "01\n", "٠١", None]}, [True, False, False, False, True]),
    (
        Implies.model_validate({"if": "x", "then": "y"}),
        {"x": [1, 1, 0, None, 1], "y": [1, 0, 0, 0, None]},
        [True, False, True, True, True],
    ),
    (Ordered(columns=("x", "y")), {"x": [1, 2, 3, None], "y": [1, 3, 2, 1]}, [True, True, False, True]),
    (
        CustomRule(name="at_most", settings={"column": "x", "other": "y", "times": 2}),
        {"x": [1, 5, None, 4], "y": [1, 2, 1, 2]},
        [True, False, True, True],
    ),
    (Unique(column="x"), {"x": ["a", "b", "a", None, None]}, [True, True, False, True, False]),
]


@pytest.mark.parametrize(("rule", "columns", "holds"), CASES, ids=lambda value: getattr(value, "kind", ""))
def test_rows_that_break_a_rule(rule: RowRule, columns: dict[str, list[Any]], holds: list[bool]) -> None:
    expected = [None if remaining else name_rule(rule) for remaining in holds]
    if isinstance(rule, Unique):
        expected[-1] = None  # a null is no value that was seen before
    assert broken(table(**columns), rule) == expected


def test_every_kind_is_tried() -> None:
    assert {type(rule) for rule, *_ in CASES} == set(get_args(RowRule))


def test_a_value_again_with_equal_content_is_left_to_clean() -> None:
    frame = table(content=["1", "1", "2", "1"], x=["a", "a", "a", "a"])
    assert broken(frame, Unique(column="x")) == [None, None, "unique:x", None]


def test_the_first_broken_rule_names_a_row_and_uniqueness_is_judged_among_sound_rows() -> None:
    frame = table(x=["a", "a", "a"], n=[-1, 1, 2])
    rules: list[RowRule] = [Unique(column="x"), Between(column="n", min=0), Between(column="n", min=-5, max=1)]
    assert broken(frame, *rules) == ["between:n", None, "between:n"]
    assert broken(frame, Unique(column="x"), Between(column="n", min=0)) == ["between:n", None, "unique:x"]


def test_no_rule_breaks_nothing() -> None:
    assert broken(table(x=[None, 1])) == [None, None]
    passed, quarantine = validate("t", table(x=[1]), [])
    assert (passed.height, quarantine.height) == (1, 0)


def test_a_quarantined_row_keeps_its_place_its_reason_and_its_bytes() -> None:
    rules: list[RowRule] = [Between(column="x", min=0, max=9), Between(column="x", min=5)]
    passed, quarantine = validate("main", table(x=[1, 7, 10]), rules)
    assert passed[ROW_ID].to_list() == ["f-1"]
    assert RAW not in passed.columns
    assert quarantine.rows() == [
        (f"f-{i}", "main", "f.csv", i + 1, i + 2, "between:x", "x lies outside 0 to 9, or x is below 5", b"raw %d" % i)
        for i in (0, 2)
    ]


def test_a_soft_rule_is_counted_and_the_oftenest_broken_told_first() -> None:
    rows = table(x=[1, 7, 10], c=["a", "call +49 30 1234567", "b"])
    rules: list[RowRule] = [
        Between(column="x", min=2, soft=True),
        InSet(column="c", values=("a",), soft=True),
        NotNull(column="x", soft=True),
    ]
    assert [note.message for note in count_unexpected("main", rows, rules)] == [
        "table main: c is none of a in 2 of 3 rows: 'call •••', 'b'",
        "table main: x is below 2 in 1 of 3 rows",
    ]
    assert count_unexpected("main", rows.clear(), rules) == []


def test_words_of_every_kind() -> None:
    said = {type(rule): describe_violation(rule) for rule, *_ in CASES}
    assert len(said) == len(get_args(RowRule))
    assert said[NotNull] == "x is empty"
    assert said[InSet] == "x is none of a, b"
    assert said[Between] == "x is above 9007199254740991"
    assert said[Before] == "x is not before 2026-01-01"
    assert said[Matches] == r"x is not written as \A[0-9]{2}\z"
    assert said[Implies] == "x is 1 but y is not"
    assert said[Ordered] == "x is greater than y"
    assert said[Unique] == "x was seen before with other content"
    assert name_rule(Ordered(columns=("x", "y"))) == "ordered:x"
    assert name_rule(Implies.model_validate({"if": "x", "then": "y"})) == "implies:x"


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "a", "b", "c"]), st.one_of(st.none(), st.integers(-3, 3)), st.sampled_from("12")),
        max_size=30,
    )
)
def test_rows_in_are_rows_passed_and_rows_quarantined(cells: list[tuple[str | None, int | None, str]]) -> None:
    content = [f"{x}{n}{c}" for x, n, c in cells]
    frame = table(content=content, x=[x for x, _, _ in cells], n=[n for _, n, _ in cells])
    frame = frame.cast({"x": pl.String, "n": pl.Int64, ROW_ID: pl.String, CONTENT: pl.String, RAW: pl.Binary, SOURCE: pl.String})
    rules: list[RowRule] = [
        NotNull(column="x"),
        Between(column="n", min=-1, max=2),
        InSet(column="x", values=("a", "b")),
        Unique(column="x"),
    ]
    passed, quarantine = validate("main", frame, rules)
    flow = conserve_rows("validate", "main", frame[ROW_ID], passed=passed[ROW_ID], quarantined=quarantine[ROW_ID])
    assert sum(flow.to.values()) == len(cells)
    assert passed[ORDER].is_sorted()
    assert passed.group_by("x").agg(pl.col(CONTENT).n_unique() == 1)[CONTENT].all()
    again, nothing = validate("main", passed.with_columns(pl.lit(b"").alias(RAW)), rules)
    assert (again.height, nothing.height) == (passed.height, 0)


def test_lost_doubled_and_foreign_rows_are_a_bug_of_ours() -> None:
    ids = pl.Series(["a", "b", "c"])
    with pytest.raises(ConservationError, match=r"s, table t: 3 rows in, 3 out; lost \['c'\], from nowhere \['x'\], 0 twice"):
        conserve_rows("s", "t", ids, one=pl.Series(["a", "x"]), two=pl.Series(["b"]))
    with pytest.raises(ConservationError, match=r"3 rows in, 4 out; lost \[\], from nowhere \[\], 1 twice") as caught:
        conserve_rows("s", "t", ids, one=ids, two=pl.Series(["b"]))
    assert caught.value.exit_code == 1
    assert conserve_rows("s", "t", ids, one=pl.Series(["c", "a"]), two=pl.Series(["b"])).to == {"one": 2, "two": 1}
    empty = pl.Series([], dtype=pl.Null)
    assert conserve_rows("s", "t", ids.clear(), one=empty).to == {"one": 0}


def test_what_a_whole_table_may_not_be() -> None:
    columns = {"x": Column(role="numeric", max_null=0.5), "y": Column(role="outcome", values={"0": 0, "1": 1})}
    frame = pl.DataFrame({"x": [1.0, None, None], "y": [1, 1, None]})

    def document(frame: pl.DataFrame, rules: list[Rule], target: str) -> list[str]:
        return [note.message for note in find_problems("main", frame, columns, rules, target)]

    assert document(frame, [RowCount(min=4), RowCount(min=0, max=2)], "y") == [
        "table main: 3 rows passed, the contract asks for at least 4",
        "table main: 3 rows passed, the contract asks for 0 to 2",
        "table main: 66.7% of x is empty, the contract allows 50.0%",
        "table main: the outcome y is always 1",
    ]
    assert document(frame.clear(), [], "y") == ["table main: 0 rows passed, the contract asks for at least 1"]
    assert document(frame.clear(), [RowCount(min=0)], "y") == []
    assert document(frame, [RowCount(min=0, max=0)], "") == [
        "table main: 3 rows passed, the contract asks for 0 to 0",
        "table main: 66.7% of x is empty, the contract allows 50.0%",
    ]
    assert document(frame.head(1).with_columns(y=pl.lit(None, pl.Int64)), [], "y")[1:] == [
        "table main: the outcome y is always empty"
    ]


def test_the_summary_counts_keys_that_clash() -> None:
    frame = table(content=["1", "1", "2", "3"], x=["a", "a", "b", "b"])
    assert summarise_table(frame, [Unique(column="x"), NotNull(column="x")]).to_dicts() == [{"rows": 4, "clashes:x": 1}]
    assert summarise_table(frame.clear(), [Unique(column="x")]).to_dicts() == [{"rows": 0, "clashes:x": 0}]
