"""Every kind of bad input, through fetch, ingest, validate and clean: its treatment, its code, and nothing lost."""
# ruff: noqa: E501 - a table has one case a line

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import pickle
import re
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from perennial.data.names import ROW_ID
from perennial.errors import DataStopped, InputError, LeakError, PerennialError
from perennial.files.tables import read_table
from perennial.sources import fetch as fetching
from tests.conftest import REPO, Toy
from tests.fakes.workbooks import write_xlsx

pytestmark = pytest.mark.integration

HEADER = "who,joined,age,town,spend,y"
N = 60
TREATMENTS = {
    "R": "the file is rejected",
    "Q": "the row is set aside",
    "N": "put into normal form and counted",
    "W": "accepted with a warning",
    "A": "accepted",
    "S": "stopped: readable, unfit to train on",
}
Made = bytes | Callable[[Path], Path]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file (or what makes one), what of the contract is otherwise, and which codes it must lead to."""

    section: str
    name: str
    data: Made
    expected: dict[str, str]  # treatment → code; A → ""
    columns: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    unit: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None  # rows that stay, where the case fixes it
    deep: bool = False  # goes on to featurize and split


def line(i: int, **cells: str) -> str:
    document = {
        "who": f"W{i:04d}",
        "joined": f"2025-0{1 + i % 9}-1{i % 10}",
        "age": str(20 + i % 50),
        "town": ("Bern", "Zürich", "Genève")[i % 3],
        "spend": f"{i}.5",
        "y": ("no", "yes")[i % 4 == 0],
    }
    return ",".join({**document, **cells}.values())


def lines(n: int = N, **cells: str) -> list[str]:
    """The rows of a good file; `cells` are those of row 7."""
    return [line(i, **(cells if i == 7 else {})) for i in range(n)]


def text(rows: list[str], header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def with_cell(**cells: str) -> bytes:
    return text(lines(**cells))


def with_line(extra: str | bytes, at: int = 30) -> bytes:
    """A good file with one more line in it."""
    rows = [row.encode() for row in lines()]
    rows.insert(at, extra.encode() if isinstance(extra, str) else extra)
    return b"\n".join([HEADER.encode(), *rows]) + b"\n"


GOOD = text(lines())
ALL = ["who", "joined", "age", "town", "spend", "y"]


def column(name: str, value: str | Callable[[int], str], n: int = N) -> bytes:
    """A good file whose whole column is otherwise."""
    return text([line(i, **{name: value(i) if callable(value) else value}) for i in range(n)])


def parquet(**change: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        rows = [row.split(",") for row in lines(3000)]
        table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(ALL)})
        path = folder / change.get("file", "people.parquet")
        pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
        data = bytearray(path.read_bytes())
        if "cut" in change:
            data = data[: len(data) - change["cut"]]
        if "flip" in change:
            data[change["flip"]] ^= 4
        path.write_bytes(data)
        return path

    return make


def objects(*extra: str, n: int = N) -> bytes:
    rows = [row.split(",") for row in lines(n)]
    document = ["{" + ", ".join(f'"{k}": "{v}"' for k, v in zip(ALL, row, strict=True)) + "}" for row in rows]
    return ("\n".join([*document[:5], *extra, *document[5:]]) + "\n").encode()


def zipped(*members: tuple[str, bytes], link: str = "") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "people.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                archive.writestr(name, data)
            if link:
                info = zipfile.ZipInfo(link)
                info.external_attr = 0o120777 << 16
                archive.writestr(info, "/etc/passwd")
        return folder / "people.zip"

    return make


def workbook(
    *, sheets: tuple[str, ...] = ("May",), merged: str = "", cut: int | None = None, **cells: Callable[[int], Any]
) -> Callable[[Path], Path]:
    """A good file as a workbook, ids as text, days and numbers as such; `cells` give a column."""

    def make(folder: Path) -> Path:
        head, *rows = [row.split(",") for row in GOOD.decode().splitlines()]
        made = [
            {**dict(zip(head, row, strict=True)), **{name: cell(i) for name, cell in cells.items()}} for i, row in enumerate(rows)
        ]
        typed = {"joined": dt.date.fromisoformat, "age": float, "spend": float}
        table = [[typed[k](v) if k in typed and k not in cells and v else v for k, v in row.items()] for row in made]
        content = {sheet: [head, *table] for sheet in sheets}
        path = write_xlsx(folder / "people.xlsx", content, merged={sheet: [merged] for sheet in sheets if merged})
        path.write_bytes(path.read_bytes()[:cut])
        return path

    return make


def tarred(*members: tuple[str, bytes], mode: str = "w:gz", kind: bytes = b"", by_name: str = "x.csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with tarfile.open(folder / "people.tar.gz", mode) as archive:  # type: ignore[call-overload]
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            if kind:
                info = tarfile.TarInfo(by_name)
                info.type, info.linkname = kind, "/etc/passwd"
                archive.addfile(info)
        return folder / "people.tar.gz"

    return make


def a_zip_bomb(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("people.csv", "w") as file:
        file.write(GOOD)
        for _ in range(300):
            file.write(b"\n" * 2**20)
    return folder / "b.zip"


def a_gzip_bomb(folder: Path) -> Path:
    with gzip.open(folder / "people.csv.gz", "wb") as file:
        file.write(GOOD)
        for _ in range(300):
            file.write((line(1).encode() + b"\n") * 2**15)
    return folder / "people.csv.gz"


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "people.csv")
    return folder / "people.csv"


def a_folder(*others: str, link: bool = False, pipe: bool = False) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        room = folder / "delivery"
        room.mkdir()
        (room / "people.csv").write_bytes(GOOD)
        for other in others:
            (room / other).write_bytes(GOOD)
        if link:
            (room / "people2.csv").symlink_to("/etc/passwd")
        if pipe:
            os.mkfifo(room / "people2.csv")
        return room

    return make


_OPEN: list[Any] = []


def being_written(folder: Path) -> Path:
    path = folder / "people.csv"
    path.write_bytes(GOOD)
    _OPEN.append(path.open("ab"))
    return path


def named(file: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / file).write_bytes(data)
        return folder / file

    return make


def two_files(second: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        room = folder / "delivery"
        room.mkdir()
        (room / "people1.csv").write_bytes(GOOD)
        (room / "people2.csv").write_bytes(second)
        return room

    return make


def nfd(words: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFD", words)


B, C, T, D, K, S, P, X = (
    "Bytes and encoding",
    "CSV structure",
    "Types and numbers",
    "Dates",
    "Keys and rows",
    "Columns and statistics",
    "Parquet, JSONL, archives",
    "Security and privacy",
)
PARQUET = {"files": "people*.parquet", "format": "parquet"}
WORKBOOK = {"files": "people*.xlsx", "format": "workbook", "sheet": "June"}
JSONL = {"files": "people*.jsonl*", "format": "jsonl"}
BERLIN = {"at": {"role": "time", "tz": "Europe/Berlin"}}


def timed(when: str) -> bytes:
    rows = [f"{row},2025-06-01 12:00:00" for row in lines()]
    rows[7] = f"{lines()[7]},{when}"
    return text(rows, HEADER + ",at")


def case(section: str, name: str, data: Made, **document: Any) -> Case:
    expected = {key: document.pop(key) for key in list(document) if key in TREATMENTS}
    return Case(section=section, name=name, data=data, expected=expected, **document)


CASES = [
    case(B, "a good file", GOOD, A="", rows=N),
    case(B, "UTF-8 byte order mark", b"\xef\xbb\xbf" + GOOD, N="byte_order_mark", rows=N),
    case(B, "latin-1, not declared", column("town", "Zürich").decode().encode("latin-1"), R="encoding"),
    case(
        B,
        "latin-1, declared",
        column("town", "Zürich").decode().encode("latin-1"),
        N="encoding",
        source={"encoding": "latin-1"},
        rows=N,
    ),
    case(B, "UTF-16, not declared", GOOD.decode().encode("utf-16"), R="encoding"),
    case(B, "UTF-16, declared", GOOD.decode().encode("utf-16"), N="encoding", source={"encoding": "utf-16"}, rows=N),
    case(B, "UTF-16 without a mark", GOOD.decode().encode("utf-16-le"), R="no_header"),
    case(
        B,
        "declared encoding that it is not",
        with_line(b"W9,2025-01-01,30,Z\x81rich,1,no"),
        R="encoding",
        source={"encoding": "cp1252"},
    ),
    case(B, "invalid UTF-8 in one late row", with_line(b"W9,2025-01-01,30,Z\xfcrich,1,no", 59), Q="record:invalid_utf8"),
    case(B, "NUL bytes in a field", with_line(b"W9,2025-01-01,30,B\0rn,1,no"), Q="record:nul_byte"),
    case(B, "control characters", with_cell(town="Be\x07rn"), N="unseen_signs:town", W="unseen_signs", rows=N),
    case(B, "ANSI escapes", with_cell(town="\x1b[31mBern\x1b[0m"), N="unseen_signs:town", W="unseen_signs", rows=N),
    case(B, "last line cut", GOOD[:-12], Q="record:cut_last_line"),
    case(B, "file still being written", being_written, R="not_complete"),
    case(B, "file that is unfinished by its name", named("people.csv.part", GOOD), R="not_complete"),
    case(B, "NFC and NFD of one name", with_cell(town=nfd("Genève")), N="composed:town", rows=N),
    case(B, "zero-width signs in a category", with_cell(town="Be\u200brn"), N="unseen_signs:town", W="unseen_signs", rows=N),
    case(
        B,
        "bidirectional marks in a category",
        with_cell(town="\u202eBern\u202c"),
        N="unseen_signs:town",
        W="unseen_signs",
        rows=N,
    ),
    case(B, "a no-break space in a category", with_cell(town="Bern\u00a0Ost"), N="unseen_signs:town", W="unseen_signs", rows=N),
    case(C, "empty file", b"", R="empty_file"),
    case(C, "empty gzip", named("people.csv.gz", gzip.compress(b"")), R="empty_file"),
    case(C, "header only", (HEADER + "\n").encode(), R="no_rows"),
    case(C, "header only, allowed", (HEADER + "\n").encode(), S="row_count", source={"allow_empty": True}),
    case(
        C,
        "header only, allowed, no row asked for",
        (HEADER + "\n").encode(),
        W="no_rows",
        source={"allow_empty": True},
        rules=[{"kind": "row_count", "min": 0}],
        rows=0,
    ),
    case(C, "no header", text(lines()[1:], lines()[0]), R="missing_column"),
    case(C, "another delimiter", GOOD.replace(b",", b";"), R="other_delimiter"),
    case(C, "another delimiter, declared", GOOD.replace(b",", b";"), A="", source={"delimiter": ";"}, rows=N),
    case(C, "tabs, not declared", GOOD.replace(b",", b"\t"), R="other_delimiter"),
    case(
        C, "swapped columns", text([",".join(reversed(row.split(","))) for row in lines()], ",".join(reversed(ALL))), A="", rows=N
    ),
    case(C, "extra column", text([row + ",x" for row in lines()], HEADER + ",more"), W="extra_column", rows=N),
    case(C, "extra column without a name", text([row + "," for row in lines()], HEADER + ","), W="extra_column", rows=N),
    case(
        C,
        "missing required column",
        text([row.rpartition(",")[0] for row in lines()], HEADER.rpartition(",")[0]),
        R="missing_column",
    ),
    case(
        C,
        "missing optional column",
        text([row.rpartition(",")[0] for row in lines()], HEADER.rpartition(",")[0]),
        S="constant_outcome",
        columns={"y": {"required": False, "nullable": True}},
    ),
    case(C, "duplicate column names", text([row + ",1" for row in lines()], HEADER + ",age"), R="duplicate_column"),
    case(
        C,
        "two names that could be one column",
        text([row + ",1" for row in lines()], HEADER.replace("age", "AGE") + ",Age"),
        R="duplicate_column",
    ),
    case(C, "spaces in the header", text(lines(), HEADER.replace("age", " age ")), W="header_spelling", rows=N),
    case(C, "case in the header", text(lines(), HEADER.upper()), W="header_spelling", rows=N),
    case(C, "zero-width signs in the header", text(lines(), HEADER.replace("age", "\u200bage")), W="header_spelling", rows=N),
    case(C, "too many fields", with_line("W9,2025-01-01,30,Bern,1,no,more"), Q="record:field_count"),
    case(C, "too few fields", with_line("W9,2025-01-01,30"), Q="record:field_count"),
    case(C, "blank line", with_line(""), Q="record:blank"),
    case(C, "a million blank lines", GOOD + b"\n" * 10**6, R="mostly_unreadable"),
    case(C, "unclosed quote", with_line('W9,2025-01-01,30,"Bern,1,no'), Q="record:unclosed_quote", rows=N),
    case(C, "unclosed quotes above 1 %", text([row.replace("Bern", '"Bern') for row in lines()]), R="quotes"),
    case(C, "newline in a quoted field", with_line('W9,2025-01-01,30,"Be\nrn",1,no'), A="", rows=N + 1),
    case(C, "a comment before the header", b"# exported on Monday\n" + GOOD, R="missing_column"),
    case(C, "a title before the header", b"Customers;of;May\n\n" + GOOD, R="other_delimiter"),
    case(C, "a comment before the header, declared", b"# exported on Monday\n" + GOOD, A="", source={"skip": 1}, rows=N),
    case(C, "sep=, of a spreadsheet", b"sep=,\n" + GOOD, R="missing_column"),
    case(C, "totals row", with_line("Total,,1500,,900,", N), Q="record:totals_row", rows=N),
    case(C, "totals row in German", with_line("Gesamt,,1500,,900,", N), Q="record:totals_row", rows=N),
    case(C, "repeated header in the middle", with_line(HEADER), Q="record:repeated_header", W="repeated_header", rows=N),
    case(
        C,
        "5,000 columns when 6 are expected",
        text([",".join(["1"] * 5000)] * 50, ",".join(f"c{i}" for i in range(5000))),
        R="too_many_columns",
    ),
    case(C, "5 MB field", with_line(f"W9,2025-01-01,30,{'x' * 5_000_000},1,no"), Q="record:field_too_long", rows=N),
    case(C, "line of 10^7 characters", with_line("x" * 10_000_100), R="line_too_long"),
    case(C, "carriage returns alone end lines", GOOD.replace(b"\n", b"\r"), R="no_header"),
    case(C, "mixed line ends", GOOD.replace(b"\n", b"\r\n", 20), A="", rows=N),
    case(T, "one string in an int column", with_cell(age="old"), Q="cell:age", rows=N - 1),
    case(T, "1e309", with_cell(spend="1e309"), Q="cell:spend", rows=N - 1),
    case(T, "inf", with_cell(spend="inf"), Q="cell:spend", rows=N - 1),
    case(T, "NaN", with_cell(spend="NaN"), Q="cell:spend", rows=N - 1),
    case(T, "null token, declared", with_cell(spend="n/a"), N="null:spend", columns={"spend": {"null": ["n/a"]}}, rows=N),
    case(T, "null token, not declared", with_cell(spend="n/a"), Q="cell:spend", rows=N - 1),
    case(T, "null token in a category, not declared", with_cell(town="NULL"), W="like_null", rows=N),
    case(T, "negative age", with_cell(age="-3"), Q="between:age", rows=N - 1),
    case(T, "negative price", with_cell(spend="-3"), Q="between:spend", columns={"spend": {"min": 0}}, rows=N - 1),
    case(T, "thousands separator", with_cell(spend="1'234"), Q="cell:spend", rows=N - 1),
    case(T, "currency sign", with_cell(spend="€5"), Q="cell:spend", rows=N - 1),
    case(
        T,
        "thousands and currency, declared",
        with_cell(spend="€1'234.50"),
        N="number:spend",
        columns={"spend": {"thousands": "'", "strip": ["€"]}},
        rows=N,
    ),
    case(T, "id beyond int64", with_cell(who="98765432109876543210"), A="", rows=N),
    case(T, "id as float", with_cell(who="12.0"), Q="precision_lost:who", rows=N - 1),
    case(T, "id as 1.23E+17", with_cell(who="1.23E+17"), Q="precision_lost:who", rows=N - 1),
    case(T, "id with leading zeros", with_cell(who="000000017"), A="", rows=N),
    case(T, "mixed booleans, mapped", with_cell(y="TRUE"), N="map:y", columns={"y": {"map": {"TRUE": "yes"}}}, rows=N),
    case(T, "mixed booleans", with_cell(y="TRUE"), Q="cell:y", rows=N - 1),
    case(T, "digits of another script", with_cell(age="３０"), Q="cell:age", rows=N - 1),
    case(T, "a typographic minus", with_cell(spend="−5"), Q="cell:spend", rows=N - 1),
    case(D, "another date format", with_cell(joined="01.02.2025"), Q="cell:joined", rows=N - 1),
    case(D, "impossible date", with_cell(joined="2025-02-30"), Q="cell:joined", rows=N - 1),
    case(D, "0000-00-00", with_cell(joined="0000-00-00"), Q="cell:joined", rows=N - 1),
    case(D, "9999-12-31", with_cell(joined="9999-12-31"), Q="placeholder_date:joined", rows=N - 1),
    case(
        D,
        "9999-12-31, declared as null",
        with_cell(joined="9999-12-31"),
        N="null:joined",
        columns={"joined": {"null": ["9999-12-31"], "nullable": True}},
        rows=N,
    ),
    case(D, "future date", with_cell(joined="2027-01-01"), Q="before:joined", rows=N - 1),
    case(D, "local time that does not exist", timed("2025-03-30 02:30:00"), Q="cell:at", columns=BERLIN, rows=N - 1),
    case(D, "local time that exists twice", timed("2025-10-26 02:30:00"), Q="cell:at", columns=BERLIN, rows=N - 1),
    case(
        D,
        "label dated before its features",
        timed("2024-01-01 00:00:00"),
        S="early_label",
        columns={"at": {"role": "time", "known": "after_outcome"}, "y": {"dated": "at"}},
    ),
    case(D, "unsorted dates", text(list(reversed(lines()))), A="", rows=N),
    case(K, "identical duplicate row", with_line(line(7)), N="duplicate", rows=N),
    case(K, "duplicate id, other values", with_line(line(7, age="60")), Q="unique:who", rows=N),
    case(
        K,
        "duplicate id, the last is declared",
        with_line(line(7, age="60")),
        Q="unique:who",
        columns={"who": {"keep": "last"}},
        rows=N,
    ),
    case(
        K,
        "duplicate id, none is declared right",
        with_line(line(7, age="60")),
        Q="unique:who",
        columns={"who": {"keep": "none"}},
        rows=N - 1,
    ),
    case(K, "null id", with_cell(who=""), Q="not_null:who", rows=N - 1),
    case(K, "the same file delivered twice", two_files(GOOD), N="same_file", rows=N),
    case(K, "overlap with yesterday's file", two_files(text([*lines()[40:], line(70)])), N="duplicate", rows=N + 1),
    case(S, "all-null column, required", column("spend", ""), S="null_share"),
    case(
        S,
        "all-null column, not required",
        column("spend", ""),
        W="all_null_column",
        columns={"spend": {"required": False}},
        rows=N,
    ),
    case(S, "more than 99 % nulls", column("spend", lambda i: "5" if i == 1 else "", 300), S="null_share"),
    case(S, "constant feature", column("town", "Bern"), W="constant_column", rows=N),
    case(S, "constant target", column("y", "no"), S="constant_outcome"),
    case(S, "few positives", GOOD, W="few_positives", rows=N),
    case(S, "fewer positives than asked for", GOOD, S="min_positives", rules=[{"kind": "min_positives", "min": 40}]),
    case(S, "too few rows", GOOD, S="row_count", rules=[{"kind": "row_count", "min": 100}]),
    case(
        S,
        "a column that gives the target away",
        column("spend", lambda i: "9" if i % 4 == 0 else "1", 400),
        S="leak_column",
        deep=True,
    ),
    case(P, "truncated Parquet", parquet(cut=2000), R="broken_parquet", source=PARQUET),
    case(P, "a flipped bit in Parquet", parquet(flip=20_000), R="broken_parquet", source=PARQUET),
    case(P, "Parquet", parquet(), A="", source=PARQUET, rows=3000),
    case(P, "Parquet named .csv", parquet(file="people.csv"), R="other_format"),
    case(P, "CSV named .parquet", named("people.parquet", GOOD), R="broken_parquet", source=PARQUET),
    case(P, "JSONL", named("people.jsonl", objects()), A="", source=JSONL, rows=N),
    case(P, "JSONL, gzip", named("people.jsonl.gz", gzip.compress(objects())), A="", source=JSONL, rows=N),
    case(P, "JSONL: broken line", named("people.jsonl", objects('{"who": "W9", ')), Q="record:broken_json", source=JSONL, rows=N),
    case(P, "JSONL: last line cut", named("people.jsonl", objects()[:-20]), Q="record:cut_last_line", source=JSONL, rows=N - 1),
    case(
        P,
        "JSONL: a line that is no object",
        named("people.jsonl", objects("[1, 2]")),
        Q="record:not_an_object",
        source=JSONL,
        rows=N,
    ),
    case(
        P,
        "JSONL: a name twice in a line",
        named("people.jsonl", objects('{"who": "a", "who": "b"}')),
        Q="record:duplicate_key",
        source=JSONL,
        rows=N,
    ),
    case(P, "JSONL: one nested value", named("people.jsonl", objects('{"who": ["a"]}')), Q="record:nested", source=JSONL, rows=N),
    case(P, "JSONL: nested values", named("people.jsonl", objects(*['{"who": {"a": 1}}'] * 5)), R="nested", source=JSONL),
    case(
        P,
        "JSONL: deeply nested line",
        named("people.jsonl", objects('{"who": ' + "[" * 60_000 + "}")),
        Q="record:broken_json",
        source=JSONL,
        rows=N,
    ),
    case(
        P,
        "JSONL: half a surrogate",
        named("people.jsonl", objects('{"who": "\\ud800"}')),
        Q="record:invalid_utf8",
        source=JSONL,
        rows=N,
    ),
    case(
        P,
        "JSONL: NaN",
        named("people.jsonl", objects(objects(n=8).decode().splitlines()[7].replace("W0007", "W9").replace('"7.5"', "NaN"))),
        Q="cell:spend",
        source=JSONL,
        rows=N,
    ),
    case(
        P,
        "a JSON array named .jsonl",
        named("people.jsonl", b"[\n" + b",\n".join(objects().splitlines()) + b"\n]\n"),
        R="not_jsonl",
        source=JSONL,
    ),
    case(P, "JSON named .csv", named("people.csv", objects()), R="other_format"),
    case(P, "CSV named .jsonl", named("people.jsonl", GOOD), R="not_jsonl", source=JSONL),
    case(P, "truncated gzip", named("people.csv.gz", gzip.compress(GOOD)[:-20]), R="broken_archive"),
    case(P, "gzip bomb", a_gzip_bomb, R="bomb"),
    case(P, "zip", zipped(("data/people.csv", GOOD), ("readme.txt", b"hello")), A="", rows=N),
    case(P, "tar.gz", tarred(("data/people.csv", GOOD)), A="", rows=N),
    case(P, "tar", tarred(("people.csv", GOOD), mode="w"), A="", rows=N),
    case(P, "zip without a table", zipped(("readme.txt", b"hello")), R="no_table"),
    case(P, "broken zip", named("people.zip", b"PK\x03\x04" + b"x" * 400), R="no_table"),
    case(P, "zip bomb", a_zip_bomb, R="bomb"),
    case(P, "path traversal in a zip", zipped(("../../people.csv", GOOD)), R="traversal"),
    case(P, "absolute path in a zip", zipped(("/tmp/people.csv", GOOD)), R="traversal"),
    case(P, "backslashes in a zip", zipped(("..\\..\\people.csv", GOOD)), R="traversal"),
    case(P, "path traversal in a tar", tarred(("../people.csv", GOOD)), R="traversal"),
    case(P, "two members of one name", zipped(("a/people.csv", GOOD), ("b/people.csv", GOOD)), R="duplicate_member"),
    case(P, "symlink in a zip", zipped(("people.csv", GOOD), link="people2.csv"), R="link_or_device"),
    case(P, "symlink in a tar", tarred(("people.csv", GOOD), kind=tarfile.SYMTYPE), R="link_or_device"),
    case(P, "hard link in a tar", tarred(("people.csv", GOOD), kind=tarfile.LNKTYPE), R="link_or_device"),
    case(P, "device in a tar", tarred(("people.csv", GOOD), kind=tarfile.CHRTYPE), R="link_or_device"),
    case(P, "pipe in a tar", tarred(("people.csv", GOOD), kind=tarfile.FIFOTYPE), R="link_or_device"),
    case(P, "symlink in a folder", a_folder(link=True), R="link_or_device"),
    case(P, "pipe in a folder", a_folder(pipe=True), R="link_or_device"),
    case(P, "another file in a folder", a_folder("notes.txt"), R="no_table"),
    case(P, "a folder", a_folder(), A="", rows=N),
    case(P, "a pipe as input", a_pipe, R="not_a_file"),
    case(P, "a device as input", lambda folder: Path("/dev/zero"), R="not_a_file"),
    case(P, "an empty folder as input", lambda folder: folder, R="missing_file"),
    case(P, "no such file", lambda folder: folder / "none.csv", R="missing_file"),
    case(P, "a page of HTML", b"<!DOCTYPE html><html><body>404</body></html>", R="other_format"),
    case(P, "a workbook", workbook(), A="", rows=N),
    case(P, "a workbook: ids stored as numbers", workbook(who=lambda i: 1000 + i), W="id_as_number", rows=N),
    case(
        P,
        "a workbook: an id beyond 2^53",
        workbook(who=lambda i: 2**60 if i == 7 else f"W{i}"),
        Q="precision_lost:who",
        rows=N - 1,
    ),
    case(P, "a workbook: a word among numbers", workbook(age=lambda i: "old" if i == 7 else 30), Q="cell:age", rows=N - 1),
    case(P, "a workbook: merged cells", workbook(merged="E4:E5"), W="merged_cells", rows=N),
    case(P, "a workbook: two sheets with rows", workbook(sheets=("May", "June")), R="no_sheet"),
    case(P, "a workbook: the sheet of that name", workbook(sheets=("May", "June")), A="", source=WORKBOOK, rows=N),
    case(P, "a workbook: no sheet of that name", workbook(sheets=("July",)), R="no_sheet", source=WORKBOOK),
    case(P, "a workbook: with a password, or .xls", named("people.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600), R="other_format"),
    case(P, "a workbook: cut short", workbook(cut=2000), R="broken_archive"),
    case(P, "a workbook named .zip", zipped(("xl/workbook.xml", b"<x/>")), R="no_table"),
    case(P, "a SQLite file named .csv", b"SQLite format 3\x00" + b"\0" * 200, R="other_format"),
    case(P, "a pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", R="other_format"),
    case(X, "=cmd| in a category", with_cell(town="=cmd|'/c calc'!A1"), A="", rows=N),
    case(X, "<script> in a category", with_cell(town="<script>alert(1)</script>"), A="", rows=N),
    case(
        X,
        "newline and a fake line of a log",
        with_line('W9,2025-01-01,30,"Bern\nERROR root: all deleted",1,no'),
        A="",
        rows=N + 1,
    ),
    case(X, "one e-mail in a category", with_cell(town="anna.muster@example.org"), Q="contact:town", rows=N - 1),
    case(X, "e-mails in a category", column("town", lambda i: f"p{i}@example.org"), S="contact_data"),
    case(X, "phone numbers in a category", column("town", lambda i: f"+41 44 668 {i:02d} 00"), S="contact_data"),
    case(X, "card numbers in a category", column("town", lambda i: "4111 1111 1111 1111"), S="contact_data"),
    case(X, "card numbers without spaces", column("town", lambda i: "4111111111111111"), S="contact_data"),
    case(
        X,
        "an e-mail in an undeclared column",
        text([row + ",a@example.org" for row in lines()], HEADER + ",mail"),
        W="extra_column",
        rows=N,
    ),
    case(X, "a pickle", pickle.dumps({"a": [1] * 50}), R="other_format"),
]


def contract_of(case: Case) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "who": {"role": "id", "type": "text", "unique": True},
        "joined": {"role": "time", "type": "date", "before": "as_of"},
        "age": {"role": "numeric", "type": "int", "range": [0, 120]},
        "town": {"role": "categorical"},
        "spend": {"role": "numeric"},
        "y": {"role": "outcome", "values": {"no": 0, "yes": 1}},
    }
    for name, change in case.columns.items():
        columns[name] = {**columns.get(name, {}), **change}
    return {
        "task": {"kind": "binary", "target": "y", "primary": "auc", "minimum": 0.7},
        "source": {"kind": "file", "files": "people*.csv*", **case.source},
        "columns": columns,
        "rules": case.rules,
        "events": {},
        "unit": {"rows": "as_is", "as_of": "2026-01-01", "duplicates": "drop", "features": {}, **case.unit},
        "split": {"kind": "hash", "by": "entity", "salt": "s", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}},
        "sampling": {},
        "leakage_suspects": [],
        "slices": [],
        "money": {},
    }


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of a case: its error, or codes by treatment, and how many rows stay."""

    error: PerennialError | None
    codes: dict[str, set[str]]
    rows: int | None
    wall_s: float


