"""The report of classes and of amounts: an order first, what was found with its interval, and a page that is whole."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest

from perennial.report.context import Story
from perennial.report.page import Figure, Heat, Table
from perennial.report.pages import amounts, classes
from perennial.report.pages.compose import compose
from perennial.report.pages.shared import HELD, both_ways
from perennial.report.task_sections import Told
from tests.fakes import story as fakes
from tests.fakes.story import BAD, amounts_story, classes_story, response_story

pytestmark = pytest.mark.unit

SUSPECT = "column 'price' alone has AUC 0.910: is it known before the decision?"
CASES = {
    "first": {},
    "better": {"champion": True},
    "with a suspect": {"suspects": (SUSPECT,)},
    **{
        f"HOLD by {rule}": {"verdict": "HOLD", "stopped_by": rule, "champion": True}
        for rule in ("better", "comparable", "groups", "rolled back")
    },
    "REJECT by minimum": {"verdict": "REJECT", "stopped_by": "minimum"},
    "REJECT by better": {"verdict": "REJECT", "stopped_by": "better", "champion": True},
}
STORIES: dict[str, Story] = {
    f"{task} {name}": make(**case)  # type: ignore[operator]
    for task, make in (("classes", classes_story), ("amounts", amounts_story))
    for name, case in CASES.items()
}
EVERY = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


def told(story: Story) -> Told:
    return classes.told(story) if story.contract.task.kind == "multiclass" else amounts.told(story)


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
def test_a_page_is_whole_small_and_what_customers_wrote_is_text(story: Story) -> None:
    page = compose(story)[0]
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
def test_a_headline_is_a_short_order_and_only_a_promotion_is_a_plan(story: Story) -> None:
    said = told(story)
    orders = {"PROMOTE": "Use ", "HOLD": "Keep ", "REJECT": "Do not deploy: "}
    assert said.headline.startswith(orders[story.verdict])
    assert len(said.headline.split()) <= 18
    assert re.search(r"\b(auc|gini|f1|log.loss|linear|boosted|trees|deep|network)\b", said.headline, re.I) is None
    assert compose(story)[1] == f"{said.headline} {said.what_to_do}"
    plan = re.search(r"^(Take its word|Let a person|Rank customers by)", said.what_to_do) is not None
    assert plan is (story.verdict == "PROMOTE")
    if story.verdict == "HOLD":
        assert HELD[story.stopped_by] in said.headline
        assert said.what_to_do.startswith("Nothing changes: go on with the model in use.")
        assert ("--override-incomparable WHY" in said.what_to_do) == (story.stopped_by == "comparable")
    if story.verdict == "REJECT":
        assert "as you do today" in said.what_to_do
        assert ("by the model in use" in said.what_to_do) == (story.decision["champion"] is not None)
        assert ("measurably worse" in said.headline) == (story.stopped_by == "better")


@EVERY
def test_what_is_estimated_stands_with_its_interval(story: Story) -> None:
    said = told(story)
    observed = {"Always the largest class", "Answered alone"}
    for figure in said.key_figures:
        assert figure.name in observed or re.search(r"between .+ and ", figure.note), figure
    tables = [block for section in said.sections for block in section.blocks if isinstance(block, Table)]
    families = next(table for table in tables if table.finding.startswith("Families on the same"))
    assert len(families.grid.rows) == len(story.evaluation["families"]) == 4
    for row in families.grid.rows:
        assert all(re.fullmatch(r"\[.+, .+\]", cell.interval) for cell in row.cells[1:])  # type: ignore[union-attr]
    assert [row.cells[0] for row in families.grid.rows if row.chosen] == ["Linear (chosen)"]
    assert "Deep − traditional, 95\u202f%" in said.picture.drawing.wide


@EVERY
def test_the_strongest_caution_stands_beside_the_verdict(story: Story) -> None:
    caution = told(story).caution
    assert caution is not None
    if story.summaries["split"]["leakage_suspects"]:
        assert caution.strong == SUSPECT
    elif story.verdict == "REJECT":
        assert "Nothing below is a plan" in caution.text
    elif story.contract.task.kind == "multiclass":
        assert re.fullmatch(r"It is weakest for [\w-]+: F1 0\.\d\d\.", caution.text)
    else:
        assert "single customers differ" in caution.text


def test_classes_are_told_as_they_were_confused() -> None:
    story = STORIES["classes first"]
    heat, each = told(story).sections[0].blocks
    assert isinstance(heat, Heat)
    assert isinstance(each, Table)
    counts = story.evaluation["confusion"]
    assert [[cell.value for cell in row.cells] for row in heat.rows] == [[str(c) for c in line] for line in counts]
    assert heat.columns == tuple(story.contract.classes) == tuple(row.name for row in heat.rows)
    number, true, said = re.fullmatch(
        r"(\d+) of ([\w-]+) were taken for ([\w-]+), the commonest mistake", heat.finding
    ).groups()  # type: ignore[union-attr]
    names = story.contract.classes
    off = [counts[i][j] for i in range(10) for j in range(10) if i != j]
    assert counts[names.index(true)][names.index(said)] == int(number) == max(off)
    assert [row.cells[0] for row in each.grid.rows] == names


def test_what_a_machine_may_answer_alone_follows_from_how_sure_it_is() -> None:
    some, all_of_it, none = (classes_story(sure=sure) for sure in (2.0, 12.0, 0.1))
    assert re.match(r"Take its word for the surest \d+\u202f%, right in 95\u202f% of cases", told(some).what_to_do)
    assert told(all_of_it).what_to_do == "Take its word for every row: 100\u202f% are right."
    assert told(none).what_to_do == "Let a person check: no share of rows is right in 95\u202f% of cases."
    share = int(re.search(r"surest (\d+)", told(some).what_to_do)[1])  # type: ignore[index]
    curve = some.evaluation["coverage"]
    assert curve["value"][share] >= 0.95 > max(curve["value"][share + 1 :])
    for story in (all_of_it, none):
        Nested().feed(compose(story)[0])


def test_sums_that_are_off_are_said_first() -> None:
    caution = told(amounts_story(times=1.7)).caution
    assert caution is not None
    assert caution.strong is not None
    assert re.fullmatch(r"sums are off: 1\.\d\d of what came", caution.strong)
    assert "do not budget by it" in caution.text
    assert "face value" in table_of(amounts_story()).finding
    assert re.fullmatch(r"In \d+ of 10 tenths predicted amounts are off", table_of(amounts_story(times=1.7)).finding)


def table_of(story: Story) -> Table:
    table = told(story).sections[0].blocks[0]
    assert isinstance(table, Table)
    return table


def test_tenths_and_the_share_of_the_best_one_are_those_that_were_judged() -> None:
    story = STORIES["amounts first"]
    table, figure = told(story).sections[0].blocks
    assert isinstance(table, Table)
    assert isinstance(figure, Figure)
    assert [row.cells[0] for row in table.grid.rows] == [str(i) for i in range(10, 0, -1)]
    share = f"{100 * story.evaluation['concentration']['value'][10]:.0f}\u202f%"
    assert share in figure.finding
    assert share in told(story).what_to_do
    zeros = f"{100 * story.evaluation['zeros']:.0f}\u202f%"
    assert table.foot == f"{zeros} of test customers bring nothing."
    assert "£" in str(table.grid.rows[0].cells[2])


def test_other_splits_and_late_columns_are_told_beside_what_is_reported() -> None:
    story = response_story()
    assert both_ways(story) == []
    story.summaries["baseline"]["both_ways"] = fakes.both_ways("auc")  # type: ignore[index]
    (heat,) = both_ways(story)
    assert isinstance(heat, Heat)
    assert heat.columns == ("As reported", "With a late column")
    assert [row.name for row in heat.rows] == ["By time", "At random", "By customer"]
    assert [[cell.shade for cell in row.cells] for row in heat.rows] == [
        ["reported", "flatters"], ["flatters", "flatters"], ["plain", "worse"],
    ]  # fmt: skip
    assert [row.note for row in heat.rows] == ["used in this report", "", ""]
    assert heat.finding == "At random, with a late column, it would be 0.84; as reported 0.61"
    assert 'id="both-ways"' in compose(story)[0]
    story.summaries["baseline"]["both_ways"]["metric"] = "log_loss"  # type: ignore[index]
    (loss,) = both_ways(story)
    assert isinstance(loss, Heat)
    assert [cell.shade for row in loss.rows for cell in row.cells] == [
        "reported", "worse", "worse", "worse", "plain", "flatters",
    ], "of a loss less is better"  # fmt: skip
    story.summaries["baseline"]["both_ways"]["cells"] = [[fakes.about(0.61, 0.02)] * 2] * 3  # type: ignore[index]
    (same,) = both_ways(story)
    assert isinstance(same, Heat)
    assert same.finding == "Another split would have told the same"
