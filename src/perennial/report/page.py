"""Report page: the one self-contained HTML file that a template writes from typed results.

Templates hold the words and the layout, Python the figures and the drawings. No script, nothing loaded from elsewhere. Text is
escaped wherever it stands; drawings are `Markup`, which only the chart modules make. A template that reads what is not there
stops: StrictUndefined.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from perennial.charts import numbers
from perennial.charts.intervals import Line, Side, Standing, plot_against_line, plot_inline
from perennial.charts.svg import Drawing
from perennial.errors import PerennialError
from perennial.report.context import FAMILY_NAMES
from perennial.report.glossary import find_words
from perennial.report.style_sheet import style_sheet
from perennial.results.figures import Interval

_FORMATS = ("count", "share", "decimal", "ratio", "difference", "points", "estimate", "bracket", "between", "capital")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A cell of a table or a heat map that carries its interval."""

    value: str
    interval: str

    @classmethod
    def of(cls, figure: Interval, show: numbers.Format) -> Estimate:
        return cls(value=show(figure.value), interval=numbers.bracket(figure, show))


Cell = str | Estimate  # an inline drawing is Markup, a str that is not escaped
Row = Sequence[Cell]


def render(template: str, **values: object) -> str:
    """The page as one HTML file."""
    return load_template(template).render(css=style_sheet(), **values)


def read_verdict(page: str) -> str:
    """The headline of a page and what to do, as plain text."""
    sentences = re.findall(r'<(h1|p class="todo")>(.*?)</', page, re.DOTALL)
    return " ".join(Markup(re.sub("<[^>]+>", "", sentence)).unescape() for _, sentence in sentences)  # noqa: S704 - ours


@cache
def load_template(name: str) -> Template:
    return environment().get_template(name)


@cache
def environment() -> Environment:
    """Where templates live: number formats are filters, and what a template may draw or check itself is a function."""
    built = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    built.filters |= {name: getattr(numbers, name) for name in _FORMATS}
    built.filters |= {
        "squeeze": _squeeze,
        "anchors": _find_anchors,
        "word_classes": word_classes,
        "data_uri": _data_uri,
        "wide_and_narrow": _as_drawing,
    }
    functions: Mapping[str, object] = {
        "n": numbers,
        "family_names": FAMILY_NAMES,
        "pair_cells": pair_cells,
        "against_line": _plot_against,
        "inline": plot_inline,
        "find_words": find_words,
    }
    built.globals.update(functions)
    return built


def pair_cells(heads: Sequence[str], row: Row) -> Iterator[tuple[str, Cell]]:
    """The cells of a row with the names of their columns.

    Raises:
        PerennialError: when the row has more or fewer cells than there are columns.

    """
    if len(row) != len(heads):
        raise PerennialError(
            f"the row {tuple(row[:1])} has {len(row)} cells for the {len(heads)} columns {', '.join(heads)}: give one for each"
        )
    return zip(heads, row, strict=True)


def word_classes(part: float) -> str:
    """The classes that shade a quoted word: which way it moves the score, and how much in three steps."""
    size = 1 + sum(abs(part) >= least for least in (0.5, 0.75))
    return f"{'raises' if part > 0 else 'lowers'} w{size}"


def _plot_against(
    figure: Interval, name: str, at: float = 0, *, label: str, standing: Standing = "reference", better: Side = "above"
) -> Markup:
    """An estimate that answers a question, against its line."""
    return plot_against_line(figure, Line(at=at, name=name), label=label, standing=standing, better=better)


def _read(name: str) -> str:
    """The template, with the narrow space that does not break between a figure and its per cent sign."""
    source = files("perennial.report.templates").joinpath(name).read_text(encoding="utf-8")
    return re.sub(r"(\d) %(?!\})", rf"\1{numbers.GAP}%", source)


def _squeeze(words: str) -> str:
    """The words on one line, however the template breaks them; Markup stays Markup."""
    line = re.sub(r"[ \n]+", " ", words).strip()
    return Markup(line) if isinstance(words, Markup) else line  # noqa: S704 - it was Markup


def _find_anchors(main: str) -> list[str]:
    """The decision and the sections, in order."""
    return re.findall(r'<(?:section|div class="verdict") id="([\w-]+)"', main)


def _data_uri(jpeg: bytes) -> str:
    """The picture as an address that loads nothing."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _as_drawing(drawn: Drawing | Markup) -> Drawing:
    return Drawing(wide=drawn) if isinstance(drawn, Markup) else drawn
