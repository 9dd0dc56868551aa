"""The report in a browser, in the font it brings: no request, no complaint, nothing too wide, too small or overlapping."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape, unescape
from itertools import product
from pathlib import Path

import pytest

from perennial.charts.svg import width_of
from perennial.report.context import AnyReport
from perennial.report.pages.compose import compose
from perennial.report.pages.learning import build_page
from tests.fakes.reports import (
    alerts_report,
    amounts_report,
    classes_report,
    loans_report,
    photos_report,
    response_report,
    segments_report,
    spend_report,
    texts_report,
    uplift_report,
    with_choice_of,
    with_names,
    with_other_splits,
)
from tests.fakes.stages import around
from tests.unit.test_learning import build_curve

pytestmark = pytest.mark.e2e

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (400, 1000, 1400)
LONG = "people of the northern and western regions"
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]

# A frame without a source of its own belongs to this page, which may therefore measure it. Boxes of texts in drawings are
# those that the font asks for; of other texts only the ink counts, for lines of a heading stand closer than the font asks.
MEASURE = """
const measurements = [...document.querySelectorAll("iframe")].map(frame => {
  const inside = frame.contentDocument, style = element => frame.contentWindow.getComputedStyle(element);
  const labels = [], cut = [], boxes = [];
  let smallest = 99, texts = 0;
  inside.querySelectorAll("details").forEach(fold => { fold.open = true; });
  const hides = element => element && element !== inside.body && (
    !/visible/.test(style(element).overflowX) ? element : hides(element.parentElement));
  const keep = (text, box, drawn) => {
    const [above, below] = drawn ? [0, 0] : [0.16 * box.height, 0.06 * box.height];
    boxes.push({text, left: box.left, right: box.right, top: box.top + above, bottom: box.bottom - below});
  };
  for (const svg of inside.querySelectorAll("svg")) {
    const edge = svg.getBoundingClientRect();
    for (const t of svg.querySelectorAll("text")) {
      const box = t.getBoundingClientRect();
      if (!box.width) continue;
      smallest = Math.min(smallest, t.getScreenCTM().a * parseFloat(style(t).fontSize)); texts += 1;
      if (!t.children.length) labels.push([t.textContent, t.getComputedTextLength(), style(t).fontWeight]);
      if (box.right > edge.right + 1 || box.left < edge.left - 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1)
        cut.push(t.textContent);
      keep(t.textContent, box, true);
    }
  }
  const walker = inside.createTreeWalker(inside.body, NodeFilter.SHOW_TEXT), range = inside.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.textContent.trim(), around = node.parentElement;
    if (!words || around.closest("svg, .skip")) continue;
    if ([around, around.closest("thead") || around].some(element => style(element).clipPath !== "none")) continue;
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) {
      const edge = (hides(around) || inside.documentElement).getBoundingClientRect();
      const reaches = box.right > edge.right + 1 || box.left < edge.left - 1 || box.bottom > edge.bottom + 1;
      if (reaches && !around.closest(ALLOWED)) cut.push(words);
      keep(words, box, false);
    }
  }
  boxes.sort((p, q) => p.top - q.top);
  const overlaps = [];
  boxes.forEach((p, i) => {
    for (let j = i + 1; j < boxes.length && boxes[j].top < p.bottom - 1; j += 1) {
      const q = boxes[j], across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      if (across > 1 && Math.min(p.bottom, q.bottom) - q.top > 1) overlaps.push(p.text + " / " + q.text);
    }
  });
  const charts = ":scope > svg, .wide > svg, .narrow > svg";
  const drawings = [...inside.querySelectorAll("figure")].map(f => [...f.querySelectorAll(charts)]);
  const blank = drawings.filter(all => all.length && !all.some(svg => svg.getBoundingClientRect().width)).length;
  const fonts = [...inside.fonts].filter(font => font.status === "loaded").map(font => font.family);
  return {fonts, labels, cut, blank, wide: inside.documentElement.scrollWidth - frame.clientWidth, texts, smallest, overlaps,
          requests: frame.contentWindow.performance.getEntriesByType("resource").length};
});
document.getElementById("measurements").textContent = JSON.stringify(measurements);
""".replace("ALLOWED", json.dumps("pre, .quarantine code, .heat:has(td:nth-child(6))"))


def pages() -> list[str]:
    """A promotion, a hold and a rejection."""
    reports = (
        with_other_splits(response_report(champion=True)),
        uplift_report("HOLD", stopped_by="improvement", champion=True),
        segments_report("REJECT", stopped_by="stability"),
    )
    return [compose(report)[0] for report in reports]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One page at one width: px beyond its frame, charts not shown, texts, the smallest in px, pairs that touch,
    texts that reach beyond their chart, their table or the page. Raw rows, commands and large matrices may scroll.

    `fonts` are those that the page brings and uses, `labels` the texts of charts with their length in px and weight.
    """

    wide: float
    blank: int
    texts: int
    smallest: float
    overlaps: list[str]
    cut: list[str]
    requests: int
    fonts: list[str]
    labels: list[tuple[str, float, str]]


