"""Figures of a report as files: each stands alone, as SVG and as pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from PIL import Image

from perennial.charts.confusion import plot_confusion
from perennial.report.context import AnyReport
from perennial.report.figures import draw_figures
from tests.fakes.reports import (
    alerts_report,
    amounts_report,
    classes_report,
    loans_report,
    response_report,
    segments_report,
    uplift_report,
    with_choice_of,
)

REPORTS: dict[str, Callable[[], AnyReport]] = {
    "contacts": response_report,
    "loans": loans_report,
    "alerts": alerts_report,
    "classes": classes_report,
    "amounts": amounts_report,
    "messages": uplift_report,
    "segments": segments_report,
}


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_figure_stands_alone(make: Callable[[], AnyReport]) -> None:
    figures = draw_figures(make())
    assert len(figures) >= 1
    for figure in figures:
        root = ElementTree.fromstring(figure.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in figure.svg
        styled = set(re.findall(r"\.([a-z][\w-]*) \{", figure.svg))
        classes = {name for mark in root.iter() for name in mark.get("class", "").split()}
        assert classes - styled <= {"s", "b", "only-wide", "only-phone"}, "its colours are inside"
        picture = Image.open(io.BytesIO(figure.png))
        assert picture.size == (2 * float(root.get("width", 0)), 2 * float(root.get("height", 0)))
        darkest, lightest = picture.convert("L").getextrema()
        assert darkest < 100 < 240 < lightest, "ink on paper"


def test_a_response_has_the_figures_of_its_page_and_the_loss_of_what_is_chosen() -> None:
    names = [figure.name for figure in draw_figures(with_choice_of(response_report(), "deep"))]
    assert names == ["deep_or_traditional", "profit", "calibration", "gains", "confusion", "training"]
    assert "training" not in [figure.name for figure in draw_figures(with_choice_of(response_report(), "linear"))]


def test_confusion_says_counts_and_shares_and_shortens_names() -> None:
    drawn = plot_confusion(("a very long name of a class indeed", "b"), ((90, 10), (5, 1234)), label="x", axis="y")
    assert ">90 (90" in drawn
    assert "1,234" in drawn
    assert "…" in drawn
