"""Curves in, drawings out: profit and effect by depth, gains, training, calibration. Shares are fractions of 1."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup

from perennial.errors import PerennialError
from perennial.report.charts.axes import Scale, along, apart, margin, nearest, place, rounded, x_axis, y_grid
from perennial.report.charts.numbers import Format, count, share_axis
from perennial.report.charts.svg import (
    NARROW,
    WIDE,
    Box,
    Drawing,
    Point,
    Tone,
    dot,
    lines,
    path,
    rect,
    size_of,
    stroke,
    svg,
    text,
    width_of,
    within,
)
from perennial.results.figures import Bin, IntervalCurve

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
            raise PerennialError(
                f"the x of the curve {self.name!r} do not ascend: sort its points and keep one for each x"
            )

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
class _Plot:
    box: Box
    x: Scale
    y: Scale

    def points(self, curve: Curve, heights: Sequence[float]) -> list[Point]:
        n = len(heights)
        some = range(n) if n <= MOST_POINTS else [round(i * (n - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)]
        return [(self.x(curve.x[i]), self.y(heights[i])) for i in some]

    def at(self, curve: Curve, x: float) -> Point:
        return self.x(x), self.y(curve.at(x))


def by_depth(
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

    def drawn(width: int, height: int) -> Markup:
        low, high = rounded(*(span or _extent(curves, 0.0)))
        names = [[curve.name, *([curve.ends] if curve.ends else [])] for curve in curves]
        right = max(size_of(words)[0] for words in names) + 12
        left = margin(low, high, show)
        plot = _plot(Box(x=left, y=30, width=width - right - left, height=height - 76), (0, 1), (low, high))
        marks, cross, bands = _lines_of(curves, plot, show)
        marks += _random_lines(curves, plot) if random else []
        cross += [p for curve in curves for p in along([_origin(plot), plot.at(curve, 1)])]
        avoid = [*cross, *bands]
        if budget:
            marks += _budget(budget, plot)
            avoid += along([(plot.x(budget.at), plot.box.y), (plot.x(budget.at), plot.box.bottom)])
        marks += _names_inside(curves, plot, random, 0.64, (avoid, cross))
        marks += [*x_axis(plot.x, plot.box.bottom, share_axis, axis), *_end_names(curves, names, plot)]
        return svg(width, height, marks, label)

    return Drawing(wide=drawn(WIDE, 310), narrow=drawn(NARROW, 310))


def gains(curves: Sequence[Curve], *, label: str, axis: str, key: str = "", random: str = "at random") -> Markup:
    """The share of all yeses among the best share of customers; several curves coincide, so a key has their `ends`."""
    left = margin(0, 1, share_axis)
    plot = _plot(Box(x=left, y=12, width=NARROW - 8 - left, height=270), (0, 1), (0, 1))
    marks, cross, bands = _lines_of(curves, plot, share_axis)
    marks += _random_lines(curves[:1], plot)
    avoid = [*cross, *bands, *along([_origin(plot), (plot.box.right, plot.box.y)])]
    rows = _key(curves, key, plot) if len(curves) > 1 else []
    if rows:
        wide = max(_key_width(curves) + 24, width_of(key))
        avoid += Box(x=plot.box.right - wide, y=262 - 22 * len(curves), width=wide, height=300).filled()
    marks += [*rows, *_names_inside(curves, plot, random, 0.85, (avoid, cross))]
    return svg(NARROW, 322, [*marks, *x_axis(plot.x, plot.box.bottom, share_axis, axis)], label)


def training(curves: Sequence[Curve], show: Format, *, label: str, axis: str) -> Markup:
    """Loss by pass over the training data; the y axis need not start at zero, the flag is the pass that was kept."""
    low, high = rounded(*_extent(curves))
    first, last = min(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves)
    right = max(width_of(curve.name) for curve in curves) + 12
    left = margin(low, high, show)
    box = Box(x=left, y=12, width=NARROW - right - left, height=200)
    plot = _plot(box, (first, max(last, first + 1)), (low, high))
    marks, cross, bands = _lines_of(curves, plot, show)
    flags = _flags(curves, plot, ([*cross, *bands], cross), stems=False)
    passes = range(math.floor(first), math.ceil(last) + 1)
    marks += [*flags, *x_axis(plot.x, plot.box.bottom, "{:.0f}".format, axis, passes)]
    return svg(NARROW, 254, [*marks, *_end_names(curves, [[curve.name] for curve in curves], plot)], label)


def measured(
    curves: Sequence[Curve],
    show: Format,
    *,
    label: str,
    axis: str,
    tick: Format,
    beside: Sequence[tuple[float, float, Tone]] = (),
) -> Markup:
    """A figure at a few measured places, each with its dot; `tick` says a place in words, `beside` are single fits."""
    low, high = rounded(*_extent(curves, *(y for _, y, _ in beside)))
    places = sorted({x for curve in curves for x in curve.x})
    right = max(width_of(curve.name) for curve in curves) + 12
    left = margin(low, high, show)
    box = Box(x=left, y=12, width=NARROW - right - left, height=240)
    plot = _plot(box, (places[0], max(places[-1], places[0] + 1e-9)), (low, high))
    marks, _, _ = _lines_of(curves, plot, show)
    marks += [dot(plot.x(x), plot.y(y), f"fill-{tone}", 2.5) for x, y, tone in beside]
    marks += [dot(*point, f"fill-{curve.tone}") for curve in curves for point in plot.points(curve, curve.y)]
    marks += x_axis(plot.x, plot.box.bottom, tick, axis, places)
    return svg(NARROW, 294, [*marks, *_end_names(curves, [[curve.name] for curve in curves], plot)], label)


def calibration(bins: Sequence[Bin], *, label: str, axis: str) -> Markup:
    """Observed against predicted share, with counts below; orange where the whole interval is off the diagonal."""
    top = min(1.0, rounded(0, max(max(b.observed.high, b.right) for b in bins))[1])
    left = margin(0, top, share_axis)
    plot = _plot(Box(x=left, y=12, width=NARROW - 8 - left, height=210), (0, top), (0, top))
    marks = y_grid(plot.y, left, plot.box.right, share_axis)
    marks.append(stroke(*_origin(plot), plot.box.right, plot.box.y, "line-grey thin dash"))
    avoid = along([_origin(plot), (plot.box.right, plot.box.y)])
    for b in bins:
        x, hue = plot.x(b.predicted), "blue" if b.observed.low <= b.predicted <= b.observed.high else "orange"
        ends = (plot.y(b.observed.low), plot.y(b.observed.high))
        marks += [stroke(x, ends[0], x, ends[1], f"line-{hue} mid"), dot(x, plot.y(b.observed.value), f"fill-{hue}")]
        avoid += along([(x, ends[0]), (x, ends[1])])
    near = (plot.x(0.8 * top), plot.y(0.8 * top))
    name = place(*size_of(["perfect"]), near, plot.box, avoid)
    marks += [*lines(name, ["perfect"], "s halo"), *x_axis(plot.x, plot.box.bottom, share_axis, "")]
    return svg(NARROW, 318, [*marks, *_histogram(bins, plot.x, 294), text(left, 314, axis, "s")], label)


def _plot(box: Box, x: tuple[float, float], y: tuple[float, float]) -> _Plot:
    across = Scale(low=x[0], high=x[1], start=box.x, stop=box.right)
    return _Plot(box=box, x=across, y=Scale(low=y[0], high=y[1], start=box.bottom, stop=box.y))


def _extent(curves: Sequence[Curve], *others: float) -> tuple[float, float]:
    heights = [h for curve in curves for h in (*curve.y, *curve.low, *curve.high)] + list(others)
    return min(heights), max(heights)


def _origin(plot: _Plot) -> Point:
    return plot.x(0), plot.y(0)


def _lines_of(curves: Sequence[Curve], plot: _Plot, show: Format) -> tuple[list[str], list[Point], list[Point]]:
    """Grid, bands and lines, and the points of the lines and of the bands, which names keep clear of."""
    marks = y_grid(plot.y, plot.box.x, plot.box.right, show)
    cross: list[Point] = []
    bands: list[Point] = []
    if plot.y.low < 0 < plot.y.high:
        marks.append(stroke(plot.box.x, plot.y(0), plot.box.right, plot.y(0), "zero"))
        cross += along([(plot.box.x, plot.y(0)), (plot.box.right, plot.y(0))])
    for curve in curves:
        if curve.low:
            low, high = plot.points(curve, curve.low), plot.points(curve, curve.high)
            marks.append(path([*low, *reversed(high)], f"soft-{curve.tone} band", closed=True))
            bands += [p for one, other in zip(low, high, strict=True) for p in along([one, other], 8)]
    for curve in reversed(curves):
        points = plot.points(curve, curve.y)
        marks.append(
            path(points, f"line-{curve.tone} mid") if len(points) > 1 else dot(*points[0], f"fill-{curve.tone}")
        )
        cross += along(points)
    return marks, cross, bands


def _random_lines(curves: Sequence[Curve], plot: _Plot) -> list[str]:
    return [stroke(*_origin(plot), *plot.at(curve, 1), "line-grey thin dash") for curve in curves]


def _names_inside(
    curves: Sequence[Curve], plot: _Plot, random: str | None, at: float, clear: tuple[list[Point], list[Point]]
) -> list[str]:
    """The name of the random line near the share `at`, then the flags, each clear of what was drawn before."""
    if not random:
        return _flags(curves, plot, clear)
    words = wrap(random, max(10, int(plot.box.width * 0.45 / 6.2)))
    near = (plot.x(at), plot.y(0) + at * (plot.at(curves[0], 1)[1] - plot.y(0)))
    name = place(*size_of(words), near, plot.box, clear[0])
    flags = _flags(curves, plot, ([*clear[0], *name.filled()], [*clear[1], *name.filled()]))
    return [*flags, *lines(name, words, "s halo")]


def _budget(budget: Flag, plot: _Plot) -> list[str]:
    x, words = plot.x(budget.at), " ".join(budget.text)
    upright = stroke(x, plot.box.y - 6, x, plot.box.bottom, "axis dash")
    return [upright, text(within(x, words, plot.box.x, plot.box.right), 16, words, "s", "middle")]


def _flags(
    curves: Sequence[Curve], plot: _Plot, clear: tuple[list[Point], list[Point]], *, stems: bool = True
) -> list[str]:
    """A dot on the curve where its flag is, a stem down to the axis, and the words where they cover least."""
    marks: list[str] = []
    avoid, cross = clear
    for curve in curves:
        if curve.flag is None:
            continue
        x, y = plot.at(curve, curve.flag.at)
        if stems:
            marks.append(stroke(x, plot.box.bottom, x, y, f"line-{curve.tone} thin"))
            avoid = [*avoid, *along([(x, plot.box.bottom), (x, y)])]
        around = Box(x=x - 8, y=y - 8, width=16, height=16).filled()
        box = place(*size_of(curve.flag.text), (x, y), plot.box, [*avoid, *around], cross)
        avoid, cross = [*avoid, *box.filled()], [*cross, *box.filled()]
        to = nearest(box, (x, y))
        if math.dist(to, (x, y)) > 14:
            marks.append(stroke(x, y, *to, f"line-{curve.tone} thin"))
        marks += [dot(x, y, f"fill-{curve.tone}", 6), *lines(box, curve.flag.text, f"text-{curve.tone} halo")]
    return marks


def _end_names(curves: Sequence[Curve], names: Sequence[Sequence[str]], plot: _Plot) -> list[str]:
    """Each name at the right end of its curve, with what it ends at; moved apart where they would touch."""
    ends = [plot.y(curve.y[-1]) for curve in curves]
    tall = 16 * max(map(len, names))
    tops = apart([y - tall / 2 for y in ends], tall + 4, plot.box.y - 10, plot.box.bottom - tall + 6)
    marks: list[str] = []
    for curve, words, top, y in zip(curves, names, tops, ends, strict=True):
        box = Box(x=plot.x(curve.x[-1]) + 9, y=top, width=0, height=tall)
        marks += [dot(plot.x(curve.x[-1]), y, f"fill-{curve.tone}"), *lines(box, words, f"text-{curve.tone}")]
    return marks


def _key(curves: Sequence[Curve], title: str, plot: _Plot) -> list[str]:
    right, foot = plot.box.right, plot.box.bottom - 14
    top = foot - 20 * (len(curves) - 1)
    marks = [text(right, top - 22, title, "s", "end")] if title else []
    wide = _key_width(curves)
    for i, curve in enumerate(curves):
        y = top + 20 * i
        marks.append(stroke(right - wide - 24, y - 4, right - wide - 6, y - 4, f"line-{curve.tone} mid"))
        marks.append(text(right - wide, y, curve.name, f"text-{curve.tone}"))
        marks.append(text(right, y, curve.ends, f"text-{curve.tone}", "end"))
    return marks


def _key_width(curves: Sequence[Curve]) -> float:
    """From a name in the key to the end of its figure, without the line before the name."""
    return max(width_of(curve.name) for curve in curves) + max(width_of(curve.ends) for curve in curves) + 8


def _histogram(bins: Sequence[Bin], x: Scale, foot: float) -> list[str]:
    """Bars of the counts, the highest and the last with their figures."""
    most = max(b.n for b in bins)
    marks = [stroke(x.start, foot, x.stop, foot, "axis")]
    for b in bins:
        tall = max(1.0, 36 * b.n / most)
        wide = max(1.0, x(b.right) - x(b.left) - 1)
        marks.append(rect(x(b.left) + 0.5, foot - tall, wide, tall, "fill-grey"))
    highest = max(bins, key=lambda b: b.n)
    words = f"{count(highest.n)} customers"
    peak = x((highest.left + highest.right) / 2)
    marks.append(text(within(peak, words, x.start, x.stop), foot - 41, words, "s", "middle"))  # above every bar
    last, middle = bins[-1], x((bins[-1].left + bins[-1].right) / 2)
    if last is not highest:
        marks.append(text(within(middle, count(last.n), 0, x.stop), foot - 8, count(last.n), "s halo", "middle"))
    return marks
