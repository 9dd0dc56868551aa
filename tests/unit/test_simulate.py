"""The simulator's bytes, its truth and its planted dirt, against figures that an independent implementation gave."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from perennial.errors import ConfigError
from perennial.gallery.simulator.draws import KINDS, Population, campaign_date, draw_uniform
from perennial.gallery.simulator.simulate import write_incoming, write_population
from tests.fakes.simulator import PlantedRow, compute_truth, list_planted

pytestmark = pytest.mark.unit

FILES = ("customers.csv", "events.csv")
SHA256 = {
    2_000: (
        "99e76c6a7869be4a23c57da228babaef15501990b8e29fb053cf112aaea74e16",
        "a5e2922db1ac51075fa2ba87402ec28fae0b022e6ef713f64366dc73d7532b11",
    ),
    20_000: (
        "cbb2bc7847e8eb00a6d4c81ee7d57d30be05c417d44cab48d702a0cb163cdb74",
        "b750cf896a6b2c7206df336da429849dcd6fd9287470b4b96c5713dd1da4853e",
    ),
}


def population(n: int = 2_000, *, seed: int = 1, first: int = 0, month: int = 0, concept: int = 0) -> Population:
    return Population(seed=seed, first=first, n=n, month=month, concept=concept)


def written(folder: Path, people: Population, *, block: int = 7_000) -> tuple[bytes, bytes]:
    write_population(folder, people, block=block)
    return (folder / FILES[0]).read_bytes(), (folder / FILES[1]).read_bytes()


def records(data: bytes) -> list[list[str]]:
    """The cells of each line; quoted text in these files holds no comma."""
    lines = data.decode("utf-8", "surrogateescape").splitlines()[1:]
    return [line.split(",") for line in lines]


def clean_records(data: bytes, dirt: list[PlantedRow]) -> list[list[str]]:
    """The lines that no dirt was added to; a duplicate's first copy stays."""
    left = Counter(row.raw for row in dirt)
    remaining = []
    for line in reversed(data.splitlines()[1:]):
        if left[line]:
            left[line] -= 1
        else:
            remaining.append(line.decode().split(","))
    assert left.total() == 0
    return remaining[::-1]


@pytest.mark.parametrize("n", [2_000, 20_000])
def test_bytes_are_the_specified_ones(tmp_path: Path, n: int) -> None:
    data = written(tmp_path, population(n))
    assert tuple(hashlib.sha256(file).hexdigest() for file in data) == SHA256[n]


@pytest.mark.parametrize("block", [500, 7_000, 20_000])
def test_block_size_changes_no_byte_and_a_small_file_begins_a_large_one(tmp_path: Path, block: int) -> None:
    small = written(tmp_path / "small", population(2_000), block=block)
    large = written(tmp_path / "large", population(20_000), block=block)
    assert tuple(hashlib.sha256(file).hexdigest() for file in large) == SHA256[20_000]
    for name, short, long in zip(FILES, small, large, strict=True):
        assert long.startswith(short), name


@pytest.mark.parametrize(
    ("seed", "purpose", "customer", "k", "expected"),
    [(1, 1, 0, 0, 2974616237), (1, 18, 19_999, 0, 4198611960), (7, 6, 9_999_999, 5, 498374770)],
)
def test_draws_are_the_specified_ones(seed: int, purpose: int, customer: int, k: int, expected: int) -> None:
    assert draw_uniform(seed, purpose, np.array([customer]), k).tolist() == [expected]


def test_truth_of_twenty_thousand() -> None:
    known = compute_truth(population(20_000))
    arms = ("none", "discover", "reward")
    assert [int((known["message"] == arm).sum()) for arm in arms] == [3850, 8126, 8024]
    assert [int(known["responded"][known["message"] == arm].sum()) for arm in arms] == [196, 466, 709]
    assert np.bincount(known["kind"], minlength=len(KINDS)).tolist() == [5705, 5413, 5951, 2931]
    sums = {name: int(known[name].sum()) for name in ("F", "V", "cents", "s0", "p0_q32")}
    assert sums == {"F": 168278, "V": 73388, "cents": 843284519, "s0": -7958344, "p0_q32": 4499370708201}
    for name in ("p0", "p_discover", "p_reward", "p_contacted"):
        assert known[name].dtype == np.float64
        assert (known[name] * 2**32 == known[f"{name}_q32"]).all()
        assert 0 < known[name].min() < known[name].max() < 1
    assert (known["spend_cents"] > 0).tolist() == (known["responded"] == 1).tolist()


