"""Pictures of a table: read from the tar that its paths lead into, checked, hashed and decoded.

A picture travels in its row as the bytes of its file; it is decoded where a model needs it. Suffixes: N pictures, S side.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from perennial.contract.columns import Column
from perennial.errors import InputError

SIDE = 80  # px of a decoded picture
_QUALITY = 72  # of a picture in a report


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A tar of pictures, its members by name."""

    path: Path
    members: dict[str, tarfile.TarInfo]

    @classmethod
    def open(cls, path: Path) -> Archive:
        """List the members of a tar (raises InputError when it is no tar)."""
        try:
            with tarfile.open(path, "r:") as tar:
                return cls(path=path, members={member.name: member for member in tar if member.isfile()})
        except (tarfile.TarError, OSError) as error:
            raise InputError(f"{path} is no tar that can be read ({error}): is it complete?") from error

    def read(self, names: Sequence[str | None]) -> list[bytes | None]:
        """The bytes of each member, None for a missing one. Nothing is unpacked to disk."""
        with open(self.path, "rb") as file:
            return [self._read_member(file, name) for name in names]

    def _read_member(self, file: io.BufferedReader, name: str | None) -> bytes | None:
        member = self.members.get(name or "")
        if member is None:
            return None
        file.seek(member.offset_data)
        return file.read(member.size)


def attach_pictures(cells: pl.Series, column: Column, archive: Archive) -> tuple[pl.Series, pl.Series]:
    """Read the picture (bytes) of each path, and the problem of each that cannot be used (null where it can)."""
    pictures = archive.read(cells.to_list())
    reasons = [_find_problem(path, picture, column) for path, picture in zip(cells, pictures, strict=True)]
    usable = [None if reason else picture for picture, reason in zip(pictures, reasons, strict=True)]
    return pl.Series(cells.name, usable, dtype=pl.Binary), pl.Series(cells.name, reasons, dtype=pl.String)


def hash_pictures(cells: pl.Series, archive: Archive) -> pl.Series:
    """The md5 of the picture of each path: pictures that are equal byte for byte have the same."""
    digests = [picture and hashlib.md5(picture, usedforsecurity=False).hexdigest() for picture in archive.read(cells.to_list())]
    return pl.Series(cells.name, digests, dtype=pl.String)


def decode_pictures(cells: pl.Series) -> NDArray[np.uint8]:
    """Decode to RGB pixels (n, 3, S, S): the largest centre square, resized; a missing picture is grey."""
    out = np.full((len(cells), 3, SIDE, SIDE), 128, dtype=np.uint8)
    for row, picture in zip(out, cells, strict=True):
        if picture is not None:
            row[:] = _crop_square(picture)
    return out


def encode_jpeg(pixels_CSS: NDArray[np.uint8]) -> bytes:
    """Encode pixels as a small JPEG file of 2 to 3 KB."""
    file = io.BytesIO()
    Image.fromarray(pixels_CSS.transpose(1, 2, 0)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _crop_square(picture: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(picture)) as image:
        rgb = image.convert("RGB")
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    small = rgb.resize((SIDE, SIDE), Image.Resampling.BOX, (left, top, left + side, top + side))
    return np.asarray(small, dtype=np.uint8).transpose(2, 0, 1)


def _find_problem(path: str | None, picture: bytes | None, column: Column) -> str | None:
    """Why a picture cannot be used; its header is read before it is decoded, so that a huge one is refused."""
    if path is None:
        return None
    if picture is None:
        return f"'{path[:80]}' is not in {column.archive}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture that Pillow warns about is not taken
            with Image.open(io.BytesIO(picture)) as image:
                width, height = image.size
                if min(width, height) < column.min_side or width * height > column.max_pixels:
                    limits = f"sides from {column.min_side} px, at most {column.max_pixels:,} pixels"
                    return f"'{path[:80]}' is {width} × {height} px; the contract asks for {limits}"
                image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        return f"'{path[:80]}' cannot be decoded ({' '.join(str(error).split())[:60]})"
    return None
