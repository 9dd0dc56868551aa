"""Blocks of text cells in, what each column looks like over all rows out, and a sample of whole rows.

Counts are exact and of every cell; only relations between columns are looked for in the sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.data.io.cast import DECIMAL, INT
from perennial.data.io.read import Block

SAMPLE = 40_000  # rows that are kept whole
_DISTINCT = 2_000  # values that are counted one by one
_TRACKED = 1_000_000  # different cells from which no more are told apart
_ODD = 60  # different cells without a number's shape that are remembered
NULLS = frozenset({
    "NA", "N/A", "n/a", "na", "#N/A", "#NA", "NULL", "Null", "null", "NaN", "nan", "None", "none", "NONE", "nil", "\\N", "?", "-",
    "--", ".", "missing", "Missing", "(null)", "<NA>", "NaT", "",
})  # fmt: skip
_SPOKEN = {"None", "none", "NONE", "nil", "-"}
_SAID = 5  # cells from which such a sign may be a value
SHAPES: dict[str, str] = {
    "int": INT,
    "decimal": DECIMAL,
    "zero_led": r"\A0[0-9]+\z",
    "long": r"\A[0-9]{16,}\z",
    "rounded": r"\A[0-9](?:[.,][0-9]+)?[eE][+][0-9]{2}\z",
    "comma": r"\A[+-]?[0-9]+,[0-9]+\z",
    "point_thousands": r"\A[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?\z",
    "comma_thousands": r"\A[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?\z",
    "marked": r"\A(?:[€$£¥%]|EUR|USD|CHF|GBP)?[ \x{a0}]?[+-]?[0-9][0-9.,' \x{a0}\x{202f}]*(?:[€$£¥%]|EUR|USD|CHF|GBP)?\z",
    "email": r"\A[^@\s]+@[^@\s]+\.[A-Za-z]{2,}\z",
    "phone": r"\A\+[0-9][0-9 ()/.-]{6,18}\z|\A\(?0[0-9]{1,4}[)/ ] ?[0-9 /-]{5,14}\z|\A\(?[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4}\z",
    "iban": r"\A[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\z",
    "card": r"\A[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{3,4}\z",
    "many": r"\A[^|;,\[\]]+(?:[|;][^|;]+)+\z|\A\[.*\]\z|\A\{.*\}\z",
    "whole": r"\A[+-]?[0-9]{1,15}(?:\.0)?\z",
    "holds_email": r"[\w.+-]+@[\w-]+\.[A-Za-z]{2}",
    "hash": r"\A[0-9A-Za-z+/_=-]{16,}\z",
    "called": r"\A(?:[\p{Lu}\"'(][\p{L}'’.\")-]*,? ?(?:(?:de|del|van|von|der|of|la) )?){2,8}\z",
    "path": r"(?i)\A.+\.(?:jpe?g|png|gif|bmp|webp)\z",
}
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_MON = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_YEAR = "(?:19|20)[0-9]{2}"
_DAY = {
    "%Y-%m-%d": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "%Y/%m/%d": r"[0-9]{4}/[0-9]{2}/[0-9]{2}",
    "%Y%m%d": r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
    "%-d.%-m.%Y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}",
    "%-d/%-m/%Y": r"(?:0?[1-9]|[12][0-9]|3[01])/(?:0?[1-9]|1[0-2])/[0-9]{4}",
    "%-m/%-d/%Y": r"(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12][0-9]|3[01])/[0-9]{4}",
    "%-d-%-m-%Y": r"(?:0?[1-9]|[12][0-9]|3[01])-(?:0?[1-9]|1[0-2])-[0-9]{4}",
    "%-m-%-d-%Y": r"(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])-[0-9]{4}",
    "%-d/%-m/%y": r"(?:0?[1-9]|[12][0-9]|3[01])/(?:0?[1-9]|1[0-2])/[0-9]{2}",
    "%-m/%-d/%y": r"(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12][0-9]|3[01])/[0-9]{2}",
    "%-d-%b-%Y": rf"[0-9]{{1,2}}-(?i:{_MON})-[0-9]{{4}}",
    "%-d-%b-%y": rf"[0-9]{{1,2}}-(?i:{_MON})-[0-9]{{2}}",
    "%-d %b %Y": rf"[0-9]{{1,2}} (?i:{_MON}) [0-9]{{4}}",
    "%b %-d, %Y": rf"(?i:{_MON}) [0-9]{{1,2}}, [0-9]{{4}}",
    "%d%b%Y": rf"[0-9]{{2}}(?i:{_MON})[0-9]{{4}}",
    "%d%b%y": rf"[0-9]{{2}}(?i:{_MON})[0-9]{{2}}",
    "%-d.%-m.%y": r"(?:0?[1-9]|[12][0-9]|3[01])\.(?:0?[1-9]|1[0-2])\.[0-9]{2}",
    "%-d %B %Y": rf"[0-9]{{1,2}} {_MONTH} [0-9]{{4}}",
    "%B %-d, %Y": rf"{_MONTH} [0-9]{{1,2}}, [0-9]{{4}}",
    "%m %-d, %Y": r"(?:0[1-9]|1[0-2]) (?:0?[1-9]|[12][0-9]|3[01]), [0-9]{4}",
}
_CLOCK = {
    "": "",
    " %-H:%M": r" [0-9]{1,2}:[0-9]{2}",
    " %-H:%M:%S": r" [0-9]{1,2}:[0-9]{2}:[0-9]{2}",
    " %-H:%M:%S.%f": r" [0-9]{1,2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}",
    ":%H:%M:%S": r":[0-9]{2}:[0-9]{2}:[0-9]{2}",
    "T%H:%M": r"T[0-9]{2}:[0-9]{2}",
    "T%H:%M:%S": r"T[0-9]{2}:[0-9]{2}:[0-9]{2}",
    "T%H:%M:%S.%f": r"T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}",
    "T%H:%M:%SZ": r"T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "T%H:%M:%S.%fZ": r"T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}Z",
    " %H:%M:%S+00:00": r" [0-9]{2}:[0-9]{2}:[0-9]{2}\+00:00",
    "T%H:%M:%S+00:00": r"T[0-9]{2}:[0-9]{2}:[0-9]{2}\+00:00",
    " %H:%M:%S UTC": r" [0-9]{2}:[0-9]{2}:[0-9]{2} UTC",
    " %-I:%M %p": r" [0-9]{1,2}:[0-9]{2} [AaPp][Mm]",
    " %-I:%M:%S %p": r" [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AaPp][Mm]",
}
_MONTHS = {  # and dates of which each part has a column of its own
    "%Y-%m": rf"{_YEAR}-(?:0[1-9]|1[0-2])",
    "%Y-%-m": rf"{_YEAR}-(?:0?[1-9]|1[0-2])",
    "%b-%Y": rf"{_MON}-{_YEAR}",
    "%b %Y": rf"{_MON} {_YEAR}",
    "%b-%y": rf"{_MON}-[0-9]{{2}}",
    "%B %Y": rf"{_MONTH} {_YEAR}",
    "%Y-%b": rf"{_YEAR}-{_MON}",
    "%Y-%B": rf"{_YEAR}-{_MONTH}",
    "%Y-%-m-%-d": rf"{_YEAR}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])",
    "%Y-%b-%-d": rf"{_YEAR}-{_MON}-[0-9]{{1,2}}",
    "%Y-%B-%-d": rf"{_YEAR}-{_MONTH}-[0-9]{{1,2}}",
}
_ISO = ("%Y-%m-%d", "%Y/%m/%d")
_OFFSET = "(?:Z|[+-][0-9]{2}:?[0-9]{2})"
_PLACED = {  # times that say how far they are from UTC
    " %-H:%M:%S %z": rf" [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}} {_OFFSET}",
    " %-H:%M:%S%z": rf" [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}{_OFFSET}",
    " %-H:%M:%S.%f%z": rf" [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}\.[0-9]{{1,9}}{_OFFSET}",
    "T%H:%M:%S%z": rf"T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}{_OFFSET}",
    "T%H:%M:%S.%f%z": rf"T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\.[0-9]{{1,9}}{_OFFSET}",
}
FORMATS = {
    day + clock: rf"\A{shape}{at}\z" for day, shape in _DAY.items() for clock, at in _CLOCK.items()
    if not (day == "%Y%m%d" and clock)
} | {
    day + clock: rf"\A{_DAY[day]}{at}\z" for day in _ISO for clock, at in _PLACED.items()
} | {form: rf"\A{shape}\z" for form, shape in _MONTHS.items()}  # fmt: skip


@dataclass(kw_only=True)
class Profile:
    """One column over all rows: how many cells have which shape, its values, its numbers, its words."""

    name: str
    rows: int = 0
    empty: int = 0  # cells without a sign, or one of NULLS
    shapes: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)  # of cells that are not empty, as long as there are few
    nulls: Counter[str] = field(default_factory=Counter)  # which of NULLS stand for nothing, the empty cell left out
    odd: Counter[str] = field(default_factory=Counter)  # cells without a number's shape
    overflown: bool = False  # more than _DISTINCT values: `values` is no longer kept
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))  # of each different cell
    twice: bool = False  # whether a cell is there twice
    words: int = 0
    least: float = np.inf
    most: float = -np.inf

    @property
    def told(self) -> int:
        return self.rows - self.empty

    @property
    def distinct(self) -> int:
        return len(self.hashes)

    @property
    def spoken(self) -> set[str]:
        """Signs for nothing that are values here: `None` or `-` beside other texts, and not rare."""
        if self.texts < 0.5 * self.told or self.dates:
            return set()
        return {sign for sign in _SPOKEN & self.nulls.keys() if self.nulls[sign] >= max(_SAID, 0.01 * self.rows)}

    @property
    def said(self) -> int:
        """Cells that tell something, `None` among them where it is a value."""
        return self.told + sum(self.nulls[sign] for sign in self.spoken)

    @property
    def kinds_said(self) -> int:
        """How many different cells these are."""
        return self.distinct + len(self.spoken)

    @property
    def texts(self) -> int:
        """Cells that are no number."""
        return self.told - self.shapes["decimal"]

    def share(self, shape: str) -> float:
        """Of the cells that tell something."""
        return self.shapes[shape] / max(self.told, 1)

    def add(self, cells: pl.Series) -> None:
        self.rows += len(cells)
        is_null = cells.is_in(list(NULLS))
        self.nulls.update({value: count for value, count in _counts(cells.filter(is_null)) if value})
        told = cells.filter(~is_null)
        self.empty += len(cells) - len(told)
        if not len(told):
            return
        self._count_distinct(told)
        if not self.overflown:
            self.values.update(dict(_counts(told)))
            if len(self.values) > _DISTINCT:
                self.overflown, self.values = True, Counter()
        self.words += int(told.str.count_matches(r"\S+").sum())
        self._shapes(told)

    def _count_distinct(self, told: pl.Series) -> None:
        if len(self.hashes) > _TRACKED:  # what is different so far will do
            return
        new = np.unique(told.hash(seed=0).to_numpy())
        before = len(self.hashes)
        self.hashes = np.union1d(self.hashes, new)
        self.twice |= len(new) < len(told) or len(self.hashes) < before + len(new)

    def _shapes(self, told: pl.Series) -> None:
        counted = told.to_frame("x").select(
            pl.col("x").str.contains(pattern).sum().alias(name) for name, pattern in SHAPES.items()
        )
        self.shapes.update({name: int(count) for name, count in counted.row(0, named=True).items()})
        number = told.str.contains(DECIMAL)
        numbers = told.filter(number).cast(pl.Float64, strict=False)
        if len(numbers):
            self.least, self.most = min(self.least, float(numbers.min())), max(self.most, float(numbers.max()))  # type: ignore[arg-type]
        if len(self.odd) <= _ODD:
            self.odd.update(dict(_counts(told.filter(~number))[: _ODD + 1]))
        self._dates(told, all_numbers=len(numbers) == len(told))

    def _dates(self, told: pl.Series, *, all_numbers: bool) -> None:
        head = told[:2000]
        if all_numbers:  # 20240131 is the only date that is a number
            forms = ["%Y%m%d"]
        elif not head.str.contains(r"[0-9][-/.: ]|[0-9]{8}|[a-zA-Z]{3}[- ]?[0-9]").any():
            forms = []
        else:
            seen = head.to_frame("x").select(pl.col("x").str.contains(FORMATS[f]).any().alias(f) for f in FORMATS)
            forms = [f for f, is_seen in seen.row(0, named=True).items() if is_seen or self.dates[f]]
        if forms:
            dates = told.to_frame("x").select(pl.col("x").str.contains(FORMATS[f]).sum().alias(f) for f in forms)
            self.dates.update({f: int(count) for f, count in dates.row(0, named=True).items()})


def _counts(cells: pl.Series) -> list[tuple[str, int]]:
    counted = cells.alias("x").value_counts(sort=True)
    return list(zip(counted["x"].to_list(), counted["count"].to_list(), strict=True))


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A table looked at: its columns, some of its rows whole (texts, in file order), and how many rows were no records."""

    columns: dict[str, Profile]
    sample: pl.DataFrame
    rows: int
    rejected: int


def profile(blocks: Iterable[Block], names: list[str]) -> Looked:
    """One pass. The sample is the first rows, then of each later block as many as keep the file evenly told."""
    columns = {name: Profile(name=name) for name in names}
    kept: list[pl.DataFrame] = []
    rows = rejected = 0
    for block in blocks:
        cells = block.rows.select(names)
        rejected += len(block.rejects)
        rows += cells.height
        for name in names:
            columns[name].add(cells[name])
        kept.append(_thinned([cells]))
        if sum(part.height for part in kept) > 2 * SAMPLE:
            kept = [_thinned(kept)]
    sample = _thinned(kept) if kept else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return Looked(columns=columns, sample=sample, rows=rows, rejected=rejected)


def _thinned(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """At most SAMPLE rows, evenly over all there are, in their order."""
    whole = pl.concat(parts)
    if whole.height <= SAMPLE:
        return whole
    place = np.linspace(0, whole.height - 1, SAMPLE).round().astype(np.int64)
    return whole[place]