def shop(case: Case, root: Path) -> Toy:
    for folder in ("contracts", "incoming"):
        (root / folder).mkdir(parents=True)
    (root / "contracts" / "shop.yaml").write_text(yaml.safe_dump(contract_of(case)))
    (root / "params.yaml").write_text("use_cases: {shop: {}}\n")
    (root / "versions.yaml").write_bytes((REPO / "versions.yaml").read_bytes())
    return Toy(root=root, name="shop")


def treat(case: Case, root: Path) -> Found:
    toy, start, error, rows = shop(case, root), time.perf_counter(), None, None
    data = case.data if callable(case.data) else named("people.csv", case.data)
    codes: dict[str, set[str]] = {treatment: set() for treatment in TREATMENTS}
    stages = ["ingest", "validate", "clean", *(["featurize", "split"] if case.deep else [])]
    try:
        fetching.fetch(toy.project, "shop", data(root / "incoming"))
        for stage in stages:
            summary = toy.run(stage)
            codes["Q"] |= set(summary.get("quarantine", {}))
            codes["W"] |= {note["code"] for note in summary.get("warnings", [])}
            codes["N"] |= {key for counts in summary.get("normalised", {}).values() for key in counts}
        codes["N"] |= codes["W"] | {place for place, n in toy.summary("clean")["flow"]["main"]["to"].items() if n}
        rows = read_table(toy.out("clean", "main.parquet"), [ROW_ID]).height
    except PerennialError as caught:
        error = caught
        codes["S" if isinstance(caught, DataStopped | LeakError) else "R"].add(caught.code or "")
        codes["S"] |= set(re.findall(r"\[([a-z_]+)\]", str(caught)))
    return Found(error=error, codes=codes, rows=rows, wall_s=time.perf_counter() - start)


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)  # DVC is tested elsewhere


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_is_treated_as_promised(case: Case, tmp_path: Path) -> None:
    try:
        result = treat(case, tmp_path)
    finally:
        while _OPEN:
            _OPEN.pop().close()
    for treatment, code in case.expected.items():
        if treatment != "A":
            assert code in result.codes[treatment], (result.codes, result.error)
    if result.error is not None:
        assert {"R", "S"} & case.expected.keys(), result.error
        assert str(result.error).isprintable(), "one line"
        assert result.error.exit_code == (3 if isinstance(result.error, LeakError) else 2)
        assert isinstance(result.error, InputError | LeakError)
        last = "split" if case.deep else "clean"
        assert not (tmp_path / f"outputs/shop/{last}/manifest.json").exists()
        assert "S" in case.expected or not (tmp_path / "outputs/shop/ingest/manifest.json").exists()
        assert "@" not in str(result.error)
        assert result.wall_s < 1 or result.error.code not in {"not_a_file", "link_or_device", "too_many_columns"}
        return
    assert not {"R", "S"} & case.expected.keys(), "it went through"
    if case.expected == {"A": ""}:
        assert not result.codes["Q"]
        assert not result.codes["W"] - {"few_positives", "constant_column", "like_null"}, result.codes
    if "Q" not in case.expected:
        assert not result.codes["Q"], result.codes
    assert case.rows is None or result.rows == case.rows


