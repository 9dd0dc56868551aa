"""Curve charts: profit and effect by depth, training and learning. Shares are fractions of 1."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup

from perennial.charts.axes import Scale, along, apart, margin, nearest, place, rounded, x_axis, y_grid
from perennial.charts.numbers import Format, share_axis
from perennial.charts.svg import NARROW, WIDE, Box, Drawing, Point, Tone, dot, lines, path, size_of, stroke, svg, text, within
from perennial.errors import PerennialError
from perennial.results.figures import IntervalCurve

MOST_POINTS = 120  # a curve of a million customers is drawn with as many


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A place on the x axis and its label, a line each."""

    at: float
    text: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A named curve over ascending x, with a band or without; `ends` is its figure beside its name.

    Raises:
        PerennialError: when the lengths differ, or x does not ascend.

    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    tone: Tone = "blue"
    ends: str = ""
    flag: Flag | None = None

    def __post_init__(self) -> None:
        n = len(self.x)
        if n < 1 or len(self.y) != n or {len(self.low), len(self.high)} not in ({0}, {n}):
            raise PerennialError(
                f"the curve {self.name!r} has {n} x, {len(self.y)} y, {len(self.low)} low and {len(self.high)} high: "
                "give as many of each (or no band)"
            )
        if any(b <= a for a, b in pairwise(self.x)):
            raise PerennialError(f"the x of the curve {self.name!r} do not ascend: sort its points and keep one for each x")

    @classmethod
    def of(cls, name: str, curve: IntervalCurve, *, ends: str = "", flag: Flag | None = None) -> Curve:
        """A measured curve with its band."""
        return cls(name=name, x=curve.x, y=curve.value, low=curve.low, high=curve.high, ends=ends, flag=flag)

    def at(self, x: float) -> float:
        """The height at x, straight between the two points beside it."""
        right = min(max(bisect_left(self.x, x), 1), len(self.x) - 1) if len(self.x) > 1 else 0
        left = max(right - 1, 0)
        if right == left:
            return self.y[0]
        part = (x - self.x[left]) / (self.x[right] - self.x[left])
        return self.y[left] + part * (self.y[right] - self.y[left])


