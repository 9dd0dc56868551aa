"""The second opinion: each rule's Great Expectations form agrees with our own check, and finds what that lets through."""

from __future__ import annotations

import datetime as dt
import random
import warnings
from typing import TYPE_CHECKING, Any, get_args

import narwhals as nw
import polars as pl
import pytest

from perennial.contract.rules import Before, Between, CustomRule, Implies, InSet, Matches, NotNull, Ordered, RowRule, Unique
from perennial.data.names import CONTENT, ORDER
from perennial.data.quality import rules as row_rules
from perennial.data.quality.rules import BROKEN, mark_broken
from perennial.data.quality.validate import summarise_table
from perennial.errors import DataStopped

with warnings.catch_warnings():  # Great Expectations imports what Python has deprecated
    warnings.simplefilter("ignore")
    import great_expectations as gx

    from perennial.data.quality import suite

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.unit

RULES: list[RowRule] = [
    NotNull(column="t"),
    InSet(column="t", values=("a", "b")),
    Between(column="n", min=-1, max=2),
    Between(column="x", max=0.5),
    Before(column="day", date=dt.date(2026, 1, 2)),
    Before(column="at", date=dt.date(2026, 1, 2)),
    Matches(column="t", pattern=r"\A[ab]{1,2}\z"),
    Implies.model_validate({"if": "p", "then": "q"}),
    Ordered(columns=("n", "m")),
    Unique(column="u"),
    CustomRule(name="at_most", settings={"column": "p", "other": "q", "times": 1}),
]
TABLES = 8  # random tables a rule


def random_table(seed: int, n: int) -> pl.DataFrame:
    """Cells about the edges of all rules, with nulls among them."""
    draw = random.Random(seed)
    midnight, blink = dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.timedelta(microseconds=1)

    def column(values: list[Any], dtype: Any) -> pl.Series:
        return pl.Series([draw.choice([*values, None]) for _ in range(n)], dtype=dtype)

    return pl.DataFrame(
        {
            "t": column(["a", "b", "ab", "a\n", "aa ", "", "A", "á"], pl.String),
            "n": column([-2, -1, 0, 2, 3, 2**53 + 1], pl.Int64),
            "m": column([-2, -1, 0, 2, 3, 2**53 + 1], pl.Int64),
            "x": column([0.5, 0.5000001, -1e9, 1e15], pl.Float64),
            "day": column([dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2031, 1, 1)], pl.Date),
            "at": column([midnight, midnight - blink, midnight + blink], pl.Datetime("us", "UTC")),
            "p": column([0, 1], pl.Int64),
            "q": column([0, 1], pl.Int64),
            "u": column(["k", "l", "m"], pl.String),
            ORDER: range(n),
            CONTENT: [draw.choice("12") for _ in range(n)],
        }
    )


def ours(frame: pl.DataFrame, rule: RowRule) -> bool:
    return bool(mark_broken(nw.from_native(frame.lazy()), [rule]).to_native().collect()[BROKEN].is_null().all())


def theirs(frame: pl.DataFrame, rule: RowRule) -> bool:
    return bool(suite.audit_rows(frame, summarise_table(frame, [rule]), frame.columns, [rule])["success"])


def test_both_renderings_of_every_kind_agree_on_random_tables() -> None:
    agreed: dict[type, set[bool]] = {kind: set() for kind in get_args(RowRule)}
    compared = 0
    for rule in RULES:
        for seed in range(TABLES):
            frame = random_table(seed, 1 + seed % 4)
            assert ours(frame, rule) == theirs(frame, rule), (rule, frame)
            agreed[type(rule)].add(ours(frame, rule))
            compared += 1
    assert compared == TABLES * len(RULES)
    assert agreed == {kind: {True, False} for kind in get_args(RowRule)}, "each kind is seen to hold and to be broken"


def test_what_passed_our_check_passes_the_audit_as_a_whole() -> None:
    frame = random_table(1, 4000)
    judged = mark_broken(nw.from_native(frame.lazy()), RULES).to_native().collect()
    passed = judged.filter(pl.col(BROKEN).is_null()).drop(BROKEN)
    assert passed.height > 20
    result = suite.audit_rows(passed, summarise_table(passed, RULES), passed.columns, RULES)
    assert result["success"]
    assert result["failed"] == []
    assert len(result["results"]) == len(RULES) + 1, "the set of columns too"
    assert not any({"batch_id", "meta"} & result.keys() for result in result["results"])


