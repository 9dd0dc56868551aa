"""Estimates in, the one grammar out: dot = estimate, line = interval, upright line = what it must pass.

A mark is blue only where its whole interval is clear of the line, orange only where all of it is on the wrong side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from perennial.report.charts.axes import Scale, apart, margin, rounded, x_axis, y_grid
from perennial.report.charts.numbers import Format, drawable
from perennial.report.charts.svg import (
    NARROW,
    Box,
    Tone,
    dot,
    named,
    rect,
    shortened,
    size_of,
    stroke,
    svg,
    text,
    width_of,
    within,
)
from perennial.report.charts.svg import lines as written
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
    dashed: bool = False


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


def interval_rows(
    rows: Sequence[Row],
    lines: Sequence[Line],
    show: Format,
    *,
    label: str,
    axis: str = "",
    better: Side = "above",
    span: tuple[float, float] | None = None,
) -> Markup:
    """Estimates under each other on one scale, judged against the first of the lines or each against its own.

    `span` is the axis of charts that are compared; without it the figures make their own.
    """
    own = [row.line for row in rows if row.line is not None]
    low, high = span or _padded([row.interval for row in rows], [*own, *(line.at for line in lines)])
    x = Scale(low=low, high=high, start=4, stop=NARROW - 4)
    foot = PITCH * len(rows) + 4
    marks: list[str] = []
    for i, row in enumerate(rows):
        y = PITCH * i + 30
        at = row.line if row.line is not None else lines[0].at
        hue = tone(row.interval, at, row.standing, better)
        marks += _heading(row, hue, y - 16, show)
        marks.append(stroke(0, y, NARROW, y, "grid"))
        uprights = [Line(at=at, name="")] if row.line is not None else lines
        marks += [stroke(x(u.at), y - 9, x(u.at), y + 9, "axis dash" if u.dashed else "zero") for u in uprights]
        marks += _interval(x, row.interval, y, hue)
    names, depth = _line_names(lines, x, foot + 32)
    title = [text(0, foot + 36 + 14 * depth, axis, "s")] if axis else []
    return svg(
        NARROW,
        foot + 22 + 14 * depth + (18 if axis else 0),
        [*marks, *x_axis(x, foot, show, ""), *names, *title],
        label,
    )


def against_line(
    interval: Interval,
    line: Line,
    *,
    label: str,
    standing: Standing = "compared",
    better: Side = "above",
    span: tuple[float, float] | None = None,
) -> Markup:
    """One estimate against the line of a rule, 220 px wide; `span` is the scale of rules in the same unit."""
    low, high = _padded([interval], [line.at, *(span or ())], 0.15)
    x = Scale(low=low, high=high, start=6, stop=214)
    marks = [
        stroke(2, 11, 218, 11, "grid"),
        stroke(x(line.at), 2, x(line.at), 20, "zero"),
        *_interval(x, interval, 11, tone(interval, line.at, standing, better)),
        text(within(x(line.at), line.name, 0, 220), 32, line.name, "s", "middle"),
    ]
    return svg(220, 36, marks, label)


def inline(
    interval: Interval,
    span: tuple[float, float],
    *,
    label: str,
    line: float = 0,
    standing: Standing = "compared",
    filled: bool = False,
) -> Markup:
    """One estimate in a cell of a table, on the table's own span; filled, with a bar from the line to it."""
    low, high = _padded([], [*span, line])
    x = Scale(low=low, high=high, start=0, stop=200)
    hue = tone(drawable(interval), line, standing)
    left, right = sorted((x(line), x(interval.value)))
    exact = filled and interval.low == interval.high
    bar = [rect(left, 4, right - left, 16, f"fill-{hue}" if exact else f"soft-{hue}")] if filled else []
    upright = stroke(x(line), 0, x(line), 24, "zero rigid")
    if exact:
        return svg(200, 24, [*bar, upright], label, stretch=True)
    marks = [
        *bar,
        upright,
        stroke(x(interval.low), 12, x(interval.high), 12, f"line-{hue} mid rigid"),
        stroke(x(interval.value), 12, x(interval.value) + 0.1, 12, f"line-{hue} blob rigid"),
    ]
    return svg(200, 24, marks, label, stretch=True)


