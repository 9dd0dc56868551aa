"""The dialect of a text file that nobody described: encoding, delimiter, lines above the header, column names.

Only the beginning is looked at. The exact reader then tests every record against the dialect.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from perennial.contract.source import Source
from perennial.data.io.byte_source import read_chunks
from perennial.data.io.csv_header import DELIMITERS, Dialect
from perennial.discovery.layout import Header, Row, detect_layout
from perennial.errors import InputError

_HEAD_BYTES, _HEAD_LINES = 1 << 20, 400
_CHUNK_BYTES = 1 << 22
_SEPARATORS = (*DELIMITERS, " ")
_MAX_NON_ASCII = 10_000  # lines from which the encoding is clear


@dataclass(frozen=True, kw_only=True)
class DetectedDialect:
    """How a file is written, its column names, and the guesses in words."""

    dialect: Dialect
    names: tuple[str, ...]
    notes: tuple[str, ...]

    def to_source(self, files: str) -> Source:
        """The contract's source, with what differs from a plain CSV."""
        dialect = self.dialect
        return Source(
            kind="file",
            files=files,
            delimiter=dialect.delimiter,
            encoding=dialect.encoding,
            quoting="double" if dialect.quoting else "none",
            skip=dialect.skip,
            trim=dialect.trim,
            header=dialect.names,
        )


def detect_dialect(path: Path) -> DetectedDialect:
    """Raises: InputError for what is no table of text, or has no delimiter that its lines agree on."""
    encoding, text = _read_head(path)
    if not text.strip():
        raise InputError(f"{path}: empty; give a CSV file")
    lines = _split_lines(text)[:_HEAD_LINES]
    delimiter, n_fields = _detect_delimiter(path, lines)
    quoting = _has_paired_quotes(lines)
    rows = _parse_rows(text, delimiter, quoting=quoting)
    layout = detect_layout(rows, n_fields)
    skipped = layout.header.skip + (_count_lines(layout.header.above_rows) if layout.is_declared else 0)
    dialect = Dialect(delimiter=delimiter, encoding=encoding, quoting=quoting, trim=layout.trim, names=layout.names, skip=skipped)
    return _describe(dialect, layout.header)


def detect_sheet(rows: Sequence[Row]) -> DetectedDialect:
    """How a sheet is laid out, from the text of its first rows: rows above the header, column names."""
    layout = detect_layout(rows, max((len(row) for row in rows), default=0))
    skipped = layout.header.skip + (len(layout.header.above_rows) if layout.is_declared else 0)
    return _describe(Dialect(trim=layout.trim, names=layout.names, skip=skipped), layout.header)


def _describe(dialect: Dialect, header: Header) -> DetectedDialect:
    return DetectedDialect(dialect=dialect, names=tuple(header.names), notes=_describe_guesses(dialect, header))


def _read_head(path: Path) -> tuple[str, str]:
    """The encoding, and whole lines of the beginning. What is UTF-8 is opened once for both."""
    with open(path, "rb") as raw:
        mark = raw.read(2)
    if mark in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", _take_head(read_chunks(path, "utf-16", _HEAD_BYTES))
    chunks = read_chunks(path, "utf-8", _CHUNK_BYTES)
    first = next(chunks)
    if _is_utf8(chain([first], chunks)):
        return "utf-8", _take_head([first])
    encoding = "cp1252" if _is_cp1252(path) else "latin-1"
    return encoding, _take_head(read_chunks(path, encoding, _HEAD_BYTES))


def _is_utf8(chunks: Iterable[bytes]) -> bool:
    """Whether nearly all lines with signs beyond ASCII decode, the header among them; a few bad rows are set aside."""
    n_good = n_bad = n_lines = 0
    is_header_good = True
    for chunk in chunks:
        for i, line in enumerate(chunk.split(b"\n")[:-1] if not chunk.isascii() else (), n_lines):
            if line.isascii():
                continue
            try:
                line.decode()
                n_good += 1
            except UnicodeDecodeError:
                n_bad += 1
                is_header_good &= i > 0
        n_lines += chunk.count(b"\n")
        if n_good + n_bad > _MAX_NON_ASCII:
            break
    return is_header_good and n_bad <= max(3, n_good / 20, n_lines / 1_000)