@dataclass(frozen=True, kw_only=True)
class Plot:
    """The box of a plot with its scales, and the points that names keep clear of (`avoid`) or must not cross."""

    box: Box
    x: Scale
    y: Scale
    avoid: tuple[Point, ...] = ()
    cross: tuple[Point, ...] = ()

    @property
    def origin(self) -> Point:
        return self.x(0), self.y(0)

    def points(self, curve: Curve, heights: Sequence[float]) -> list[Point]:
        n = len(heights)
        some = range(n) if n <= MOST_POINTS else [round(i * (n - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)]
        return [(self.x(curve.x[i]), self.y(heights[i])) for i in some]

    def at(self, curve: Curve, x: float) -> Point:
        return self.x(x), self.y(curve.at(x))

    def clear_of(self, avoid: Sequence[Point], cross: Sequence[Point] = ()) -> Plot:
        """The same plot, with more points that names keep clear of."""
        return replace(self, avoid=(*self.avoid, *avoid), cross=(*self.cross, *cross))


def plot_by_depth(
    curves: Sequence[Curve],
    show: Format,
    *,
    label: str,
    axis: str,
    random: str | None = "same number at random",
    budget: Flag | None = None,
    span: tuple[float, float] | None = None,
) -> Drawing:
    """What the best share of customers brings (profit, effect), by depth from 0 to 1, each curve with its random line.

    A curve's flag is its chosen depth; `span` is the y axis of charts that are compared.
    """

    def drawn(width: int) -> Markup:
        names = [[curve.name, *([curve.ends] if curve.ends else [])] for curve in curves]
        size = Box(x=0, y=30, width=width, height=234)
        plot = lay_out((0, 1), span or _extent(curves, 0.0), show, size, names)
        plot, marks = draw_lines(curves, plot, show)
        marks += draw_random_lines(curves, plot) if random else []
        random_points = [p for curve in curves for p in along([plot.origin, plot.at(curve, 1)])]
        plot = plot.clear_of(random_points, random_points)
        if budget:
            marks += _draw_budget(budget, plot)
            plot = plot.clear_of(along([(plot.x(budget.at), plot.box.y), (plot.x(budget.at), plot.box.bottom)]))
        marks += draw_names_inside(curves, plot, random, 0.64)
        marks += [*x_axis(plot.x, plot.box.bottom, share_axis, axis), *_draw_end_names(curves, names, plot)]
        return svg(width, 312, marks, label)

    return Drawing(wide=drawn(WIDE), narrow=drawn(NARROW))


def plot_training(curves: Sequence[Curve], show: Format, *, label: str, axis: str) -> Markup:
    """Loss by pass over the training data; the y axis need not start at zero, the flag is the best pass."""
    first, last = min(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves)
    passes = range(math.floor(first), math.ceil(last) + 1)
    return _plot_places(curves, show, passes, "{:.0f}".format, 200, label=label, axis=axis)


def measured(
    curves: Sequence[Curve],
    show: Format,
    *,
    label: str,
    axis: str,
    tick: Format,
    beside: Sequence[tuple[float, float, Tone]] = (),
) -> Markup:
    """A figure at a few measured places, each with its dot; `tick` names a place, `beside` are single fits."""
    places = sorted({x for curve in curves for x in curve.x})
    dots = [(*fit, 2.5) for fit in beside]
    dots += [(x, y, curve.tone, 4.0) for curve in curves for x, y in zip(curve.x, curve.y, strict=True)]
    return _plot_places(curves, show, places, tick, 240, label=label, axis=axis, dots=dots)


def _plot_places(
    curves: Sequence[Curve],
    show: Format,
    places: Sequence[float],
    tick: Format,
    height: float,
    *,
    label: str,
    axis: str,
    dots: Sequence[tuple[float, float, Tone, float]] = (),
) -> Markup:
    """Curves over a few places, which the ticks name, with dots (x, y, tone, radius)."""
    names = [[curve.name] for curve in curves]
    heights, size = _extent(curves, *(y for _, y, _, _ in dots)), Box(x=0, y=12, width=NARROW, height=height)
    plot = lay_out((places[0], max(places[-1], places[0] + 1)), heights, show, size, names)
    plot, marks = draw_lines(curves, plot, show)
    marks += [dot(plot.x(x), plot.y(y), f"fill-{tone}", radius) for x, y, tone, radius in dots]
    marks += [*_draw_flags(curves, plot, stems=False), *x_axis(plot.x, plot.box.bottom, tick, axis, places)]
    return svg(NARROW, plot.box.bottom + 44, [*marks, *_draw_end_names(curves, names, plot)], label)


def lay_out(x: tuple[float, float], y: tuple[float, float], show: Format, size: Box, names: Sequence[Sequence[str]] = ()) -> Plot:
    """Scales of x and of rounded y in the size that is given, less the figures at the left and the names at the right."""
    low, high = rounded(*y)
    left = margin(low, high, show)
    right = max((size_of(lines_of_name)[0] + 12 for lines_of_name in names), default=8)
    box = Box(x=left, y=size.y, width=size.width - right - left, height=size.height)
    across = Scale(low=x[0], high=x[1], start=box.x, stop=box.right)
    return Plot(box=box, x=across, y=Scale(low=low, high=high, start=box.bottom, stop=box.y))


def _extent(curves: Sequence[Curve], *others: float) -> tuple[float, float]:
    heights = [h for curve in curves for h in (*curve.y, *curve.low, *curve.high)] + list(others)
    return min(heights), max(heights)


def draw_lines(curves: Sequence[Curve], plot: Plot, show: Format) -> tuple[Plot, list[str]]:
    """Grid, bands and lines; the plot then has the points that names keep clear of."""
    marks = y_grid(plot.y, plot.box.x, plot.box.right, show)
    if plot.y.low < 0 < plot.y.high:
        zero = [(plot.box.x, plot.y(0)), (plot.box.right, plot.y(0))]
        marks.append(path(zero, "zero"))
        plot = plot.clear_of(along(zero), along(zero))
    for curve in curves:
        if curve.low:
            low, high = plot.points(curve, curve.low), plot.points(curve, curve.high)
            marks.append(path([*low, *reversed(high)], f"soft-{curve.tone} band", closed=True))
            plot = plot.clear_of([p for pair in zip(low, high, strict=True) for p in along(pair, 8)])
    for curve in reversed(curves):
        points = plot.points(curve, curve.y)
        is_line = len(points) > 1
        marks.append(path(points, f"line-{curve.tone} mid") if is_line else dot(*points[0], f"fill-{curve.tone}"))
        plot = plot.clear_of(along(points), along(points))
    return plot, marks


def draw_random_lines(curves: Sequence[Curve], plot: Plot) -> list[str]:
    return [stroke(*plot.origin, *plot.at(curve, 1), "line-grey thin dash") for curve in curves]


def draw_names_inside(curves: Sequence[Curve], plot: Plot, random: str | None, at: float) -> list[str]:
    """The name of the random line near the share `at`, then the flags, each clear of what was drawn before."""
    if not random:
        return _draw_flags(curves, plot)
    wrapped = wrap(random, max(10, int(plot.box.width * 0.45 / 6.2)))
    near = (plot.x(at), plot.y(0) + at * (plot.at(curves[0], 1)[1] - plot.y(0)))
    name = place(*size_of(wrapped), near, plot.box, plot.avoid)
    return [*_draw_flags(curves, plot.clear_of(name.filled(), name.filled())), *lines(name, wrapped, "s halo")]


def _draw_budget(budget: Flag, plot: Plot) -> list[str]:
    x, name = plot.x(budget.at), " ".join(budget.text)
    upright = stroke(x, plot.box.y - 6, x, plot.box.bottom, "axis dash")
    return [upright, text(within(x, name, plot.box.x, plot.box.right), 16, name, "s", "middle")]


def _draw_flags(curves: Sequence[Curve], plot: Plot, *, stems: bool = True) -> list[str]:
    """A dot on the curve where its flag is, a stem down to the axis, and the label where it covers least."""
    marks: list[str] = []
    for curve in curves:
        if curve.flag is None:
            continue
        x, y = plot.at(curve, curve.flag.at)
        stem = along([(x, plot.box.bottom), (x, y)]) if stems else []
        if stems:
            marks.append(stroke(x, plot.box.bottom, x, y, f"line-{curve.tone} thin"))
            plot = plot.clear_of(stem)
        around = Box(x=x - 8, y=y - 8, width=16, height=16).filled()
        box = place(*size_of(curve.flag.text), (x, y), plot.box, [*plot.avoid, *around], plot.cross, stem)
        plot = plot.clear_of(box.filled(), box.filled())
        to = nearest(box, (x, y))
        if math.dist(to, (x, y)) > 14:
            marks.append(stroke(x, y, *to, f"line-{curve.tone} thin"))
        marks += [dot(x, y, f"fill-{curve.tone}", 6), *lines(box, curve.flag.text, f"text-{curve.tone} halo")]
    return marks


def _draw_end_names(curves: Sequence[Curve], names: Sequence[Sequence[str]], plot: Plot) -> list[str]:
    """Each name at the right end of its curve, with what it ends at; moved apart where they would touch."""
    ends = [plot.y(curve.y[-1]) for curve in curves]
    tall = 16 * max(map(len, names))
    tops = apart([y - tall / 2 for y in ends], tall + 4, plot.box.y - 10, plot.box.bottom - tall + 6)
    marks: list[str] = []
    for curve, name, top, y in zip(curves, names, tops, ends, strict=True):
        box = Box(x=plot.x(curve.x[-1]) + 9, y=top, width=0, height=tall)
        marks += [dot(plot.x(curve.x[-1]), y, f"fill-{curve.tone}"), *lines(box, name, f"text-{curve.tone}")]
    return marks
