"""Gains chart: the share of all yeses among the best share of customers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perennial.charts.axes import along, x_axis
from perennial.charts.curves import Curve, draw_lines, draw_names_inside, draw_random_lines, lay_out
from perennial.charts.numbers import share_axis
from perennial.charts.svg import NARROW, Box, stroke, svg, text, width_of


def plot_gains(curves: Sequence[Curve], *, label: str, axis: str, key: str = "") -> Markup:
    """The share of all yeses among the best share of customers; several curves coincide, so a key has their `ends`."""
    plot = lay_out((0, 1), (0, 1), share_axis, Box(x=0, y=12, width=NARROW, height=270))
    plot, marks = draw_lines(curves, plot, share_axis)
    marks += draw_random_lines(curves[:1], plot)
    plot = plot.clear_of(along([plot.origin, (plot.box.right, plot.box.y)]))
    if len(curves) > 1:
        width = max(_key_width(curves) + 24, width_of(key))
        place_of_key = Box(x=plot.box.right - width, y=262 - 22 * len(curves), width=width, height=300)
        plot = plot.clear_of(place_of_key.filled())
        marks += _draw_key(curves, key, plot.box)
    marks += [*draw_names_inside(curves, plot, "at random", 0.85), *x_axis(plot.x, plot.box.bottom, share_axis, axis)]
    return svg(NARROW, 322, marks, label)


def _draw_key(curves: Sequence[Curve], title: str, box: Box) -> list[str]:
    right, foot = box.right, box.bottom - 14
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
