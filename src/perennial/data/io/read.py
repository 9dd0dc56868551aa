"""CSV reader: every physical record of a file becomes a text row or a reject, with its place in the file.

Cells stay text. Each row carries `_record` (from 1, after the header; rows and rejects share the count), `_line` (the
physical line on which it begins; the header's is 1) and `_raw` (its bytes without the line end; where an encoding other
than UTF-8 is declared, the bytes of its UTF-8 form). Memory is a few blocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from perennial.data.io.byte_source import LINE_LIMIT, PendingBytes
from perennial.data.io.csv_header import PLACE_SCHEMA, Dialect, take_header
from perennial.data.io.records import Bools, CutRecords, Grammar, Ints, Reason, cut_records
from perennial.data.names import LINE, RAW, RECORD
from perennial.errors import InputError

BLOCK_BYTES = 4 * 1024 * 1024  # about 200 MB at the peak, and no slower than twice as much

_MOST_REJECTS = 100_000

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A record that is no row: its number, the line it begins on, the reason, and its bytes without the line end."""

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
    """Read the column names as they are written; the blocks have them trimmed (raises as `take_header`)."""
    return open_csv(path, dialect)[0]


def read_blocks(path: Path, dialect: Dialect) -> Iterator[Block]:
    """Read the records of a file, block by block; at least one block, even where no record follows the header.

    Raises: InputError as `read_header`; for a line of more than LINE_LIMIT bytes; for a broken gzip; at the end, for a
    file that as a whole is not what the dialect says (`FileTally.check_file`).
    """
    yield from open_csv(path, dialect)[1]


def open_csv(path: Path, dialect: Dialect) -> tuple[list[str], Iterator[Block]]:
    """Open a file once: its column names as they are written, and its records as in `read_blocks`."""
    unread = PendingBytes(path, dialect.encoding, BLOCK_BYTES)
    names = take_header(unread, dialect)
    return names, _cut_blocks(unread, [name.strip() for name in names], dialect)


def _cut_blocks(unread: PendingBytes, names: list[str], dialect: Dialect) -> Iterator[Block]:
    grammar = Grammar(delimiter=dialect.delimiter.encode(), n_fields=len(names), quoting=dialect.quoting)
    tally = FileTally()
    n_blocks = 0
    while not unread.ended or unread.text:
        _check_blank(unread)
        cut = cut_records(unread.text, grammar, ended=unread.ended)
        if cut.used:
            _check_lengths(unread, cut)
            text = _join_rows(cut)
            block = _build_block(cut, text, names, dialect, record=tally.n_records + 1, line=unread.line)
            tally.add(block, beyond_ascii=not text.isascii())
            tally.check(unread.path)
            unread.drop(cut.used)
            yield block
            n_blocks += 1
        if not unread.ended:
            unread.more()
    if not n_blocks:
        yield Block(rows=pl.DataFrame(schema={**dict.fromkeys(names, pl.String()), **PLACE_SCHEMA}), rejects=[])
    tally.check_file(unread.path, names)


class FileTally:
    """Counts of a file's records so far, for the rules about the file as a whole."""

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
        """Stop early on a mostly unreadable file, because the rejects must fit into memory.

        Raises: InputError when more records are rejected than read, and they are many.
        """
        n_rejects = self.n_records - self.n_rows
        if n_rejects > _MOST_REJECTS and n_rejects > self.n_rows:
            reason = self.reasons.most_common(1)[0][0]
            raise InputError(
                f"{path}: {n_rejects} of the first {self.n_records} records are unreadable, most of them ({reason}), the"
                f" first on line {self.first_line[reason]}; is this the file that the contract describes?",
                code="mostly_unreadable",
            )

    def check_file(self, path: Path, names: list[str]) -> None:
        """Check the file as a whole: one record may always be wrong, more than 1 % mean that it is not as declared.

        Raises: InputError when no record is as wide as the header; more than 1 % have broken quotes; more than 1 % are
        undecodable and nothing beyond ASCII is decodable.
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


def _check_blank(unread: PendingBytes) -> None:
    n_blank = unread.text.count(b"\n\n\n")  # of three line ends two are blank lines
    if n_blank > _MOST_REJECTS // 2:
        raise InputError(
            f"{unread.path}: from line {unread.line} on, {2 * n_blank} lines or more are blank; is the file whole?",
            code="mostly_unreadable",
        )


def _check_lengths(unread: PendingBytes, cut: CutRecords) -> None:
    too_long = np.flatnonzero(cut.stop - cut.start > LINE_LIMIT)
    if len(too_long):
        raise unread.line_too_long(int(cut.line[too_long[0]]))


def _build_block(cut: CutRecords, text: bytes, names: list[str], dialect: Dialect, *, record: int, line: int) -> Block:
    is_row, size, size_with_end = _row_mask(cut), cut.stop - cut.start, cut.next_start - cut.start
    place = pl.DataFrame(
        {
            RECORD: record + np.flatnonzero(is_row),
            LINE: line + cut.line[is_row],
            RAW: _slice_raw(text, size[is_row], size_with_end[is_row]),
        },
        schema=PLACE_SCHEMA,
    )
    rejects = [
        Reject(record=record + i, line=line + int(cut.line[i]), reason=reason, raw=cut.data[cut.start[i] : cut.stop[i]])
        for i, reason in cut.rejected.items()
    ]
    cells = _parse_cells(text, names, dialect)
    assert cells.height == place.height, "a record that the grammar took was read otherwise"
    return Block(rows=cells.hstack(place), rejects=rejects)


def _row_mask(cut: CutRecords) -> Bools:
    is_row = np.ones(len(cut.start), dtype=np.bool_)
    is_row[list(cut.rejected)] = False
    return is_row


def _join_rows(cut: CutRecords) -> bytes:
    """Join the bytes of the rows with their line ends, run by run between the rejects."""
    edges = np.flatnonzero(np.diff(_row_mask(cut), prepend=False, append=False))
    runs = zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"".join(cut.data[cut.start[first] : cut.next_start[stop - 1]] for first, stop in runs)


def _parse_cells(text: bytes, names: list[str], dialect: Dialect) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String())
    if not text:
        return pl.DataFrame(schema=schema)
    # Polars drops a byte order mark at the start and unpacks what begins like zlib (x^): so it gets a mark of its own.
    cells = pl.read_csv(
        _BOM + text,
        has_header=False,
        schema=schema,
        separator=dialect.delimiter,
        empty_string_is_null=False,
        quote_char='"' if dialect.quoting else None,
    )
    return cells.with_columns(pl.all().str.strip_chars(" ")) if dialect.trim else cells


def _slice_raw(text: bytes, size: Ints, size_with_end: Ints) -> pl.Series:
    """The records without their line ends, as one buffer and the offset of each in it."""
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
