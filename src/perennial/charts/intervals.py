"""Interval charts, in one grammar: dot = estimate, line = interval, upright line = what it must pass.

A mark is blue only where its whole interval is clear of the line, orange only where all of it is on the wrong side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from perennial.charts.axes import Scale, margin, rounded, x_axis, y_grid
from perennial.charts.numbers import Format, check_drawable
from perennial.charts.svg import (
    NARROW,
    Box,
    Tone,
    dot,
    lines,
    name_and_note,
    rect,
    shorten,
    size_of,
    stroke,
    svg,
    text,
    width_of,
    within,
)
from perennial.results.figures import Interval

PITCH = 48  # px from row to row
_BETWEEN = 10  # px between a name, its note and its figure
Side = Literal["above", "below"]
Standing = Literal["compared", "deciding", "reference"]  # deciding: undecided is drawn in ink; reference: always grey


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an interval must pass, and its name."""

    at: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A named estimate; `line` is its own line where the rows do not share one."""

    name: str
    interval: Interval
    note: str = ""
    text: str = ""
    line: float | None = None
    standing: Standing = "compared"


def tone(interval: Interval, line: float, standing: Standing = "compared", better: Side = "above") -> Tone:
    if standing == "reference":
        return "grey"
    clear = (interval.low > line, interval.high < line)
    passes, fails = clear if better == "above" else reversed(clear)
    if passes:
        return "blue"
    if fails:
        return "orange"
    return "ink" if standing == "deciding" else "grey"


def plot_intervals(rows: Sequence[Row], line: Line | None, show: Format, *, label: str, axis: str = "") -> Markup:
    """Estimates under each other on one scale, compared with the line or, where there is none, each with its own."""
    own = [row.line for row in rows if row.line is not None]
    low, high = _padded([row.interval for row in rows], own if line is None else [*own, line.at])
    x = Scale(low=low, high=high, start=4, stop=NARROW - 4)
    marks: list[str] = []
    y = 30.0 - PITCH
    for row in rows:
        heading = _lay_out_heading(row, show)
        y += PITCH + 16 * (len(heading) - 1)
        at = row.line if line is None else line.at
        assert at is not None, "a row has a line of its own where the rows do not share one"
        hue = tone(row.interval, at, row.standing)
        marks += [name_and_note(0, y - 16 * (len(heading) - i), *words) for i, words in enumerate(heading)]
        marks.append(text(NARROW, y - 16, row.text or show(row.interval.value), f"text-{hue}", "end"))
        marks += [stroke(0, y, NARROW, y, "grid"), stroke(x(at), y - 9, x(at), y + 9, "zero")]
        marks += _draw_interval(x, row.interval, y, hue)
    foot = y + 22
    marks, height = [*marks, *x_axis(x, foot, show, "")], foot + 24
    if line:
        marks.append(text(within(x(line.at), line.name, 0, NARROW), height + 12, line.name, "", "middle"))
        height += 16
    marks += [text(0, height + 14, axis, "s")] if axis else []
    return svg(NARROW, height + (18 if axis else 0), marks, label)


def plot_against_line(
    interval: Interval, line: Line, *, label: str, standing: Standing = "compared", better: Side = "above"
) -> Markup:
    """One estimate against the line of a rule, 220 px wide."""
    low, high = _padded([interval], [line.at], 0.15)
    x = Scale(low=low, high=high, start=6, stop=214)
    marks = [
        stroke(2, 11, 218, 11, "grid"),
        stroke(x(line.at), 2, x(line.at), 20, "zero"),
        *_draw_interval(x, interval, 11, tone(interval, line.at, standing, better)),
        text(within(x(line.at), line.name, 0, 220), 32, line.name, "s", "middle"),
    ]
    return svg(220, 38, marks, label)


def plot_inline(
    interval: Interval, span: tuple[float, float], *, label: str, standing: Standing = "compared", filled: bool = False
) -> Markup:
    """One estimate in a cell of a table, on the table's own span; filled, with a bar from zero to it."""
    low, high = _padded([], [*span, 0])
    x = Scale(low=low, high=high, start=0, stop=200)
    hue = tone(check_drawable(interval), 0, standing)
    left, right = sorted((x(0), x(interval.value)))
    is_exact = filled and interval.low == interval.high
    marks = [rect(left, 4, right - left, 16, f"fill-{hue}" if is_exact else f"soft-{hue}")] if filled else []
    marks.append(stroke(x(0), 0, x(0), 24, "zero rigid"))
    if not is_exact:
        marks.append(stroke(x(interval.low), 12, x(interval.high), 12, f"line-{hue} mid rigid"))
        marks.append(stroke(x(interval.value), 12, x(interval.value) + 0.1, 12, f"line-{hue} blob rigid"))
    return svg(200, 24, marks, label, stretch=True)


