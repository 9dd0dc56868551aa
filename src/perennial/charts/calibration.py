"""Calibration chart: observed against predicted shares, with the counts of customers below."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perennial.charts.axes import Scale, along, place, rounded, x_axis, y_grid
from perennial.charts.curves import lay_out
from perennial.charts.numbers import count, share_axis
from perennial.charts.svg import NARROW, Box, dot, lines, rect, size_of, stroke, svg, text, within
from perennial.results.figures import Bin


def plot_calibration(bins: Sequence[Bin], *, label: str, axis: str) -> Markup:
    """Observed against predicted share, with counts below; orange where the whole interval is off the diagonal."""
    top = min(1.0, rounded(0, max(max(b.observed.high, b.right) for b in bins))[1])
    plot = lay_out((0, top), (0, top), share_axis, Box(x=0, y=12, width=NARROW, height=210))
    marks = y_grid(plot.y, plot.box.x, plot.box.right, share_axis)
    marks.append(stroke(*plot.origin, plot.box.right, plot.box.y, "line-grey thin dash"))
    avoid = along([plot.origin, (plot.box.right, plot.box.y)])
    for b in bins:
        x, hue = plot.x(b.predicted), "blue" if b.observed.low <= b.predicted <= b.observed.high else "orange"
        ends = (plot.y(b.observed.low), plot.y(b.observed.high))
        marks += [stroke(x, ends[0], x, ends[1], f"line-{hue} mid"), dot(x, plot.y(b.observed.value), f"fill-{hue}")]
        avoid += along([(x, ends[0]), (x, ends[1])])
    name = place(*size_of(["perfect"]), (plot.x(0.8 * top), plot.y(0.8 * top)), plot.box, avoid)
    marks += [*lines(name, ["perfect"], "s halo"), *x_axis(plot.x, plot.box.bottom, share_axis, "")]
    return svg(NARROW, 332, [*marks, *_draw_histogram(bins, plot.x, 304), text(plot.box.x, 326, axis, "s")], label)


def _draw_histogram(bins: Sequence[Bin], x: Scale, foot: float) -> list[str]:
    """Bars of the counts, the highest and the last with their figures."""
    most = max(b.n for b in bins)
    marks = [stroke(x.start, foot, x.stop, foot, "axis")]
    for b in bins:
        tall = max(1.0, 36 * b.n / most)
        wide = max(1.0, x(b.right) - x(b.left) - 1)
        marks.append(rect(x(b.left) + 0.5, foot - tall, wide, tall, "fill-grey"))
    highest = max(bins, key=lambda b: b.n)
    peak_count = f"{count(highest.n)} customers"
    peak = x((highest.left + highest.right) / 2)
    marks.append(text(within(peak, peak_count, x.start, x.stop), foot - 41, peak_count, "s", "middle"))  # above every bar
    last, middle = bins[-1], x((bins[-1].left + bins[-1].right) / 2)
    if last is not highest:
        marks.append(text(within(middle, count(last.n), 0, x.stop), foot - 8, count(last.n), "s halo", "middle"))
    return marks
