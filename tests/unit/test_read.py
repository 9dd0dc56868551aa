"""The exact CSV reader: every physical record is a row or a reject, with its number, its line and its bytes."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import struct
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.data.io import byte_source, read, records
from perennial.data.io.csv_header import Dialect
from perennial.data.io.read import Reject, read_blocks, read_header
from perennial.errors import ConfigError, InputError
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_population
from tests.fakes.simulator import list_planted

pytestmark = pytest.mark.unit

COMMA = Dialect()


class Read(NamedTuple):
    names: list[str]
    rows: list[tuple[object, ...]]  # cells, then _record, _line, _raw
    rejects: list[Reject]

    @property
    def cells(self) -> list[tuple[object, ...]]:
        return [row[:-3] for row in self.rows]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject.line, reject.reason) for reject in self.rejects]


def of_file(path: Path, dialect: Dialect = COMMA) -> Read:
    blocks = list(read_blocks(path, dialect))
    frame = pl.concat(block.rows for block in blocks)
    assert frame.columns[-3:] == ["_record", "_line", "_raw"]
    assert frame.dtypes == [pl.String()] * (frame.width - 3) + [pl.Int64(), pl.Int64(), pl.Binary()]
    rejects = [reject for block in blocks for reject in block.rejects]
    numbers = frame["_record"].to_list() + [reject.record for reject in rejects]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    return Read(names=frame.columns[:-3], rows=frame.rows(), rejects=rejects)


def of(folder: Path, data: bytes, dialect: Dialect = COMMA) -> Read:
    path = folder / "file.csv"
    path.write_bytes(data)
    return of_file(path, dialect)


def good_rows(n: int) -> bytes:
    return b"".join(b"%d,x\n" % i for i in range(n))


# ---------------------------------------------------------------- what is accepted


def test_cells_stay_text(tmp_path: Path) -> None:
    result = of(tmp_path, b"id, name ,n\n007,, 1\n1e5,NA,2025-02-30\n=cmd|x,<b>,9223372036854775808\n")
    assert result.names == ["id", "name", "n"]
    assert result.cells == [("007", "", " 1"), ("1e5", "NA", "2025-02-30"), ("=cmd|x", "<b>", "9223372036854775808")]
    assert [row[-3:] for row in result.rows] == [
        (1, 2, b"007,, 1"),
        (2, 3, b"1e5,NA,2025-02-30"),
        (3, 4, b"=cmd|x,<b>,9223372036854775808"),
    ]


def test_a_quoted_newline_is_text_and_lines_stay_right(tmp_path: Path) -> None:
    result = of(tmp_path, b'a,b\n"one\r\ntwo, ""three""\n",1\nx,2\n"a",bad,3\ny,4')
    assert result.cells == [('one\r\ntwo, "three"\n', "1"), ("x", "2"), ("y", "4")]
    assert [row[-3:-1] for row in result.rows] == [(1, 2), (2, 5), (4, 7)]
    assert result.rows[0][-1] == b'"one\r\ntwo, ""three""\n",1'
    assert result.rejects == [Reject(record=3, line=6, reason="field_count", raw=b'"a",bad,3')]


def test_crlf_bom_and_quoted_header(tmp_path: Path) -> None:
    result = of(tmp_path, b'\xef\xbb\xbf"a ";"b;c"\r\n1;"2"\r\n"";\r\n', Dialect(delimiter=";"))
    assert result.names == ["a", "b;c"]
    assert result.rows == [("1", "2", 1, 2, b'1;"2"'), ("", "", 2, 3, b'"";')]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbfx", b"x^", b"x\x01", b"x\xc3\x9a"])
def test_a_first_cell_that_looks_like_something_else_is_text(tmp_path: Path, start: bytes) -> None:
    assert of(tmp_path, b"a,b\n" + start + b",1\n").cells == [(start.decode(), "1")]


def test_one_column(tmp_path: Path) -> None:
    result = of(tmp_path, b'a\n1\n\n""\n  \n"x\ny"\n')
    assert result.cells == [("1",), ("",), ("  ",), ("x\ny",)]
    assert result.reasons == [(3, "blank")]


def test_header_only_gives_no_rows_and_the_columns(tmp_path: Path) -> None:
    for data in (b"a,b\n", b"a,b"):
        result = of(tmp_path, data)
        assert (result.names, result.rows, result.rejects) == (["a", "b"], [], [])
    assert read_header(tmp_path / "file.csv", COMMA) == ["a", "b"]


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    text = b"a,b\n" + good_rows(5_000)
    members = gzip.compress(text[:1_000], mtime=0) + gzip.compress(text[1_000:], mtime=0)
    assert of(tmp_path, members) == of(tmp_path, text)
    plain = tmp_path / "plain.csv.gz"
    plain.write_bytes(text)
    assert len(of_file(plain).rows) == 5_000


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_a_declared_encoding_is_transcoded(tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BLOCK_BYTES", 7)  # a character may straddle two chunks
    result = of(tmp_path, "stadt,b\nZürich,1\n".encode(encoding), Dialect(encoding=encoding))
    assert result.rows == [("Zürich", "1", 1, 2, "Zürich,1".encode())]


def test_five_thousand_columns_are_fast(tmp_path: Path) -> None:
    header = ",".join(f"column_{i}" for i in range(5_000)).encode()
    wide = b",".join([b"0123456789abcdef"] * 5_000)
    start = time.process_time()
    result = of(tmp_path, header + b"\n" + (wide + b"\n") * 20 + b"1,2\n")
    assert time.process_time() - start < 5
    assert len(result.names) == 5_000
    assert len(result.rows) == 20
    assert result.reasons == [(22, "field_count")]


# ---------------------------------------------------------------- what is rejected, record by record

REJECTS = {
    "blank": b"",
    "field_count": b"1,2,3",
    "unclosed_quote": b'1,"Zug',
    "stray_quote": b'1,5" pipe',
    "stray_cr": b"1,a\rb",
    "field_too_long": b"1," + b"x" * (records.FIELD_LIMIT + 1),
    "nul_byte": b"1,a\0b",
    "invalid_utf8": b"1,Gen\xe8ve",
}


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("reason", REJECTS)
def test_a_bad_record_is_rejected_alone(tmp_path: Path, reason: str, line_end: bytes) -> None:
    lines = [b"id,b", *(b'%d,"Z\xc3\xbcrich"' % i for i in range(400))]
    lines[300:300] = [REJECTS[reason]]
    result = of(tmp_path, line_end.join([*lines, b""]))
    assert result.rejects == [Reject(record=300, line=301, reason=reason, raw=REJECTS[reason])]  # type: ignore[arg-type]
    assert len(result.rows) == 400
    assert [row[0] for row in result.rows] == [str(i) for i in range(400)]
    assert all(row[-1] == lines[row[-2] - 1] for row in result.rows)  # type: ignore[operator]


def test_every_reason_is_tested() -> None:
    of_json = {"broken_json", "not_an_object", "duplicate_key", "nested"}  # tests/integration/test_bad_inputs.py
    assert {*REJECTS, "cut_last_line", *of_json} == set(read.Reason.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'"a"b,1', "stray_quote"),
        (b'"a"b,"1', "stray_quote"),
        (b' "a",1', "stray_quote"),
        (b"   ", "blank"),
        (b"1", "field_count"),
        (b",", None),
        (b'1,"a\rb"', None),
        (b"1," + b"x" * records.FIELD_LIMIT, None),
        (b'1,"' + b"x" * (records.FIELD_LIMIT - 2) + b'"', None),
        (b'1,"' + b"x" * (records.FIELD_LIMIT - 1) + b'"', "field_too_long"),
        (b'1,"' + b"x" * (5 * 2**20) + b'"', "field_too_long"),
        (b'1,"a\0\xff"', "nul_byte"),
        (b"1\0", "field_count"),
        (b'"\n\n\0",2', "nul_byte"),
    ],
)
def test_which_reason(tmp_path: Path, line: bytes, reason: str | None) -> None:
    result = of(tmp_path, b"a,b\n" + line + b"\nx,y\n")
    assert [reject.reason for reject in result.rejects] == ([reason] if reason else [])
    assert [reject.raw for reject in result.rejects] == ([line] if reason else [])
    assert result.cells[-1] == ("x", "y")
    assert result.rows[-1][-2] == 3 + line.count(b"\n")


@pytest.mark.parametrize(
    ("tail", "reasons"),
    [
        (b"1,2", []),
        (b'"1","2"', []),
        (b"1", ["cut_last_line"]),
        (b'1,"2', ["cut_last_line"]),
        (b"1,2,3", ["field_count"]),
        (b"1,2\r", ["stray_cr"]),
    ],
)
def test_a_last_line_without_its_end(tmp_path: Path, tail: bytes, reasons: list[str]) -> None:
    result = of(tmp_path, b"a,b\n" + good_rows(3) + tail)
    assert [reject.reason for reject in result.rejects] == reasons
    assert (result.rejects[0].raw if reasons else result.rows[-1][-1]) == tail


def test_an_unclosed_quote_costs_its_line_even_where_a_later_quote_closes_it(tmp_path: Path) -> None:
    result = of(tmp_path, b'a,b\n1,"x\n2,y\n3,"z"\n"4","w"\n' + good_rows(200))
    assert result.reasons == [(2, "unclosed_quote")]
    assert result.cells[:3] == [("2", "y"), ("3", "z"), ("4", "w")]


def test_a_record_over_lines_must_be_as_wide_as_the_header(tmp_path: Path) -> None:
    result = of(tmp_path, b'a,b\n1,"x\n2",y,3\n4,z\n' + good_rows(200))
    assert result.reasons == [(2, "unclosed_quote"), (3, "stray_quote")]
    assert result.cells[0] == ("4", "z")


# ---------------------------------------------------------------- files that are refused


def refused(folder: Path, data: bytes, dialect: Dialect = COMMA) -> str:
    with pytest.raises(InputError) as caught:
        of(folder, data, dialect)
    assert "\n" not in str(caught.value)
    assert str(folder / "file.csv") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty; give a CSV file that begins with a header"),
        (b"\xef\xbb\xbf", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"\n1,2\n", "line 1 is no header (blank); put the column names there"),
        (b"a;b\n1;2\n", "the header 'a;b' is one column; if it is separated by ';', declare delimiter: \";\""),
        (b'"a";"b"\n1;2\n', "line 1 is no header (stray_quote); if it is separated by ';', declare delimiter: \";\""),
        (b'a"b,c\n', "line 1 is no header (stray_quote); double each quote inside a quoted name"),
        (b'a,"b\n1,2\n', "line 1 is no header (unclosed_quote); close the quote"),
        (b'a,"b', "line 1 is no header (cut_last_line); close the quote; is the file whole?"),
        (b"a,b\r1,2\r", "line 1 is no header (stray_cr); convert its line ends to LF"),
        (b"a" * 70_000 + b"\n", "line 1 is no header (field_too_long); is this a CSV file?"),
        (b"a,b,a,b,c\n1,2,3,4,5\n", "column names that stand twice in the header: ['a', 'b']; rename them"),
        (b"a, a\n", "stand twice"),
        (b"a,_line\n", "columns ['_line'] have names that the reader gives; rename them"),
        ("a,b\n".encode("utf-16"), "begins with a UTF-16 byte order mark; declare encoding: utf-16"),
        ("a,b\n".encode("utf-16-le"), "line 1 is no header (nul_byte); if it is UTF-16, declare encoding: utf-16"),
        (b"stra\xdfe,b\n", "line 1 is no header (invalid_utf8); declare encoding: latin-1, cp1252 or utf-16"),
        (b"PAR1\x15\x04", "this is Parquet, not CSV"),
        (b"PK\x03\x04", "this is a zip archive (or a spreadsheet), not CSV"),
        (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "this is gzip inside gzip, not CSV"),
        (b"\x80\x04\x95", "this is a pickle, which is never opened, not CSV"),
        (gzip.compress(good_rows(9_999), mtime=0)[:-9], "broken gzip after"),
        (gzip.compress(good_rows(9_999), mtime=0)[:900] + b"\xff" * 99, "broken gzip after"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0) + b"junk", "broken gzip after"),
        (b"# exported\na,b\n1,2\n3,4\n", "the header has 1 fields and none of 3 records has; remove lines before"),
        (b"a,b\n" + b"x" * 10_000_001 + b"\n1,2\n", "line 2 has more than 10000000 bytes"),
        (b"a,b\n1,2\n" + b"x" * 30_000_000, "line 3 has more than 10000000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_hint(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in refused(tmp_path, data)


def test_a_declared_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    words = refused(tmp_path, b"a,b\n\x81,1\n", Dialect(encoding="cp1252"))
    assert "not cp1252 after byte 0" in words
    assert "one of utf-8, latin-1, cp1252, utf-16" in words
    assert "not utf-16 after byte" in refused(tmp_path, "a,b\n".encode("utf-16")[:-1], Dialect(encoding="utf-16"))


def test_quotes_that_do_not_pair_are_refused_above_one_in_a_hundred(tmp_path: Path) -> None:
    assert len(of(tmp_path, b'a,b\n1,"x\n' + good_rows(3)).rejects) == 1  # one may always be wrong
    few, many = (b"a,b\n" + b'1,"x\n' * n + good_rows(300 - n) for n in (3, 4))
    assert len(of(tmp_path, few).rejects) == 3
    assert "4 of 300 records, the first on line 2, have quotes that do not pair" in refused(tmp_path, many)


def test_undecodable_text_is_refused_where_no_other_is_beyond_ascii(tmp_path: Path) -> None:
    data = b"a,b\n" + b"1,Z\xfcrich\n" * 4 + good_rows(296)
    assert "4 of 300 records, the first on line 2, are not UTF-8; declare encoding" in refused(tmp_path, data)
    assert len(of(tmp_path, data + "1,Zürich\n".encode()).rejects) == 4
    late = of(tmp_path, b"a,b\n" + good_rows(300_000) + b"1,Z\xfcrich\n")
    assert late.reasons == [(300_002, "invalid_utf8")]


def test_a_gzip_bomb_is_refused_early(tmp_path: Path) -> None:
    squeeze, path = zlib.compressobj(9, wbits=31), tmp_path / "file.csv"
    with path.open("wb") as file:
        file.write(squeeze.compress(b"a,b\n"))
        for _ in range(200):
            file.write(squeeze.compress(b"1,2\n" * 2**18))
        file.write(squeeze.flush())
        file.write(os.urandom(2**21))  # what follows does not make it honest
    start = time.process_time()
    with pytest.raises(InputError, match="gzip that expands more than 200 times"):
        for _ in read_blocks(path, COMMA):
            pass
    assert time.process_time() - start < 10


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match=r"not a regular file; give a CSV file, plain or \.gz"):
            read_header(path, COMMA)
    with pytest.raises(InputError, match=r"none\.csv: cannot be read \(No such file or directory\)"):
        list(read_blocks(tmp_path / "none.csv", COMMA))


def test_dialects_that_cannot_be() -> None:
    for delimiter in ("", ",,", '"', "\n", "€", "a"):
        with pytest.raises(ConfigError, match="give one ASCII sign, such as"):
            Dialect(delimiter=delimiter)
    with pytest.raises(ConfigError, match="'ebcdic' is not known; give one of utf-8, latin-1, cp1252, utf-16"):
        Dialect(encoding="ebcdic")


# ---------------------------------------------------------------- properties

PIECES = [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xe8", "ü".encode(), b"x", b'"\n', b',"', b'",', b"\n\n"]


def mutated(good: bytes, rng: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                data[at:at] = rng.choice(PIECES)
            case 1:
                del data[at : at + rng.randint(1, 30)]
            case _:
                data[at : at + 1] = rng.choice(PIECES)
    return bytes(data)


def by_record(result: Read, data: bytes) -> None:
    """Against the file and Python's csv: place, bytes and cells of each record; the bytes are the file's, in order."""
    everything = sorted(
        [(row[-3], row[-2], row[-1], row[:-3]) for row in result.rows]
        + [(reject.record, reject.line, reject.raw, None) for reject in result.rejects]
    )
    at = data.index(b"\n") + 1
    for _, line, raw, cells in everything:
        assert isinstance(raw, bytes)
        assert data.startswith(raw, at)
        assert line == 1 + data.count(b"\n", 0, at)
        if cells is not None:
            (expected,) = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
            assert list(cells) == (expected or [""])
        at += len(raw)
        at += 2 if data.startswith(b"\r\n", at) else 1
    assert at >= len(data)


def test_proving_by_counting_changes_nothing_on_four_hundred_broken_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(20260601)
    rows = [
        b'%05d,"M\xc3\xbcller, %d",%s,"two\nlines"\n' % (i, i, b"" if i % 3 else b"5.0") if i % 4 else b"%d,,,\r\n" % i
        for i in range(60)
    ]
    header, good = b"id,name,amount,note\n", b"".join(rows)
    proof, path, n_read, n_rejects = records.prove_lines, tmp_path / "file.csv", 0, 0
    for _ in range(400):
        data = header + mutated(good, rng)
        path.write_bytes(data)
        monkeypatch.setattr(read.FileTally, "check_file", lambda *_: None)  # small files, many faults: the records count here
        monkeypatch.setattr(records, "prove_lines", proof)
        monkeypatch.setattr(read, "BLOCK_BYTES", 8 * 2**20)
        fast = of_file(path)
        monkeypatch.setattr(read, "BLOCK_BYTES", rng.choice([301, 997]))
        assert of_file(path) == fast
        monkeypatch.setattr(records, "prove_lines", lambda _data, starts, *_: np.zeros(len(starts), dtype=np.bool_))
        assert of_file(path) == fast
        by_record(fast, data)
        n_read += 1
        n_rejects += len(fast.rejects)
    assert n_read == 400
    assert n_rejects > 1_000


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, b"a", b"1,2\n", b'"q",'])), st.integers(1, 40))
def test_any_bytes_after_a_header_are_rows_and_rejects(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], block: int
) -> None:
    data = b"a,b\n" + b"".join(pieces)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read.FileTally, "check_file", lambda *_: None)
        whole = of_file(path)
        patch.setattr(read, "BLOCK_BYTES", block)
        assert of_file(path) == whole
    if pieces:
        by_record(whole, data)


def test_ten_unclosed_quotes_in_a_large_file_cost_little(tmp_path: Path) -> None:
    row = b'000000017-p003,000000017,2026-03-06 14:17,purchase,"garden",store,58.50\n'
    lines = [row] * (16 * 2**20 // len(row))
    for i in range(10):
        lines[i * 20_000 + 777] = row.replace(b'garden"', b"garden")
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b,c,d,e,f,g\n" + b"".join(lines))
    start = time.process_time()
    result = [reject for block in read_blocks(path, COMMA) for reject in block.rejects]
    assert time.process_time() - start < 4
    assert [reject.line for reject in result] == [i * 20_000 + 779 for i in range(10)]


def test_the_simulators_structural_dirt_is_rejected_byte_for_byte(tmp_path: Path) -> None:
    people = Population(seed=1, first=0, n=2_000, month=0, concept=0)
    write_population(tmp_path, people)
    n_rejects = 0
    for file, n_rows in (("customers.csv", 2_007), ("events.csv", 24_769)):
        result = of_file(tmp_path / file)
        reasons = {"ragged": "field_count"}
        expected = [
            (reasons.get(row.kind, row.kind), row.raw)
            for row in list_planted(people)
            if row.file == file and row.kind in ("ragged", "invalid_utf8", "unclosed_quote")
        ]
        assert [(reject.reason, reject.raw) for reject in result.rejects] == expected
        assert len(result.rows) == n_rows
        lines = (tmp_path / file).read_bytes().split(b"\n")
        assert all(lines[reject.line - 1] == reject.raw for reject in result.rejects)
        assert all(lines[row[-2] - 1] == row[-1] for row in result.rows)  # type: ignore[operator]
        n_rejects += len(result.rejects)
    assert n_rejects == 6


def test_a_long_record_over_many_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BLOCK_BYTES", 4_096)
    note = b'"' + b"line\n" * 10_000 + b'"'
    result = of(tmp_path, b"a,b\n1," + note + b"\n2,x\n")
    assert [row[-3:-1] for row in result.rows] == [(1, 2), (2, 10_003)]
    assert result.rows[0][-1] == b"1," + note
    assert len(note) < byte_source.LINE_LIMIT


def test_numbers_in_gzip_trailers_are_not_trusted(tmp_path: Path) -> None:
    data = gzip.compress(b"a,b\n1,2\n", mtime=0)
    assert "broken gzip after" in refused(tmp_path, data[:-8] + struct.pack("<II", 0, 8))
