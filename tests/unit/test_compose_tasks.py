"""The report of classes and of amounts: an order first, what was found with its interval, and a page that is whole."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest

from perennial.report.context import AnyReport
from perennial.report.page import load_template
from perennial.report.pages.compose import compose
from perennial.results.baseline import SplitSensitivity
from perennial.results.decision import RuleName
from perennial.results.families import FAMILIES
from tests.fakes import stages
from tests.fakes.pages import ReadFigure, read_report
from tests.fakes.reports import amounts_report, classes_report, response_report
from tests.fakes.stages import BAD

pytestmark = pytest.mark.unit

SUSPECT = "column 'price' alone has AUC 0.910: is it known before the decision?"
CASES: dict[str, dict[str, Any]] = {
    "first": {},
    "better": {"champion": True},
    "with a suspect": {"suspects": (SUSPECT,)},
    **{
        f"HOLD by {rule}": {"verdict": "HOLD", "stopped_by": rule, "champion": True}
        for rule in ("improvement", "comparable", "slices", "rolled_back")
    },
    "REJECT by minimum": {"verdict": "REJECT", "stopped_by": "minimum"},
    "REJECT by improvement": {"verdict": "REJECT", "stopped_by": "improvement", "champion": True},
}
TASKS: dict[str, Callable[..., AnyReport]] = {"classes": classes_report, "amounts": amounts_report}
REPORTS = {f"{task} {name}": partial(make, **case) for task, make in TASKS.items() for name, case in CASES.items()}
EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


class Nested(HTMLParser):
    """Raises where a tag is closed that is not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [str(value) for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


@EVERY
def test_a_page_is_whole_small_and_what_customers_wrote_is_text(make: Callable[[], AnyReport]) -> None:
    report = make()
    page = compose(report)[0]
    parser = Nested()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert {"checks", "action", "reasons", "evidence", "data"} <= set(parser.ids)
    assert len(page.encode()) < 300_000
    assert "<script" not in page
    assert html.escape(BAD, quote=False) in page
    assert not re.search(r"\bnan\b|None|Infinity", page.split("</style>")[1])


def test_the_search_for_a_wrong_tag_finds_one() -> None:
    with pytest.raises(AssertionError, match="</p>"):
        Nested().feed("<p><b></p></b>")


@EVERY
def test_a_headline_is_a_short_order_and_only_a_promotion_is_a_plan(make: Callable[[], AnyReport]) -> None:
    report = make()
    task, decision = read_report(report), report.decision
    orders = {"PROMOTE": "Use ", "HOLD": "Keep ", "REJECT": "Do not deploy: "}
    assert task.headline.startswith(orders[report.verdict])
    assert len(task.headline.split()) <= 18
    assert re.search(r"\b(auc|gini|f1|log.loss|linear|boosted|trees|deep|network)\b", task.headline, re.I) is None
    assert compose(report)[1] == f"{task.headline} {task.what_to_do}"
    plan = re.search(r"^(Accept|Let a person|Rank customers by)", task.what_to_do) is not None
    assert plan is (report.verdict == "PROMOTE")
    if report.verdict == "HOLD":
        assert decision.stopped_by is not None
        holds = vars(load_template("verdict.html.j2").module)["HOLDS"]
        assert holds[decision.stopped_by].format(new="the new model") in task.headline
        assert task.what_to_do.startswith("Nothing changes: go on with the current model.")
        is_incomparable = decision.stopped_by == RuleName.COMPARABLE
        assert ("--override-incomparable WHY" in task.what_to_do) == is_incomparable
    if report.verdict == "REJECT":
        assert "as you do today" in task.what_to_do
        assert ("with the current model" in task.what_to_do) == (decision.champion is not None)
        assert ("measurably worse" in task.headline) == (decision.stopped_by == RuleName.IMPROVEMENT)


@EVERY
def test_what_is_estimated_stands_with_its_interval(make: Callable[[], AnyReport]) -> None:
    report = make()
    task = read_report(report)
    observed = {"Always the largest class", "Answered without a person"}
    for name, _, note in task.keys:
        assert name in observed or re.search(r"between .+ and ", note), name
    families = task.figure("Model families on the same")
    assert len(families.rows) == len(report.evaluation.families) == 4
    for row in families.rows:
        assert all(re.fullmatch(r"[^ ]+ \[.+, .+\]", cell) for cell in row[1:])
    assert families.chosen == [f"{FAMILIES[report.evaluation.candidate.family].label} (chosen)"]
    assert "Deep − traditional, 95\u202f%" in task.picture.drawings[0]


@EVERY
def test_the_strongest_caution_stands_beside_the_verdict(make: Callable[[], AnyReport]) -> None:
    report = make()
    page = read_report(report)
    if report.split.leakage_suspects:
        assert page.strong == SUSPECT
    elif report.verdict == "REJECT":
        assert "Nothing below is a plan" in page.caution
    elif report.contract.task.kind == "multiclass":
        assert re.fullmatch(r"It is weakest for [\w-]+: F1 0\.\d\d\.", page.caution)
    else:
        assert "single customers differ" in page.caution


def test_classes_are_shown_as_they_were_confused() -> None:
    report = classes_report()
    heat, each = read_report(report).sections["action"].figures
    counts, names = report.evaluation.confusion.counts, report.contract.classes
    assert [row[1:] for row in heat.rows] == [[str(c) for c in line] for line in counts]
    assert heat.heads[1:] == names == [re.sub(r"\d+ rows$", "", row[0]) for row in heat.rows]
    finding = re.fullmatch(r"(\d+) of ([\w-]+) were taken for ([\w-]+), the most common mistake", heat.finding)
    assert finding is not None
    number, true, predicted = finding.groups()
    off = [counts[i][j] for i in range(10) for j in range(10) if i != j]
    assert counts[names.index(true)][names.index(predicted)] == int(number) == max(off)
    assert [row[0] for row in each.rows] == names


def test_what_a_machine_may_answer_alone_follows_from_how_sure_it_is() -> None:
    some, every = classes_report(), classes_report(distance=12.0)
    none = replace(classes_report("REJECT", stopped_by="minimum"), decision=some.decision)
    plan = re.match(r"Accept the surest (\d+)\u202f% of answers, 95\u202f% of which are right", read_report(some).what_to_do)
    assert plan is not None
    assert read_report(every).what_to_do == "Accept every answer: 100\u202f% are right."
    assert read_report(none).what_to_do == "Let a person check every answer: even the surest answers are not 95\u202f% right."
    share, curve = int(plan[1]), some.evaluation.coverage
    assert curve.value[share] >= 0.95 > max(curve.value[share + 1 :])
    for report in (every, none):
        Nested().feed(compose(report)[0])


def test_sums_that_are_off_come_first() -> None:
    page = read_report(amounts_report(times=1.7))
    assert re.fullmatch(r"sums are off: 1\.\d\d of the actual amounts", page.strong)
    assert "do not budget by it" in page.caution
    assert "face value" in table_of(amounts_report()).finding
    assert re.fullmatch(r"In \d+ of 10 deciles predicted amounts are off", table_of(amounts_report(times=1.7)).finding)


def table_of(report: AnyReport) -> ReadFigure:
    return read_report(report).sections["action"].figures[0]


def test_deciles_and_the_share_of_the_top_one_are_those_that_were_evaluated() -> None:
    report = amounts_report()
    table, figure = read_report(report).sections["action"].figures
    assert [row[0] for row in table.rows] == [str(i) for i in range(10, 0, -1)]
    share = f"{100 * report.evaluation.concentration.value[10]:.0f}\u202f%"
    assert share in figure.finding
    assert share in read_report(report).what_to_do
    zeros = f"{100 * report.evaluation.zeros:.0f}\u202f%"
    assert table.foot == f"{zeros} of test customers bring nothing."
    assert "£" in table.rows[0][2]


def heat_of(sensitivity: SplitSensitivity) -> ReadFigure:
    report = response_report()
    assert 'id="split-sensitivity"' not in compose(report)[0]
    report = replace(report, baseline=report.baseline.model_copy(update={"split_sensitivity": sensitivity}))
    (heat,) = [figure for figure in read_report(report).figures if figure.node.get("id") == "split-sensitivity"]
    return heat


def test_other_splits_and_late_columns_stand_beside_what_is_reported() -> None:
    heat = heat_of(stages.split_sensitivity("auc"))
    assert heat.heads == ["Split", "As reported", "With a late column"]
    assert [row[0] for row in heat.rows] == ["By timeused in this report", "At random", "By customer"]
    assert heat.shades == [["reported", "flatters"], ["flatters", "flatters"], ["plain", "worse"]]
    assert heat.finding == "At random, with a late column, it would be 0.84; as reported 0.61"
    loss = heat_of(stages.split_sensitivity("log_loss"))
    assert [shade for row in loss.shades for shade in row] == ["reported", "worse", "worse", "worse", "plain", "flatters"], (
        "of a loss less is better"
    )
    cells = ((stages.around(0.61, 0.02),) * 2,) * 3
    same = heat_of(stages.split_sensitivity("log_loss").model_copy(update={"cells": cells}))
    assert same.finding == "Another split would have shown the same"