def plot_columns(
    estimates: Sequence[tuple[str, Interval]],
    line: Line,
    show: Format,
    *,
    label: str,
    axis: str,
    bars: bool = True,
    span: tuple[float, float] | None = None,
) -> Markup:
    """Estimates side by side (effect by decile, agreement by number of segments), compared with the line.

    With bars the axis has a zero; `span` is the axis of charts that are compared.
    """
    figures = [end for _, interval in estimates for end in (check_drawable(interval).low, interval.high)]
    figures += [line.at, *([0.0] if bars else [])]
    low, high = rounded(*(span or (min(figures), max(figures))))
    left, name = margin(low, high, show), line.name.rsplit(" ", 1)
    right = NARROW - size_of(name)[0] - 6
    y = Scale(low=low, high=high, start=210, stop=12)
    marks = [*y_grid(y, left, right, show), stroke(left, y(line.at), right, y(line.at), "zero")]
    step = (right - left) / len(estimates)
    every = math.ceil(max(width_of(name) for name, _ in estimates) / step)
    for i, (name_of_column, interval) in enumerate(estimates):
        x, hue = left + step * (i + 0.5), tone(interval, line.at)
        marks += _draw_column(x, interval, y, hue, min(28, step * 0.62) if bars else 0)
        marks += [text(x, 228, name_of_column, "s", "middle")] if i % every == 0 else []
    top = max(4, min(y(line.at) - 8 * len(name), 190))
    marks += lines(Box(x=right + 6, y=top, width=0, height=0), name, "s")
    return svg(NARROW, 254, [*marks, text(left, 248, axis, "s")], label)


def _draw_column(x: float, interval: Interval, y: Scale, hue: Tone, wide: float) -> list[str]:
    """An upright interval with its dot and, where it has a width, a bar from zero."""
    top, bottom = sorted((y(0), y(interval.value)))
    bar = [rect(x - wide / 2, top, wide, bottom - top, f"soft-{hue}")] if wide else []
    span = stroke(x, y(interval.low), x, y(interval.high), f"line-{hue} mid")
    return [*bar, span, dot(x, y(interval.value), f"fill-{hue}")]


def _padded(intervals: Sequence[Interval], others: Sequence[float], by: float = 0.06) -> tuple[float, float]:
    figures = [*others, *(end for i in intervals for end in (check_drawable(i).low, i.high, i.value))]
    low, high = min(figures), max(figures)
    pad = (high - low) * by or abs(low) or 1.0
    return low - pad, high + pad


def _draw_interval(x: Scale, interval: Interval, y: float, hue: Tone) -> list[str]:
    span = stroke(x(check_drawable(interval).low), y, x(interval.high), y, f"line-{hue} thick")
    return [span, dot(x(interval.value), y, f"fill-{hue}", 5.5)]


def _lay_out_heading(row: Row, show: Format) -> list[tuple[str, str]]:
    """The name with its note beside the figure, or above it where they would not fit on one line."""
    room = NARROW - width_of(row.text or show(row.interval.value)) - _BETWEEN
    if width_of(row.name) + (width_of(row.note) + _BETWEEN if row.note else 0) <= room:
        return [(row.name, row.note)]
    return [(shorten(row.name, NARROW), ""), ("", row.note)]
