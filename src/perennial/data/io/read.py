"""Path of a CSV file in → blocks of text rows and rejects: every physical record is one or the other, with its place.

Cells stay text. Each row carries `_record` (from 1, after the header; rows and rejects share the count), `_line` (the
physical line on which it begins; the header's is 1) and `_raw` (its bytes without the line end; where an encoding other
than UTF-8 is declared, the bytes of its UTF-8 form). Memory is a few blocks.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from perennial.data.io.byte_source import ENCODINGS, LINE_LIMIT, Unread
from perennial.data.io.records import Bools, Cut, Grammar, Ints, Reason, cut, scan
from perennial.errors import ConfigError, InputError

__all__ = ["Block", "Dialect", "Reason", "Reject", "read_blocks", "read_header"]

BLOCK_BYTES = 4 * 1024 * 1024  # about 200 MB at the peak, and no slower than twice as much

_MOST_REJECTS = 100_000

_PLACE: dict[str, pl.DataType] = {"_record": pl.Int64(), "_line": pl.Int64(), "_raw": pl.Binary()}
DELIMITERS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"
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


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A record that is no row: its number, the line it begins on, why, and its bytes without the line end."""

    record: int
    line: int
    reason: Reason
    raw: bytes


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows in file order, the header's columns as String, then `_record`, `_line`, `_raw`; the rejects among them."""

    rows: pl.DataFrame
    rejects: list[Reject]


def read_header(path: Path, dialect: Dialect) -> list[str]:
    """The column names as they are written; the blocks have them trimmed.

    Raises:
        InputError: no file, no CSV, no header, a name twice, another delimiter or encoding.

    """
    return _take_header(Unread(path, dialect.encoding, BLOCK_BYTES), dialect)


def read_blocks(path: Path, dialect: Dialect) -> Iterator[Block]:
    """The records of a file, block by block; at least one block, even where no record follows the header.

    Raises:
        InputError: as `read_header`; a line of more than LINE_LIMIT bytes; a broken gzip; at the end, a file that
            as a whole is not what the dialect says (`_Seen.judge`).

    """
    unread = Unread(path, dialect.encoding, BLOCK_BYTES)
    names = [name.strip() for name in _take_header(unread, dialect)]
    grammar = Grammar(delimiter=dialect.delimiter.encode(), n_fields=len(names), quoting=dialect.quoting)
    seen = _Seen()
    n_blocks = 0
    while not unread.ended or unread.text:
        _check_blank(unread)
        found = cut(unread.text, grammar, ended=unread.ended)
        if found.used:
            _check_lengths(unread, found)
            text = _row_bytes(found)
            block = _block(found, text, names, dialect, record=seen.n_records + 1, line=unread.line)
            seen.add(block, beyond_ascii=not text.isascii())
            seen.check(path)
            unread.drop(found.used)
            yield block
            n_blocks += 1
        if not unread.ended:
            unread.more()
    if not n_blocks:
        yield Block(rows=pl.DataFrame(schema={**dict.fromkeys(names, pl.String()), **_PLACE}), rejects=[])
    seen.judge(path, names)


