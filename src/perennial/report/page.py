"""Report page: typed blocks, and the one self-contained HTML file that they are rendered to.

No script, nothing loaded from elsewhere. Text is escaped wherever it stands; drawings are `Markup`, which only the chart
modules make. Each block class has a macro of its name in templates/blocks.html.j2.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from perennial.charts.intervals import Line, Side, Standing, plot_against_line
from perennial.charts.numbers import Format, between, bracket, capital, estimate
from perennial.charts.svg import Drawing
from perennial.errors import PerennialError
from perennial.report.style_sheet import style_sheet
from perennial.results.decision import Verdict
from perennial.results.figures import Interval

Mark = Literal["ok", "wait", "stop", "info"]


@dataclass(frozen=True, kw_only=True)
class PageBlock:
    """A part of a section."""


@dataclass(frozen=True, kw_only=True)
class Captioned(PageBlock):
    """A block with its finding as a title, a line on what is shown, a foot note, and an anchor for links."""

    finding: str
    described: str = ""
    foot: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A cell of a table or a heat map that carries its interval."""

    value: str
    interval: str

    @classmethod
    def of(cls, figure: Interval, show: Format) -> Estimate:
        return cls(value=show(figure.value), interval=bracket(figure, show))


Cell = str | Estimate  # an inline drawing is Markup, a str that is not escaped


@dataclass(frozen=True, kw_only=True)
class GridColumn:
    name: str
    right: bool = False


def heads(first: str, *others: str | GridColumn) -> tuple[GridColumn, ...]:
    """The column that names the rows, and columns of figures, which stand at the right."""
    return (GridColumn(name=first), *(GridColumn(name=one, right=True) if isinstance(one, str) else one for one in others))


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """The first cell names the row; a `chosen` row is set in semibold, so is a total."""

    cells: tuple[Cell, ...]
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Columns and rows; `hide_last` leaves the last column out on a phone (an inline drawing).

    Raises:
        PerennialError: when a row has more or fewer cells than there are columns.

    """

    columns: tuple[GridColumn, ...]
    rows: tuple[TableRow, ...]
    hide_last: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                names = ", ".join(column.name for column in self.columns)
                raise PerennialError(
                    f"the row {row.cells[:1]} has {len(row.cells)} cells for the {len(self.columns)} columns {names}: "
                    "give one for each"
                )

    @classmethod
    def of(cls, columns: tuple[GridColumn, ...], rows: Iterable[TableRow | Sequence[Cell]]) -> Grid:
        """Rows of cells, of which some may be chosen."""
        filled = (row if isinstance(row, TableRow) else TableRow(cells=tuple(row)) for row in rows)
        return cls(columns=columns, rows=tuple(filled))


@dataclass(frozen=True, kw_only=True)
class Table(Captioned):
    grid: Grid

    @classmethod
    def of(
        cls,
        finding: str,
        columns: tuple[GridColumn, ...],
        rows: Iterable[TableRow | Sequence[Cell]],
        *,
        described: str = "",
        foot: str = "",
    ) -> Table:
        return cls(finding=finding, described=described, grid=Grid.of(columns, rows), foot=foot)


@dataclass(frozen=True, kw_only=True)
class Figure(Captioned):
    """A chart; `fold` has the figures behind it and their name, closed until asked for."""

    drawing: Drawing
    fold: tuple[str, Grid] | None = None

    @classmethod
    def of(
        cls,
        finding: str,
        described: str,
        draw: Callable[..., Drawing | Markup],
        foot: str = "",
        fold: tuple[str, Grid] | None = None,
    ) -> Figure:
        """The chart that `draw` makes with the finding as its label."""
        drawn = draw(label=finding)
        drawing = Drawing(wide=drawn) if isinstance(drawn, Markup) else drawn
        return cls(finding=finding, described=described, drawing=drawing, foot=foot, fold=fold)


@dataclass(frozen=True, kw_only=True)
class Pair(PageBlock):
    """Two figures beside each other, under each other on a phone."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule of the verdict: the question, how it was answered, the answer, and its interval against its line."""

    mark: Mark
    question: str
    detail: str
    value: str
    interval: str = ""
    picture: Markup | None = None

    @classmethod
    def of(
        cls,
        mark: Mark,
        question: str,
        detail: str,
        figure: Interval,
        show: Format,
        line: Line,
        *,
        standing: Standing = "reference",
        better: Side = "above",
    ) -> Check:
        """A rule that an estimate answers."""
        label = f"{question}: {estimate(figure, show)}"
        return cls(
            mark=mark,
            question=question,
            detail=detail,
            value=show(figure.value),
            interval=bracket(figure, show),
            picture=plot_against_line(figure, line, label=label, standing=standing, better=better),
        )


@dataclass(frozen=True, kw_only=True)
class Checks(PageBlock):
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section; its anchor is also its word in the page's menu (evidence: Evidence)."""

    anchor: str
    name: str
    blurb: str
    blocks: tuple[PageBlock, ...]


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    name: str
    value: str
    note: str

    @classmethod
    def of(cls, name: str, figure: Interval, show: Format, more: str = "") -> KeyFigure:
        """An estimate with its interval in words, and `more` after it."""
        interval = between(figure, show)
        return cls(name=name, value=show(figure.value), note=f"{interval}; {more}" if more else interval)


KeyFigures = tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]


@dataclass(frozen=True, kw_only=True)
class Caution:
    """The strongest caution: a sentence, and the words of it that weigh most."""

    text: str
    strong: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole report: label line, verdict with its picture and four figures, then the sections."""

    title: str
    use_case: str
    label: str
    verdict: Verdict
    standing: str
    headline: str
    what_to_do: str
    picture: Figure
    key_figures: KeyFigures
    sections: tuple[Section, ...]
    caution: Caution | None = None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One finding that is no verdict: its sentences, two pictures and the figures behind them."""

    title: str
    use_case: str
    label: str
    headline: str
    sentences: tuple[str, ...]
    pictures: Pair
    table: Table
    footer: str


def render(page: Page | Sheet) -> str:
    """The page as one HTML file."""
    name = "sheet.html.j2" if isinstance(page, Sheet) else "page.html.j2"
    return load_template(name).render(page=page, css=style_sheet())


@cache
def load_template(name: str) -> Template:
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "kind": lambda block: type(block).__name__.lower(),
        "emphasise": _emphasise,
        "word_classes": word_classes,
        "capital": capital,
        "data_uri": _data_uri,
    }
    return environment.get_template(name)


def word_classes(part: float) -> str:
    """The classes that shade a quoted word: which way it moves the score, and how much in three steps."""
    size = 1 + sum(abs(part) >= least for least in (0.5, 0.75))
    return f"{'raises' if part > 0 else 'lowers'} w{size}"


def _read(name: str) -> str:
    return files("perennial.report.templates").joinpath(name).read_text(encoding="utf-8")


def _data_uri(jpeg: bytes) -> str:
    """The picture as an address that loads nothing."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _emphasise(text: str, strong: str) -> Markup:
    before, weighs, after = text.partition(strong) if strong else (text, "", "")
    return Markup("{}<b>{}</b>{}").format(before, weighs, after) if weighs else Markup("{}").format(text)
