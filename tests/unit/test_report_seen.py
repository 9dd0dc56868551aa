"""What a report shows of texts and photos: whole, small, escaped, legible without colour, and no map that was not checked."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from scipy.special import expit, logit

from perennial.report.context import AnyReport, ReportContext, ShownMistake
from perennial.report.page import load_template, word_classes
from perennial.report.pages.compose import compose
from perennial.results.binary import BinaryEvaluation
from perennial.results.explain import StrongestWords, WordSummary
from tests.fakes.pages import ReadFigure, read_report
from tests.fakes.reports import PHOTO, photos_report, response_report, texts_report, with_evaluation, with_explanations
from tests.fakes.stages import BAD, around, word_effect

pytestmark = pytest.mark.unit


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
    assert vars(load_template("reasons.html.j2").module)["MARKS"] in html.unescape(page)
    assert [word_classes(part) for part in (0.3, 0.6, 0.9, -0.9)] == ["raises w1", "raises w2", "raises w3", "lowers w3"]


def words_on(report: AnyReport) -> ReadFigure:
    return next(figure for figure in read_report(report).figures if figure.node.find("div[@class='words']") is not None)


def test_words_stand_both_ways_with_their_intervals_and_rows() -> None:
    block = words_on(texts())
    columns = block.node.findall("div/div")
    assert [column.findtext("h4") for column in columns] == ["Raise the score", "Lower the score"]
    assert [[word.findtext("b") for word in column.findall("ul/li")] for column in columns] == [[BAD, "cheap"], ["love"]]
    rate = texts().split.rate["test"]
    points = [100 * (expit(logit(rate) + part) - rate) for part in (-1.1, -1.2, -1.0)]  # of the log odds
    value, low, high = (f"\u2212{-point:.1f}" for point in points)
    assert ["".join(part.itertext()) for part in columns[1].findall("ul/li/span")][1:] == [f"{value} [{low}, {high}]", "20 rows"]
    assert "fewer than 10 of 1,000 test rows" in block.described
    assert "\u201clove\u201d lower it most" in block.finding
    assert 'class="words"' not in compose(response_report())[0]


def test_words_of_several_classes_stand_under_each() -> None:
    outputs = {
        name: StrongestWords(raises=tuple(word_effect(f"{name}{i}", 2 - i / 10) for i in range(9)), lowers=())
        for name in ("a", "b")
    }
    block = words_on(with_explanations(response_report(), words=WordSummary(min_rows=2, outputs=outputs)))
    columns = block.node.findall("div/div")
    assert [(column.findtext("h4"), len(column.findall("ul/li"))) for column in columns] == [("a", 5), ("b", 5)]


def test_two_answers_are_shown_as_they_were_confused_and_the_surest_mistakes_are_quoted() -> None:
    report = texts()
    confusion = report.evaluation.confusion
    assert confusion is not None
    _, heat, each, surest = read_report(report).sections["mistakes"].figures
    assert heat.heads[1:] == ["the others", "those who respond"]
    assert [row[1:] for row in heat.rows] == [[f"{c:,}" for c in line] for line in confusion.counts]
    assert [row[0] for row in each.rows] == heat.heads[1:]
    cases = surest.items("cases")
    assert len(cases) == 6
    probabilities = [mistake.probability for mistake in confusion.mistakes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all("taken for" in reasons and "review" in reasons for _, _, reasons in cases)
    assert "mistakes" not in read_report(response_report(money=False)).sections


def shares_on(report: AnyReport) -> ReadFigure:
    return next(figure for figure in read_report(report).figures if figure.described.startswith("Share by group"))


def test_a_share_by_group_stands_with_its_interval_beside_what_was_predicted() -> None:
    report, predicted = texts(), (0.3, 0.2, 0.08)
    figure = shares_on(report)
    assert figure.finding == f"Customers with “buys through {BAD}” respond more often: 31\u202f%, against 8\u202f% overall"
    assert "12\u202f%, predicted 20\u202f%" in figure.drawings[0]
    assert figure.foot == "The prediction lies outside the interval for 1 of 3 groups."
    unknown = tuple(row.model_copy(update={"observed": None, "predicted": None}) for row in report.evaluation.slices)
    assert "Share by group" not in compose(with_evaluation(report, slices=unknown))[0]
    few = shares_on(with_shares(report, (0.09, 0.1, 0.02), predicted))
    assert few.finding.startswith("Customers with “buys through web” respond less often: 2\u202f%")
    alike = shares_on(with_shares(report, (0.05, 0.05, 0.05), predicted))
    assert alike.finding.startswith("No group stands out: 8\u202f% respond overall")


@pytest.mark.parametrize(("value", "customers"), [("0", "no buys through"), ("yes", "“buys through”")])
def test_a_flag_is_one_that_customers_have_or_have_not(value: str, customers: str) -> None:
    report = texts()
    first, *others = report.evaluation.slices
    flagged = with_evaluation(report, slices=(first.model_copy(update={"value": value}), *others))
    assert shares_on(flagged).finding.startswith(f"Customers with {customers} respond more often")


def test_a_share_stands_once_on_the_page() -> None:
    for report in (texts(), response_report()):
        assert compose(report)[0].count("The prediction lies outside the interval") == 1


def test_photos_are_shown_with_what_each_is_what_was_said_and_its_map() -> None:
    report = photos_report()
    names, worst = report.evaluation.classes, report.evaluation.confusion.mistakes[0]
    page = read_report(report)
    *_, grid = page.sections["action"].figures
    photos = grid.items("photos")
    assert len(photos) == 12
    assert photos[0][1] == names[worst.true]
    assert photos[0][2].startswith(f"predicted: {names[worst.predicted]}, ")
    assert grid.foot.startswith("The maps pass the deletion check. On 80 test photos, filling the hottest 20\u202f%")
    assert "38.0 [33.0, 43.0] points" in grid.foot
    assert "+26.0 [+20.0, +32.0] against another photo's map" in grid.foot
    sources = re.findall(r'<img src="data:image/jpeg;base64,([^"]*)"', compose(report)[0])
    assert len(sources) == 2 * (len(photos) + len(report.customers))
    assert {base64.b64decode(source) for source in sources} == {PHOTO}
    (shown,) = page.sections["reasons"].figures
    assert [score for _, score, _ in shown.items("photos")] == [row.score for row in report.customers]


def test_maps_that_fail_the_check_are_not_shown_and_the_page_says_why() -> None:
    report = photos_report(passes=False)
    page = read_report(report)
    *_, grid = page.sections["action"].figures
    assert grid.foot.startswith("No heat maps are shown: they do not pass the deletion check.")
    assert "in blue" not in grid.described
    assert compose(report)[0].count("<img") == len(grid.items("photos"))
    assert page.sections["reasons"].figures[-1].items("cases")


def test_nobody_is_wholly_sure_of_a_mistake() -> None:
    mistake = ShownMistake(row="row 1", true=0, predicted=1, probability=0.9998, photo=PHOTO)
    *_, grid = read_report(replace(photos_report(), mistakes=(mistake,))).sections["action"].figures
    assert grid.items("photos") == [["", "dress", "predicted: hat, over 99\u202f%", "row 1"]]