def test_each_frame_of_a_large_table_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "FRAME_ROWS", 3)
    frame = pl.DataFrame({"n": [1, 1, 1, 1, 1, 1, 9]})
    rule = Between(column="n", max=2)
    result = suite.audit_rows(frame, summarise_table(frame, [rule]), ["n"], [rule])
    assert [part["success"] for part in result["results"] if part["rule"] == "between:n"] == [True, True, False]
    assert result["failed"] == ["between:n"]


def test_a_column_too_many_or_too_few_is_found() -> None:
    frame = pl.DataFrame({"a": [1], "b": [1]})
    assert suite.audit_rows(frame, summarise_table(frame, []), ["a", "b"], [])["success"]
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        suite.audit_rows(frame, summarise_table(frame, []), ["a", "c"], [])


def test_an_empty_table_is_judged_by_its_summary_alone() -> None:
    frame = random_table(1, 1).clear()
    result = suite.audit_rows(frame, summarise_table(frame, RULES), frame.columns, RULES)
    assert result["success"]
    assert [part["rule"] for part in result["results"]] == ["unique:u"]
    assert suite.audit_rows(frame, summarise_table(frame, []), frame.columns, [])["results"] == []


def test_an_exception_is_found_at_any_depth() -> None:
    hit = {"raised_exception": True, "exception_message": "x"}
    deep: tuple[Any, ...] = (hit, {"(1, 'm')": hit}, {"a": {"b": [{"c": hit}]}}, [{}, hit])
    for info in deep:
        assert suite.has_raised(info), info
    for info in (None, {}, {"raised_exception": False}, {"a": {"raised_exception": "True"}}, [], "raised_exception"):
        assert not suite.has_raised(info), info


def test_an_expectation_that_raises_fails_the_audit() -> None:
    frame = pl.DataFrame({"n": ["text"]})
    rule = Between(column="n", min=0)
    result = suite.audit_rows(frame, summarise_table(frame, [rule]), ["n"], [rule])
    assert not result["success"]
    assert {part["rule"]: part["raised"] for part in result["results"]} == {"exact_columns": False, "between:n": True}


def test_equal_rules_are_refused() -> None:
    frame = pl.DataFrame({"n": [1]})
    twice: list[RowRule] = [Between(column="n", min=0), Between(column="n", min=0)]
    with pytest.raises(DataStopped, match="rule between:n is given twice to the audit: merge equal rules") as caught:
        suite.audit_rows(frame, summarise_table(frame, twice), ["n"], twice)
    assert caught.value.exit_code == 2


def test_a_suite_that_loses_a_rule_is_no_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    real, frame = gx.ExpectationSuite, pl.DataFrame({"n": [1]})
    monkeypatch.setattr(gx, "ExpectationSuite", lambda name, expectations: real(name=name, expectations=expectations[1:]))
    rule = Between(column="n", min=0)
    with pytest.raises(DataStopped, match="the audit judged 1 rules of 2: it is no second opinion"):
        suite.audit_rows(frame, summarise_table(frame, [rule]), ["n"], [rule])


@pytest.mark.parametrize("kind", ["in_set", "before", "between"])
def test_a_row_check_that_is_switched_off_is_caught(project: Toy, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """One rule lets everything pass: the planted rows reach the audit, and the run stops."""
    real = row_rules.build_expression

    def blind(rule: Any) -> nw.Expr:
        return nw.lit(True) if rule.kind == kind else real(rule)

    monkeypatch.setattr(row_rules, "build_expression", blind)
    project.run("ingest")
    with pytest.raises(DataStopped, match=rf"the audit .* disagrees with the row checks \(.*{kind}:") as caught:
        project.run("validate")
    assert caught.value.exit_code == 2
    assert (project.project.state(project.name) / "stopped" / "validate" / "audit.json").exists()


def test_a_uniqueness_check_that_is_switched_off_is_caught(project: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_rules, "mark_clashes", lambda judged, _: judged)
    project.run("ingest")
    with pytest.raises(DataStopped, match=r"main: unique:customer_id; events: unique:event_id"):
        project.run("validate")


def test_great_expectations_says_nothing_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    rows = pl.DataFrame({"t": ["a", "b"]})
    assert suite.audit_rows(rows, pl.DataFrame({"clashes:t": [0]}), ["t"], [InSet(column="t", values=("a", "b"))])["success"]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("great_expectations")] == []
