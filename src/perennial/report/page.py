"""A page's words, figures and drawings in, one self-contained HTML file out: no script, nothing loaded from elsewhere.

Text is escaped wherever it stands. Drawings are `Markup`, which only the chart modules make.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from perennial.errors import PerennialError
from perennial.report.charts.numbers import Format, bracket
from perennial.report.charts.svg import Drawing, Tone
from perennial.report.seen import Photos, Quote, Words
from perennial.report.style_sheet import style_sheet
from perennial.results.decision import Verdict
from perennial.results.figures import Interval

Mark = Literal["ok", "wait", "stop", "info"]
Shade = Literal["plain", "reported", "flatters", "worse", "impossible", "s0", "s1", "s2", "s3", "s4"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A cell of a table or a heat map that carries its interval."""

    value: str
    interval: str

    @classmethod
    def of(cls, found: Interval, show: Format) -> Estimate:
        return cls(value=show(found.value), interval=bracket(found, show))


Cell = str | Estimate  # an inline drawing is Markup, a str that is not escaped


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    right: bool = False


def heads(first: str, *others: str) -> tuple[Column, ...]:
    """The column that names the rows, and columns of figures."""
    return (Column(name=first), *(Column(name=name, right=True) for name in others))


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """The first cell names the row; `chosen` is set in semibold, so is a total."""

    cells: tuple[Cell, ...]
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Columns and rows; `hide_last` leaves the last column out on a phone (an inline drawing).

    Raises:
        PerennialError: when a row has more or fewer cells than there are columns.

    """

    columns: tuple[Column, ...]
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


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The figures behind a curve, closed until asked for."""

    summary: str
    grid: Grid


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart: its finding, what is drawn, the drawing, a foot note, and the figures behind it."""

    finding: str
    described: str
    drawing: Drawing
    foot: str = ""
    fold: Fold | None = None
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two figures beside each other, under each other on a phone."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule of the verdict: what was asked, how, the answer with its interval, and that interval against its line."""

    mark: Mark
    question: str
    detail: str
    value: str
    interval: str = ""
    picture: Markup | None = None


@dataclass(frozen=True, kw_only=True)
class Checks:
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    finding: str
    grid: Grid
    described: str = ""
    foot: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A statement about a customer, against what it is compared, how many it holds for, and what it changes."""

    when: str
    rather: str
    applies: str
    bar: Markup
    change: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Reasons:
    finding: str
    described: str
    unit: str
    reasons: tuple[Reason, ...]
    foot: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A row, its score, what raised it and (after "but") what lowered it; its texts with marked words."""

    row: str
    score: str
    reasons: str
    but: str = ""
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True)
class People:
    finding: str
    described: str
    people: tuple[Person, ...]
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A quarantined row: why, where it stands, its raw text, and the (start, end) of what is wrong in it.

    Raises:
        PerennialError: when the marks overlap, run backwards or leave the text.

    """

    reason: str
    where: str
    raw: str
    marks: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self._ends != sorted(self._ends):
            raise PerennialError(
                f"the marks {self.marks} do not lie one after another in the {len(self.raw)} raw characters"
            )

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The raw text in pieces, each with whether it is marked."""
        return tuple((self.raw[a:b], i % 2 == 1) for i, (a, b) in enumerate(pairwise(self._ends)) if a < b)

    @property
    def _ends(self) -> list[int]:
        return [0, *(end for mark in self.marks for end in mark), len(self.raw)]


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    finding: str
    described: str
    samples: tuple[Sample, ...]
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell: `reported` is framed, `flatters` blue, `worse` orange, `impossible` hatched; s0 to s4 shade a share."""

    value: str
    shade: Shade
    interval: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    name: str
    cells: tuple[HeatCell, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Heat:
    finding: str
    described: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    corner: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Trait:
    """How a segment's typical customer compares: the figure, and a bar of it against all customers."""

    name: str
    bar: Markup
    value: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A segment: its name, its shares (figure, of what), its profile, paragraphs (heading, text), a message to try."""

    name: str
    alias: str
    tone: Tone
    shares: tuple[tuple[str, str], ...]
    traits: tuple[Trait, ...]
    words: tuple[tuple[str, str], ...]
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Cards:
    finding: str
    described: str
    cards: tuple[Card, ...]
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    name: str
    value: str
    mono: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    finding: str
    facts: tuple[Fact, ...]
    described: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    finding: str
    described: str
    text: str
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    finding: str
    paragraphs: tuple[str, ...]
    described: str = ""
    anchor: str = ""


Block = (
    Figure | Pair | Checks | Table | Reasons | People | Quarantine | Heat | Cards | Facts | Code | Text | Words | Photos
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section; its anchor is also its word in the page's menu (evidence: Evidence)."""

    anchor: str
    name: str
    blurb: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    name: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Caution:
    """The strongest doubt: a sentence, the words of it that weigh most, and the block to see."""

    text: str
    strong: str = ""
    see: str = ""
    see_words: str = ""


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
    key_figures: tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]
    sections: tuple[Section, ...]
    caution: Caution | None = None
    footer: str = ""


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
    return _template(name).render(page=page, css=style_sheet())


def shade(part: float) -> Shade:
    """The shade of a share in a matrix, five steps from none to all."""
    steps: tuple[Shade, ...] = ("s0", "s1", "s2", "s3", "s4")
    return steps[sum(part >= least for least in (0.05, 0.2, 0.45, 0.7))]


@cache
def _template(name: str) -> Template:
    room = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    room.filters["kind"] = lambda block: type(block).__name__.lower()
    room.filters["strong"] = _strong
    return room.get_template(name)


def _read(name: str) -> str:
    return files("perennial.report.templates").joinpath(name).read_text(encoding="utf-8")


def _strong(words: str, weigh: str) -> Markup:
    before, found, after = words.partition(weigh) if weigh else (words, "", "")
    return Markup("{}<b>{}</b>{}").format(before, found, after) if found else Markup("{}").format(words)
