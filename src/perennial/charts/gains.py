"""Gains chart: the share of all yeses among the best share of customers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perennial.charts.axes import along, x_axis
from perennial.charts.curves import Curve, draw_lines, draw_names_inside, draw_random_lines, lay_out
from perennial.charts.numbers import share_axis
from perennial.charts.svg import NARROW, Box, stroke, svg, text, width_of


def plot_gains(curves: Sequence[Curve], *, label: str, axis: str, key: str = "") -> Markup:
    """The share of all yeses among the best share of customers; several curves coincide, so a key below has their `ends`."""
    plot = lay_out((0, 1), (0, 1), share_axis, Box(x=0, y=12, width=NARROW, height=270))
    plot, marks = draw_lines(curves, plot, share_axis)
    marks += draw_random_lines(curves[:1], plot)
    plot = plot.clear_of(along([plot.origin, (plot.box.right, plot.box.y)]))
    marks += [*draw_names_inside(curves, plot, "at random", 0.85), *x_axis(plot.x, plot.box.bottom, share_axis, axis)]
    foot = plot.box.bottom + 44
    if len(curves) > 1:
        marks += _draw_key(curves, key, plot.box.x, foot)
        foot += 20 * (len(curves) + 1)
    return svg(NARROW, foot, marks, label)


def _draw_key(curves: Sequence[Curve], title: str, left: float, top: float) -> list[str]:
    """A line, the name and the figure of each curve, under each other."""
    right = left + 30 + max(map(width_of, [title, *(curve.name + curve.ends for curve in curves)])) + 16
    marks = [text(right, top + 14, title, "s", "end")]
    for i, curve in enumerate(curves):
        y = top + 34 + 20 * i
        marks.append(stroke(left, y - 4, left + 18, y - 4, f"line-{curve.tone} mid"))
        marks.append(text(left + 26, y, curve.name, f"text-{curve.tone}"))
        marks.append(text(right, y, curve.ends, f"text-{curve.tone}", "end"))
    return marks
