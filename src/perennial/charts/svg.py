"""SVG marks that every chart is drawn with. Colours are classes of style.css, never values.

Lengths are pixels of the drawing's own box: WIDE across a section, NARROW for a phone and for half a section.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from perennial.errors import PerennialError

WIDE, NARROW = 884, 360
Tone = Literal["blue", "orange", "grey", "ink"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

# Advance widths of the font in style_sheet.py at 12 px semibold, to 0.1 px; figures are tabular.
_WIDTHS = {
    2: "\u2009\u202f",
    3.1: " ijl",
    3.5: "I‘’",
    3.9: "!',.:;·",
    4.3: "`t|",
    4.5: "()/[\\]",
    4.8: "fr",
    5.6: "-_{}",
    6.1: "^–“”",
    6.5: '"*?',
    6.9: "Laksxz",
    7.1: "FJcevy",
    7.3: "Ehnou",
    7.5: "bdgpq",
    7.8: "#$+0123456789BPRSTZ£−",
    8.1: "&<=>~×€≤≥",
    8.5: "KXY",
    8.8: "ACDUV",
    9: "GH",
    9.3: "NOQ",
    10.1: "w",
    10.8: "m",
    11.1: "M",
    11.5: "…→",
    12.1: "%@W—",
}
_ADVANCES = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER_ADVANCE = 9.5  # as wide as most capitals with an accent


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A chart in the two widths it is shown in; `narrow` is None where one drawing serves both."""

    wide: Markup
    narrow: Markup | None = None


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle: left and top edge, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def holds(self, point: Point) -> bool:
        return self.x <= point[0] <= self.right and self.y <= point[1] <= self.bottom

    def within(self, other: Box) -> bool:
        return other.holds((self.x, self.y)) and other.holds((self.right, self.bottom))

    def filled(self, step: float = 6) -> list[Point]:
        """Points all over the box, for other labels to keep clear of."""
        across, down = int(self.width / step) + 1, int(self.height / step) + 1
        return [(self.x + i * step, self.y + j * step) for i in range(across) for j in range(down)]


def svg(width: float, height: float, marks: Iterable[str], label: str, *, stretch: bool = False) -> Markup:
    """The drawing, with the sentence that a screen reader says for it; a stretched one fills its place's width.

    Raises:
        PerennialError: when the sentence is empty.

    """
    if not label.strip():
        raise PerennialError("a chart has no label: give the sentence that says what it shows")
    fit = ' preserveAspectRatio="none"' if stretch else ""
    head = f'<svg viewBox="0 0 {px(width)} {px(height)}"{fit} role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(marks)}</svg>")  # noqa: S704 - every text in it was escaped by `text` and above


def px(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"


def path(points: Sequence[Point], cls: str, *, closed: bool = False) -> str:
    return shape(f"M{'L'.join(f'{px(x)} {px(y)}' for x, y in points)}{'Z' if closed else ''}", cls)


def stroke(x1: float, y1: float, x2: float, y2: float, cls: str) -> str:
    return path([(x1, y1), (x2, y2)], cls)


def shape(d: str, cls: str) -> str:
    return f'<path class="{cls}" d="{d}"/>'


def dot(x: float, y: float, cls: str, radius: float = 4) -> str:
    return f'<circle class="{cls}" cx="{px(x)}" cy="{px(y)}" r="{px(radius)}"/>'


def rect(x: float, y: float, width: float, height: float, cls: str) -> str:
    return f'<rect class="{cls}" x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}"/>'


def text(x: float, y: float, content: str, cls: str = "", anchor: Anchor = "start") -> str:
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    style = f' class="{cls}"' if cls else ""
    return f'<text x="{px(x)}" y="{px(y)}"{where}{style}>{escape(content)}</text>'


def name_and_note(x: float, y: float, name: str, note: str) -> str:
    """A name in semibold and, right after it, a note in grey."""
    gap = ' dx="10"' if name else ""
    rest = f'<tspan class="s"{gap}>{escape(note)}</tspan>' if note else ""
    return f'<text x="{px(x)}" y="{px(y)}"><tspan class="b">{escape(name)}</tspan>{rest}</text>'


def lines(box: Box, content: Sequence[str], cls: str, anchor: Anchor = "start") -> list[str]:
    """Lines of text under each other, 16 px each, in the box that `size_of` asked for."""
    x = {"start": box.x, "middle": box.x + box.width / 2, "end": box.right}[anchor]
    return [text(x, box.y + 12 + 16 * i, line, cls, anchor) for i, line in enumerate(content)]


def within(x: float, content: str, left: float, right: float) -> float:
    """The middle nearest to x at which the text does not leave the span."""
    half = width_of(content) / 2
    return max(left + half, min(right - half, x))


def width_of(content: str) -> float:
    """The width of a text in a chart, in px with 2 to spare: as semibold, which is the widest that charts use."""
    return sum(_ADVANCES.get(character, _OTHER_ADVANCE) for character in content) + 2


def shorten(content: str, width: float) -> str:
    """The text, cut where it would be wider than that."""
    if width_of(content) <= width:
        return content
    fitting = (content[:i].rstrip() + "…" for i in range(len(content) - 1, 0, -1))
    return next((cut for cut in fitting if width_of(cut) <= width), "…")


def size_of(content: Sequence[str]) -> tuple[float, float]:
    """The width and height of lines of text."""
    return max(map(width_of, content)), 16.0 * len(content)
