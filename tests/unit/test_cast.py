"""Cells become numbers, times and codes by their shape alone, with a reason where they do not."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.contract.columns import CellType, Column
from perennial.data.io import cast as module
from perennial.data.io.cast import cast_columns, hash_records
from perennial.errors import PerennialError

pytestmark = pytest.mark.unit

INT = Column(role="numeric", type="int")
DECIMAL = Column(role="numeric")
DATE = Column(role="time", type="date")
BERLIN = Column(role="time", tz="Europe/Berlin")
TEXT = Column(role="categorical")


def one(text: str, column: Column) -> tuple[Any, str | None]:
    out = cast_columns(pl.DataFrame({"c": [text]}, schema={"c": pl.String}), {"c": column})
    assert out.frame.height == 1
    return out.frame["c"].to_list()[0], out.reasons.to_list()[0]


GOOD: list[tuple[Column, str, Any]] = [
    (INT, "007", 7),
    (INT, "+5", 5),
    (INT, "-0", 0),
    (INT, "9" * 18, 10**18 - 1),
    (INT, "", None),
    (DECIMAL, "1.", 1.0),
    (DECIMAL, ".5", 0.5),
    (DECIMAL, "-1.5e-3", -0.0015),
    (DECIMAL, "9007199254740992", 2.0**53),
    (DECIMAL, "0." + "0" * 400 + "1", 0.0),
    (DECIMAL, "", None),
    (DATE, "2024-02-29", dt.date(2024, 2, 29)),
    (DATE, "9998-12-31", dt.date(9998, 12, 31)),
    (BERLIN, "2025-07-01 12:00:00", dt.datetime(2025, 7, 1, 10, tzinfo=dt.UTC)),
    (BERLIN, "2025-12-01 00:30:00", dt.datetime(2025, 11, 30, 23, 30, tzinfo=dt.UTC)),
    (TEXT, "000000017", "000000017"),
    (TEXT, "98765432109876543210", "98765432109876543210"),
    (TEXT, " a", " a"),
    (TEXT, "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    (TEXT, "Gene\u0300ve", "Genève"),
    (TEXT, "", None),
]

BAD: list[tuple[Column, str, str]] = [
    *(
        (INT, text, "is not a whole number of at most 18 digits")
        for text in (" 1", "1 ", "1_000", "1,000", "0x1F", "1.0", "1e3", "9" * 19, "١", "NaN", "--1", "+", "1\n")
    ),
    *(
        (DECIMAL, text, "is not a number")
        for text in (" 1", "1e309", "1_0.0", "0x1p3", "1d", "1f", "nan", "inf", "-Infinity", "€5", "1,5", ".", "e5", "5%")
    ),
    *((DECIMAL, text, r"is a number beyond 2\^53") for text in ("9" * 400, "1e99", "-9007199254740994")),
    *(
        (DATE, text, "is not written as %Y-%m-%d")
        for text in (
            "2025-1-2",
            "25-01-02",
            "2025/01/02",
            "02.01.2025",
            " 2025-01-02",
            "2025-01-02 ",
            "0000-00-00",
            "2025-01-02T00:00",
            "٢٠٢٥-01-02",
            "2025-01-02\n",
        )
    ),
    *((DATE, text, "is a date that does not exist") for text in ("2025-02-30", "2025-02-29", "2025-13-01", "2025-00-10")),
    *(
        (BERLIN, text, "is not written as %Y-%m-%d %H:%M:%S")
        for text in (
            "2025-01-01 24:00:00",
            "2025-01-01 23:59:60",
            "2025-01-01 12:60:00",
            "2025-01-01 1:00:00",
            "2025-01-01",
            "2025-01-01 01:00:00Z",
            "0001-01-01 00:00:00",
        )
    ),
    *(
        (BERLIN, text, "is a time that does not exist, or exists twice, in Europe/Berlin")
        for text in ("2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-02-30 12:00:00")
    ),
]


def test_cells_that_fit() -> None:
    for column, text, value in GOOD:
        assert one(text, column) == (value, None), text
    assert len(GOOD) == 21


def test_cells_that_do_not_fit_say_why() -> None:
    for column, text, words in BAD:
        value, reason = one(text, column)
        assert value is None, text
        assert reason is not None, text
        assert reason.startswith(f"c: '{text[:40]}' "), reason
        assert reason.endswith(words.replace("\\", "")), reason
    assert len(BAD) == 54


def test_a_long_cell_is_cut_in_its_reason() -> None:
    assert one("x" * 1000, INT)[1] == f"c: '{'x' * 40}' is not a whole number of at most 18 digits"


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("%d.%m.%Y", "02.01.2025", "02x01x2025"),
        ("%d/%m/%Y", "02/01/2025", "02-01-2025"),
        ("%Y%m%d", "20250102", "2025-01-02"),
        ("(%Y+%m+%d)", "(2025+01+02)", "202501022"),
    ],
)
def test_a_declared_form_is_taken_to_the_letter(form: str, good: str, bad: str) -> None:
    column = Column(role="time", type="date", format=form)
    assert one(good, column) == (dt.date(2025, 1, 2), None)
    assert one(bad, column) == (None, f"c: '{bad}' is not written as {form}")


MOMENTS = [
    ("%b-%Y", "date", "Dec-2015", dt.date(2015, 12, 1), "Dez-2015"),
    ("%Y-%-m", "date", "2024-2", dt.date(2024, 2, 1), "2024-13"),
    ("%Y-%B-%-d", "date", "2024-February-29", dt.date(2024, 2, 29), "2024-Febr-29"),
    ("%-m/%-d/%Y %-I:%M %p", "datetime", "2/1/2024 12:05 AM", dt.datetime(2024, 2, 1, 0, 5, tzinfo=dt.UTC), "2/1/2024 13:05 AM"),
]


@pytest.mark.parametrize(("form", "kind", "good", "moment", "bad"), MOMENTS)
def test_a_month_is_its_first_day_and_the_halves_of_a_day_are_told_apart(
    form: str, kind: CellType, good: str, moment: dt.date, bad: str
) -> None:
    column = Column(role="time", type=kind, format=form)
    assert one(good, column) == (moment, None)
    assert one(bad, column)[0] is None


def test_null_codes_maps_and_codes_in_this_order() -> None:
    column = Column(role="categorical", null=("?", "none"), map={"Surburban": "Suburban", "n/a": "none"})
    assert [one(text, column) for text in ("?", "n/a", "Surburban", "Urban")] == [
        (None, None),
        (None, None),
        ("Suburban", None),
        ("Urban", None),
    ]
    outcome = Column(role="outcome", values={"no": 0, "yes": 1})
    assert one("yes", outcome) == (1, None)
    assert one("Yes", outcome) == (None, "c: 'Yes' is none of no, yes")
    parts = Column(role="split", values={"training": "train", "dev": "val"})
    assert one("dev", parts) == ("val", None)
    assert one("999", Column(role="numeric", type="int", null=("999",))) == (None, None)


def test_a_row_keeps_its_first_reason_and_its_other_cells() -> None:
    rows = pl.DataFrame({"a": ["x", "1", "y"], "b": ["2", "z", "q"]})
    out = cast_columns(rows, {"a": INT, "b": INT})
    assert out.frame.to_dict(as_series=False) == {"a": [None, 1, None], "b": [2, None, None]}
    reasons = out.reasons.to_list()
    assert [reason.split(" ")[:2] for reason in reasons] == [["a:", "'x'"], ["b:", "'z'"], ["a:", "'y'"]]


def test_an_optional_column_that_is_missing_is_null_and_a_column_may_come_from_another() -> None:
    rows = pl.DataFrame({"raw": ["1", "2"]})
    columns = {"gone": DECIMAL, "n": Column.model_validate({"role": "numeric", "type": "int", "from": "raw"})}
    out = cast_columns(rows, columns)
    assert out.frame.to_dict(as_series=False) == {"gone": [None, None], "n": [1, 2]}
    assert cast_columns(rows.clear(), columns).frame.schema == out.frame.schema


def test_a_cast_that_refuses_what_has_the_shape_is_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INT", r"\A.*\z")
    with pytest.raises(PerennialError, match="column c: a cell has the shape of Int64 and was not cast; please report"):
        one("x", INT)


@given(st.lists(st.text(st.sampled_from("0123456789+-._eEx ,\n\u0661"), max_size=24), min_size=1, max_size=30))
def test_any_cell_is_a_number_or_has_a_reason(texts: list[str]) -> None:
    for column in (INT, DECIMAL):
        out = cast_columns(pl.DataFrame({"c": texts}, schema={"c": pl.String}), {"c": column})
        for text, value, reason in zip(texts, out.frame["c"], out.reasons, strict=True):
            assert (value is None) == (reason is not None or text == ""), text
            if value is not None:
                assert float(text) == value
                assert math.isfinite(value)


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.floats(-(2.0**53), 2.0**53).filter(lambda x: x == 0 or abs(x) > 1e-90))
def test_numbers_survive(whole: int, real: float) -> None:
    assert one(str(whole), INT) == (whole, None)
    assert one(repr(real), DECIMAL) == (real, None)


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)))
@settings(max_examples=60)
def test_local_times_become_utc(local: dt.datetime) -> None:
    local = local.replace(microsecond=0)
    value, reason = one(f"{local:%Y-%m-%d %H:%M:%S}", Column(role="time", tz="UTC"))
    assert (value, reason) == (local.replace(tzinfo=dt.UTC), None)


def test_equal_records_have_equal_content_however_they_are_written() -> None:
    rows = pl.DataFrame(
        {"a": ["Genève", unicodedata.normalize("NFD", "Genève"), "Genève", "b"], "n": ["?", "", "1", "?"], "x": list("1234")}
    )
    columns = {"a": TEXT, "n": Column(role="categorical", null=("?",))}
    digests = hash_records(rows, columns).to_list()
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@given(st.lists(st.tuples(st.text("ab|\n\t", max_size=3), st.text("ab|\n\t", max_size=3)), min_size=2, max_size=12))
def test_different_records_have_different_content(cells: list[tuple[str, str]]) -> None:
    rows = pl.DataFrame(cells, schema={"a": pl.String, "b": pl.String}, orient="row")
    digests = hash_records(rows, {"a": TEXT, "b": TEXT})
    assert digests.n_unique() == len(set(cells))
