"""Randomization check of a campaign: its arms (n,) against every column that was known before.

Arm 0 is the control group. A gap is a standardised mean difference, (mean of the arm - mean of control) / standard
deviation; a category counts as one 0/1 column for each of its values (Austin 2009, "Balance diagnostics").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2_contingency, chisquare

from perennial.evaluation.statistics.intervals import F64, z_of
from perennial.evaluation.statistics.uplift import Arms
from perennial.results.uplift import ColumnBalance

_UNFAIR = 0.001


def sample_ratio_p(arm: Arms, shares: ArrayLike) -> float:
    """The probability of arms split this unevenly, if `shares` (arms,) were planned; under .001 the assignment was not random."""
    planned = np.asarray(shares, dtype=np.float64)
    counts = np.bincount(arm, minlength=len(planned))
    return float(chisquare(counts, planned / planned.sum() * len(arm)).pvalue)


def compare_balance(arm: Arms, columns: Mapping[str, NDArray[Any]]) -> list[ColumnBalance]:
    """Each column, known before the campaign, against the arms; the least likely first.

    Of m columns of a randomised campaign the least p is under .05 / m one time in twenty.
    """
    return sorted((_of_column(name, arm, values) for name, values in columns.items()), key=lambda column: column.p)


def find_problem(arm: Arms, columns: Mapping[str, NDArray[Any]], shares: Sequence[float]) -> str | None:
    """Why the groups can hardly have been assigned at random; None where chance explains them (1 in 1,000 sound ones fails)."""
    if shares and (p := sample_ratio_p(arm, shares)) < _UNFAIR:
        sizes = " / ".join(str(n) for n in np.bincount(arm, minlength=len(shares)))
        planned = " : ".join(f"{share:g}" for share in shares)
        return f"the groups {sizes} do not fit the planned {planned} (p {p:.1g})"
    columns_by_p = compare_balance(arm, columns)
    if columns_by_p and columns_by_p[0].p < _UNFAIR / len(columns_by_p):
        column = columns_by_p[0]
        return f"the groups differ in {column.column}, known before, by more than chance explains (p {column.p:.1g})"
    return None


def _of_column(name: str, arm: Arms, values: NDArray[Any]) -> ColumnBalance:
    is_number = values.dtype.kind in "fiub"
    table = _crossed(arm, _levels(values))
    p = float(chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0
    gaps_AL = _gaps(arm, values.astype(np.float64)) if is_number else _gaps_of_shares(table)
    widest = np.abs(gaps_AL).argmax(axis=1)
    free = max(gaps_AL.shape[1] - 1, 1) * len(gaps_AL)  # shares add up to 1: one of them follows
    rows = np.bincount(arm)
    error = math.sqrt(1 / rows[0] + 1 / rows[1:].min())
    gaps = tuple(float(gap) for gap in gaps_AL[np.arange(len(gaps_AL)), widest])
    return ColumnBalance(column=name, p=p, gaps=gaps, expected_gap=z_of(1 - 0.05 / free) * error)


def _levels(values: NDArray[Any]) -> NDArray[np.intp]:
    """Codes (n,): numbers by fifth with the missing apart, texts by themselves."""
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        present = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(present, (0.2, 0.4, 0.6, 0.8))) if len(present) else np.empty(0)
        values = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers))
    else:
        values = np.array([f"={value}" for value in values])
    return np.unique(values, return_inverse=True)[1]


def _crossed(arm: Arms, level: NDArray[np.intp]) -> F64:
    """Rows by arm and level (arms, levels); levels expected under five times in some arm are counted as one."""
    counts = np.bincount(level)
    rare = counts * np.bincount(arm).min() < 5 * len(arm)
    level = np.where(rare[level], len(counts), level)
    table = np.array([np.bincount(level[arm == a], minlength=len(counts) + 1) for a in np.unique(arm)])
    return table[:, table.sum(axis=0) > 0].astype(np.float64)


def _gaps(arm: Arms, numbers: F64) -> F64:
    """Each arm's difference of means to the control group in standard deviations, (arms - 1, 1)."""
    present = ~np.isnan(numbers)
    spread = float(numbers[present].std()) if present.any() else 0.0
    control, *parts = (numbers[present & (arm == a)] for a in np.unique(arm))
    if spread == 0 or not len(control):
        return np.zeros((len(parts), 1))
    return np.array([[(float(p.mean()) - float(control.mean())) / spread if len(p) else 0.0] for p in parts])


def _gaps_of_shares(table_AL: F64) -> F64:
    """The same for a text: for each of its levels a 0/1 column, (arms - 1, levels)."""
    shares, overall = table_AL / table_AL.sum(axis=1, keepdims=True), table_AL.sum(axis=0) / table_AL.sum()
    spread = np.sqrt(overall * (1 - overall))
    return np.asarray((shares[1:] - shares[0]) / np.where(spread > 0, spread, 1.0))
