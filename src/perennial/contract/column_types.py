"""Types of columns: the sets that rules, features and filters ask for, and the check that a named column has one."""

from __future__ import annotations

from collections.abc import Iterator

from perennial.contract.columns import CellType, Column

Columns = dict[str, Column]
NUMBER: set[CellType] = {"int", "decimal"}
MOMENT: set[CellType] = {"date", "datetime"}
TEXT: set[CellType] = {"text"}


def check_column(place: str, columns: Columns, name: str, types: set[CellType] | None) -> Iterator[str]:
    """Yield a problem unless `name` is a column that is read and has one of `types`."""
    if not _is_read(columns, name):
        yield f"{place} names {name!r}, which is no column that is read"
    elif types is not None and columns[name].cell_type not in types:
        yield f"{place}: {name!r} is of type {columns[name].cell_type}, not {' or '.join(sorted(types))}"


def _is_read(columns: Columns, name: str) -> bool:
    return name in columns and columns[name].role != "ignore"
