"""A file that nobody has described in, how it is written out: encoding, delimiter, lines before the header, names.

Looked at is its beginning; what is guessed here, the exact reader then holds every record to.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.data.io.byte_source import read_chunks
from perennial.data.io.csv_header import DELIMITERS, Dialect
from perennial.errors import InputError

_HEAD = 1 << 20  # bytes that are looked at
_LINES = 400
_SEPARATORS = (*DELIMITERS, " ")
_PREAMBLE = 20  # lines that may stand before the header
_NUMBER = re.compile(r"[+-]?[0-9][0-9., ]*(?:[eE][+-]?[0-9]+)?|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*")
_OURS = re.compile(r"\A_|\Arow_id\Z|\$\{")


@dataclass(frozen=True, kw_only=True)
class Written:
    """How a file is written, its column names, and its first three rows (cells)."""

    dialect: Dialect
    names: tuple[str, ...]
    first: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]  # what was guessed, in words

    @property
    def source(self) -> dict[str, Any]:
        """The keys of the contract's source that differ from the plain case."""
        told = self.dialect
        found: dict[str, Any] = {"delimiter": told.delimiter} if told.delimiter != "," else {}
        if told.encoding != "utf-8":
            found["encoding"] = told.encoding
        if not told.quoting:
            found["quoting"] = "none"
        if told.skip:
            found["skip"] = told.skip
        if told.trim:
            found["trim"] = True
        if told.names is not None:
            found["header"] = list(told.names)
        return found


def written(path: Path) -> Written:
    """Raises: InputError for what is no table of text, or has no delimiter that its lines agree on."""
    encoding = _encoding(path)
    text = _head(path, encoding)
    if not text.strip():
        raise InputError(f"{path}: empty; give a CSV file")
    lines = _lines(text)[:_LINES]
    delimiter, n_fields, quoting = _delimiter(path, lines)
    rows = _rows(text, delimiter, quoting=quoting)
    skip = _preamble(rows, n_fields)
    body = [row for row in rows[skip:] if len(row) == n_fields]
    trim = _is_padded(body)
    if trim:
        body = [[cell.strip(" ") for cell in row] for row in body]
    if _is_header_twice(body):
        skip, body = skip + 1, body[1:]
    explained = 2 if _is_survey(body) else 0  # lines below the header that say what was asked
    has_header = _is_header(body[:1] + body[1 + explained :])
    header = body[0] if has_header else [f"c{i + 1}" for i in range(n_fields)]
    names = _renamed(header)
    differs = not has_header or bool(explained) or names != [name.strip() for name in header]
    above = 1 + explained if has_header else 0
    dialect = Dialect(
        delimiter=delimiter, encoding=encoding, quoting=quoting, trim=trim,
        names=tuple(names) if differs else None,
        skip=skip + (sum(1 + sum(cell.count("\n") for cell in row) for row in body[:above]) if differs else 0),
    )  # fmt: skip
    first = tuple(tuple(row) for row in body[above : 3 + above])
    notes = _notes(dialect, skip=skip, has_header=has_header, names=names, header=header)
    return Written(dialect=dialect, names=tuple(names), first=first, notes=notes)


def _encoding(path: Path) -> str:
    """UTF-8 wherever nearly all lines with signs beyond ASCII are; else what Windows writes, else latin-1."""
    with open(path, "rb") as raw:
        magic = raw.read(2)
    if magic in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    good = bad = n_lines = 0
    has_header = True
    for chunk in read_chunks(path, "utf-8", 1 << 22):
        for n_read, line in enumerate(chunk.split(b"\n")[:-1] if not chunk.isascii() else (), n_lines):
            if line.isascii():
                continue
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError:
                bad += 1
                has_header &= n_read > 0
        n_lines += chunk.count(b"\n")
        if good + bad > 10_000:
            break
    if has_header and bad <= max(3, good / 20, n_lines / 1_000):  # a few bad rows are set aside one by one
        return "utf-8"
    try:
        for _ in read_chunks(path, "cp1252", 1 << 22):
            pass
    except InputError:
        return "latin-1"
    return "cp1252"


def _head(path: Path, encoding: str) -> str:
    """Whole lines of the beginning."""
    data = b""
    for chunk in read_chunks(path, encoding, _HEAD):
        data += chunk
        if len(data) >= _HEAD:
            return data[: data.rfind(b"\n") + 1].decode("utf-8", errors="replace")
    return data.decode("utf-8", errors="replace")


