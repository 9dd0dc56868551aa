"""Display: how objects look in a notebook. Tables of plain HTML: no script, nothing loaded, colours of the notebook's own."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from markupsafe import escape

_CELL = "text-align: left; padding: 2px 12px 2px 0; vertical-align: top;"


def show_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """A titled table; every text is escaped."""
    head = _show_row("th", heads)
    body = "".join(_show_row("td", row) for row in rows)
    foot = f"<p>{escape(note)}</p>" if note else ""
    return f"<p><b>{escape(title)}</b></p><table><thead>{head}</thead><tbody>{body}</tbody></table>{foot}"


def _show_row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f'<{tag} style="{_CELL}">{escape(cell)}</{tag}>' for cell in cells) + "</tr>"


def show_drawing(title: str, svg: str) -> str:
    """A drawing of our own under its title."""
    picture = base64.b64encode(svg.encode()).decode()  # as an image its style stays its own
    image = f'<img alt="{escape(title)}" src="data:image/svg+xml;base64,{picture}">'
    return f"<figure><figcaption>{escape(title)}</figcaption>{image}</figure>"


def shorten(items: Sequence[object], most: int = 12) -> str:
    """The first few, and how many more there are."""
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + rest
