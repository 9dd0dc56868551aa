"""Workbooks in: typed cells are the truth, rows keep their number in the sheet, and what a workbook loses is told."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from perennial.contract.columns import Column
from perennial.contract.source import Source
from perennial.data.io.csv_header import Dialect
from perennial.data.io.ingest import Ingested, ingest
from perennial.data.io.table_files import TableFormat, assign_files, is_file_of
from perennial.data.io.workbook import format_cell, open_sheet
from perennial.data.names import LINE, RAW, RECORD, ROW_ID, SOURCE, describe_place
from perennial.errors import InputError
from perennial.files.archives import is_archive
from tests.fakes.workbooks import Rows, write_ods, write_xlsx

pytestmark = pytest.mark.unit

COLUMNS = {
    "who": Column(role="id"),
    "n": Column(role="numeric", type="int"),
    "spent": Column(role="numeric", type="decimal"),
    "since": Column(role="time", type="date", format="%d.%m.%Y"),
    "seen": Column(role="time", type="datetime"),
    "vip": Column(role="categorical", values=["true", "false"]),
}
HEAD = list(COLUMNS)
DAY, MOMENT = dt.date(2024, 5, 1), dt.datetime(2024, 5, 1, 13, 30)
ROW = ["00123", 7, 0.1, DAY, MOMENT, True]


def form(sheet: str | None = None, **dialect: object) -> TableFormat:
    written = replace(Dialect(), **dialect)
    return TableFormat(table="main", format="workbook", dialect=written, entity="who", allow_empty=False, sheet=sheet)


def read(path: Path, how: TableFormat | None = None) -> Ingested:
    return ingest([path], COLUMNS, how or form())


def book(folder: Path, *rows: Rows, name: str = "may.xlsx") -> Path:
    return write_xlsx(folder / name, {"May": [HEAD, *rows]})


def messages(result: Ingested, code: str) -> list[str]:
    return [warning.message for warning in result.warnings if warning.code == code]


@pytest.mark.parametrize(
    ("cell", "form", "text"),
    [
        (1011.0, None, "1011"),
        (-0.0, None, "0"),
        (0.1, None, "0.1"),
        (1e-5, None, "1e-05"),
        (2.0**53 - 1, None, "9007199254740991"),
        (2.0**53, None, "9007199254740992.0"),
        (1.2345e19, None, "1.2345e+19"),
        (True, None, "true"),
        (False, None, "false"),
        ("=1+1", None, "=1+1"),
        ("", None, ""),
        (DAY, None, "2024-05-01"),
        (DAY, "%d.%m.%Y", "01.05.2024"),
        (DAY, "%Y-%m-%d %H:%M:%S", "2024-05-01 00:00:00"),
        (MOMENT, None, "2024-05-01 13:30:00"),
        (MOMENT, "%Y-%m-%d", "2024-05-01"),
        (dt.time(13, 30), None, "13:30:00"),
        (dt.timedelta(hours=30), None, "1 day, 6:00:00"),
    ],
)
def test_a_cell_is_written_as_a_csv_file_would_hold_it(cell: object, form: str | None, text: str) -> None:
    assert format_cell(cell, form) == text


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_typed_cells_become_typed_columns_with_their_place(tmp_path: Path, kind: str) -> None:
    rows = [HEAD, ROW, [], ["x", "", "", "", "", ""]]
    path = tmp_path / f"may.{kind}"
    (write_xlsx if kind == "xlsx" else write_ods)(path, {"May": rows})
    result = read(path)
    moment = MOMENT.replace(tzinfo=dt.UTC)
    assert result.rows.select(HEAD).rows() == [("00123", 7, 0.1, DAY, moment, "true"), ("x", None, None, None, None, None)]
    source = f"may.{kind}, sheet May"
    assert result.rows.select(SOURCE, RECORD, LINE).rows() == [(source, 2, 2), (source, 4, 4)], "an empty row is no record"
    assert json.loads(result.rows[RAW][0]) == {
        "who": "00123",
        "n": "7",
        "spent": "0.1",
        "since": "2024-05-01",
        "seen": "2024-05-01 13:30:00",
        "vip": "true",
    }
    assert result.rejects.height == 0
    assert not messages(result, "id_as_number")


def test_a_row_that_cannot_be_read_names_sheet_and_row(tmp_path: Path) -> None:
    result = read(book(tmp_path, ROW, ["y", "seven", 1, DAY, MOMENT, True]))
    (bad,) = result.rejects.to_dicts()
    assert describe_place(bad["source"], bad["line"]) == "may.xlsx, sheet May, row 3"
    assert bad["reason"] == "n: 'seven' is not a whole number of at most 18 digits"
    assert bad[ROW_ID].endswith("-3")
    assert json.loads(bad["raw"])["n"] == "seven"


def test_an_id_stored_as_a_number_is_told_and_one_that_lost_digits_is_set_aside(tmp_path: Path) -> None:
    result = read(book(tmp_path, [1011, *ROW[1:]], [1.2345678901234567e19, *ROW[1:]], [2.0**53, *ROW[1:]], ROW))
    assert result.rows["who"].to_list() == ["1011", "00123"], "shown as 01011, stored as 1011"
    assert result.rejects["rule"].to_list() == ["precision_lost:who"] * 2
    assert messages(result, "id_as_number") == [
        "may.xlsx, sheet May: id column who is stored as numbers: leading zeros are lost in the workbook, and digits beyond the"
        " 15th; store it as text"
    ]


def test_a_vast_number_is_never_read_as_an_exact_one(tmp_path: Path) -> None:
    result = read(book(tmp_path, ROW, ["a", 2.0**60, 1, DAY, MOMENT, True], ["b", 1, 2.0**60, DAY, MOMENT, True]))
    assert result.rows["who"].to_list() == ["00123"]
    assert result.rejects["rule"].to_list() == ["cell:n", "cell:spent"]


def test_of_merged_cells_the_first_has_the_value_and_the_range_is_told(tmp_path: Path) -> None:
    rows = [["Customers of May"], HEAD, ROW, ["b", *ROW[1:]], ["c", *ROW[1:]]]
    path = write_xlsx(tmp_path / "may.xlsx", {"May": rows}, merged={"May": ["A1:C1", "C4:C5"]})
    result = read(path, form(skip=1))
    assert result.rows["spent"].to_list() == [0.1, 0.1, None]
    assert result.rows[LINE].to_list() == [3, 4, 5]
    told = ["may.xlsx, sheet May: merged cells C4:C5: the first has the value, the others are empty"]
    assert messages(result, "merged_cells") == told, "a merged title is no data"


def test_error_cells_are_empty_and_told(tmp_path: Path) -> None:
    path = tmp_path / "may.xlsx"
    with xlsxwriter.Workbook(path) as out:
        out.add_worksheet("Other").write_formula("A1", "=1/0", None, "#DIV/0!")
        sheet = out.add_worksheet("May & June")
        sheet.write_row("A1", HEAD)
        for row in range(2, 30_000):
            sheet.write_string(f"A{row}", f"k{row}")
            sheet.write_number(f"B{row}", 1)
        sheet.write_formula("B17", "=VLOOKUP(1, A1:A2, 9)", None, "#N/A")
        sheet.write_formula("C29000", "=1/0", None, "#DIV/0!")
    result = read(path, form("May & June"))
    assert result.rows.filter(pl.col("n").is_null())[LINE].to_list() == [17]
    told = "may.xlsx, sheet May & June: 2 cells, such as B17, hold errors (#N/A, …) and are read as empty"
    assert messages(result, "error_cells") == [told]
    assert not messages(read(book(tmp_path, ROW, name="june.xlsx")), "error_cells")


def test_a_table_may_begin_anywhere(tmp_path: Path) -> None:
    rows = [[], [], *(["", "", *row] for row in (HEAD, ROW))]
    result = read(write_xlsx(tmp_path / "may.xlsx", {"May": rows}))
    assert result.rows.select("who", LINE).rows() == [("00123", 4)]
    merged = write_xlsx(tmp_path / "merged.xlsx", {"May": [*rows, rows[-1]]}, merged={"May": ["E4:E5"]})
    assert "E4:E5" in messages(read(merged), "merged_cells")[0]


def test_the_sheet_is_the_one_that_is_named_or_the_only_visible_one_with_rows(tmp_path: Path) -> None:
    june = [HEAD, ["june", *ROW[1:]]]
    path = write_xlsx(tmp_path / "a.xlsx", {"Notes": [["read me"]], "Empty": [], "May": [HEAD, ROW], "Old": june}, hidden=["Old"])
    assert read(path).rows["who"].to_list() == ["00123"]
    assert read(path, form("Old")).rows["who"].to_list() == ["june"], "a hidden one by its name"
    several = write_xlsx(tmp_path / "b.xlsx", {"May": [HEAD, ROW], "June": june})
    with pytest.raises(InputError, match=r"b\.xlsx: 2 sheets have rows: May, June; name one: --sheet 'May'"):
        read(several)
    assert read(several, form("June")).rows[SOURCE].to_list() == ["b.xlsx, sheet June"]
    with pytest.raises(InputError, match=r"b\.xlsx has no sheet 'July'; it has: May, June"):
        read(several, form("July"))
    with pytest.raises(InputError, match=r"a\.xlsx: sheet Empty has no rows"):
        read(path, form("Empty"))
    nothing = write_xlsx(tmp_path / "c.xlsx", {"A": [], "B": []})
    with pytest.raises(InputError, match=r"c\.xlsx: no visible sheet has rows"):
        read(nothing)


def test_a_header_is_found_or_declared_and_stands_once(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "bare.xlsx", {"May": [ROW, ["b", *ROW[1:]]]})
    assert read(path, form(names=tuple(HEAD))).rows["who"].to_list() == ["00123", "b"]
    with pytest.raises(InputError, match="sheet May has 6 columns, the contract's header names 2"):
        read(path, form(names=("who", "n")))
    twice = write_xlsx(tmp_path / "twice.xlsx", {"May": [[*HEAD, "n"], [*ROW, 1]]})
    with pytest.raises(InputError, match=r"column names that stand twice in the header: \['n'\]"):
        read(twice)
    with pytest.raises(InputError, match="sheet May has no row after the 9 to skip"):
        read(path, form(skip=9))
    unnamed = write_xlsx(tmp_path / "unnamed.xlsx", {"May": [[*HEAD, ""], [*ROW, "a remark"]]})
    assert messages(read(unnamed), "extra_column") == ["unnamed.xlsx: column 'column_7' is in no contract and is not read"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 cut short", r"may\.xlsx is broken \(File is not a zip file\); is it complete\?"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"may\.xlsx: protected by a password, or of an old kind"),
        (b"", r"may\.xlsx is broken"),
    ],
)
def test_what_is_no_workbook_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "may.xlsx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_a_zip_that_is_no_workbook_or_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "may.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("customers.csv", "who\n1\n")
    with pytest.raises(InputError, match=r"may\.xlsx is no readable workbook \(.*\); is it complete, and an \.xlsx or \.ods\?"):
        read(path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (65 * 1024 * 1024))
    path.write_bytes(out.getvalue())
    with pytest.raises(InputError, match="expands to more than 200 times"):
        read(path)


def test_a_workbook_is_no_archive_and_takes_the_place_of_a_text_file(tmp_path: Path) -> None:
    path = book(tmp_path, ROW)
    assert not is_archive(path)
    assert is_file_of("may.xlsx", "may.csv")
    assert is_file_of("may.ods", "*.csv*")
    assert not is_file_of("may.csv", "may.xlsx")
    assert not is_file_of("june.xlsx", "may.csv")
    assert assign_files([path], {"main": "may.csv"}) == {"main": [path]}
    text = replace(form(), format="csv", dialect=Dialect(delimiter=";", encoding="cp1252", skip=3))
    result = read(path, text)
    assert result.rows["who"].to_list() == ["00123"], "what the contract says of lines is of text files"
    assert not messages(result, "encoding")
    plain = tmp_path / "may.csv"
    plain.write_text("who;n;spent;since;seen;vip\n00123;7;0.1;01.05.2024;2024-05-01 13:30:00;true\n")
    again = read(plain, form(delimiter=";", skip=3))
    assert again.rows.select(HEAD).equals(result.rows.select(HEAD)), "and the other way round"


def test_a_sheet_is_named_for_workbooks_only() -> None:
    assert Source(kind="file", files="a.xlsx", format="workbook", sheet="May").sheet == "May"
    with pytest.raises(ValueError, match="sheet is for format: workbook, not for format: csv"):
        Source(kind="file", files="a.csv", sheet="May")


def test_rows_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perennial.data.io.workbook.BATCH_ROWS", 2)
    path = book(tmp_path, *[[f"k{i}", *ROW[1:]] for i in range(5)])
    blocks = list(open_sheet(path, None, Dialect()).read({"who": ("who", COLUMNS["who"])}))
    assert [block.rows.height for block in blocks] == [2, 2, 1]
    assert read(path).rows["who"].to_list() == [f"k{i}" for i in range(5)]
