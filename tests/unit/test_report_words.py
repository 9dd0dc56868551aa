"""The sentences of every report, as a reader finds them: snapshots/report_words.txt is read like a text and changed with care."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, get_args

import pytest

from perennial.contract.rules import CellRule, Unique, describe_rule
from perennial.contract.serving import FeatureColumn
from perennial.explain.words import describe_cell
from perennial.report.context import AnyReport
from tests.fakes.pages import read_report
from tests.fakes.reports import response_report, segments_report, uplift_report
from tests.snapshot import assert_snapshot
from tests.unit.test_report_tasks import REPORTS as TASKS
from tests.unit.test_report_tasks import composed, visible

pytestmark = pytest.mark.unit

REPORTS: Mapping[str, Callable[[], AnyReport]] = {
    **TASKS,
    "contacts HOLD by comparable": partial(response_report, "HOLD", stopped_by="comparable", champion=True),
    "contacts HOLD by profit": partial(response_report, "HOLD", stopped_by="profit", champion=True),
    "contacts HOLD by slices": partial(response_report, "HOLD", stopped_by="slices", champion=True),
    "contacts without money": partial(response_report, money=False),
    "messages that are not clear": partial(uplift_report, clear=False),
    "messages HOLD by randomization": partial(uplift_report, "HOLD", stopped_by="randomization", fair=False),
    "members better": partial(segments_report, name="member_segments", champion=True),
}
CODE = r"\b(in_set|not_null|between|before|matches|implies|ordered|unique|cell|record):\w|(?<!minimum): 0\b(?!\.)|\w: none known"


def sentences(report: AnyReport) -> Iterator[str]:
    page = read_report(report)
    yield from (page.standing, page.headline, page.what_to_do, f"! {page.caution}")
    yield from (f"{name} = {value} ({note})" for name, value, note in page.keys)
    for check in page.checks:
        yield f"? {check.question} {check.detail}"
    for figure in page.figures:
        yield " | ".join(filter(None, (figure.finding, figure.described, figure.foot)))
        yield from (" ; ".join(parts) for kind in ("cases", "reasons") for parts in figure.items(kind))
    yield from page.all(".//section/header/p")


def write_all() -> str:
    """A line for each sentence, said once however many reports have it."""
    lines: list[str] = []
    for name, make in REPORTS.items():
        new = [line for line in dict.fromkeys(sentences(make())) if line not in lines]
        lines += [f"\n## {name}", *new]
    return "\n".join(lines).strip() + "\n"


def test_the_sentences_of_all_reports_are_those_that_were_read() -> None:
    assert_snapshot(write_all(), "report_words")


@pytest.mark.parametrize("name", TASKS)
def test_nobody_reads_code(name: str) -> None:
    assert re.findall(CODE, visible(composed(name)[0])) == []


def test_the_look_for_code_finds_it() -> None:
    for code in ("visits: garden: 0", "Newsletter: 0", "in_set:kind", "before:at", "age: none known"):
        assert re.search(CODE, code), code


def test_rules_are_said_in_words() -> None:
    assert describe_rule("in_set:kind") == "kind: unknown value"
    assert describe_rule("before:at") == "at: date too late"
    assert describe_rule("record:repeated_header") == "repeated header"
    assert describe_rule("row_count") == "row count"
    assert describe_rule("cell:signed_on") == "signed_on: cannot be read"
    kinds = [rule.model_fields["kind"].default for rule in (*get_args(CellRule), Unique)]
    assert len(kinds) == 9
    for kind in kinds:
        assert describe_rule(f"{kind}:age").startswith("age: "), kind


@pytest.mark.parametrize(
    ("label", "counts", "cell", "words"),
    [
        ("garden visits", "events", 0.0, "no garden visits"),
        ("garden visits", "events", 3.0, "garden visits: 3"),
        ("newsletter", "flag", 0, "no newsletter"),
        ("newsletter", "flag", 1, "newsletter: yes"),
        ("newsletter", "flag", None, "newsletter unknown"),
        ("temperature", "", 0, "temperature: 0"),
    ],
)
def test_a_zero_is_said_in_words_where_it_means_none(label: str, counts: Any, cell: float | None, words: str) -> None:
    assert describe_cell(FeatureColumn(name="x", kind="numeric", label=label, counts=counts), cell) == words