def test_planted_rows_stand_in_the_files_each_after_its_model(tmp_path: Path) -> None:
    people = population(20_000)
    dirt = list_planted(people)
    data = dict(zip(FILES, (file.splitlines() for file in written(tmp_path, people)), strict=True))
    places = {file: {line: at for at, line in enumerate(lines)} for file, lines in data.items()}  # last copy of a line
    for row in dirt:
        before = data[row.file][places[row.file][row.raw] - 1]
        model = f"{row.customer:09d}".encode()
        assert before.startswith(model) or before in {other.raw for other in dirt if other.customer == row.customer}
    assert Counter(row.kind for row in dirt if row.file == "customers.csv") == dict.fromkeys(
        (
            *("duplicate", "conflict", "impossible_date", "wrong_type", "unknown_code"),
            *("future_date", "ragged", "invalid_utf8", "unclosed_quote", "null_id"),
        ),
        10,
    )
    assert Counter(row.kind for row in dirt if row.file == "events.csv") == {
        **dict.fromkeys(("duplicate", "conflict", "impossible_date", "wrong_type", "unknown_code"), 250),
        **dict.fromkeys(("future_date", "negative_amount", "orphan"), 250),
        **dict.fromkeys(("ragged", "invalid_utf8", "unclosed_quote"), 10),
    }
    assert [len(lines) - 1 for lines in data.values()] == [20_100, 243_696]


def test_files_without_their_dirt_are_the_truth(tmp_path: Path) -> None:
    people = population(month=3, concept=60, seed=5)
    known, dirt = compute_truth(people), list_planted(people)
    data = written(tmp_path, people)
    customers, events = (
        clean_records(file, [row for row in dirt if row.file == name]) for name, file in zip(FILES, data, strict=True)
    )
    assert [int(row[0]) for row in customers] == known["customer"].tolist()
    assert [row[6] for row in customers] == known["message"].tolist()
    assert [int(row[8]) for row in customers] == known["responded"].tolist()
    bought = [row for row in events if row[3] == "purchase"]
    observed = [row for row in events if row[3] == "visit"]
    assert len(bought) + len(observed) == len(events)
    n = len(customers)
    assert np.bincount([int(row[1]) for row in bought], minlength=n).tolist() == known["F"].tolist()
    assert np.bincount([int(row[1]) for row in observed], minlength=n).tolist() == known["V"].tolist()
    cents, newest = [0] * n, ["0000-00-00"] * n
    for row in bought:
        cents[int(row[1])] += int(row[6].replace(".", ""))
        newest[int(row[1])] = max(newest[int(row[1])], row[2][:10])
    assert cents == known["cents"].tolist()
    recency = [(campaign_date(3) - datetime.date.fromisoformat(day)).days - 1 for day in newest]
    assert recency == known["R"].tolist()


def test_nothing_honest_lies_on_or_after_the_as_of_date(tmp_path: Path) -> None:
    people = population(month=2)
    assert campaign_date(2) == datetime.date(2026, 7, 31)
    dirt = list_planted(people)
    customers, events = written(tmp_path, people)
    rows = clean_records(events, [row for row in dirt if row.file == "events.csv"])
    assert max(row[2] for row in rows) < "2026-07-31"
    assert {row[7] for row in records(customers) if len(row) == 10} == {"", "2026-07-31"}


def test_a_customer_depends_on_the_number_alone(tmp_path: Path) -> None:
    whole, part = compute_truth(population(2_000)), compute_truth(population(300, first=1_500))
    for name, values in part.items():
        assert values.tolist() == whole[name][1_500:1_800].tolist(), name
    _, events = written(tmp_path, population(300, first=1_500))
    assert events.splitlines()[1].startswith(b"000001500-p000,000001500,")
    other = written(tmp_path / "other", population(2_000, first=40_000))
    assert other[0].splitlines()[1].startswith(b"000040000,")
    assert len([row for row in list_planted(population(2_000, first=40_000)) if row.file == "customers.csv"]) == 10


def test_only_full_blocks_hold_dirt() -> None:
    assert list_planted(population(79)) == []
    assert len(list_planted(population(80))) == 8
    assert list_planted(population(90, first=70)) == list_planted(population(80, first=80))
    assert list_planted(population(0)) == []


def test_incoming_customers_come_after_the_population_without_a_campaign(tmp_path: Path) -> None:
    write_incoming(tmp_path, population(40_000))
    customers, events = ((tmp_path / name).read_bytes() for name in FILES)
    header, *rows = customers.decode("utf-8", "surrogateescape").splitlines()
    assert header == "customer_id,signup,birth_year,city,channel,newsletter"
    assert len(rows) == 2_010
    assert rows[0].startswith("000040000,")
    assert sorted({row.count(",") for row in rows}) == [4, 5]  # the ragged one lacks its last field
    assert b"000041999-p000,000041999," in events


def test_month_moves_the_columns_and_concept_the_wishes() -> None:
    base, later, other = (compute_truth(population(20_000, **move)) for move in ({}, {"month": 12}, {"concept": 100}))
    moved = later["kind"] != base["kind"]
    assert moved.mean() == pytest.approx(0.24, abs=0.01)
    assert set(zip(base["kind"][moved].tolist(), later["kind"][moved].tolist(), strict=True)) == {(2, 1)}
    assert other["kind"].tolist() == base["kind"].tolist()
    assert other["F"].tolist() == base["F"].tolist()
    assert np.corrcoef(base["s0"], other["s0"])[0, 1] < 0.9


def test_populations_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"customers -1 … 1998 asked for; give first ≥ 0"):
        population(first=-1)
    with pytest.raises(ConfigError, match="first \\+ n ≤ 100000000"):
        population(2, first=10**8 - 1)
    with pytest.raises(ConfigError, match="month 0, concept 101; give month ≥ 0 and concept between 0 and 100"):
        population(concept=101)
