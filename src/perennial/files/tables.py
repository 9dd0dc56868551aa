"""Tables on disk: Parquet with page checksums, so that a flipped bit raises instead of becoming another number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.errors import InputError, IntegrityError
from perennial.files.durable import open_replacement

ROW_GROUP = 250_000


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write `frame` as Parquet with page checksums (Polars does not write or check them)."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    with open_replacement(path) as file:
        pq.write_table(table, file, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, write_page_checksum=True)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a table, checking every page that is read.

    Raises: InputError when it or a column is missing, IntegrityError when a checksum does not fit.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            absent = [name for name in columns or () if name not in file.schema_arrow.names]
            if absent:
                there = ", ".join(file.schema_arrow.names)
                raise InputError(f"{path} has no column {', '.join(absent)}; it has: {there}")
            table = file.read(columns=None if columns is None else list(columns))
    except FileNotFoundError:
        raise InputError(f"{path} is missing: run the stage that writes it") from None
    except (pa.ArrowException, OSError) as error:
        message = f"{path} is damaged ({' '.join(str(error).split())[:200]})"
        raise IntegrityError(f"{message}; restore it with dvc checkout or run its stage again") from error
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
