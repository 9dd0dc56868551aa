"""JSONL reader: each line is one object and becomes a text row or a reject (https://jsonlines.org).

A value's text is what stands in the file: numbers are never computed with, null is the empty cell, true and false are
words. Memory is a few blocks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import polars as pl

from perennial.data.io.byte_source import PendingBytes
from perennial.data.io.csv_header import PLACE_SCHEMA
from perennial.data.io.read import BLOCK_BYTES, Block, Reject
from perennial.data.io.records import FIELD_LIMIT, Reason
from perennial.errors import InputError

_MOST_KEYS = 5_000


class _NoRow(ValueError):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def read_keys(path: Path, encoding: str) -> list[str]:
    """Read every key of the file's objects, in order of first appearance: its columns.

    Raises: InputError when fewer than half of the lines are objects, or there are more than 5,000 keys.
    """
    keys: dict[str, None] = {}
    n_lines, n_objects = 0, 0
    for line in _read_lines(path, encoding):
        n_lines += 1
        try:
            keys |= dict.fromkeys(_parse_object(line))
        except _NoRow:
            continue
        n_objects += 1
        if len(keys) > _MOST_KEYS:
            raise InputError(f"{path}: more than {_MOST_KEYS} different keys; are they data?", code="too_many_columns")
    if not n_lines:
        raise InputError(f"{path}: empty; give a file with one JSON object a line", code="empty_file")
    if n_objects < max(1, n_lines // 2):
        raise InputError(
            f"{path}: {n_objects} of {n_lines} lines are JSON objects; write each record as one object on one line",
            code="not_jsonl",
        )
    return list(keys)


def read_objects(path: Path, encoding: str, names: Mapping[str, str], ignored: Set[str]) -> Iterator[Block]:
    """Read the records of a file, block by block; of each object the values of `names`, under the contract's names.

    Lists and objects in the columns of `ignored` are read as empty.

    Raises: InputError as `PendingBytes`; at the end, where more than 1 % of the records hold lists or objects.
    """
    rows: list[tuple[Any, ...]] = []
    rejects: list[Reject] = []
    reasons: Counter[Reason] = Counter()
    schema = {**dict.fromkeys(names.values(), pl.String()), **PLACE_SCHEMA}
    size, n_lines, first = 0, 0, dict[Reason, int]()
    for n_lines, line in enumerate(_read_lines(path, encoding), start=1):
        raw = line.rstrip(b"\r\n")
        try:
            rows.append((*_text_cells(_parse_object(line), names, ignored), n_lines, n_lines, raw))
        except _NoRow as error:
            reason: Reason = "cut_last_line" if error.reason == "broken_json" and raw == line else error.reason
            rejects.append(Reject(record=n_lines, line=n_lines, reason=reason, raw=raw))
            reasons[reason] += 1
            first.setdefault(reason, n_lines)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield Block(rows=pl.DataFrame(rows, schema=schema, orient="row"), rejects=rejects)
            rows, rejects, size = [], [], 0
    yield Block(rows=pl.DataFrame(rows, schema=schema, orient="row"), rejects=rejects)
    if reasons["nested"] > max(1, n_lines // 100):
        raise InputError(
            f"{path}: {reasons['nested']} of {n_lines} records, the first on line {first['nested']}, hold a list or an"
            " object where a column holds one value; give each value a key of its own, or the column the role ignore",
            code="nested",
        )


def _read_lines(path: Path, encoding: str) -> Iterator[bytes]:
    """Read physical lines with their line ends."""
    unread = PendingBytes(path, encoding, BLOCK_BYTES, "JSONL")
    while not unread.ended or unread.text:
        text = unread.text
        yield from text.splitlines(keepends=True) if b"\r" not in text else _split_lines(text)
        unread.drop(len(text))
        if not unread.ended:
            unread.more()


def _split_lines(text: bytes) -> Iterator[bytes]:
    """Split at LF only, as `splitlines` would also end a line at a lone CR."""
    lines = text.split(b"\n")
    yield from (line + b"\n" for line in lines[:-1])
    if lines[-1]:
        yield lines[-1]


def _parse_object(line: bytes) -> dict[str, object]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise _NoRow("invalid_utf8") from None
    if not text.strip():
        raise _NoRow("blank")
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_reject_duplicates)
    except (json.JSONDecodeError, RecursionError):
        raise _NoRow("broken_json") from None
    if not isinstance(value, dict):
        raise _NoRow("not_an_object")
    return value


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise _NoRow("duplicate_key")
    return record


def _text_cells(record: dict[str, object], names: Mapping[str, str], ignored: Set[str]) -> Iterator[str]:
    for name in names:
        value = record.get(name)
        yield "" if name in ignored and isinstance(value, list | dict) else _cell_text(value)


def _cell_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            _check_text(value)
            return value
        case _:
            raise _NoRow("nested")


def _check_text(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # half of a pair, which no text can hold
        raise _NoRow("invalid_utf8") from None
    if size > FIELD_LIMIT:
        raise _NoRow("field_too_long")
    if "\0" in text:
        raise _NoRow("nul_byte")
