"""Axes of charts: round ticks, scales, and spots where a name stands clear of lines and of other names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perennial.charts.numbers import MINUS, Format
from perennial.charts.svg import Box, Point, stroke, text, width_of, within

MOST_TICKS = 6
_FIGURE = re.compile(r"([\d,]*\.?\d+)([km]?)")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Figures from `low` to `high` laid out between the pixels `start` and `stop` (on a y axis start > stop)."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """At most `most` round figures (1, 2, 2.5 and 5 times a power of ten apart) that lie from `low` to `high`.

    The finest that reach both ends, or else the finest.
    """
    if high <= low:
        return [low]
    finest: list[float] = []
    for step in _steps((high - low) / most / 10):
        if finest and step > high - low:
            break
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            marked = [round(i * step, 12) + 0.0 for i in range(first, last + 1)]
            if first - low / step < 1e-6 and high / step - last < 1e-6:
                return marked
            finest = finest or marked
    return finest


def rounded(low: float, high: float, most: int = MOST_TICKS) -> tuple[float, float]:
    """The axis that holds the figures and ends on ticks, of which it has at most `most`."""
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, low + (abs(low) or 1) / 2
    for step in _steps((high - low) / most / 10):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < most:
            return first * step, last * step
    raise AssertionError("steps grow without end")


def x_axis(scale: Scale, y: float, show: Format, title: str, at: Sequence[float] = ()) -> list[str]:
    """The axis under a plot: its line, ticks, figures and title; as many figures as there is room for, at most six."""
    choices = (_at(scale, at, show, most) for most in range(MOST_TICKS, 0, -1))
    marked, figures = next((some, spots) for some in choices if _stand_apart(spots := _figures_under(scale, some, show)))
    marks = [stroke(scale.start, y, scale.stop, y, "axis")]
    for tick, (middle, figure) in zip(marked, figures, strict=True):
        x = scale(tick)
        marks += [stroke(x, y, x, y + 4, "axis"), text(middle, y + 18, figure, "s", "middle")]
    return [*marks, *([text(scale.start, y + 38, title, "s")] if title else [])]


def y_grid(scale: Scale, left: float, right: float, show: Format, most: int = MOST_TICKS) -> list[str]:
    """Hairlines across a plot with their figures at the left."""
    at = _printable(scale.low, scale.high, show, most)
    return [
        mark
        for tick, figure in zip(at, _short(at, show), strict=True)
        for mark in (stroke(left, scale(tick), right, scale(tick), "grid"), text(left - 8, scale(tick) + 4, figure, "s", "end"))
    ]


def margin(low: float, high: float, show: Format) -> float:
    """How much room the figures of `y_grid` take at the left."""
    return max(map(width_of, _short(_printable(low, high, show, MOST_TICKS), show))) + 6


def apart(preferred: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The preferred places, moved as little as it takes to stand `gap` apart between `low` and `high`, in their order."""
    order = sorted(range(len(preferred)), key=lambda i: preferred[i])
    places = [preferred[i] for i in order]
    for i in range(len(places)):
        places[i] = max(places[i], places[i - 1] + gap if i else low)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], places[i + 1] - gap if i + 1 < len(places) else high)
    return [places[order.index(i)] for i in range(len(preferred))]


def place(
    width: float,
    height: float,
    near: Point,
    plot: Box,
    avoid: Sequence[Point],
    cross: Sequence[Point] = (),
    stem: Sequence[Point] = (),
) -> Box:
    """The spot in the plot for a label of that size that covers fewest of the points, and of several the nearest.

    The line that leads to the label should not `cross` what other labels may belong to, nor its own `stem` run through it.
    Points are counted in cells.
    """
    taken, crossed, barred = ({_cell(point) for point in points} for points in (avoid, cross, stem))
    sideways = (-width / 2, 12, 28, 60, -12 - width, -28 - width, -60 - width)
    upright = [d for reach in range(8, 137, 8) for d in (reach, -reach - height)]
    spots = [
        spot
        for dx in sideways
        for dy in upright
        if (spot := Box(x=near[0] + dx, y=near[1] + dy, width=width, height=height)).within(plot)
    ]
    if not spots:
        return Box(x=max(plot.x, min(near[0], plot.right - width)), y=plot.y, width=width, height=height)

    def cost(spot: Box) -> tuple[int, float]:
        covered = _covered(spot, taken) + 3 * _crossed(spot, near, crossed) + 20 * _covered(spot, barred)
        return covered, _far(spot, near)

    return min(spots, key=cost)


