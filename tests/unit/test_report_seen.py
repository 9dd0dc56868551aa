"""What a report shows of texts and photos: whole, small, escaped, legible without colour, and no map that was not checked."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perennial.data.io.images import encode_jpeg
from perennial.evaluation.decisions import classes
from perennial.report.context import Story
from perennial.report.page import Heat, People, Table
from perennial.report.pages import mistakes, response, words
from perennial.report.pages.compose import compose
from perennial.report.pages.shared import people, reasons_section, shares_figure
from perennial.report.seen import Photo, Photos, Piece, Words
from tests.fakes.story import BAD, about, classes_story, response_story

pytestmark = pytest.mark.unit

PHOTO = encode_jpeg(np.random.default_rng(1).integers(0, 256, (3, 80, 80)).astype(np.uint8))
CHECK = {"n": 80, "share": 0.2, "drop": about(0.38, 0.05), "elsewhere": about(0.27, 0.06), "another": about(0.26, 0.06)}
QUOTE = {
    "column": "review",
    "pieces": [
        {"text": f"{BAD} is ", "part": 0.0},
        {"text": "awful", "part": 1.0},
        {"text": " but ", "part": 0.0},
        {"text": "soft", "part": -0.3},
        {"text": "<b>", "part": 0.6},
    ],
}


def said(word: str, value: float, rows: int = 20) -> dict[str, Any]:
    return {"output": "probability", "word": word, "rows": rows, **about(value, 0.1)}


def with_explained(story: Story, **more: Any) -> Story:
    explained = {**story.summaries["explain"], "rows": 1000, **more}
    return replace(story, summaries={**story.summaries, "explain": explained})


def texts_story() -> Story:
    """A binary task whose rows are read: two answers, quotes, words both ways, shares by group."""
    story = response_story(money=False)
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.3).astype(np.float64)
    p = 1 / (1 + np.exp(-(rng.normal(size=400) + 3 * y - 1.5)))
    evaluation = {**story.evaluation, **classes.told_apart(y, classes.answers(p[:, None]))}
    shares = [(0.31, 0.3), (0.12, 0.2), (0.07, 0.08)]
    evaluation["slices"] = [
        {**row, "observed": about(share, 0.04), "predicted": predicted}
        for row, (share, predicted) in zip(evaluation["slices"], shares, strict=True)
    ]
    story = replace(story, summaries={**story.summaries, "evaluate": evaluation})
    ends = {"raise": [said(BAD, 1.2), said("cheap", 0.9)], "lower": [said("love", -1.1)]}
    seen = {"quotes": [QUOTE], "photo": None, "heat": None}
    return replace(
        with_explained(story, words={"min_rows": 10, "outputs": {"probability": ends}}),
        people=[{**row, **seen} for row in story.people],
        mistakes=[{**mistake, **seen, "row": f"row {i}"} for i, mistake in enumerate(evaluation["mistakes"])],
    )


def photos_story(passes: bool = True) -> Story:
    story = classes_story()
    seen = {"quotes": [], "photo": PHOTO, "heat": PHOTO if passes else None}
    return replace(
        with_explained(story, heat={**CHECK, "passes": passes}, groups=[], importance=[{"label": "the photo"}]),
        people=[{**row, **seen} for row in story.people],
        mistakes=[
            {**mistake, **seen, "row": f"row {i}"} for i, mistake in enumerate(story.evaluation["mistakes"])
        ],
    )  # fmt: skip


def block(story: Story, section: str, kind: type[Any]) -> list[Any]:
    told = response.told(story) if story.contract.task.kind == "binary" else None
    assert told is not None
    blocks = next(s.blocks for s in told.sections if s.anchor == section)
    return [one for one in blocks if isinstance(one, kind)]


@pytest.mark.parametrize("story", [texts_story(), photos_story(), photos_story(passes=False)])
def test_a_page_of_texts_or_photos_is_one_small_file_that_loads_nothing(story: Story) -> None:
    page = compose(story)[0]
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
    page = compose(texts_story())[0]
    assert html.escape(f"{BAD} is ", quote=False) in page
    assert re.search(r'<span class="raises w2"><sup>\+</sup>&lt;b&gt;</span>', page)
    assert f"<b>{html.escape(BAD)}</b><span" in page, "as a word of the list too"


def test_a_mark_says_which_way_and_how_much_without_its_colour() -> None:
    page = compose(texts_story())[0]
    assert '<span class="raises w3"><sup>+</sup>awful</span>' in page
    assert '<span class="lowers w1"><sup>\u2212</sup>soft</span>' in page
    assert words.MARKS in html.unescape(page)
    assert [Piece(text="x", part=part).look for part in (0, 0.3, 0.6, 0.9, -0.9)] == [
        "", "raises w1", "raises w2", "raises w3", "lowers w3",
    ]  # fmt: skip


def test_words_stand_both_ways_with_their_intervals_and_rows() -> None:
    (found,) = words.blocks(texts_story(), "Log odds")
    assert isinstance(found, Words)
    assert [(heading, [w.word for w in bars]) for heading, bars in found.columns] == [
        ("Raise the score", [BAD, "cheap"]), ("Lower the score", ["love"]),
    ]  # fmt: skip
    bar = found.columns[1][1][0]
    assert (bar.change, bar.interval, bar.rows) == ("\u22121.10", "[\u22121.20, \u22121.00]", "20 rows")
    assert "fewer than 10 of 1,000 test rows" in found.described
    assert "\u201clove\u201d lower it most" in found.finding
    assert words.blocks(response_story(), "Log odds") == []


def test_words_of_several_classes_stand_under_each() -> None:
    ends = {name: {"raise": [said(f"{name}{i}", 2 - i / 10) for i in range(9)], "lower": []} for name in ("a", "b")}
    (found,) = words.blocks(with_explained(response_story(), words={"min_rows": 2, "outputs": ends}), "Log share")
    assert isinstance(found, Words)
    assert [(name, len(bars)) for name, bars in found.columns] == [("a", 5), ("b", 5)]


def test_two_answers_are_told_as_they_were_confused_and_the_surest_mistakes_are_quoted() -> None:
    story = texts_story()
    (heat,), (each,), (surest,) = (block(story, "mistakes", kind) for kind in (Heat, Table, People))
    assert heat.columns == ("the others", "those who respond")
    assert [[int(cell.value) for cell in row.cells] for row in heat.rows] == story.evaluation["confusion"]
    assert [row.cells[0] for row in each.grid.rows] == list(heat.columns)
    assert len(surest.people) == 6
    most = [mistake["p"] for mistake in story.evaluation["mistakes"]]
    assert most == sorted(most, reverse=True)
    assert all(person.quotes and "taken for" in person.reasons for person in surest.people)
    assert block(response_story(money=False), "evidence", People) == []


def test_a_share_by_group_stands_with_its_interval_beside_what_was_predicted() -> None:
    story = texts_story()
    found = shares_figure(story)
    assert found is not None
    assert found.finding == f"Buys through {BAD} stands out: 31\u202f% respond, of all 8\u202f%"
    assert "12\u202f%, predicted 20\u202f%" in found.drawing.wide
    assert found.foot == "Predicted outside the interval: 1 of 3 groups."
    assert shares_figure(response_story()) is None
    for row, share in zip(story.evaluation["slices"], (0.09, 0.1, 0.02), strict=True):
        row["observed"] = about(share, 0.04)
    assert getattr(shares_figure(story), "finding", "").startswith("Buys through web stands out: 2\u202f% respond")
    for row in story.evaluation["slices"]:
        row["observed"] = about(0.05, 0.04)
    assert str(getattr(shares_figure(story), "finding", "")).startswith("No group stands out: of all, 8\u202f%")


def test_a_share_stands_once_on_the_page() -> None:
    tables = response_story()
    for row in tables.evaluation["slices"]:
        row |= {"observed": about(0.3, 0.04), "predicted": 0.3}
    for story in (texts_story(), tables):
        assert compose(story)[0].count("Predicted outside the interval") == 1


def test_photos_are_shown_with_what_each_is_what_was_said_and_its_map() -> None:
    story = photos_story()
    *_, grid = mistakes.blocks(story, story.evaluation["classes"])
    assert isinstance(grid, Photos)
    assert len(grid.photos) == 12
    worst = story.evaluation["mistakes"][0]
    names = story.evaluation["classes"]
    assert grid.photos[0].title == names[worst["true"]]
    assert grid.photos[0].note.startswith(f"said: {names[worst['said']]}, ")
    assert grid.foot.startswith("The maps pass the deletion check. On 80 test photos, filling the hottest 20\u202f%")
    assert "38.0 [33.0, 43.0] points" in grid.foot
    assert "+26.0 [+20.0, +32.0] against another photo's map" in grid.foot
    (source, _), (heat, _) = grid.photos[0].sources
    assert base64.b64decode(source.partition(",")[2]) == PHOTO
    assert heat.startswith("data:image/jpeg;base64,")
    shown = people(story)
    assert isinstance(shown, Photos)
    assert [photo.title for photo in shown.photos] == [row["score"] for row in story.people]
    assert [type(one) for one in reasons_section(story, effect="").blocks] == [Photos]


def test_maps_that_fail_the_check_are_not_shown_and_the_page_says_why() -> None:
    story = photos_story(passes=False)
    *_, grid = mistakes.blocks(story, story.evaluation["classes"])
    assert isinstance(grid, Photos)
    assert grid.foot.startswith("No heat maps are shown: they do not pass the deletion check.")
    assert "in blue" not in grid.described
    assert all(len(photo.sources) == 1 for photo in grid.photos)
    assert isinstance(people(story), People)


def test_nobody_is_wholly_sure_of_a_mistake() -> None:
    row = {"true": 0, "said": 1, "p": 0.9998, "row": "row 1", "quotes": [], "photo": PHOTO, "heat": None}
    story = replace(photos_story(), mistakes=[row])
    *_, grid = mistakes.blocks(story, story.evaluation["classes"])
    assert isinstance(grid, Photos)
    assert grid.photos == (
        Photo(row="row 1", title="dress", note="said: hat, over 99\u202f%", photo=PHOTO),
    )  # fmt: skip
