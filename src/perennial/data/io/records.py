"""CSV records: the grammar that cuts the bytes of a file into physical records, each a row or a reject with one reason.

The grammar: fields joined by the delimiter, ended by LF, CRLF or the end of the file; a field is bare (no quote, CR or
LF in it) or quoted from its first byte to its last ("" stands for a quote; line ends are text). A record over several
lines is one only if it is well formed with the header's number of fields; otherwise its first line is rejected and
reading goes on at the next, so that an unclosed quote costs one line.

`prove_lines` proves most lines to be records by counting; `scan_record` examines the others one by one and alone gives
reasons. Where a record may begin, a line that is a record by itself is that record, so the proof is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from perennial.data.io.byte_source import LINE_LIMIT

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FIELD_LIMIT = 64 * 1024  # bytes, quotes included

Reason = Literal[
    "blank",  # nothing where fields were expected
    "field_count",  # more or fewer fields than the header
    "unclosed_quote",  # a quote opens a field and closes neither on its line nor in a whole record after it
    "stray_quote",  # a quote inside a bare field, or text after a closing quote
    "stray_cr",  # a carriage return that ends no line
    "field_too_long",  # more than FIELD_LIMIT bytes
    "nul_byte",
    "invalid_utf8",
    "cut_last_line",  # the file ends inside this record
    "broken_json",  # a line that is no JSON
    "not_an_object",  # JSON, and no object of names and values
    "duplicate_key",  # an object that names a value twice
    "nested",  # a list or an object where a column holds one value
]


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """The delimiter, the number of fields (None: any, for the header itself), and whether quotes have a meaning."""

    delimiter: bytes
    n_fields: int | None
    quoting: bool = True

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """A quoted field, else the bare text up to the first byte that a bare field cannot hold."""
        if not self.quoting:
            return re.compile(rb"[^\r\n" + re.escape(self.delimiter) + rb"]*+")
        return re.compile(rb'"(?:[^"]++|"")*+"|[^"\r\n' + re.escape(self.delimiter) + rb"]*+")


@dataclass(frozen=True, kw_only=True)
class ScannedRecord:
    """One record: the byte where the next one starts, its end without the line end, and the reason if it is no row."""

    next_start: int
    stop: int
    reason: Reason | None


@dataclass(frozen=True, kw_only=True)
class CutRecords:
    """The records of `data[:used]`: first byte, end without line end, line (from 0), (r,) each; reasons by record."""

    data: bytes
    used: int
    start: Ints
    stop: Ints
    line: Ints
    rejected: dict[int, Reason]

    @property
    def next_start(self) -> Ints:
        return np.append(self.start[1:], self.used)


def cut_records(data: bytes, grammar: Grammar, *, ended: bool) -> CutRecords:
    """Cut whole lines (at the end of the file: all that is left) into records; one that needs more bytes stays unused."""
    starts, stops = find_lines(data)
    begins = np.ones(len(starts), dtype=np.bool_)
    stops_of = stops.copy()
    reasons: dict[int, Reason] = {}
    used, n_lines, free = len(data), len(starts), 0
    for i in np.flatnonzero(~prove_lines(data, starts, stops, grammar)).tolist():
        if i < free:
            continue  # inside a record over several lines
        scanned = scan_record(data, int(starts[i]), grammar, ended=ended)
        if scanned is None:
            used, n_lines = int(starts[i]), i
            break
        free = int(np.searchsorted(starts, scanned.next_start))
        begins[i + 1 : free] = False
        stops_of[i] = scanned.stop
        if scanned.reason:
            reasons[i] = scanned.reason
    heads = np.flatnonzero(begins[:n_lines])
    return CutRecords(
        data=data,
        used=used,
        start=starts[heads],
        stop=stops_of[heads],
        line=heads,
        rejected={int(np.searchsorted(heads, i)): reason for i, reason in reasons.items()},
    )


def find_lines(data: bytes) -> tuple[Ints, Ints]:
    """Find the first byte of each physical line and its end without the line end, (l,) each."""
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate(([0], ends + 1))
    stops = ends - ((ends > starts[:-1]) & (text[ends - 1] == ord("\r")))
    if starts[-1] == len(data):
        return starts[:-1], stops
    return starts, np.append(stops, len(data))  # a last line that nothing ends


def scan_record(data: bytes, start: int, grammar: Grammar, *, ended: bool) -> ScannedRecord | None:
    """Scan the record that starts at `start`; None where more bytes must be read first."""
    line_stop = data.find(b"\n", start) + 1 or len(data)
    most_fields = grammar.n_fields or LINE_LIMIT
    pos, n_fields = start, 1
    while pos - start <= LINE_LIMIT and (pos <= line_stop or n_fields <= most_fields):
        match = grammar.field.match(data, pos, pos + FIELD_LIMIT + 1)
        assert match is not None  # a bare field may be empty
        stop = match.end()
        unclosed = grammar.quoting and data[pos : pos + 1] == b'"' and stop == pos
        if not ended and (pos + FIELD_LIMIT >= len(data) if unclosed else stop == len(data)):
            return None
        if stop - pos > FIELD_LIMIT or (unclosed and line_stop - pos > FIELD_LIMIT):
            return _reject_line(data, start, line_stop, stop, "field_too_long")
        if unclosed:
            return _reject_line(data, start, line_stop, stop, "unclosed_quote")
        if data.startswith(grammar.delimiter, stop):
            pos, n_fields = stop + 1, n_fields + 1
            continue
        for line_end in (b"\n", b"\r\n", b""):
            if data.startswith(line_end, stop) and (line_end or stop == len(data)):
                return _finish_record(data, start, line_stop, stop, stop + len(line_end), n_fields, grammar.n_fields)
        reason: Reason = "stray_cr" if data.startswith(b"\r", stop) else "stray_quote"
        return _reject_line(data, start, line_stop, stop, reason)
    return _reject_line(data, start, line_stop, line_stop + 1, "unclosed_quote")


def _finish_record(
    data: bytes, start: int, line_stop: int, stop: int, next_start: int, n_fields: int, expected: int | None
) -> ScannedRecord:
    raw = data[start:stop]
    reason: Reason | None = None
    if not raw or n_fields != (expected or n_fields):
        short = n_fields < (expected or 0) and next_start == stop  # no line end: the file was cut
        reason = "blank" if not raw.strip() else "cut_last_line" if short else "field_count"
        return _reject_line(data, start, line_stop, stop, reason)
    if b"\0" in raw:
        reason = "nul_byte"
    elif not _is_utf8(raw):
        reason = "invalid_utf8"
    return ScannedRecord(next_start=next_start, stop=stop, reason=reason)


def _reject_line(data: bytes, start: int, line_stop: int, read_until: int, reason: Reason) -> ScannedRecord:
    """Reject one physical line; whatever went wrong beyond it, its own fault is the quote that led there."""
    if read_until > line_stop:
        reason = "unclosed_quote"
    content = data[start:line_stop]
    if not content.endswith(b"\n") and reason == "unclosed_quote":
        reason = "cut_last_line"
    stop = line_stop - (2 if content.endswith(b"\r\n") else 1 if content.endswith(b"\n") else 0)
    return ScannedRecord(next_start=line_stop, stop=stop, reason=reason)


def prove_lines(data: bytes, starts: Ints, stops: Ints, grammar: Grammar) -> Bools:
    """Prove by counting which lines, (l,), are whole records with the right number of fields and decodable text."""
    if not len(starts) or grammar.n_fields is None:
        return np.zeros(len(starts), dtype=np.bool_)
    text = np.frombuffer(data + b"\n\n", dtype=np.uint8)  # so that every byte has two after it
    delimiter = text == ord(grammar.delimiter)
    n_delimiters = np.add.reduceat(delimiter[:-2].view(np.uint8), starts, dtype=np.uint16).astype(np.int64)
    proven = (stops - starts <= FIELD_LIMIT) & (stops > starts)
    if grammar.quoting and b'"' in data:
        quotes = np.flatnonzero(text == ord('"'))
        line = _line_of(starts, quotes)
        proven[line[~_is_well_placed(text, quotes, starts[line], ord(grammar.delimiter))]] = False
        n_quotes = np.bincount(line, minlength=len(starts))
        proven &= n_quotes % 2 == 0
        paired = quotes[proven[line]]
        opening, closing = paired[0::2], paired[1::2]
        places = np.flatnonzero(delimiter)
        inside = np.searchsorted(places, closing) - np.searchsorted(places, opening)
        np.subtract.at(n_delimiters, _line_of(starts, opening), inside)
    proven &= n_delimiters == grammar.n_fields - 1
    if b"\r" in data:
        returns = np.flatnonzero(text == ord("\r"))
        proven[_line_of(starts, returns[text[returns + 1] != ord("\n")])] = False
        proven[_line_of(starts, returns[returns + 1 == len(data)])] = False
    if b"\0" in data:
        proven[_line_of(starts, np.flatnonzero(text == 0))] = False
    if not _is_utf8(data):
        suspects = np.unique(_line_of(starts, np.flatnonzero(text >= 128)))
        proven[[i for i in suspects.tolist() if not _is_utf8(data[starts[i] : stops[i]])]] = False
    return proven


def _is_well_placed(text: npt.NDArray[np.uint8], quotes: Ints, line_start: Ints, delimiter: int) -> Bools:
    """Whether each quote, counted within its line, opens after a delimiter or a quote, or closes before one or a line end."""
    rank = np.arange(len(quotes)) - np.searchsorted(quotes, line_start)
    before, after, next_but_one = text[quotes - 1], text[quotes + 1], text[quotes + 2]
    opens = (quotes == line_start) | (before == delimiter) | (before == ord('"'))
    line_end = (after == ord("\n")) | ((after == ord("\r")) & (next_but_one == ord("\n")))
    closes = (after == delimiter) | (after == ord('"')) | line_end
    return np.asarray(np.where(rank % 2 == 0, opens, closes))


def _line_of(starts: Ints, at: Ints) -> Ints:
    return np.searchsorted(starts, at, side="right") - 1


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