def _is_cp1252(path: Path) -> bool:
    """Whether it decodes as Windows writes; latin-1 takes every byte."""
    try:
        for _ in read_chunks(path, "cp1252", _CHUNK_BYTES):
            pass
    except InputError:
        return False
    return True


def _take_head(chunks: Iterable[bytes]) -> str:
    """Whole lines of the beginning."""
    data = b""
    for chunk in chunks:
        data += chunk
        if len(data) >= _HEAD_BYTES:
            return data[: data.rfind(b"\n", 0, _HEAD_BYTES) + 1].decode("utf-8", errors="replace")
    return data.decode("utf-8", errors="replace")


def _detect_delimiter(path: Path, lines: Sequence[str]) -> tuple[str, int]:
    """The sign by which most lines have the same number of fields, and that number."""
    best: tuple[float, str, int] = (0.0, "", 0)
    for sign in _SEPARATORS:
        if sign == " " and any("  " in line for line in lines):
            continue
        counts = Counter(len(row) for row in _parse_rows("\n".join(lines), sign, quoting=True) if any(row))
        n_fields, n_rows = max(counts.items(), key=lambda item: (item[1], item[0])) if counts else (1, 0)
        share = n_rows / max(counts.total(), 1)
        if n_fields < 2 or share < 0.6 or (sign == " " and share < 0.98):
            continue
        worth = share * (1 + min(n_fields, 50) / 100) - (0.2 if sign == " " else 0)
        best = max(best, (worth, sign, n_fields))
    if best[1]:
        return best[1], best[2]
    if _is_fixed_width(lines):
        raise InputError(f"{path}: columns of fixed width; export it with a delimiter, such as a comma")
    signs = ", ".join(repr(sign) for sign in _SEPARATORS)
    raise InputError(f"{path}: no delimiter gives its lines the same number of fields (tried {signs}); is it a table?")


def _has_paired_quotes(lines: Sequence[str]) -> bool:
    """Whether quotes are quotes: nearly every line that has one has an even number, or fields go over lines."""
    odd = sum(line.count('"') % 2 for line in lines)
    return odd <= max(2, len(lines) // 5)


def _is_fixed_width(lines: Sequence[str]) -> bool:
    full = [line for line in lines if line.strip()]
    n_gapped = sum("  " in line for line in full)
    return len(full) > 2 and len({len(line) for line in full}) == 1 and n_gapped > len(full) / 2


def _parse_rows(text: str, delimiter: str, *, quoting: bool) -> list[list[str]]:
    if quoting:
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except csv.Error:
            pass  # by lines, then
    return [line.split(delimiter) for line in _split_lines(text)]


def _split_lines(text: str) -> list[str]:
    """By LF or CR and LF only: other signs that end a line elsewhere may stand in a cell."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _count_lines(rows: Sequence[Row]) -> int:
    """Physical lines of some rows, whose cells may go over several."""
    return sum(1 + sum(cell.count("\n") for cell in row) for row in rows)


def _describe_guesses(dialect: Dialect, header: Header) -> tuple[str, ...]:
    notes = []
    if dialect.encoding != "utf-8":
        notes.append(f"it is written in {dialect.encoding}, not in UTF-8")
    if header.skip:
        notes.append(f"the first {header.skip} lines come before the header")
    if not header.above_rows:
        notes.append("the first line names no columns, so they are called c1, c2, …")
    pairs = zip(header.cells, header.names, strict=True)
    if renames := [f"{cell!r} is called {name!r}" for cell, name in pairs if cell.strip() != name]:
        notes.append(", ".join(renames[:5]))
    if not dialect.quoting:
        notes.append("quotes are signs like any other")
    return tuple(notes)
