"""Flow charts: where every row went, and which version was champion when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from markupsafe import Markup

from perennial.charts.axes import Scale, apart, x_axis
from perennial.charts.numbers import count, share
from perennial.charts.svg import NARROW, WIDE, Drawing, Tone, dot, name_and_note, rect, shape, svg, text, width_of
from perennial.errors import ConservationError
from perennial.results.decision import Verdict

THINNEST = 3.0  # px; one row of a million would vanish


@dataclass(frozen=True, kw_only=True)
class RowPart:
    """So many rows, what they are called, and a few words on them."""

    name: str
    rows: int
    note: str = ""
    tone: Tone = "grey"


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """A version, the day of its decision, and the verdict."""

    version: str
    on: date
    verdict: Verdict


def plot_row_flow(read: RowPart, used: RowPart, lost: Sequence[RowPart], parts: Sequence[RowPart] = (), *, label: str) -> Drawing:
    """Rows read = rows used + rows lost, rows used = their parts; widths are true to the counts, at least 3 px.

    Raises:
        ConservationError: when the counts do not add up.

    """
    _check_conserved(read, [used, *lost])
    if parts:
        _check_conserved(used, parts)
    unit = 128 / max(read.rows, 1)

    def size(part: RowPart, least: float = THINNEST) -> float:
        return max(least, part.rows * unit)

    def drawn(width: int) -> Markup:
        is_roomy = width == WIDE
        middle, right = (width * 0.42, width - 190.0) if is_roomy else (width * 0.38, width - 116.0)
        if not parts:  # so far to the right that the longest label still fits
            middle = min(right, width - 34 - max((_width_of_label(part, is_roomy) for part in lost), default=0.0))
        top = 30.0
        sizes = [size(part) for part in parts]
        tops = _stack(top, sizes)
        foot = max([top + 128, top + size(used), *(y + tall for y, tall in zip(tops, sizes, strict=True))]) + 26
        leaks = _stack(foot, [size(part, 19.0) for part in lost])
        marks = [_draw_band(10, top, middle, top, size(used), "soft-blue")]
        marks += _draw_branches(parts, unit, (middle + 10, right), top, tops, "blue")
        middles = [y + tall / 2 for y, tall in zip(tops, sizes, strict=True)]
        marks += _name_parts(used, parts, middles, right + 18, is_roomy)
        marks += _draw_branches(lost, unit, (10, middle), top + used.rows * unit, leaks, None)
        for part, y in zip(lost, leaks, strict=True):
            note = part.note if is_roomy else ""
            marks.append(name_and_note(middle + 18, y + 6, f"{count(part.rows)} {part.name}", note))
        marks += [rect(0, top, 10, 128, "fill-ink"), text(0, 20, f"{count(read.rows)} {read.name}", "b")]
        marks += [rect(middle, top, 10, size(used), "fill-blue")]
        marks.append(text(middle, 20, f"{count(used.rows)} {used.name}", "b"))
        foot = max([foot, *(y + size(part, 19.0) + 9 for y, part in zip(leaks, lost, strict=True))])
        is_thin = any(0 < part.rows * unit < THINNEST for part in (used, *lost, *parts))
        note = f"Bands too thin to see are drawn {THINNEST:.0f} px high."
        marks += [text(0, foot + 8, note, "s")] if is_thin else []
        return svg(width, foot + (16 if is_thin else -6), marks, label)

    return Drawing(wide=drawn(WIDE), narrow=drawn(NARROW))


def plot_timeline(decisions: Sequence[TimelineEntry], until: date, *, label: str) -> Drawing:
    """Decisions in order, the champions below them, up to the day of the report.

    Where decisions stand too close, the newest have their version; the fold below the chart has all of them.
    """

    def drawn(width: int) -> Markup:
        first, last = decisions[0].on.toordinal(), max(until, decisions[-1].on).toordinal()
        x = Scale(low=first, high=max(last, first + 1), start=30, stop=width - 30)
        marks = [shape(f"M14 58H{width - 14}", "grid"), *_draw_champions(decisions, x)]
        free = float(width)
        for decision in reversed(decisions):
            at, half = x(decision.on.toordinal()), width_of(decision.version) / 2
            marks += _draw_verdict(decision.verdict, at)
            middle = max(half, min(width - half, at))
            if middle + half <= free:
                free = middle - half - 4
                marks.append(text(middle, 26, decision.version, "b", "middle"))
        return svg(width, 160, [*marks, *x_axis(x, 130, _format_day, "", _spread_days(first, last))], label)

    return Drawing(wide=drawn(WIDE), narrow=drawn(NARROW))


def _check_conserved(whole: RowPart, parts: Sequence[RowPart]) -> None:
    total = sum(part.rows for part in parts)
    if total != whole.rows:
        summed = " + ".join(f"{part.rows} {part.name}" for part in parts)
        raise ConservationError(f"{whole.rows} {whole.name} are drawn as {summed} = {total}: find the stage that lost rows")


def _stack(top: float, sizes: Sequence[float]) -> list[float]:
    """The top of each, 9 px below the one before."""
    return [top + sum(sizes[:i]) + 9 * i for i in range(len(sizes))]


def _draw_band(x1: float, y1: float, x2: float, y2: float, tall: float, cls: str) -> str:
    bend, low1, low2 = (x1 + x2) / 2, y1 + tall, y2 + tall
    curve = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}V{low2:.1f}"
    return shape(f"{curve}C{bend:.1f} {low2:.1f} {bend:.1f} {low1:.1f} {x1:.1f} {low1:.1f}Z", cls)


def _draw_branches(
    parts: Sequence[RowPart], unit: float, x: tuple[float, float], left: float, tops: Sequence[float], tone: Tone | None
) -> list[str]:
    """Bands from one bar (whose first row is at `left`) to a bar for each part, in the tone that is given or the part's."""
    marks: list[str] = []
    for part, top in zip(parts, tops, strict=True):
        size = max(THINNEST, part.rows * unit)
        marks.append(_draw_band(x[0], left, x[1], top, size, f"soft-{tone or part.tone}"))
        marks.append(rect(x[1], top, 10, size, f"fill-{part.tone}"))
        left += part.rows * unit
    return marks


