"""Workbooks as people keep them: .xlsx with formats, merged cells and hidden sheets, and .ods."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

Rows = Sequence[Sequence[Any]]


def write_xlsx(
    path: Path, sheets: Mapping[str, Rows], *, hidden: Sequence[str] = (), merged: Mapping[str, Sequence[str]] | None = None
) -> Path:
    """A workbook; `merged` are ranges by sheet. Numbers of five digits are shown with leading zeros."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        forms = {dt.datetime: "yyyy-mm-dd hh:mm", dt.date: "dd.mm.yyyy", dt.time: "hh:mm", int: "00000"}
        formats = {kind: book.add_format({"num_format": form}) for kind, form in forms.items()}
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    sheet.write(i, j, cell, formats.get(type(cell)))
            for cells in (merged or {}).get(name, ()):
                sheet.merge_range(cells, "", book.add_format({"align": "center"}))
                first = xlsxwriter.utility.xl_cell_to_rowcol(cells.partition(":")[0])
                sheet.write(*first, rows[first[0]][first[1]])
    return path


def write_ods(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """An OpenDocument spreadsheet with what a reader needs of it."""
    rows = {name: "".join(map(_ods_row, rows)) for name, rows in sheets.items()}
    tables = "".join(f'<table:table table:name="{escape(name)}">{text}</table:table>' for name, text in rows.items())
    spaces = "".join(
        f' xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for key, name in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", f"<office:document-content{spaces}>{body}</office:document-content>")
        entry = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}">{entry}</manifest:manifest>')
    return path


def _ods_row(row: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(_ods_cell(cell) for cell in row)}</table:table-row>"


def _ods_cell(cell: Any) -> str:
    match cell:
        case None | "":
            return "<table:table-cell/>"
        case bool():
            kind = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
        case int() | float():
            kind = f'office:value-type="float" office:value="{cell}"'
        case dt.date():
            kind = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
        case _:
            kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{escape(str(cell))}</text:p></table:table-cell>"
