"""The exact reader against polars.read_csv: the ratio of CPU seconds on one generated file, both giving cells as text.

The exact reader also numbers every record, keeps its bytes and sets unreadable ones aside; polars does none of it.

    python benchmarks/read_csv.py [--rows 1000000] [--times 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from perennial.data.io.csv_header import Dialect
from perennial.data.io.read import read_blocks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3, help="of each reader, in turn; the least counts")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        table(args.rows).write_csv(file)
        readers: dict[str, Callable[[Path], int]] = {"perennial": exact, "polars": reference}
        took = {name: [cpu_s(reader, file, args.rows) for _ in range(args.times)] for name, reader in readers.items()}
        size = file.stat().st_size / 1e6
    best = {name: min(seconds) for name, seconds in took.items()}
    print(f"{args.rows:,} rows x 10 columns, {size:.0f} MB, CPU seconds, least of {args.times}")
    print(f"perennial.data.io.read {best['perennial']:.2f} s, polars {pl.__version__} read_csv {best['polars']:.2f} s")
    print(f"ratio {best['perennial'] / best['polars']:.2f}")


def table(rows: int) -> pl.DataFrame:
    """Ids, dates, amounts, codes and a text with delimiters and quotes in one cell of fifty."""
    rng = np.random.default_rng(1)
    plain, quoted = np.array(["called", "wrote", "came by"]), 'said "later", and left'
    note = np.where(rng.random(rows) < 0.02, quoted, plain[rng.integers(3, size=rows)])
    day = np.datetime64("2024-01-01") + rng.integers(900, size=rows)
    return pl.DataFrame(
        {
            "id": np.arange(rows) + 100_000_000,
            "day": day.astype("datetime64[D]"),
            "amount": rng.gamma(2, 40, rows).round(2),
            "age": rng.integers(18, 90, size=rows),
            "city": np.array(["Basel", "Genève", "Graz", "Zürich"])[rng.integers(4, size=rows)],
            "channel": np.array(["store", "web", "app"])[rng.integers(3, size=rows)],
            "visits": rng.poisson(3, rows),
            "rate": rng.random(rows).round(4),
            "note": note,
            "answer": rng.integers(2, size=rows),
        }
    )


def cpu_s(reader: Callable[[Path], int], file: Path, rows: int) -> float:
    """CPU seconds of all threads of this process."""
    start = time.process_time()
    found = reader(file)
    took = time.process_time() - start
    assert found == rows, f"{found} of {rows} rows were read"
    return took


def exact(file: Path) -> int:
    """A block at a time is what ingest asks for; here they are kept, as polars keeps its table."""
    return pl.concat(block.rows for block in read_blocks(file, Dialect())).height


def reference(file: Path) -> int:
    return pl.read_csv(file, infer_schema=False).height


if __name__ == "__main__":
    main()
