"""Byte source of CSV and JSONL files: UTF-8 text from plain or gzip files, transcoded, without a byte order mark.

Memory is a chunk or two whatever the file expands to.
"""

from __future__ import annotations

import codecs
import gzip
import re
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from perennial.errors import InputError

FileKind = Literal["CSV", "JSONL"]
LINE_LIMIT = 10_000_000  # bytes
ENCODINGS = ("utf-8", "latin-1", "cp1252", "utf-16")

_BOMB_RATIO = 200  # text of customers compresses 3 to 50 times
_BOMB_BYTES = 16 * 1024 * 1024  # below this, any ratio is harmless: as rows it is a few hundred MB
_NOT_CSV = (
    (rb"PAR1", "Parquet"),
    (rb"PK\x03\x04", "a zip archive (or a spreadsheet)"),
    (rb"\x1f\x8b", "gzip inside gzip"),
    (rb"BZh[1-9]1AY&SY", "bzip2"),
    (rb"\xfd7zXZ\x00", "xz"),
    (rb"\x28\xb5\x2f\xfd", "Zstandard"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (rb"SQLite format 3\x00", "a SQLite database"),
    (rb"ARROW1", "Arrow"),
    (rb"\x89HDF", "HDF5"),
    (rb"%PDF-", "PDF"),
    (rb"\x80[\x02-\x05]", "a pickle, which is never opened"),
    (rb"(?is)\s*<(?:!doctype html|html)\b", "a page of HTML (an answer that says what went wrong?)"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file that it points to"),
    (rb'\s*(?:\[\s*)?\{\s*"', "JSON"),
    (rb"\{\\rtf", "a text document (RTF)"),
)


class PendingBytes:
    """Bytes of a file that have not been cut into records yet; `line` is the physical line on which they begin."""

    def __init__(self, path: Path, encoding: str, size: int, kind: FileKind = "CSV") -> None:
        self.path, self.line, self.ended = path, 1, False
        self._chunks = read_chunks(path, encoding, size, kind)
        self._data = b""

    @property
    def text(self) -> bytes:
        """Whole lines; at the end of the file, all that is left."""
        return self._data if self.ended else self._data[: self._data.rfind(b"\n") + 1]

    def more(self) -> None:
        """Read one more chunk.

        Raises: InputError as `read_chunks`, and for a line of more than LINE_LIMIT bytes.
        """
        chunk = next(self._chunks, None)
        self.ended = chunk is None
        self._data += chunk or b""
        if len(self._data) - self._data.rfind(b"\n") > LINE_LIMIT + 2:  # its line end may still follow
            raise self.line_too_long(self._data.count(b"\n"))

    def drop(self, n_bytes: int) -> None:
        self.line += self._data.count(b"\n", 0, n_bytes)
        self._data = self._data[n_bytes:]

    def line_too_long(self, nth: int) -> InputError:
        return InputError(
            f"{self.path}: line {self.line + nth} has more than {LINE_LIMIT} bytes; is this a CSV file, and whole?",
            code="line_too_long",
        )


def read_chunks(path: Path, encoding: str, size: int, kind: FileKind = "CSV") -> Iterator[bytes]:
    """Yield the file's text in chunks of about `size` bytes.

    Raises: InputError for no regular file, another kind by its first bytes, a broken or exploding gzip, another encoding.
    """
    with open_regular(path) as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        chunks = _decompress(path, raw, size) if compressed else iter(lambda: raw.read(size), b"")
        yield from _transcode(path, encoding, _check_kind(path, encoding, kind, chunks))


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading (raises InputError at once for anything else, or without permission)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise InputError(f"{path}: not a regular file; give a CSV file, plain or .gz", code="not_a_file")
        return path.open("rb")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a CSV file, plain or .gz", code="unreadable_file"
        ) from error


def _decompress(path: Path, raw: IO[bytes], size: int) -> Iterator[bytes]:
    n_out = 0
    try:
        with gzip.GzipFile(fileobj=raw) as unpacked:
            while chunk := unpacked.read(size):
                n_out += len(chunk)
                if n_out > _BOMB_BYTES and n_out > _BOMB_RATIO * raw.tell():
                    raise InputError(
                        f"{path}: gzip that expands more than {_BOMB_RATIO} times ({raw.tell()} → {n_out} bytes"
                        " so far); if it is honest, unpack it first",
                        code="bomb",
                    )
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: broken gzip after {n_out} bytes of text ({error}); fetch the file again", code="broken_archive"
        ) from error


def _check_kind(path: Path, encoding: str, kind: FileKind, chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = next(chunks, b"")
    for magic, what in _NOT_CSV:
        if re.match(magic, head) and what != kind.removesuffix("L"):
            raise InputError(f"{path}: this is {what}, not {kind}; convert it, or declare its format", code="other_format")
    if encoding != "utf-16" and head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path}: begins with a UTF-16 byte order mark; declare encoding: utf-16", code="encoding")
    yield head.removeprefix(codecs.BOM_UTF8) if encoding == "utf-8" else head
    yield from chunks


def _transcode(path: Path, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if encoding == "utf-8":  # judged record by record
        yield from chunks
        return
    decoder, n_in = codecs.getincrementaldecoder(encoding)(), 0
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
            n_in += len(chunk)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise InputError(
            f"{path}: not {encoding} after byte {n_in} ({error}); declare the right encoding, one of {', '.join(ENCODINGS)}",
            code="encoding",
        ) from error
