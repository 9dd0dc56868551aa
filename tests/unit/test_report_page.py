"""What each report page holds to: nothing loaded, nothing unescaped, everything named."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from perennial.errors import PerennialError
from perennial.report.context import AnyReport, QuarantinedRow
from perennial.report.page import pair_cells, read_verdict
from perennial.report.pages.compose import compose
from perennial.report.pages.mistakes import choose_shade
from perennial.report.style_sheet import style_sheet
from tests.fakes.reports import (
    alerts_report,
    amounts_report,
    classes_report,
    loans_report,
    response_report,
    segments_report,
    texts_report,
    uplift_report,
    with_other_splits,
)

pytestmark = pytest.mark.unit

BAD = "<script>alert(1)</script>"


def response_page() -> str:
    """A promotion, with what other splits would have shown."""
    return compose(with_other_splits(response_report(champion=True)))[0]


def uplift_page() -> str:
    return compose(uplift_report("HOLD", stopped_by="improvement", champion=True))[0]


def segments_page() -> str:
    return compose(segments_report("REJECT", stopped_by="stability"))[0]


OTHERS: list[Callable[[], AnyReport]] = [amounts_report, classes_report, loans_report, alerts_report, texts_report]
PAGES = [response_page, uplift_page, segments_page, *(lambda make=make: compose(make())[0] for make in OTHERS)]
FOLDER = files("perennial.report.templates")
VOID = {"meta", "link", "br", "img", "input"}


class Reader(HTMLParser):
    """Tags with their attributes, and whether each was closed in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.astray: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.astray.append(tag)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_one_small_file_that_loads_nothing(page: Callable[[], str]) -> None:
    html = page()
    assert len(html.encode()) < 300_000
    assert len(style_sheet()) < 70_000
    assert re.search(r"https?:", html) is None
    tags = read(html).tags
    assert not [tag for tag, _ in tags if tag in {"script", "img", "iframe", "object", "embed"}]
    linked = [value for _, attrs in tags for name, value in attrs.items() if name in {"src", "href"}]
    assert len(linked) > 3
    assert all(str(value).startswith("#") or value == "data:," for value in linked)
    assert re.findall(r"url\((.{22})", html) == ["data:font/woff2;base64"], "the font, inside the page"
    assert "@import" not in html


@pytest.mark.parametrize("page", PAGES)
def test_every_drawing_has_a_role_and_says_what_it_shows(page: Callable[[], str]) -> None:
    drawings = [attrs for tag, attrs in read(page()).tags if tag == "svg"]
    assert len(drawings) > 5
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in drawings)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_well_formed_and_its_links_lead_somewhere(page: Callable[[], str]) -> None:
    reader = read(page())
    assert reader.astray == []
    assert reader.open == []
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {str(attrs["href"])[1:] for tag, attrs in reader.tags if tag == "a"}
    assert links - {"decision"}
    assert links <= set(ids)


@pytest.mark.parametrize("page", PAGES)
def test_colours_come_from_the_style_sheet_only(page: Callable[[], str]) -> None:
    html = page()
    assert not [attrs for _, attrs in read(html).tags if {"style", "fill", "stroke"} & set(attrs)]
    body = html.split("</style>")[1]
    used = {name for _, attrs in read(body).tags for name in str(attrs.get("class") or "").split()}
    known = set(re.findall(r"\.([a-z][\w-]*)", html.split("</style>")[0]))
    assert len(used) > 20
    assert used - known - {"grid", "q", "w", "y", "info"} == set()


def test_raw_text_and_categories_are_escaped() -> None:
    html = response_page()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    raw = f'999;"{BAD}";"married"'
    row = QuarantinedRow(reason=BAD, where="customers.csv:7", raw=raw)
    html = compose(replace(response_report(), quarantine=(row,)))[0].split('<ul class="quarantine">')[1].split("</ul>")[0]
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "999;&#34;&lt;script&gt;" in html


