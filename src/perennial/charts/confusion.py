"""Confusion chart: rows of test by what they are and what they were taken for."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perennial.charts.numbers import count, share
from perennial.charts.svg import NARROW, WIDE, px, rect, svg, text, width_of

_TALL, _TOP = 44.0, 40.0
_FEW = 4  # classes that have room in a narrow drawing


def plot_confusion(
    names: Sequence[str], counts: Sequence[Sequence[int]], *, label: str, axis: str, columns: Sequence[str] = ()
) -> Markup:
    """Counts (classes, classes), actual by predicted; a cell is the darker the more of its row it holds.

    `columns` name what is done with a row, where that is not its class.
    """
    width = NARROW if len(names) <= _FEW else WIDE
    left = min(max(map(width_of, names)) + 16, width / 2)
    wide = (width - left) / len(names)
    marks = [text(left, 12, axis, "s")]
    for j, name in enumerate(columns or names):
        marks.append(text(left + (j + 0.5) * wide, _TOP - 8, _fit(name, wide), "s", "middle"))
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        y, total = _TOP + i * _TALL, max(sum(row), 1)
        marks.append(text(left - 8, y + _TALL / 2 + 4, _fit(name, left), "s", "end"))
        for j, n in enumerate(row):
            x = left + j * wide
            marks.append(f'<g opacity="{px(0.1 + 0.9 * n / total)}">{rect(x, y, wide - 2, _TALL - 2, "soft-blue")}</g>')
            cell = f"{count(n)} ({share(n / total)})" if wide > 84 else count(n)
            marks.append(text(x + wide / 2, y + _TALL / 2 + 4, cell, "b" if i == j else "", "middle"))
    return svg(width, _TOP + _TALL * len(names) + 8, marks, label)


def _fit(name: str, width: float) -> str:
    """The name, or as many of its letters as have room."""
    while len(name) > 1 and width_of(name) > width - 6:
        name = name[:-2].rstrip() + "…"
    return name
