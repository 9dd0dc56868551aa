"""What a report shows of texts and photos: whole, small, escaped, legible without colour, and no map that was not checked."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest

from perennial.report.context import AnyReport, ExplainedRow, ReportContext, ShownMistake
from perennial.report.exhibits import Cases, Heat, Photos, WordBars
from perennial.report.page import Table, word_classes
from perennial.report.pages import reasons, response
from perennial.report.pages.compose import compose
from perennial.report.pages.mistakes import build_mistakes
from perennial.report.pages.reasons import MARKS, build_cases, build_words
from perennial.report.pages.slices import draw_shares_by_group
from perennial.results.binary import BinaryEvaluation
from perennial.results.explain import StrongestWords, WordSummary
from tests.fakes.reports import PHOTO, photos_report, response_report, texts_report, with_evaluation, with_explanations
from tests.fakes.stages import BAD, around, word_effect

pytestmark = pytest.mark.unit

B = TypeVar("B")


def texts() -> ReportContext[BinaryEvaluation]:
    """Texts, and shares by group."""
    report = with_shares(texts_report(), (0.31, 0.12, 0.07), (0.3, 0.2, 0.08))
    return replace(report, split=report.split.model_copy(update={"rate": dict.fromkeys(report.split.rate, 0.08)}))


def with_shares(
    report: ReportContext[BinaryEvaluation], observed: tuple[float, ...], predicted: tuple[float, ...]
) -> ReportContext[BinaryEvaluation]:
    """Shares of those who respond in the three groups."""
    rows = zip(report.evaluation.slices, observed, predicted, strict=True)
    changed = [row.model_copy(update={"observed": around(share, 0.04), "predicted": mean}) for row, share, mean in rows]
    return with_evaluation(report, slices=tuple(changed))


def blocks_of(report: ReportContext[BinaryEvaluation], section: str, kind: type[B]) -> list[B]:
    sections = response.build_sections(report).sections
    blocks = next(some.blocks for some in sections if some.anchor == section)
    return [block for block in blocks if isinstance(block, kind)]


@pytest.mark.parametrize("make", [texts, photos_report, partial(photos_report, passes=False)])
def test_a_page_of_texts_or_photos_is_one_small_file_that_loads_nothing(make: Callable[[], AnyReport]) -> None:
    page = compose(make())[0]
    assert len(page.encode()) < 300_000
    assert "<script" not in page
    assert re.search(r"https?:", page) is None
    sources = re.findall(r'<img src="([^"]*)"', page)
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert len(sources) == page.count("<img")
    body = page.split("</style>")[1]
    assert not re.search(r'\sstyle="', body), "shades are classes: the style sheet knows the dark page"
    known = set(re.findall(r"\.([a-z][\w-]*)", page.split("</style>")[0]))
    assert {"raises", "lowers", "w1", "w2", "w3", "words", "photos"} <= known
    ids = re.findall(r'\sid="([^"]+)"', body)
    assert len(ids) == len(set(ids))


def test_what_customers_wrote_is_text_whatever_it_looks_like() -> None:
    page = compose(texts())[0]
    assert html.escape(f"{BAD} is ", quote=False) in page
    assert re.search(r'<span class="raises w2"><sup>\+</sup>&lt;b&gt;</span>', page)
    assert f"<b>{html.escape(BAD)}</b><span" in page, "as a word of the list too"


def test_a_mark_says_which_way_and_how_much_without_its_colour() -> None:
    page = compose(texts())[0]
    assert '<span class="raises w3"><sup>+</sup>awful</span>' in page
    assert '<span class="lowers w1"><sup>\u2212</sup>soft</span>' in page
    assert MARKS in html.unescape(page)
    assert [word_classes(part) for part in (0.3, 0.6, 0.9, -0.9)] == ["raises w1", "raises w2", "raises w3", "lowers w3"]


def test_words_stand_both_ways_with_their_intervals_and_rows() -> None:
    (block,) = build_words(texts(), "Log odds")
    assert isinstance(block, WordBars)
    assert [(heading, [word.name for word in bars]) for heading, bars in block.columns] == [
        ("Raise the score", [BAD, "cheap"]),
        ("Lower the score", ["love"]),
    ]
    bar = block.columns[1][1][0]
    assert (bar.value, bar.interval, bar.rows) == ("\u22121.10", "[\u22121.20, \u22121.00]", "20 rows")
    assert "fewer than 10 of 1,000 test rows" in block.described
    assert "\u201clove\u201d lower it most" in block.finding
    assert build_words(response_report(), "Log odds") == ()


def test_words_of_several_classes_stand_under_each() -> None:
    outputs = {
        name: StrongestWords(raises=tuple(word_effect(f"{name}{i}", 2 - i / 10) for i in range(9)), lowers=())
        for name in ("a", "b")
    }
    report = with_explanations(response_report(), words=WordSummary(min_rows=2, outputs=outputs))
    (block,) = build_words(report, "Log share")
    assert isinstance(block, WordBars)
    assert [(name, len(bars)) for name, bars in block.columns] == [("a", 5), ("b", 5)]


def test_two_answers_are_shown_as_they_were_confused_and_the_surest_mistakes_are_quoted() -> None:
    report = texts()
    confusion = report.evaluation.confusion
    assert confusion is not None
    (heat,) = blocks_of(report, "mistakes", Heat)
    (each,) = blocks_of(report, "mistakes", Table)
    (surest,) = blocks_of(report, "mistakes", Cases)
    assert heat.columns == ("the others", "those who respond")
    assert [[cell.value for cell in row.cells] for row in heat.rows] == [[f"{c:,}" for c in line] for line in confusion.counts]
    assert [row.cells[0] for row in each.grid.rows] == list(heat.columns)
    assert len(surest.rows) == 6
    probabilities = [mistake.probability for mistake in confusion.mistakes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(row.quotes and "taken for" in row.reasons for row in surest.rows)
    assert blocks_of(response_report(money=False), "evidence", Cases) == []


def test_a_share_by_group_stands_with_its_interval_beside_what_was_predicted() -> None:
    report, predicted = texts(), (0.3, 0.2, 0.08)
    figure = draw_shares_by_group(report)
    assert figure is not None
    assert figure.finding == f"Customers of buys through {BAD} respond more often: 31\u202f%, against 8\u202f% overall"
    assert "12\u202f%, predicted 20\u202f%" in figure.drawing.wide
    assert figure.foot == "Predicted outside the interval: 1 of 3 groups."
    unknown = tuple(row.model_copy(update={"observed": None, "predicted": None}) for row in report.evaluation.slices)
    assert draw_shares_by_group(with_evaluation(report, slices=unknown)) is None
    few = draw_shares_by_group(with_shares(report, (0.09, 0.1, 0.02), predicted))
    assert few is not None
    assert few.finding.startswith("Customers of buys through web respond less often: 2\u202f%")
    alike = draw_shares_by_group(with_shares(report, (0.05, 0.05, 0.05), predicted))
    assert alike is not None
    assert alike.finding.startswith("No group stands out: 8\u202f% respond overall")


def test_a_share_stands_once_on_the_page() -> None:
    for report in (texts(), response_report()):
        assert compose(report)[0].count("Predicted outside the interval") == 1


def test_photos_are_shown_with_what_each_is_what_was_said_and_its_map() -> None:
    report = photos_report()
    names, worst = report.evaluation.classes, report.evaluation.confusion.mistakes[0]
    *_, grid = build_mistakes(report, report.evaluation.confusion, names)
    assert isinstance(grid, Photos)
    assert len(grid.rows) == 12
    assert grid.rows[0].score == names[worst.true]
    assert grid.rows[0].reasons.startswith(f"predicted: {names[worst.predicted]}, ")
    assert grid.foot.startswith("The maps pass the deletion check. On 80 test photos, filling the hottest 20\u202f%")
    assert "38.0 [33.0, 43.0] points" in grid.foot
    assert "+26.0 [+20.0, +32.0] against another photo's map" in grid.foot
    sources = re.findall(r'<img src="data:image/jpeg;base64,([^"]*)"', compose(report)[0])
    assert len(sources) == 2 * (len(grid.rows) + len(report.customers))
    assert {base64.b64decode(source) for source in sources} == {PHOTO}
    shown = build_cases(report)
    assert isinstance(shown, Photos)
    assert [row.score for row in shown.rows] == [row.score for row in report.customers]
    assert [type(block) for block in reasons.build_section(report, effect="").blocks] == [Photos]


def test_maps_that_fail_the_check_are_not_shown_and_the_page_says_why() -> None:
    report = photos_report(passes=False)
    *_, grid = build_mistakes(report, report.evaluation.confusion, report.evaluation.classes)
    assert isinstance(grid, Photos)
    assert grid.foot.startswith("No heat maps are shown: they do not pass the deletion check.")
    assert "in blue" not in grid.described
    assert compose(report)[0].count("<img") == len(grid.rows)
    assert isinstance(build_cases(report), Cases)


def test_nobody_is_wholly_sure_of_a_mistake() -> None:
    mistake = ShownMistake(row="row 1", true=0, predicted=1, probability=0.9998, photo=PHOTO)
    report = replace(photos_report(), mistakes=(mistake,))
    *_, grid = build_mistakes(report, report.evaluation.confusion, report.evaluation.classes)
    assert isinstance(grid, Photos)
    assert grid.rows == (ExplainedRow(row="row 1", score="dress", reasons="predicted: hat, over 99\u202f%", photo=PHOTO),)
