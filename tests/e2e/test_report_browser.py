"""The report in a browser, in the font it brings: no request, no complaint, nothing too wide, too small or overlapping."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import pytest

from perennial.charts.svg import width_of
from perennial.report.context import AnyReport
from perennial.report.pages.compose import compose
from tests.fakes.reports import (
    alerts_report,
    amounts_report,
    classes_report,
    loans_report,
    response_report,
    segments_report,
    spend_report,
    texts_report,
    uplift_report,
    with_other_splits,
)

pytestmark = pytest.mark.e2e

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (400, 1000, 1400)
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

# A frame without a source of its own belongs to this page, which may therefore measure it.
MEASURE = """
const measurements = [...document.querySelectorAll("iframe")].map(frame => {
  const inside = frame.contentDocument, overlaps = [], labels = [], cut = [];
  let smallest = 99, texts = 0;
  for (const svg of inside.querySelectorAll("svg")) {
    const edge = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].filter(t => t.getBoundingClientRect().width > 0).map(t => {
      const size = t.getScreenCTM().a * parseFloat(frame.contentWindow.getComputedStyle(t).fontSize);
      smallest = Math.min(smallest, size); texts += 1;
      if (!t.children.length)
        labels.push([t.textContent, t.getComputedTextLength(), frame.contentWindow.getComputedStyle(t).fontWeight]);
      return [t.textContent, t.getBoundingClientRect()];
    });
    boxes.forEach(([a, p]) => { if (p.right > edge.right + 1 || p.left < edge.left - 1) cut.push(a); });
    boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
      const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (across > 1 && down > 4) overlaps.push(a + " / " + b);
    }));
  }
  const charts = ":scope > svg, .wide > svg, .narrow > svg";
  const drawings = [...inside.querySelectorAll("figure")].map(f => [...f.querySelectorAll(charts)]);
  const blank = drawings.filter(all => all.length && !all.some(svg => svg.getBoundingClientRect().width)).length;
  const fonts = [...inside.fonts].filter(font => font.status === "loaded").map(font => font.family);
  return {fonts, labels, cut, blank, wide: inside.documentElement.scrollWidth - frame.clientWidth, texts, smallest, overlaps,
          requests: frame.contentWindow.performance.getEntriesByType("resource").length};
});
document.getElementById("measurements").textContent = JSON.stringify(measurements);
"""


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
    texts that reach beyond their chart.

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


@pytest.mark.parametrize("half", [0, 1])
def test_composed_reports_fit_every_width(half: int, tmp_path: Path) -> None:
    reports: list[AnyReport] = [
        response_report(champion=True),
        response_report("REJECT", stopped_by="minimum", money=False),
        uplift_report(),
        spend_report(),
        uplift_report("HOLD", stopped_by="improvement", champion=True),
        segments_report(champion=True),
        segments_report("HOLD", stopped_by="label_retention", champion=True, name="member_segments"),
        loans_report(),
        alerts_report(),
        texts_report(),
        *map(
            with_other_splits,
            (
                classes_report(champion=True),
                classes_report("REJECT", stopped_by="minimum", distance=0.5),
                amounts_report(),
                amounts_report("HOLD", stopped_by="improvement", champion=True, times=1.7),
            ),
        ),
    ][half::2]
    measurements, console = look([compose(report)[0] for report in reports], tmp_path)
    assert console == []
    assert len(measurements) == 7 * len(WIDTHS)
    for one in measurements:
        assert one.texts > 20
        assert (one.wide, one.blank, one.requests, one.overlaps, one.cut) == (0, 0, 0, [], [])
        assert one.smallest >= 10.5
        assert one.fonts == ["Inter"]


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