def look(pages: list[str], folder: Path) -> tuple[list[Measurement], list[str]]:
    """Each page at each width, and every line that the browser's console had."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine: `make browser` installs it where apt-get can")
    frames = "".join(
        f'<iframe srcdoc="{escape(page)}" style="width:{width}px;height:900px;border:0"></iframe>'
        for page in pages
        for width in WIDTHS
    )
    wrapper = folder / "wrapper.html"
    script = f"<script>addEventListener('load', () => {{{MEASURE}}})</script>"
    wrapper.write_text(f'<!doctype html><meta charset="utf-8"><pre id="measurements"></pre>{frames}{script}', encoding="utf-8")
    flags = ["--enable-logging=stderr", "--window-size=1500,1000", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([BROWSER, *QUIET, *flags, wrapper.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    dumped = re.search(r'<pre id="measurements">(.+?)</pre>', done.stdout, re.S)
    assert dumped is not None, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return [Measurement(**one) for one in json.loads(unescape(dumped[1]))], console


def test_reports_are_shown_without_a_request_a_complaint_or_an_overlap(tmp_path: Path) -> None:
    measurements, console = look(pages(), tmp_path)
    assert console == []
    assert len(measurements) == 3 * len(WIDTHS)
    for one in measurements:
        assert one.texts > 20
        assert one.wide <= 0
        assert one.blank == 0
        assert one.requests == 0
        assert one.overlaps == []
        assert one.cut == []
        assert one.smallest >= 10.5
        assert one.fonts == ["Inter"]


def test_labels_are_no_wider_than_the_charts_take_them_to_be(tmp_path: Path) -> None:
    shown = [*pages(), compose(classes_report(champion=True))[0], compose(loans_report())[0]]
    labels = {(text, length, weight) for one in look(shown, tmp_path)[0] for text, length, weight in one.labels}
    assert len(labels) > 150
    assert [words for words, length, _ in labels if length > width_of(words) - 1] == []
    semibold = [(words, length) for words, length, weight in labels if weight == "600"]
    assert len(semibold) > 30
    assert [words for words, length in semibold if length < 0.95 * (width_of(words) - 2)] == [], "much narrower"


REPORTS: dict[str, Callable[[], AnyReport]] = {
    "contacts": partial(response_report, champion=True),
    "rejected": partial(response_report, "REJECT", stopped_by="minimum", money=False),
    "messages": uplift_report,
    "spend": spend_report,
    "held messages": partial(uplift_report, "HOLD", stopped_by="improvement", champion=True),
    "segments": partial(segments_report, champion=True),
    "held members": partial(segments_report, "HOLD", stopped_by="label_retention", champion=True, name="member_segments"),
    "loans": loans_report,
    "alerts": alerts_report,
    "texts": texts_report,
    "photos": photos_report,
    "classes": lambda: with_other_splits(classes_report(champion=True)),
    "rejected classes": lambda: with_other_splits(classes_report("REJECT", stopped_by="minimum", distance=0.5)),
    "amounts": lambda: with_other_splits(amounts_report()),
    "held amounts": lambda: with_other_splits(amounts_report("HOLD", stopped_by="improvement", champion=True, times=1.7)),
    # names as long as real ones
    "contacts, blended": lambda: with_names(with_choice_of(response_report(), "blend"), store=LONG),
    "loans, many groups": lambda: with_names(with_choice_of(loans_report(), "blend"), A202=LONG, A201="another " + LONG),
    "messages, long": lambda: with_names(uplift_report(), reward=LONG, discover="a discovery box sent by post"),
    "segments, long": lambda: with_names(segments_report(), **{"Promising customers": LONG, "Champions": "another " + LONG}),
    "classes, long": lambda: with_names(classes_report(), dress=LONG, hat="another " + LONG),
}


@pytest.mark.parametrize("part", [0, 1])
def test_nothing_overlaps_and_nothing_is_cut_off_at_any_width(part: int, tmp_path: Path) -> None:
    names = list(REPORTS)[part::2]
    curve = build_curve(around(0.01, 0.02), around(0.02, 0.01), around(0.01, 0.02))
    shown = {name: compose(REPORTS[name]())[0] for name in names} | {"learning curve": build_page("shop", curve)}
    measurements, console = look(list(shown.values()), tmp_path)
    assert console == []
    assert len(measurements) == (len(names) + 1) * len(WIDTHS)
    wrong = {}
    for (name, width), one in zip(product(shown, WIDTHS), measurements, strict=True):
        assert one.texts > 20
        assert (one.blank, one.requests, one.fonts) == (0, 0, ["Inter"])
        assert one.smallest >= 10.5
        if one.wide > 0 or one.overlaps or one.cut:
            wrong[f"{name} at {width} px"] = one.wide, one.overlaps, one.cut
    assert wrong == {}


def test_the_look_finds_a_page_in_another_font(tmp_path: Path) -> None:
    page = pages()[0].replace("15px/1.55 Inter,", "15px/1.55 monospace,")
    measurements, _ = look([page], tmp_path)
    assert [one.fonts for one in measurements] == [[]] * len(WIDTHS)
    for one in measurements:
        assert any(length > width_of(words) for words, length, _ in one.labels)


def test_the_look_finds_what_is_wrong(tmp_path: Path) -> None:
    """The measure itself: a page with an image from elsewhere, a line too long, two names on one spot, one cut off."""
    page = pages()[0]
    wrong = (
        '<img src="http://127.0.0.1:9/x.png" alt=""><div style="width:2000px">x</div>'
        '<svg viewBox="0 0 360 40" width="360"><text y="20">one name</text><text y="22">another</text></svg>'
        '<svg viewBox="0 0 360 40" width="360"><text x="350" y="20">a long name</text></svg>'
    )
    measurements, console = look([page.replace("<main>", f"<main>{wrong}")], tmp_path)
    assert any("127.0.0.1" in line for line in console)
    assert len(measurements) == len(WIDTHS)
    assert all(one.wide > 0 for one in measurements)
    assert all(one.overlaps == ["one name / another"] for one in measurements)
    assert all(one.cut == ["a long name"] for one in measurements)