def test_each_word_of_the_verdict_is_escaped() -> None:
    bad = "<b onclick=x>&"
    html, _ = compose(replace(response_report(suspects=(bad,)), name=bad))
    assert "<b onclick" not in html
    assert html.count("&lt;b onclick=x&gt;&amp;") == 6, "title, name, caution, lineage, and two commands"
    hold, sentences = compose(replace(response_report("HOLD", stopped_by="comparable", champion=True), name=bad))
    assert "<b onclick" not in hold
    assert f"perennial promote {bad} --override" in sentences, "as a person may type it"
    assert read_verdict(hold) == sentences


def test_the_strongest_words_of_the_caution_stand_out() -> None:
    assert "<b>cannot tell who would respond anyway</b>" in compose(response_report())[0]


def test_the_chip_has_the_sign_of_its_verdict() -> None:
    for page, sign, word, verdict in (
        (response_page, "ok", "Passed", "PROMOTE"),
        (uplift_page, "wait", "Undecided", "HOLD"),
        (segments_page, "stop", "Failed", "REJECT"),
    ):
        html = page()
        chip = re.search(r'<span class="chip (\w+)">.*?aria-label="(\w+)".*?</svg>\s*(\w+)</span>', html, re.S)
        assert chip is not None
        assert chip.groups() == (sign, word, verdict)


def test_the_same_page_is_the_same_bytes() -> None:
    assert response_page() == response_page()


def test_a_row_has_a_cell_for_each_column() -> None:
    assert list(pair_cells(["Rule", "Rows"], ("a", "1"))) == [("Rule", "a"), ("Rows", "1")]
    with pytest.raises(PerennialError, match=r"the row \('a',\) has 1 cells for the 2 columns Rule, Rows: give one for each"):
        pair_cells(["Rule", "Rows"], ("a",))
    with pytest.raises(PerennialError, match="has 2 cells for the 1 columns Rule"):
        pair_cells(["Rule"], ("a", "b"))


def test_the_font_is_in_the_page_as_the_page_allows_it_to_be_and_comes_with_its_licence() -> None:
    font = re.search(r"url\(data:font/woff2;base64,([\w+/]+=*)\)", style_sheet())
    assert font is not None
    assert b64decode(font[1], validate=True) == FOLDER.joinpath("fonts/inter.woff2").read_bytes()
    assert b64decode(font[1])[:4] == b"wOF2"
    assert "SIL OPEN FONT LICENSE Version 1.1" in FOLDER.joinpath("fonts/OFL.txt").read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:" in response_page()


def test_the_style_sheet_asks_for_no_weight_that_the_font_lacks() -> None:
    css = FOLDER.joinpath("style.css").read_text(encoding="utf-8")
    assert "font-weight: 400 600; }" in css.split(":root")[0]
    weights = re.findall(r"font(?:-weight)?: (\d{3})", css.split(":root", 1)[1])
    assert set(weights) == {"400", "500", "600"}
    assert "italic" not in css


def test_shades_rise_with_the_share() -> None:
    assert [choose_shade(part) for part in (0, 0.04, 0.12, 0.24, 0.68, 0.88, 1)] == ["s0", "s0", "s1", "s2", "s3", "s4", "s4"]


def test_colours_have_the_contrast_they_need() -> None:
    css = FOLDER.joinpath("style.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    )
    seen = 0
    for tokens in (light, dark):
        for name in ("ink", "ink2", "ink3", "blue", "orange", "go", "wait", "stop"):
            assert contrast(tokens[name], tokens["paper"]) >= 4.5, name
            seen += 1
        for name in ("go", "wait", "stop"):
            assert contrast(tokens[name], tokens[f"{name}-soft"]) >= 4.5, name
        for name in ("blue", "orange"):
            assert contrast(tokens["ink2"], tokens[f"{name}-soft"]) >= 4.5, name
        assert contrast(tokens["grey"], tokens["paper"]) >= 3
    assert seen == 16


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
