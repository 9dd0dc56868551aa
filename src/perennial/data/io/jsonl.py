"""Path of a JSONL file in → blocks of text rows and rejects: each line is one object, and a row or a reject.

A value's text is what stands in the file: numbers are never computed with, null is the empty cell, true and false are
words. Memory is a few blocks. (https://jsonlines.org)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import polars as pl

from perennial.data.io.byte_source import PendingBytes
from perennial.data.io.read import BLOCK_BYTES, Block, Reject
from perennial.data.io.records import FIELD_LIMIT, Reason
from perennial.data.names import LINE, RAW, RECORD
from perennial.errors import InputError

_MOST_KEYS = 5_000


class _NoRow(ValueError):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def read_keys(path: Path, encoding: str) -> list[str]:
    """Every key of the file's objects, in the order in which they come: its columns.

    Raises: InputError when no line is an object, or the keys have no end.
    """
    keys: dict[str, None] = {}
    n_lines, n_objects = 0, 0
    for line in _lines(path, encoding):
        n_lines += 1
        try:
            keys |= dict.fromkeys(_object(line))
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
    """The records of a file, block by block; of each object the values of `names`, under the contract's names.

    Those of `ignored` may be lists and objects, which are read as empty.

    Raises: InputError as `Unread`; at the end, where more than 1 % of the records hold lists or objects.
    """
    rows: list[tuple[Any, ...]] = []
    rejects: list[Reject] = []
    reasons: Counter[Reason] = Counter()
    schema = {**dict.fromkeys(names.values(), pl.String()), RECORD: pl.Int64(), LINE: pl.Int64(), RAW: pl.Binary()}
    size, n_lines, first = 0, 0, dict[Reason, int]()
    for n_lines, line in enumerate(_lines(path, encoding), start=1):
        raw = line.rstrip(b"\r\n")
        try:
            rows.append((*_cells(_object(line), names, ignored), n_lines, n_lines, raw))
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


def _lines(path: Path, encoding: str) -> Iterator[bytes]:
    """Physical lines with their ends."""
    unread = PendingBytes(path, encoding, BLOCK_BYTES, "JSONL")
    while not unread.ended or unread.text:
        text = unread.text
        yield from text.splitlines(keepends=True) if b"\r" not in text else _at_newlines(text)
        unread.drop(len(text))
        if not unread.ended:
            unread.more()


def _at_newlines(text: bytes) -> Iterator[bytes]:
    """`splitlines` would also end a line at a CR by itself."""
    lines = text.split(b"\n")
    yield from (line + b"\n" for line in lines[:-1])
    if lines[-1]:
        yield lines[-1]


def _object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise _NoRow("invalid_utf8") from None
    if not text.strip():
        raise _NoRow("blank")
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)
    except (json.JSONDecodeError, RecursionError):
        raise _NoRow("broken_json") from None
    if not isinstance(found, dict):
        raise _NoRow("not_an_object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NoRow("duplicate_key")
    return found


def _cells(found: dict[str, Any], names: Mapping[str, str], ignored: Set[str]) -> Iterator[str]:
    for name in names:
        value = found.get(name)
        yield "" if name in ignored and isinstance(value, list | dict) else _text(value)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            _check(value)
            return value
        case _:
            raise _NoRow("nested")


def _check(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # half of a pair, which no text can hold
        raise _NoRow("invalid_utf8") from None
    if size > FIELD_LIMIT:
        raise _NoRow("field_too_long")
    if "\0" in text:
        raise _NoRow("nul_byte")
