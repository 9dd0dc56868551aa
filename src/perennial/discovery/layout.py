"""Layout of a table that nobody described: lines above its header, the header itself, and names that can be keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MAX_PREAMBLE = 20  # lines
_NUMBER = re.compile(r"[+-]?[0-9][0-9., ]*(?:[eE][+-]?[0-9]+)?|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*")
_RESERVED = re.compile(r"\A_|\Arow_id\Z|\$\{")  # names that Perennial or DVC gives a meaning
Row = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The line of names: its cells, its place, and the lines from it on that are no rows."""

    cells: Row
    names: list[str]
    skip: int  # lines above it
    above_rows: Sequence[Row]  # the header itself and the questions of a survey below it; none without a header


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the header is, whether cells are padded, and whether the contract declares the names of the columns."""

    header: Header
    trim: bool
    is_declared: bool

    @property
    def names(self) -> tuple[str, ...] | None:
        return tuple(self.header.names) if self.is_declared else None


def detect_layout(rows: Sequence[Row], n_fields: int) -> Layout:
    """Find the header among the first rows of a table of `n_fields` columns."""
    skip = _count_preamble(rows, n_fields)
    body: list[Row] = [row for row in rows[skip:] if len(row) == n_fields]
    trim = _is_padded(body)
    if trim:
        body = [[cell.strip(" ") for cell in row] for row in body]
    header = _find_header(body, skip, n_fields)
    has_new_names = header.names != [name.strip() for name in header.cells]
    return Layout(header=header, trim=trim, is_declared=has_new_names or len(header.above_rows) != 1)


def _count_preamble(rows: Sequence[Row], n_fields: int) -> int:
    """How many lines come before the first that has all fields; none where that never comes."""
    for i, row in enumerate(rows[: _MAX_PREAMBLE + 1]):
        if len(row) == n_fields and sum(bool(cell.strip()) for cell in row) > n_fields / 2:
            return i
    return 0


def _is_padded(body: Sequence[Row]) -> bool:
    """Whether cells are set apart by spaces, as in `39, State-gov, 77516`."""
    cells = [cell for row in body[:200] for cell in row[1:]]
    return bool(cells) and sum(cell[:1] == " " or cell[-1:] == " " for cell in cells) > len(cells) / 3


def _find_header(body: Sequence[Row], skip: int, n_fields: int) -> Header:
    if _has_two_headers(body):
        skip, body = skip + 1, body[1:]
    n_questions = 2 if _is_survey(body) else 0
    if not _is_header([*body[:1], *body[1 + n_questions :]]):
        cells = [f"c{i + 1}" for i in range(n_fields)]
        return Header(cells=cells, names=cells, skip=skip, above_rows=[])
    return Header(cells=body[0], names=_make_keys(body[0]), skip=skip, above_rows=body[: 1 + n_questions])


def _is_header(body: Sequence[Row]) -> bool:
    """Whether the first row names columns: texts, all different, unlike what stands below them."""
    if not body:
        return False
    first = [cell.strip() for cell in body[0]]
    names = [cell for cell in first if cell]
    if not names or any(_is_number(cell) for cell in names):
        return False
    below = [[row[i].strip() for row in body[1:] if row[i].strip()] for i in range(len(first))]
    if any(cells and all(_is_number(cell) for cell in cells[:50]) for cells in below):
        return True
    if len(set(names)) < 0.9 * len(names):
        return False
    n_repeated = sum(name in cells for name, cells in zip(first, below, strict=True) if name)
    return n_repeated <= len(first) / 4


def _is_number(cell: str) -> bool:
    """A number or a date."""
    return _NUMBER.fullmatch(cell) is not None


def _is_survey(body: Sequence[Row]) -> bool:
    """Whether the question and an id for machines stand below each name, as Qualtrics exports them."""
    return len(body) > 3 and sum("ImportId" in cell for cell in body[2]) > len(body[2]) / 2


def _has_two_headers(body: Sequence[Row]) -> bool:
    """Whether a line for machines (X1, X2) stands above the one that names columns: both texts, numbers below."""
    first, second, below = body[:1], body[1:2], body[2:50]
    if not below or any(_is_number(cell.strip()) for row in (*first, *second) for cell in row):
        return False
    if not all(cell.strip() for cell in second[0]):
        return False
    cells = [[row[i].strip() for row in below if row[i].strip()] for i in range(len(second[0]))]
    return sum(all(_is_number(cell) for cell in column) for column in cells) > len(cells) / 2


def _make_keys(header: Row) -> list[str]:
    """Names that can be keys: none empty, none twice, none reserved."""
    names: list[str] = []
    for i, cell in enumerate(header):
        name = cell.strip() or f"column_{i + 1}"
        if _RESERVED.search(name):
            name = "x" + name.replace("${", "")
        base, n = name, 2
        while name in names:
            name, n = f"{base}_{n}", n + 1
        names.append(name)
    return names