def _name_parts(used: RowPart, parts: Sequence[RowPart], middles: list[float], x: float, is_roomy: bool) -> list[str]:
    """The parts of the rows used, each with its count (and its share where there is room)."""
    marks: list[str] = []
    for part, y in zip(parts, apart(middles, 17, 20, 400), strict=True):
        marks.append(text(x, y + 4, part.name, "b"))
        marks.append(text(x + (92 if is_roomy else 96), y + 4, count(part.rows), "", "end"))
        marks += [text(x + 104, y + 4, share(part.rows / max(used.rows, 1)), "s")] if is_roomy else []
    return marks


def _width_of_label(part: RowPart, is_roomy: bool) -> float:
    note = 10 + width_of(part.note) if part.note and is_roomy else 0
    return width_of(f"{count(part.rows)} {part.name}") + note


def _draw_champions(decisions: Sequence[TimelineEntry], x: Scale) -> list[str]:
    """A bar for as long as each version was champion; that of the present one is blue."""
    promoted = [decision for decision in decisions if decision.verdict == "PROMOTE"]
    marks: list[str] = []
    for i, decision in enumerate(promoted):
        now = i == len(promoted) - 1
        start = x(decision.on.toordinal())
        stop = x.stop + 14 if now else x(promoted[i + 1].on.toordinal()) - 2
        marks.append(shape(f"M{start:.1f} 58V92", "line-grey thin"))
        marks.append(rect(start, 92, max(2, stop - start), 18, "soft-blue" if now else "soft-grey"))
        names = (f"{decision.version} champion", decision.version)
        fitting = [name for name in names if width_of(name) + 12 < stop - start]
        marks += [text(start + 7, 105, fitting[0], "b")] if fitting else []
    return marks


def _draw_verdict(verdict: Verdict, x: float) -> list[str]:
    match verdict:
        case "PROMOTE":
            return [dot(x, 58, "fill-go", 8), shape(f"M{x - 3.6:.1f} 58.3l2.6 2.6l4.6-5", "sign")]
        case "HOLD":
            square = rect(x - 7, 51, 14, 14, "fill-wait")
            return [square, shape(f"M{x - 2.2:.1f} 54.5v7m4.4-7v7", "sign")]
        case "REJECT":
            octagon = shape(f"M{x - 3.7:.1f} 49h7.4l5.3 5.3v7.4l-5.3 5.3h-7.4l-5.3-5.3v-7.4z", "fill-stop")
            return [octagon, shape(f"M{x - 2.8:.1f} 55.2l5.6 5.6m0-5.6l-5.6 5.6", "sign")]
        case _:
            assert_never(verdict)


def _spread_days(first: int, last: int) -> list[float]:
    """At most six days, evenly spread from the first to the last."""
    steps = max(1, min(5, last - first))
    return sorted({float(round(first + (last - first) * i / steps)) for i in range(steps + 1)})


def _format_day(ordinal: float) -> str:
    on = date.fromordinal(1) + timedelta(days=int(ordinal) - 1)
    return f"{on.day} {on:%b %Y}"