def page() -> str:
    """docs/bad-inputs.md: the table above for a reader."""
    words = "; ".join(f"**{letter}** {meaning}" for letter, meaning in TREATMENTS.items())
    head = f"""# Bad inputs, and what becomes of them

{words}.
Each has a code that stays when the words change: of a rejected or stopped file it stands in brackets at the end of the line (exit code 2; 3 for
a leak), of a row in the column `rule` of the quarantine, of a warning in the report and in `summary.json` (`notes`), of a normal form in its
counts (`normalised`, as `step:column`). This page is the table of tests/integration/test_bad_inputs.py, which runs all {len(CASES)} of them.
"""
    parts = [head]
    for section in dict.fromkeys(case.section for case in CASES):
        rows = [_row(case) for case in CASES if case.section == section]
        parts.append("\n".join([f"## {section}", "", "| input | treatment | code |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def _row(case: Case) -> str:
    codes = ", ".join(f"`{code}`" for code in dict.fromkeys(case.expected.values()) if code)
    name = case.name.replace("|", "\\|").replace("<", "&lt;")
    return f"| {name} | {'+'.join(case.expected)} | {codes} |"


def test_the_page_says_what_is_tested() -> None:
    assert (REPO / "docs/bad-inputs.md").read_text() == page()


def test_cases_are_many_and_each_is_one_of_a_kind() -> None:
    assert len(CASES) == len({case.name for case in CASES}) == 172
    assert all(case.expected for case in CASES)
    assert {treatment for case in CASES for treatment in case.expected} == set(TREATMENTS)
