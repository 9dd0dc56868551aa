"""Error cells of an .xlsx, such as #N/A and #REF!: the workbook reader gives them as empty cells, so they are looked for here."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_TAG = re.compile(rb"<(?:\w+:)?(sheet|Relationship)\s([^>]*)>")
_CELL = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>')
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')


def find_error_cells(path: Path, sheet: str) -> list[str]:
    """The cells of a sheet that hold an error, such as C17; none of another kind of workbook."""
    try:
        with zipfile.ZipFile(path) as book:
            part = _find_part(book, sheet)
            return [] if part is None else list(_scan(book, part))
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError):
        return []  # it could be read otherwise


def _find_part(book: zipfile.ZipFile, sheet: str) -> str | None:
    """The file of a sheet in the workbook, by its name."""
    if "xl/workbook.xml" not in book.namelist():
        return None
    sheets = {one["name"]: one for one in _read_tags(book, "xl/workbook.xml", b"sheet") if "name" in one}
    relations = {one["Id"]: one["Target"] for one in _read_tags(book, "xl/_rels/workbook.xml.rels", b"Relationship")}
    target = relations.get(next((value for key, value in sheets.get(sheet, {}).items() if key.endswith(":id")), ""))
    return None if target is None else target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _read_tags(book: zipfile.ZipFile, part: str, tag: bytes) -> Iterator[dict[str, str]]:
    for name, attributes in _TAG.findall(book.read(part)):
        if name == tag:
            yield {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(attributes.decode())}


def _scan(book: zipfile.ZipFile, part: str) -> Iterator[str]:
    """Look through a sheet chunk by chunk; a tag that is cut waits for the next one."""
    rest = b""
    with book.open(part) as xml:
        while chunk := xml.read(_CHUNK):
            text, cut, tail = (rest + chunk).rpartition(b"<")
            rest = cut + tail
            yield from _name_cells(text)
    yield from _name_cells(rest)


def _name_cells(text: bytes) -> Iterator[str]:
    for attributes in _CELL.findall(text):
        yield dict(_ATTRIBUTE.findall(attributes.decode())).get("r", "a cell")
