"""A table looked at in, its first three rows as lines for the screen out: nobody can be reached or named by them."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.data.masking import MASK, has_contact, mask_contacts
from perennial.propose.kinds import Kind
from perennial.propose.profile import Looked
from perennial.propose.render import one_line

_ROWS, _COLUMNS, _WIDE = 3, 12, 24


def first_rows(looked: Looked, kinds: Mapping[str, Kind]) -> list[str]:
    """How the first rows were parsed; with more than a dozen columns, how many more there are."""
    shown = [name for name in looked.sample.columns if name in kinds]
    more = f" … and {len(shown) - _COLUMNS} more columns" if len(shown) > _COLUMNS else ""
    return [
        f"row {i}: {', '.join(f'{name}={_cell(row[name], kinds[name])}' for name in shown[:_COLUMNS])}{more}"
        for i, row in enumerate(looked.sample.head(_ROWS).to_dicts(), start=1)
    ]


def _cell(text: str, kind: Kind) -> str:
    if kind.what == "contact":
        return MASK if text else ""
    safe = mask_contacts(text) if kind.what == "text" or "@" in text or has_contact(text) else text
    told = one_line(safe)
    return told if len(told) <= _WIDE else f"{told[:_WIDE]}…"