def nearest(spot: Box, point: Point) -> Point:
    """The point of the box that is nearest to the given one."""
    return max(spot.x, min(spot.right, point[0])), max(spot.y, min(spot.bottom, point[1]))


def along(points: Sequence[Point], step: float = 6) -> list[Point]:
    """Points on the line through the given ones, so close that no label slips between them."""
    return [
        (x1 + (x2 - x1) * i / n, y1 + (y2 - y1) * i / n)
        for (x1, y1), (x2, y2) in pairwise(points)
        for n in [max(1, math.ceil(math.dist((x1, y1), (x2, y2)) / step))]
        for i in range(n + 1)
    ]


def _steps(above: float) -> Iterator[float]:
    power = math.floor(math.log10(above))
    while True:
        yield from (factor * 10.0**power for factor in (1, 2, 2.5, 5))
        power += 1


def _printable(low: float, high: float, show: Format, most: int) -> list[float]:
    """Ticks whose printed figures are as evenly spaced as they are: 0.0075 must not stand there as 0.007 or 0.008."""
    return next(some for fewer in range(most, 0, -1) if _is_even(_short(some := ticks(low, high, fewer), show)))


def _is_even(printed: Sequence[str]) -> bool:
    steps = [after - before for before, after in pairwise(map(_parse_figure, printed))]
    return not steps or max(steps) - min(steps) < 1e-6 * max(map(abs, steps))


def _parse_figure(printed: str) -> float:
    match = _FIGURE.search(printed)
    assert match is not None, f"the tick {printed!r} holds no figure"
    size = float(match[1].replace(",", "")) * {"": 1, "k": 1e3, "m": 1e6}[match[2]]
    return -size if MINUS in printed else size


def _at(scale: Scale, at: Sequence[float], show: Format, most: int) -> list[float]:
    if not at:
        return _printable(scale.low, scale.high, show, most)
    return list(at[:: math.ceil(len(at) / most)])


def _figures_under(scale: Scale, at: Sequence[float], show: Format) -> list[tuple[float, str]]:
    """The figures at the ticks, each with its middle: under its tick, or so far inwards that it stays by the axis."""
    left, right = max(min(scale.start, scale.stop) - 24, 0), max(scale.start, scale.stop) + 4
    return [(within(scale(tick), one, left, right), one) for tick, one in zip(at, _short(at, show), strict=True)]


def _stand_apart(figures: Sequence[tuple[float, str]]) -> bool:
    spans = sorted((middle - width_of(one) / 2, middle + width_of(one) / 2) for middle, one in figures)
    return all(one[1] + 2 <= other[0] for one, other in pairwise(spans))


def _short(at: Sequence[float], show: Format) -> list[str]:
    """The figures at the ticks, without the decimals that are zero in all of them."""
    figures = [show(tick) for tick in at]
    while all("." in figure and figure[-1] in "0." for figure in figures):
        figures = [figure[:-1] for figure in figures]
    return ["0" if set(figure) <= set("0.") else figure for figure in figures]


def _cell(point: Point) -> tuple[int, int]:
    return int(point[0] / 6), int(point[1] / 6)


def _covered(spot: Box, taken: set[tuple[int, int]]) -> int:
    return len(taken & {_cell(point) for point in spot.filled(5)})


def _crossed(spot: Box, near: Point, crossed: set[tuple[int, int]]) -> int:
    leader = along([near, nearest(spot, near)], 3)
    return len(crossed & {_cell(point) for point in leader if math.dist(point, near) > 12})


def _far(spot: Box, near: Point) -> float:
    return math.dist((spot.x + spot.width / 2, spot.y + spot.height / 2), near)
