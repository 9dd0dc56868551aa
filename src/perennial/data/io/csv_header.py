"""CSV dialect and header: how a file is written, and the column names that its first record gives."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from perennial.data.io.byte_source import ENCODINGS, PendingBytes
from perennial.data.io.records import Grammar, Reason, scan_record
from perennial.data.names import LINE, RAW, RECORD
from perennial.errors import ConfigError, InputError

DELIMITERS = (",", ";", "\t", "|")
PLACE_SCHEMA: dict[str, pl.DataType] = {RECORD: pl.Int64(), LINE: pl.Int64(), RAW: pl.Binary()}
_HEADER_HINTS: dict[Reason, str] = {
    "blank": "put the column names there",
    "unclosed_quote": "close the quote",
    "stray_quote": "double each quote inside a quoted name",
    "stray_cr": "convert its line ends to LF",
    "field_too_long": "is this a CSV file?",
    "nul_byte": "if it is UTF-16, declare encoding: utf-16",
    "invalid_utf8": "declare encoding: latin-1, cp1252 or utf-16",
    "cut_last_line": "close the quote; is the file whole?",
}


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a file is written: a delimiter of one byte, its encoding, its columns where it has no header (`names`).

    Without `quoting` a quote is a sign like any other and each line is a record. `skip` lines stand before the header;
    with `trim` spaces around a cell are no part of it.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    names: tuple[str, ...] | None = None
    quoting: bool = True
    skip: int = 0
    trim: bool = False

    def __post_init__(self) -> None:
        if len(self.delimiter.encode()) != 1 or self.delimiter in '"\r\n\0' or self.delimiter.isalnum():
            raise ConfigError(f"delimiter {self.delimiter!r}: give one ASCII sign, such as {', '.join(DELIMITERS)!r}")
        if self.encoding not in ENCODINGS:
            raise ConfigError(f"encoding {self.encoding!r} is not known; give one of {', '.join(ENCODINGS)}")


def take_header(unread: PendingBytes, dialect: Dialect) -> list[str]:
    """The column names as they are written; what is left in `unread` are the records.

    Raises: InputError for no CSV, no header, a name twice, another delimiter or encoding.
    """
    path = unread.path
    _skip_lines(unread, dialect.skip)
    if dialect.names is not None:
        return list(dialect.names)
    grammar = Grammar(delimiter=dialect.delimiter.encode(), n_fields=None, quoting=dialect.quoting)
    scanned = None
    while scanned is None and not unread.ended:
        unread.more()
        scanned = scan_record(unread.text, 0, grammar, ended=unread.ended) if unread.text else None
    if scanned is None:
        raise InputError(f"{path}: empty; give a CSV file that begins with a header", code="empty_file")
    raw = unread.text[: scanned.stop]
    if scanned.reason:
        hint = _suggest_delimiter(raw, dialect) if scanned.reason == "stray_quote" else None
        raise InputError(
            f"{path}: line {unread.line} is no header ({scanned.reason}); {hint or _HEADER_HINTS[scanned.reason]}",
            code="no_header",
        )
    names = _split_header(raw.decode(), dialect)
    check_names(path, [name.strip() for name in names], _suggest_delimiter(raw, dialect))
    unread.drop(scanned.next_start)
    return names


def _skip_lines(unread: PendingBytes, lines: int) -> None:
    while unread.text.count(b"\n") < lines and not unread.ended:
        unread.more()
    stop = 0
    for _ in range(lines):
        stop = unread.text.find(b"\n", stop) + 1
        if not stop:
            raise InputError(f"{unread.path}: has fewer than the {lines} lines to skip; mend source.skip", code="no_header")
    unread.drop(stop)


def _split_header(text: str, dialect: Dialect) -> list[str]:
    if not dialect.quoting:
        return text.split(dialect.delimiter)
    return next(csv.reader([text], delimiter=dialect.delimiter, strict=True))


def check_names(path: Path, names: list[str], hint: str | None) -> None:
    """Raises: InputError for a name that stands twice or that the reader gives, and for one column where `hint` sees several."""
    if len(names) == 1 and hint:
        raise InputError(f"{path}: the header {names[0][:80]!r} is one column; {hint}", code="other_delimiter")
    if twice := sorted(name for name, n in Counter(names).items() if n > 1):
        raise InputError(
            f"{path}: column names that stand twice in the header: {twice[:5]}; rename them", code="duplicate_column"
        )
    if ours := sorted(PLACE_SCHEMA.keys() & set(names)):
        raise InputError(f"{path}: columns {ours} have names that the reader gives; rename them", code="reserved_column")


def _suggest_delimiter(raw: bytes, dialect: Dialect) -> str | None:
    counts = {sign: raw.count(sign.encode()) for sign in DELIMITERS if sign != dialect.delimiter}
    likely = max(counts, key=lambda sign: counts[sign])
    return f'if it is separated by {likely!r}, declare delimiter: "{likely}"' if counts[likely] else None