def _delimiter(path: Path, lines: Sequence[str]) -> tuple[str, int, bool]:
    """The sign by which most lines have the same number of fields, that number, and whether quotes mean anything."""
    best: tuple[float, str, int] = (0.0, "", 0)
    for sign in _SEPARATORS:
        if sign == " " and any("  " in line for line in lines):
            continue
        counts = Counter(len(row) for row in _rows("\n".join(lines), sign, quoting=True) if any(row))
        n_fields, most = max(counts.items(), key=lambda item: (item[1], item[0])) if counts else (1, 0)
        share = most / max(counts.total(), 1)
        if n_fields < 2 or share < 0.6 or (sign == " " and share < 0.98):
            continue
        worth = share * (1 + min(n_fields, 50) / 100) - (0.2 if sign == " " else 0)
        best = max(best, (worth, sign, n_fields))
    if best[1]:
        return best[1], best[2], _quotes_pair(lines)
    if _is_fixed_width(lines):
        raise InputError(f"{path}: columns of fixed width; export it with a delimiter, such as a comma")
    named = ", ".join(repr(sign) for sign in _SEPARATORS)
    raise InputError(f"{path}: no delimiter gives its lines the same number of fields (tried {named}); is it a table?")


def _quotes_pair(lines: Sequence[str]) -> bool:
    """Whether quotes are quotes: nearly every line that has one has an even number, or fields go over lines."""
    odd = sum(line.count('"') % 2 for line in lines)
    return odd <= max(2, len(lines) // 5)


def _is_fixed_width(lines: Sequence[str]) -> bool:
    full = [line for line in lines if line.strip()]
    return (
        len(full) > 2 and len({len(line) for line in full}) == 1 and sum("  " in line for line in full) > len(full) / 2
    )


def _rows(text: str, delimiter: str, *, quoting: bool) -> list[list[str]]:
    if not quoting:
        return [line.split(delimiter) for line in _lines(text)]
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in _lines(text)]


def _lines(text: str) -> list[str]:
    """By LF or CR and LF only: other signs that end a line elsewhere may stand in a cell."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _preamble(rows: Sequence[Sequence[str]], n_fields: int) -> int:
    """How many lines come before the first that has all fields; none where that never comes."""
    for i, row in enumerate(rows[: _PREAMBLE + 1]):
        if len(row) == n_fields and sum(bool(cell.strip()) for cell in row) > n_fields / 2:
            return i
    return 0


def _is_padded(body: Sequence[Sequence[str]]) -> bool:
    """Whether cells are set apart by spaces, as in `39, State-gov, 77516`."""
    cells = [cell for row in body[:200] for cell in row[1:]]
    return bool(cells) and sum(cell[:1] == " " or cell[-1:] == " " for cell in cells) > len(cells) / 3


def _is_header(body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: texts, all different, unlike what stands below them."""
    if not body:
        return False
    first = [cell.strip() for cell in body[0]]
    named = [cell for cell in first if cell]
    if any(_NUMBER.fullmatch(cell) for cell in named) or not named:
        return False
    below = [[row[i].strip() for row in body[1:] if row[i].strip()] for i in range(len(first))]
    if any(cells and all(_NUMBER.fullmatch(cell) for cell in cells[:50]) for cells in below):
        return True
    if len(set(named)) < 0.9 * len(named):
        return False
    again = sum(name in cells for name, cells in zip(first, below, strict=True) if name)
    return again <= len(first) / 4


def _is_survey(body: Sequence[Sequence[str]]) -> bool:
    """Whether the question and an id for machines stand below each name, as Qualtrics exports them."""
    return len(body) > 3 and sum("ImportId" in cell for cell in body[2]) > len(body[2]) / 2


def _is_header_twice(body: Sequence[Sequence[str]]) -> bool:
    """Whether a line for machines (X1, X2) stands above the one that names columns: both texts, numbers below."""
    first, second, below = body[:1], body[1:2], body[2:50]
    if not below or any(_NUMBER.fullmatch(cell.strip()) for row in (*first, *second) for cell in row):
        return False
    if not all(cell.strip() for cell in second[0]):
        return False
    numbers = [all(_NUMBER.fullmatch(row[i].strip()) for row in below if row[i].strip()) for i in range(len(second[0]))]
    return sum(numbers) > len(numbers) / 2


def _renamed(header: Sequence[str]) -> list[str]:
    """Names that can be keys: none empty, none twice, none of ours."""
    found: list[str] = []
    for i, cell in enumerate(header):
        name = cell.strip() or f"column_{i + 1}"
        if _OURS.search(name):
            name = "x" + name.replace("${", "")
        base, n = name, 2
        while name in found:
            name, n = f"{base}_{n}", n + 1
        found.append(name)
    return found


def _notes(dialect: Dialect, *, skip: int, has_header: bool, names: list[str], header: list[str]) -> tuple[str, ...]:
    found = []
    if dialect.encoding != "utf-8":
        found.append(f"it is written in {dialect.encoding}, not in UTF-8")
    if skip:
        found.append(f"the first {skip} lines come before the header")
    if not has_header:
        found.append("the first line names no columns, so they are called c1, c2, …")
    elif renamed := [
        f"{old!r} is called {new!r}" for old, new in zip(header, names, strict=True) if old.strip() != new
    ]:
        found.append(", ".join(renamed[:5]))
    if not dialect.quoting:
        found.append("quotes are signs like any other")
    return tuple(found)
