"""Five hundred files broken at random: every record is a row or in the quarantine, through ingest, validate and clean."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from perennial.contract.load import parse
from perennial.contract.model import MAIN
from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat
from perennial.data.names import RECORD, ROW_ID, conserve_rows
from perennial.data.prepare.clean import WHY, clean
from perennial.data.quality.validate import validate
from perennial.errors import InputError
from tests.integration.test_bad_inputs import GOOD, Case, contract_of, objects

pytestmark = pytest.mark.integration

SEED, N_FILES = 20260601, 500
CONTRACT = parse(contract_of(Case(section="", name="", data=b"", expected={})), "contracts/shop.yaml")
JSONL = parse(contract_of(Case(section="", name="", data=b"", expected={}, source={"format": "jsonl"})), "contracts/shop.yaml")
PIECES = [
    b'"',
    b'""',
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xe8",
    b"\xff\xfe",
    "ü".encode(),
    "\u200b".encode(),
    b"\x1b[0m",
    b"{",
    b"}",
    b"NaN",
    b"1e309",
    b"\\u0000",
    b'\n\n"',
]


def flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def inserted(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice(PIECES) + data[at:]


def cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 40) :]


def ended(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) // 2, len(data))]


def with_lines(data: bytes, rng: random.Random) -> bytes:
    """A line doubled, moved, cut short or in another encoding."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines.insert(rng.randrange(len(lines)), lines[at])
        case 1:
            lines.append(lines.pop(at))
        case 2:
            lines[at] = lines[at][: rng.randrange(len(lines[at]))]
        case _:
            lines[at] = lines[at].decode("utf-8", "replace").encode(rng.choice(["latin-1", "utf-16-le"]), "replace")
    return b"".join(lines)


MUTATIONS = (flipped, inserted, cut, ended, with_lines)


def went(path: Path, *, is_json: bool) -> Counter[str]:
    """How many records of a file went where; every id is in one place, and the records are numbered without a gap."""
    contract = JSONL if is_json else CONTRACT
    columns = contract.columns
    read = ingest([path], columns, TableFormat.of(contract, MAIN))
    records = sorted([*read.rows[RECORD], *read.rejects["record"]])
    assert records == list(range(1, len(records) + 1)), "each record once"
    judged = validate(MAIN, read.rows, contract.row_rules(MAIN))
    marked = clean(nw.from_native(judged.passed.lazy()), columns, drop_duplicates=True).to_native().collect()
    remaining, gone = marked.filter(pl.col(WHY).is_null()), marked.filter(pl.col(WHY).is_not_null())
    ids = pl.concat([read.rows[ROW_ID], read.rejects[ROW_ID]])
    set_aside = pl.concat([read.rejects[ROW_ID], judged.quarantine[ROW_ID]])
    flow = conserve_rows("all", MAIN, ids, kept=remaining[ROW_ID], quarantined=set_aside, dropped=gone[ROW_ID])
    for frame in (read.rejects, judged.quarantine):
        assert frame["rule"].null_count() == frame["reason"].null_count() == frame["raw"].null_count() == 0
    if path.read_bytes().isascii() or not is_json:
        lines = path.read_bytes().split(b"\n")
        for number, raw in read.rejects.select("line", "raw").rows():
            assert lines[number - 1].startswith(raw.split(b"\n")[0].rstrip(b"\r"))
    return Counter(flow.to)


def test_five_hundred_broken_files_keep_every_id(tmp_path: Path) -> None:
    rng, start = random.Random(SEED), time.process_time()
    total: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    for i in range(N_FILES):
        is_json = i % 4 == 3
        data = objects() if is_json else GOOD
        for _ in range(rng.choice([1, 1, 2, 3, 8])):
            data = rng.choice(MUTATIONS)(data, rng)
        path = tmp_path / "people.csv"
        path.write_bytes(data)
        try:
            total += went(path, is_json=is_json)
            total["files"] += 1
        except InputError as error:
            assert error.code, error  # noqa: PT017 - any refusal will do that has a code
            assert str(error).isprintable()  # noqa: PT017
            refusals[error.code] += 1
    assert total["files"] + refusals.total() == N_FILES
    assert total["files"] > 350
    assert total["quarantined"] > 500
    assert time.process_time() - start < 30
