"""The profile of a table: each column counted over all rows (shapes, values, numbers), and a sample of whole rows.

Counts are exact and of every cell; only relations between columns are looked for in the sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from perennial.data.io.cast import DECIMAL, INT
from perennial.data.io.read import Block
from perennial.discovery.names import load_keywords

_SAMPLE_ROWS = 40_000
_MAX_VALUES = 2_000  # that are counted one by one
_MAX_HASHES = 1_000_000  # different cells from which no more are counted
_MAX_NON_NUMBERS = 60  # different cells without a number's shape that are remembered
_MIN_SPOKEN = 5  # cells from which a sign such as `-` may be a value
_DATE_SAMPLE = 2_000  # cells of a block in which formats of dates are looked for
_LIKE_A_DATE = r"[0-9][-/.: ]|[0-9]{8}|[a-zA-Z]{3}[- ]?[0-9]"
DAY_AS_NUMBER = "%Y%m%d"  # the only date that is a number: 20240131


@dataclass(frozen=True, kw_only=True)
class CellPatterns:
    """What cell_shapes.yaml holds, ready for Polars: the pattern of each shape, and of each format of a date."""

    shapes: dict[str, str]
    date_formats: dict[str, str]


@cache
def load_cell_patterns() -> CellPatterns:
    """The patterns, read once."""
    text = files("perennial.discovery").joinpath("cell_shapes.yaml").read_text(encoding="utf-8")
    content: dict[str, dict[str, str]] = yaml.safe_load(text)
    names = list(content["month_names"])
    parts = content["parts"] | {"month": f"(?:{'|'.join(names)})", "mon": f"(?:{'|'.join(name[:3] for name in names)})"}
    days, clocks, offsets = content["days"], content["clocks"], content["clocks_with_offset"]
    formats = {day + clock: days[day] + clocks[clock] for day in days for clock in clocks}
    formats = {form: shape for form, shape in formats.items() if form == DAY_AS_NUMBER or DAY_AS_NUMBER not in form}
    formats |= {day + clock: days[day] + offsets[clock] for day in ("%Y-%m-%d", "%Y/%m/%d") for clock in offsets}
    formats |= content["months"]
    for part, pattern in parts.items():
        formats = {form: shape.replace(f"<{part}>", pattern) for form, shape in formats.items()}
    return CellPatterns(
        shapes={"int": INT, "decimal": DECIMAL} | content["cell_shapes"],
        date_formats={form: rf"\A{shape}\z" for form, shape in formats.items()},
    )


@dataclass(kw_only=True, eq=False)
class ColumnProfile:
    """One column over all rows; it grows block by block."""

    name: str
    rows: int = 0
    empty: int = 0  # cells without a sign, or a null token
    shapes: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)  # format → cells that have it
    values: Counter[str] = field(default_factory=Counter)  # of cells that are not empty, as long as there are few
    nulls: Counter[str] = field(default_factory=Counter)  # null tokens, the empty cell left out
    non_numbers: Counter[str] = field(default_factory=Counter)  # cells without a number's shape
    has_many_values: bool = False  # more than _MAX_VALUES: `values` is empty
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))  # of each different cell
    has_repeats: bool = False  # whether a cell is there twice
    words: int = 0
    minimum: float = np.inf
    maximum: float = -np.inf

    @property
    def filled(self) -> int:
        return self.rows - self.empty

    @property
    def distinct(self) -> int:
        return len(self.hashes)

    @property
    def spoken_nulls(self) -> set[str]:
        """Null tokens that are values here: `None` or `-` beside other texts, and not rare."""
        if self.texts < 0.5 * self.filled or self.dates:
            return set()
        enough = max(_MIN_SPOKEN, 0.01 * self.rows)
        return {token for token in load_keywords().spoken_nulls & self.nulls.keys() if self.nulls[token] >= enough}

    @property
    def silent_nulls(self) -> list[str]:
        """The other null tokens, which stand for nothing."""
        return sorted(self.nulls.keys() - self.spoken_nulls)

    @property
    def answers(self) -> int:
        """Cells that hold a value, `None` among them where it is one."""
        return self.filled + sum(self.nulls[token] for token in self.spoken_nulls)

    @property
    def distinct_answers(self) -> int:
        return self.distinct + len(self.spoken_nulls)

    @property
    def texts(self) -> int:
        """Cells that are no number."""
        return self.filled - self.shapes["decimal"]

    @property
    def words_per_cell(self) -> float:
        return self.words / self.filled

    @property
    def rows_per_value(self) -> float:
        return self.filled / self.distinct

    def share(self, shape: str) -> float:
        """Of the cells that are not empty."""
        return self.shapes[shape] / max(self.filled, 1)

    def add(self, cells: pl.Series) -> None:
        """Count a block of cells."""
        self.rows += len(cells)
        is_null = cells.is_in(list(load_keywords().null_tokens))
        self.nulls.update({token: count for token, count in _count_values(cells.filter(is_null)) if token})
        filled = cells.filter(~is_null)
        self.empty += len(cells) - len(filled)
        if not len(filled):
            return
        self._count_distinct(filled)
        self._count_values(filled)
        self.words += int(filled.str.count_matches(r"\S+").sum())
        self._count_shapes(filled)

    def _count_distinct(self, cells: pl.Series) -> None:
        if len(self.hashes) > _MAX_HASHES:  # what is different so far will do
            return
        new = np.unique(cells.hash(seed=0).to_numpy())
        before = len(self.hashes)
        self.hashes = np.union1d(self.hashes, new)
        self.has_repeats |= len(new) < len(cells) or len(self.hashes) < before + len(new)

    def _count_values(self, cells: pl.Series) -> None:
        if not self.has_many_values:
            self.values.update(dict(_count_values(cells)))
            if len(self.values) > _MAX_VALUES:
                self.has_many_values, self.values = True, Counter()

    def _count_shapes(self, cells: pl.Series) -> None:
        self.shapes.update(_count_matches(cells, load_cell_patterns().shapes))
        is_number = cells.str.contains(DECIMAL)
        numbers = cells.filter(is_number).cast(pl.Float64, strict=False)
        if len(numbers):
            self.minimum = min(self.minimum, float(numbers.min()))  # type: ignore[arg-type]
            self.maximum = max(self.maximum, float(numbers.max()))  # type: ignore[arg-type]
        if len(self.non_numbers) <= _MAX_NON_NUMBERS:
            self.non_numbers.update(dict(_count_values(cells.filter(~is_number))[: _MAX_NON_NUMBERS + 1]))
        formats = [DAY_AS_NUMBER] if len(numbers) == len(cells) else self._find_date_formats(cells[:_DATE_SAMPLE])
        patterns = load_cell_patterns().date_formats
        self.dates.update(_count_matches(cells, {form: patterns[form] for form in formats}))

    def _find_date_formats(self, cells: pl.Series) -> list[str]:
        """Formats that some of the cells have, or had in earlier blocks."""
        if not cells.str.contains(_LIKE_A_DATE).any():
            return []
        patterns = load_cell_patterns().date_formats
        counts = _count_matches(cells, patterns)
        return [form for form in patterns if counts[form] or self.dates[form]]


def _count_matches(cells: pl.Series, patterns: dict[str, str]) -> dict[str, int]:
    """How many cells match each pattern."""
    if not patterns:
        return {}
    counts = {key: pl.col("x").str.contains(pattern).sum() for key, pattern in patterns.items()}
    return {key: int(count) for key, count in cells.to_frame("x").select(**counts).row(0, named=True).items()}


def _count_values(cells: pl.Series) -> list[tuple[str, int]]:
    counts = cells.alias("x").value_counts(sort=True)
    return list(zip(counts["x"].to_list(), counts["count"].to_list(), strict=True))


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    """The columns of a table, and some of its rows whole (texts, in file order)."""

    columns: dict[str, ColumnProfile]
    sample: pl.DataFrame
    rows: int


def profile_table(blocks: Iterable[Block], names: list[str]) -> TableProfile:
    """One pass. The sample is the first rows, then of each later block as many as keep it even over the file."""
    columns = {name: ColumnProfile(name=name) for name in names}
    sample = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    rows = 0
    for block in blocks:
        cells = block.rows.select(names)
        rows += cells.height
        for name in names:
            columns[name].add(cells[name])
        sample.append(_thin([cells]))
        if sum(part.height for part in sample) > 2 * _SAMPLE_ROWS:
            sample = [_thin(sample)]
    return TableProfile(columns=columns, sample=_thin(sample), rows=rows)


def _thin(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """At most _SAMPLE_ROWS rows, evenly over all there are, in their order."""
    whole = pl.concat(parts)
    if whole.height <= _SAMPLE_ROWS:
        return whole
    place = np.linspace(0, whole.height - 1, _SAMPLE_ROWS).round().astype(np.int64)
    return whole[place]
