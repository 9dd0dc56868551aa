"""Contributions and cells in, reasons in words out: which columns matter, and why this row scores as it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import FeatureColumn
from perennial.data.masking import mask_contacts

BUT = "; but "  # between what raises a score and what lowers it
F64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Importance:
    """How much a column moves scores: mean |part| (link scale), and its share of the sum over columns."""

    column: str
    label: str
    mean_abs: float
    share: float
    direction: float  # rank correlation of cell and part in [-1, 1]; 0 for categories


@dataclass(frozen=True, kw_only=True)
class GroupEffect:
    """What a part of the customers gains or loses by one column: `words` says which customers."""

    column: str
    words: str
    n: int
    share: float
    effect: float  # mean part on the link scale


def rank_columns(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn]
) -> list[Importance]:
    """Columns by their mean absolute part, the greatest first."""
    labels = {feature.name: feature for feature in features}
    mean_abs = np.abs(parts_NG).mean(axis=0)
    total = float(mean_abs.sum()) or 1.0
    found = [
        Importance(
            column=name, label=labels[name].label, mean_abs=float(mean_abs[g]), share=float(mean_abs[g]) / total,
            direction=_direction(rows[name], parts_NG[:, g]) if labels[name].kind == "numeric" else 0.0,
        )
        for g, name in enumerate(columns)
    ]  # fmt: skip
    return sorted(found, key=lambda item: (-item.mean_abs, item.column))


def find_group_effects(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn]
) -> list[GroupEffect]:
    """For each column, the groups of rows (categories, or lower and upper quarter) with the mean part of each."""
    labels = {feature.name: feature for feature in features}
    found: list[GroupEffect] = []
    for g, name in enumerate(columns):
        for words, mask in _groups_of(rows[name], labels[name]):
            if mask.sum() >= _ENOUGH:
                effect = float(parts_NG[mask, g].mean())
                found.append(
                    GroupEffect(column=name, words=words, n=int(mask.sum()), share=float(mask.mean()), effect=effect)
                )
    return sorted(found, key=lambda group: (-abs(group.effect), group.column))


def describe_reasons(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn], n: int,
    *, quoted: bool = True,
) -> list[str]:  # fmt: skip
    """The `n` strongest reasons of each row that raise its score, then those that lower it: `why; but why not`.

    Texts are quoted from their start, or, where they are quoted elsewhere, named only.
    """
    labels = {feature.name: feature for feature in features}
    cells = {name: rows[name].to_list() for name in columns}
    out = []
    for i, parts in enumerate(parts_NG):
        strongest = [g for g in np.argsort(-np.abs(parts), kind="stable")[:n] if abs(parts[g]) > 1e-9]
        up = [describe_cell(labels[columns[g]], cells[columns[g]][i], quoted) for g in strongest if parts[g] > 0]
        down = [describe_cell(labels[columns[g]], cells[columns[g]][i], quoted) for g in strongest if parts[g] < 0]
        out.append(", ".join(up) + (BUT if up and down else "against: " if down else "") + ", ".join(down))
    return out


def describe_adverse_reasons(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn]
) -> list[str]:
    """The four strongest reasons of each row that raise its chance of default: what a refused applicant is told.

    Four, since more is "not likely to be helpful" (Regulation B, official interpretation of 12 CFR 1002.9(b)(2), 1).
    """
    return [
        told.removeprefix("against: ") for told in describe_reasons(columns, parts_NG.clip(0), rows, features, _ADVERSE)
    ]


def describe_cell(feature: FeatureColumn, cell: object, quoted: bool = True) -> str:
    """`visits in 30 days: 4`"""
    if cell is None:
        return f"{feature.label}: none known"
    if feature.kind == "image" or (feature.kind == "text" and not quoted):
        return feature.label
    if feature.kind == "text":
        return f"{feature.label}: “{_shortened(str(cell))}”"
    unit = f" {feature.unit}" if feature.unit and feature.unit not in feature.label else ""
    return f"{feature.label}: {format_number(cell) if isinstance(cell, int | float) else cell}{unit}"


def _shortened(text: str) -> str:
    """The first words of a text, without the sign that parts reasons for and against, and without contact data."""
    flat = " ".join(mask_contacts(text).replace(";", ",").split())
    return flat if len(flat) <= _QUOTED else flat[:_QUOTED].rsplit(" ", 1)[0] + " …"


def format_number(value: float) -> str:
    """At most three digits after the point, none where there are enough before it."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


_ADVERSE = 4
_ENOUGH = 30
_QUOTED = 60  # characters of a text that are quoted


def _groups_of(cells: pl.Series, feature: FeatureColumn) -> list[tuple[str, NDArray[np.bool_]]]:
    if feature.kind in {"text", "image"}:
        return []
    null = cells.is_null().to_numpy()
    found = [(f"{feature.label}: none known", null)]
    if feature.kind == "categorical":
        values = cells.drop_nulls().value_counts(sort=True).head(8)[cells.name].to_list()
        return found + [(f"{feature.label}: {v}", (cells == v).fill_null(False).to_numpy()) for v in sorted(values)]
    numbers = cells.cast(pl.Float64)
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    if low is None or high is None:
        return found
    if numbers.n_unique() <= 3:
        values = sorted(numbers.drop_nulls().unique().to_list())
        return found + [
            (f"{feature.label}: {format_number(v)}", (numbers == v).fill_null(False).to_numpy()) for v in values
        ]
    lowest = low == numbers.min()
    ends = [
        (f"{feature.label}: {format_number(low)}{'' if lowest else ' or less'}", numbers <= low),
        (f"{feature.label}: {format_number(high)} or more", numbers >= high),
    ]
    return found + [(words, mask.fill_null(False).to_numpy()) for words, mask in ends]


def _direction(cells: pl.Series, parts: F64) -> float:
    known = cells.is_not_null().to_numpy()
    x, y = cells.cast(pl.Float64).to_numpy()[known], parts[known]
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1])