def columns(
    estimates: Sequence[tuple[str, Interval]],
    lines: Sequence[Line],
    show: Format,
    *,
    label: str,
    axis: str,
    bars: bool = True,
    better: Side = "above",
    span: tuple[float, float] | None = None,
) -> Markup:
    """Estimates side by side (effect by tenth, agreement by number of segments), judged against the first line.

    With bars the axis has a zero; `span` is the axis of charts that are compared.
    """
    figures = [end for _, interval in estimates for end in (drawable(interval).low, interval.high)]
    figures += [*(line.at for line in lines), *([0.0] if bars else [])]
    low, high = rounded(*(span or (min(figures), max(figures))))
    left = margin(low, high, show)
    names = [line.name.rsplit(" ", 1) if line.name else [] for line in lines]
    right = NARROW - max([size_of(words)[0] + 6 for words in names if words], default=4.0)
    y = Scale(low=low, high=high, start=210, stop=12)
    marks = y_grid(y, left, right, show)
    for at in lines:
        marks.append(stroke(left, y(at.at), right, y(at.at), "axis dash" if at.dashed else "zero"))
    step = (right - left) / len(estimates)
    every = math.ceil(max(width_of(name) for name, _ in estimates) / step)
    for i, (name, interval) in enumerate(estimates):
        x, hue = left + step * (i + 0.5), tone(interval, lines[0].at, "compared", better)
        marks += _column(x, interval, y, hue, min(28, step * 0.62) if bars else 0)
        marks += [text(x, 228, name, "s", "middle")] if i % every == 0 else []
    tops = apart([y(line.at) - 8 * len(words) for line, words in zip(lines, names, strict=True)], 34, 4, 190)
    for words, top in zip(names, tops, strict=True):
        marks += written(Box(x=right + 6, y=top, width=0, height=0), words, "s")
    return svg(NARROW, 250, [*marks, text(left, 248, axis, "s")], label)


def _column(x: float, interval: Interval, y: Scale, hue: Tone, wide: float) -> list[str]:
    """An upright interval with its dot and, where it has a width, a bar from zero."""
    top, bottom = sorted((y(0), y(interval.value)))
    bar = [rect(x - wide / 2, top, wide, bottom - top, f"soft-{hue}")] if wide else []
    span = stroke(x, y(interval.low), x, y(interval.high), f"line-{hue} mid")
    return [*bar, span, dot(x, y(interval.value), f"fill-{hue}")]


def _padded(intervals: Sequence[Interval], others: Sequence[float], by: float = 0.06) -> tuple[float, float]:
    figures = [*others, *(end for i in intervals for end in (drawable(i).low, i.high, i.value))]
    low, high = min(figures), max(figures)
    pad = (high - low) * by or abs(low) or 1.0
    return low - pad, high + pad


def _interval(x: Scale, interval: Interval, y: float, hue: Tone) -> list[str]:
    span = stroke(x(drawable(interval).low), y, x(interval.high), y, f"line-{hue} thick")
    return [span, dot(x(interval.value), y, f"fill-{hue}", 5.5)]


def _heading(row: Row, hue: Tone, y: float, show: Format) -> list[str]:
    words = row.text or show(row.interval.value)
    room = NARROW - width_of(words) - _BETWEEN - (width_of(row.note) + _BETWEEN if row.note else 0)
    return [named(0, y, shortened(row.name, room), row.note), text(NARROW, y, words, f"text-{hue}", "end")]


def _line_names(lines: Sequence[Line], x: Scale, y: float) -> tuple[list[str], int]:
    """The names under their lines, a row lower where one would touch the one before, and how many rows that took."""
    marks: list[str] = []
    end, row, rows = -7.0, 0, 0
    for line in sorted((line for line in lines if line.name), key=lambda line: line.at):
        middle, half = within(x(line.at), line.name, 0, NARROW), width_of(line.name) / 2
        row = row + 1 if middle - half < end + 6 else 0
        end, rows = middle + half, max(rows, row + 1)
        marks.append(text(middle, y + 14 * row, line.name, "", "middle"))
    return marks, rows
