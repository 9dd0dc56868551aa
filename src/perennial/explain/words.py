"""Reasons in words: which columns matter, and why a row has its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import FeatureColumn
from perennial.data.masking import mask_contacts
from perennial.results.explain import ColumnImportance, GroupEffect

BUT = "; but "  # between what raises a score and what lowers it
F64 = NDArray[np.float64]


def rank_columns(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn]
) -> list[ColumnImportance]:
    """Rank columns by their mean absolute part, the largest first."""
    labels = {feature.name: feature for feature in features}
    mean_abs = np.abs(parts_NG).mean(axis=0)
    total = float(mean_abs.sum()) or 1.0
    ranked = [
        ColumnImportance(
            column=name,
            label=labels[name].label,
            mean_abs=float(mean_abs[g]),
            share=float(mean_abs[g]) / total,
            direction=_rank_correlation(rows[name], parts_NG[:, g]) if labels[name].kind == "numeric" else 0.0,
        )
        for g, name in enumerate(columns)
    ]
    return sorted(ranked, key=lambda item: (-item.mean_abs, item.column))


def find_group_effects(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn]
) -> list[GroupEffect]:
    """Find for each column the groups of rows (categories, or lower and upper quarter) and the mean part of each."""
    labels = {feature.name: feature for feature in features}
    effects: list[GroupEffect] = []
    for g, name in enumerate(columns):
        for description, mask in _split_groups(rows[name], labels[name]):
            if mask.sum() >= _ENOUGH:
                n, share, effect = int(mask.sum()), float(mask.mean()), float(parts_NG[mask, g].mean())
                effects.append(GroupEffect(column=name, words=description, n=n, share=share, effect=effect))
    return sorted(effects, key=lambda group: (-abs(group.effect), group.column))


def describe_reasons(
    columns: Sequence[str], parts_NG: F64, rows: pl.DataFrame, features: Sequence[FeatureColumn], n: int, *, quoted: bool = True
) -> list[str]:
    """Describe the `n` strongest reasons of each row, those that raise its score first: `why; but why not`.

    Texts are quoted from their start; not `quoted`, they appear by label only.
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
    """Describe the four strongest reasons of each row that raise its probability of default, for a refused applicant.

    Four, since more is "not likely to be helpful" (Regulation B, official interpretation of 12 CFR 1002.9(b)(2), 1).
    """
    reasons = describe_reasons(columns, parts_NG.clip(0), rows, features, _ADVERSE)
    return [reason.removeprefix("against: ") for reason in reasons]


def describe_cell(feature: FeatureColumn, cell: object, quoted: bool = True) -> str:
    """Describe a cell: `visits in 30 days: 4`, `no garden visits`."""
    if cell is None:
        return f"{feature.label} unknown"
    if feature.kind == "image" or (feature.kind == "text" and not quoted):
        return feature.label
    if feature.kind == "text":
        return f"{feature.label}: “{_shorten_text(str(cell))}”"
    unit = f" {feature.unit}" if feature.unit and feature.unit not in feature.label else ""
    if isinstance(cell, int | float):
        return _describe_number(feature, format_number(cell), unit)
    return f"{feature.label}: {cell}{unit}"


def _describe_number(feature: FeatureColumn, figure: str, unit: str = "") -> str:
    """A figure beside its label; of a flag or of events that are counted, 0 is said in words."""
    if feature.counts and figure == "0":
        return f"no {feature.label}"
    if feature.counts == "flag" and figure == "1":
        return f"{feature.label}: yes"
    return f"{feature.label}: {figure}{unit}"


def _shorten_text(text: str) -> str:
    """The first words of a text, contact data masked, without the separator of reasons for and against."""
    flat = " ".join(mask_contacts(text).replace(";", ",").split())
    return flat if len(flat) <= _QUOTED else flat[:_QUOTED].rsplit(" ", 1)[0] + " …"


def format_number(value: float) -> str:
    """Format a number with three significant digits, or as a whole number from 100 on."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


_ADVERSE = 4
_ENOUGH = 30
_QUOTED = 60  # characters of a text that are quoted


def _split_groups(cells: pl.Series, feature: FeatureColumn) -> list[tuple[str, NDArray[np.bool_]]]:
    if feature.kind in {"text", "image"}:
        return []
    null = cells.is_null().to_numpy()
    groups = [(f"{feature.label} unknown", null)]
    if feature.kind == "categorical":
        values = cells.drop_nulls().value_counts(sort=True).head(8)[cells.name].to_list()
        return groups + [(f"{feature.label}: {v}", (cells == v).fill_null(False).to_numpy()) for v in sorted(values)]
    numbers = cells.cast(pl.Float64)
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    if low is None or high is None:
        return groups
    if numbers.n_unique() <= 3:
        masks = [(format_number(value), numbers == value) for value in sorted(numbers.drop_nulls().unique().to_list())]
    else:
        or_less = "" if low == numbers.min() else " or less"
        masks = [(f"{format_number(low)}{or_less}", numbers <= low), (f"{format_number(high)} or more", numbers >= high)]
    return groups + [(_describe_number(feature, text), mask.fill_null(False).to_numpy()) for text, mask in masks]


def _rank_correlation(cells: pl.Series, parts: F64) -> float:
    is_filled = cells.is_not_null().to_numpy()
    x, y = cells.cast(pl.Float64).to_numpy()[is_filled], parts[is_filled]
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1])
