"""Charts of rows and decisions: where every row went, and which version was in use when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from markupsafe import Markup

from perennial.errors import ConservationError
from perennial.report.charts.axes import Scale, apart, x_axis
from perennial.report.charts.numbers import count, share
from perennial.report.charts.svg import NARROW, WIDE, Drawing, Tone, dot, named, rect, shape, svg, text, width_of
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
    """A version, the day it was judged, the verdict, and a word or figure to stand beside it."""

    version: str
    on: date
    verdict: Verdict
    note: str = ""


def draw_row_flow(
    read: RowPart, used: RowPart, lost: Sequence[RowPart], parts: Sequence[RowPart] = (), *, label: str
) -> Drawing:
    """Rows read = rows used + rows lost, rows used = their parts; widths are true to the counts, at least 3 px.

    Raises:
        ConservationError: when the counts do not add up.

    """
    _conserved(read, [used, *lost])
    if parts:
        _conserved(used, parts)

    def drawn(width: int) -> Markup:
        unit = 128 / max(read.rows, 1)
        middle, right = (width * 0.42, width - 190.0) if width == WIDE else (width * 0.38, width - 116.0)
        if not parts:  # so far to the right that the longest words still fit
            longest = max((_width_of_label(part, roomy=width == WIDE) for part in lost), default=0.0)
            middle = min(right, width - 34 - longest)
        top = 30.0
        tall = max(THINNEST, used.rows * unit)
        sizes = [max(THINNEST, part.rows * unit) for part in parts]
        tops = _stacked(top, sizes)
        foot = max([top + 128, top + tall, *(y + h for y, h in zip(tops, sizes, strict=True))])
        marks = [_band(10, top, middle, top, tall, "soft-blue")]
        marks += _split(used, parts, unit, (middle + 10, right), (top, tops), roomy=width == WIDE)
        leaks = _stacked(foot + 26, [max(19.0, part.rows * unit) for part in lost])
        marks += _leaks(lost, unit, (10, middle), (top + used.rows * unit, leaks), roomy=width == WIDE)
        marks += [rect(0, top, 10, 128, "fill-ink"), text(0, 20, f"{count(read.rows)} {read.name}", "b")]
        marks += [rect(middle, top, 10, tall, "fill-blue")]
        marks.append(text(middle, 20, f"{count(used.rows)} {used.name}", "b"))
        foot = max([foot + 26, *(y + max(19.0, part.rows * unit) + 9 for y, part in zip(leaks, lost, strict=True))])
        thin = any(0 < part.rows * unit < THINNEST for part in (used, *lost, *parts))
        marks += [text(0, foot + 8, f"Bands too thin to see are drawn {THINNEST:.0f} px high.", "s")] if thin else []
        return svg(width, foot + (16 if thin else -6), marks, label)

    return Drawing(wide=drawn(WIDE), narrow=drawn(NARROW))


def draw_timeline(decisions: Sequence[TimelineEntry], until: date, *, label: str) -> Drawing:
    """Decisions in the order they were made, the versions in use below them, up to the day of the report.

    Where decisions stand too close, the newest keep their words; the fold below the chart has all of them.
    """

    def drawn(width: int) -> Markup:
        first, last = decisions[0].on.toordinal(), max(until, decisions[-1].on).toordinal()
        x = Scale(low=first, high=max(last, first + 1), start=30, stop=width - 30)
        marks = [shape(f"M14 58H{width - 14}", "grid"), *_in_use(decisions, x)]
        free = float(width)
        for made in reversed(decisions):
            at = x(made.on.toordinal())
            marks += _mark(made.verdict, at)
            half = max(map(width_of, (made.version, made.note))) / 2
            middle = max(half, min(width - half, at))
            if middle + half <= free:
                free = middle - half - 4
                marks += [text(middle, 26, made.version, "b", "middle"), text(middle, 42, made.note, "s", "middle")]
        return svg(width, 160, [*marks, *x_axis(x, 130, _day, "", _days(first, last))], label)

    return Drawing(wide=drawn(WIDE), narrow=drawn(NARROW))


def _conserved(whole: RowPart, parts: Sequence[RowPart]) -> None:
    total = sum(part.rows for part in parts)
    if total != whole.rows:
        named = " + ".join(f"{part.rows} {part.name}" for part in parts)
        raise ConservationError(
            f"{whole.rows} {whole.name} are drawn as {named} = {total}: find the stage that lost rows"
        )


def _stacked(top: float, sizes: Sequence[float]) -> list[float]:
    tops = [top]
    for size in sizes:
        tops.append(tops[-1] + size + 9)
    return tops[: len(sizes)]


def _band(x1: float, y1: float, x2: float, y2: float, tall: float, cls: str) -> str:
    bend, low1, low2 = (x1 + x2) / 2, y1 + tall, y2 + tall
    curve = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}V{low2:.1f}"
    return shape(f"{curve}C{bend:.1f} {low2:.1f} {bend:.1f} {low1:.1f} {x1:.1f} {low1:.1f}Z", cls)


def _split(
    used: RowPart,
    parts: Sequence[RowPart],
    unit: float,
    x: tuple[float, float],
    y: tuple[float, list[float]],
    *,
    roomy: bool,
) -> list[str]:
    """The parts of the rows used, each with its count (and its share where there is room)."""
    sizes = [max(THINNEST, part.rows * unit) for part in parts]
    middles = [top + size / 2 for top, size in zip(y[1], sizes, strict=True)]
    words = apart(middles, 17, 20, 400)
    marks: list[str] = []
    left = y[0]
    for part, size, top, word in zip(parts, sizes, y[1], words, strict=True):
        marks.append(_band(x[0], left, x[1], top, size, "soft-blue"))
        marks.append(rect(x[1], top, 10, size, f"fill-{part.tone}"))
        marks.append(text(x[1] + 18, word + 4, part.name, "b"))
        marks.append(text(x[1] + (110 if roomy else 114), word + 4, count(part.rows), "", "end"))
        marks += [text(x[1] + 122, word + 4, share(part.rows / max(used.rows, 1)), "s")] if roomy else []
        left += part.rows * unit
    return marks


def _leaks(
    lost: Sequence[RowPart], unit: float, x: tuple[float, float], y: tuple[float, list[float]], *, roomy: bool
) -> list[str]:
    """What left the way, below the rows used, each with its count (and a note where there is room)."""
    marks: list[str] = []
    left = y[0]
    for part, top in zip(lost, y[1], strict=True):
        size = max(THINNEST, part.rows * unit)
        marks.append(_band(x[0], left, x[1], top, size, f"soft-{part.tone}"))
        marks.append(rect(x[1], top, 10, size, f"fill-{part.tone}"))
        marks.append(named(x[1] + 18, top + 6, f"{count(part.rows)} {part.name}", part.note if roomy else ""))
        left += part.rows * unit
    return marks


def _width_of_label(part: RowPart, *, roomy: bool) -> float:
    note = 10 + width_of(part.note) if part.note and roomy else 0
    return width_of(f"{count(part.rows)} {part.name}") + note


def _in_use(decisions: Sequence[TimelineEntry], x: Scale) -> list[str]:
    """A bar for as long as each promoted version was in use; the one in use now is blue."""
    promoted = [made for made in decisions if made.verdict == "PROMOTE"]
    marks: list[str] = []
    for i, made in enumerate(promoted):
        now = i == len(promoted) - 1
        start = x(made.on.toordinal())
        stop = x.stop + 14 if now else x(promoted[i + 1].on.toordinal()) - 2
        marks.append(shape(f"M{start:.1f} 58V92", "line-grey thin"))
        marks.append(rect(start, 92, max(2, stop - start), 18, "soft-blue" if now else "soft-grey"))
        fitting = [words for words in (f"{made.version} champion", made.version) if width_of(words) + 12 < stop - start]
        marks += [text(start + 7, 105, fitting[0], "b")] if fitting else []
    return marks


def _mark(verdict: Verdict, x: float) -> list[str]:
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


def _days(first: int, last: int) -> list[float]:
    """At most six days, evenly spread from the first to the last."""
    steps = max(1, min(5, last - first))
    return sorted({float(round(first + (last - first) * i / steps)) for i in range(steps + 1)})


def _day(ordinal: float) -> str:
    on = date.fromordinal(1) + timedelta(days=int(ordinal) - 1)
    return f"{on.day} {on:%b %Y}"