class _Seen:
    """What a file's records were so far, for the rules about the file as a whole."""

    def __init__(self) -> None:
        self.n_records, self.n_rows, self.beyond_ascii = 0, 0, False
        self.first_line: dict[Reason, int] = {}
        self.reasons: Counter[Reason] = Counter()

    def add(self, block: Block, *, beyond_ascii: bool) -> None:
        self.beyond_ascii |= beyond_ascii
        self.n_records += block.rows.height + len(block.rejects)
        self.n_rows += block.rows.height
        self.reasons.update(reject.reason for reject in block.rejects)
        for reject in block.rejects:
            self.first_line.setdefault(reject.reason, reject.line)

    def check(self, path: Path) -> None:
        """A file of which most is unreadable is not read to its end: what was set aside must fit into memory.

        Raises:
            InputError: more records are set aside than read, and they are many.

        """
        n_rejects = self.n_records - self.n_rows
        if n_rejects > _MOST_REJECTS and n_rejects > self.n_rows:
            reason = self.reasons.most_common(1)[0][0]
            raise InputError(
                f"{path}: {n_rejects} of the first {self.n_records} records are unreadable, most of them ({reason}), the"
                f" first on line {self.first_line[reason]}; is this the file that the contract describes?",
                code="mostly_unreadable",
            )

    def judge(self, path: Path, names: list[str]) -> None:
        """One record may always be wrong; beyond that, a share of them says that the file is not what was declared.

        Raises:
            InputError: no record as wide as the header; more than 1 % with broken quotes; more than 1 % undecodable and
                nothing beyond ASCII that is decodable.

        """
        many = max(1, self.n_records // 100)
        n_quotes = self.reasons["unclosed_quote"] + self.reasons["stray_quote"]
        if not self.n_rows and self.reasons["field_count"] > 1:
            raise InputError(
                f"{path}: the header has {len(names)} fields and none of {self.n_records} records has;"
                " remove lines before the header, or declare the delimiter",
                code="field_count",
            )
        if n_quotes > many:
            first = min(self.first_line[r] for r in ("unclosed_quote", "stray_quote") if r in self.first_line)
            raise InputError(
                f"{path}: {n_quotes} of {self.n_records} records, the first on line {first}, have quotes that do not"
                " pair; export it with each quote inside a quoted field doubled",
                code="quotes",
            )
        if self.reasons["invalid_utf8"] > many and not self.beyond_ascii:
            raise InputError(
                f"{path}: {self.reasons['invalid_utf8']} of {self.n_records} records, the first on line"
                f" {self.first_line['invalid_utf8']}, are not UTF-8; declare encoding: latin-1, cp1252 or utf-16",
                code="encoding",
            )


def _check_blank(unread: Unread) -> None:
    n_blank = unread.text.count(b"\n\n\n")  # of three line ends two are blank lines
    if n_blank > _MOST_REJECTS // 2:
        raise InputError(
            f"{unread.path}: from line {unread.line} on, {2 * n_blank} lines or more are blank; is the file whole?",
            code="mostly_unreadable",
        )


def _take_header(unread: Unread, dialect: Dialect) -> list[str]:
    path = unread.path
    _skip(unread, dialect.skip)
    if dialect.names is not None:
        return list(dialect.names)
    grammar = Grammar(delimiter=dialect.delimiter.encode(), n_fields=None, quoting=dialect.quoting)
    found = None
    while found is None and not unread.ended:
        unread.more()
        found = scan(unread.text, 0, grammar, ended=unread.ended) if unread.text else None
    if found is None:
        raise InputError(f"{path}: empty; give a CSV file that begins with a header", code="empty_file")
    raw = unread.text[: found.stop]
    if found.reason:
        hint = _other_delimiter(raw, dialect) if found.reason == "stray_quote" else None
        raise InputError(
            f"{path}: line {unread.line} is no header ({found.reason}); {hint or _HEADER_HINTS[found.reason]}",
            code="no_header",
        )
    names = _header_cells(raw.decode(), dialect)
    _check_names(path, [name.strip() for name in names], _other_delimiter(raw, dialect))
    unread.drop(found.next_start)
    return names


def _skip(unread: Unread, lines: int) -> None:
    while unread.text.count(b"\n") < lines and not unread.ended:
        unread.more()
    stop = 0
    for _ in range(lines):
        stop = unread.text.find(b"\n", stop) + 1
        if not stop:
            raise InputError(
                f"{unread.path}: has fewer than the {lines} lines to skip; mend source.skip", code="no_header"
            )
    unread.drop(stop)


def _header_cells(text: str, dialect: Dialect) -> list[str]:
    if not dialect.quoting:
        return text.split(dialect.delimiter)
    return next(csv.reader([text], delimiter=dialect.delimiter, strict=True))


def _check_names(path: Path, names: list[str], hint: str | None) -> None:
    if len(names) == 1 and hint:
        raise InputError(f"{path}: the header {names[0][:80]!r} is one column; {hint}", code="other_delimiter")
    if twice := sorted(name for name, n in Counter(names).items() if n > 1):
        raise InputError(
            f"{path}: column names that stand twice in the header: {twice[:5]}; rename them", code="duplicate_column"
        )
    if ours := sorted(_PLACE.keys() & set(names)):
        raise InputError(
            f"{path}: columns {ours} have names that the reader gives; rename them", code="reserved_column"
        )


def _other_delimiter(raw: bytes, dialect: Dialect) -> str | None:
    counts = {sign: raw.count(sign.encode()) for sign in DELIMITERS if sign != dialect.delimiter}
    likely = max(counts, key=lambda sign: counts[sign])
    return f'if it is separated by {likely!r}, declare delimiter: "{likely}"' if counts[likely] else None


def _check_lengths(unread: Unread, found: Cut) -> None:
    too_long = np.flatnonzero(found.stop - found.start > LINE_LIMIT)
    if len(too_long):
        raise unread.line_too_long(int(found.line[too_long[0]]))


def _block(found: Cut, text: bytes, names: list[str], dialect: Dialect, *, record: int, line: int) -> Block:
    is_row, size, size_with_end = _is_row(found), found.stop - found.start, found.next_start - found.start
    place = pl.DataFrame(
        {
            "_record": record + np.flatnonzero(is_row),
            "_line": line + found.line[is_row],
            "_raw": _raw(text, size[is_row], size_with_end[is_row]),
        },
        schema=_PLACE,
    )
    rejects = [
        Reject(
            record=record + i,
            line=line + int(found.line[i]),
            reason=reason,
            raw=found.data[found.start[i] : found.stop[i]],
        )
        for i, reason in found.rejected.items()
    ]
    cells = _cells(text, names, dialect)
    assert cells.height == place.height, "a record that the grammar took was read otherwise"
    return Block(rows=cells.hstack(place), rejects=rejects)


def _is_row(found: Cut) -> Bools:
    is_row = np.ones(len(found.start), dtype=np.bool_)
    is_row[list(found.rejected)] = False
    return is_row


def _row_bytes(found: Cut) -> bytes:
    """The bytes of the rows with their line ends, joined from the runs that no reject interrupts."""
    edges = np.flatnonzero(np.diff(_is_row(found), prepend=False, append=False))
    runs = zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"".join(found.data[found.start[first] : found.next_start[stop - 1]] for first, stop in runs)


def _cells(text: bytes, names: list[str], dialect: Dialect) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String())
    if not text:
        return pl.DataFrame(schema=schema)
    # Polars drops a byte order mark at the start and unpacks what begins like zlib (x^): so it gets a mark of its own.
    cells = pl.read_csv(
        _BOM + text, has_header=False, schema=schema, separator=dialect.delimiter, empty_string_is_null=False,
        quote_char='"' if dialect.quoting else None,
    )  # fmt: skip
    return cells.with_columns(pl.all().str.strip_chars(" ")) if dialect.trim else cells


def _raw(text: bytes, size: Ints, size_with_end: Ints) -> pl.Series:
    """The records without their line ends: the rows' bytes once more, in one buffer, and where each begins in it."""
    keep = np.ones(len(text), dtype=np.bool_)
    content_stop = np.cumsum(size_with_end) - size_with_end + size
    for nth in (0, 1):  # LF, or CR and LF, or nothing at the end of the file
        keep[content_stop[size_with_end - size > nth] + nth] = False
    content = np.frombuffer(text, dtype=np.uint8)[keep]
    offsets = np.append(0, np.cumsum(size)).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    raw = pl.from_arrow(pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(size), buffers))
    assert isinstance(raw, pl.Series)
    return raw
