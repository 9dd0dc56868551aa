"""A sample of rows and what its columns are in; copies, leaks, suspects and lotteries among them out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.columns import Column
from perennial.data.io.cast import cast_columns
from perennial.data.masking import mask_contacts
from perennial.evaluation.statistics.leaks import (
    ENOUGH,
    FEWEST,
    PROOF,
    auc_of_numbers,
    auc_of_rates,
    codes_of,
    telling_any,
)
from perennial.evaluation.statistics.metrics import measure
from perennial.propose.kinds import Keys, Kind
from perennial.propose.names import begins_as, comes_after
from perennial.propose.profile import NULLS

F64 = NDArray[np.float64]
_BY_LUCK = 1e-6  # chance that a value goes with one outcome only by luck, below which it is no luck
_ALONE = 0.75  # one-column AUC from which a column that leaves all others behind is asked about
_AHEAD = 0.12  # … by so much
_AT_MOST = 3
_TOO_GOOD = 0.97  # … or whatever the others have
_TELLING = 4  # … or that is called after the outcome, whose name has so many letters
_SPEAKS = 0.70  # … or whose name speaks of what happens afterwards
_LOTTERY = re.compile(
    r"(?i)treat|\Agroup\Z|test_?group|\Aarm\Z|variant|exposure|exposed|experiment|\Asegment\Z|ab_?test|campaign|control|"
    r"message|offer|promo|discount|coupon|mailing"
)
_CONTROL = re.compile(r"(?i)control|\Ano(?:ne)?\b|placebo|hold[_ -]?out|\A0\Z|\Aa\Z|untreated|nothing|psa")
_SPELLS_CONTROL = re.compile(r"(?i)control|\Ano(?:ne)?\b|placebo|hold[_ -]?out|untreated|nothing|psa")
_SAYS = re.compile(r"(?i)treat|control|exposed|exposure|holdout|test_?group|ab_?test|experiment")
_FEW = 50  # values that are looked at one by one
_UNTOLD = 0.56  # one-column AUC of a lottery by any other column, at most


@dataclass(frozen=True, kw_only=True)
class Told:
    """Columns that tell the outcome: `refused` (name → why), and `suspects` (name → why), which may be honest."""

    refused: Mapping[str, str]
    suspects: Mapping[str, str]


def copies(sample: pl.DataFrame, kinds: Mapping[str, Kind]) -> dict[str, str]:
    """Columns whose cells equal those of an earlier one: name → that one."""
    first: dict[int, str] = {}
    found = {}
    for name in sample.columns:
        if kinds[name].what in {"empty", "constant"}:
            continue
        told = hash(tuple(sample[name].hash(seed=1).to_list()))
        if told in first:
            found[name] = first[told]
        first.setdefault(told, name)
    return found


def typed(sample: pl.DataFrame, names: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, NDArray[np.generic]]:
    """Cells as a model would see them: numbers with NaN, texts with None."""
    found = {}
    for name in names:
        keys = {key: value for key, value in kinds[name].keys.items() if key != "role"}
        role = "numeric" if kinds[name].what == "numeric" else "categorical"
        cells = cast_columns(sample.select(name), {name: Column(role=role, **keys)}).frame[name]
        found[name] = cells.cast(pl.Float64).to_numpy() if role == "numeric" else cells.to_numpy()
    return found


def leaks(
    columns: Mapping[str, NDArray[np.generic]], asked: Sequence[F64], target: str, *, amount: bool = False
) -> Told:
    """What tells any of the questions (0/1, NaN where nothing is known) of the column `target`, each column by itself.

    Of an `amount` a value may well go with the greater half only: the best part of town is no leak.
    """
    refused = {leak.column: leak.words for leak in telling_any(columns, asked) if leak.proven}
    for name, values in columns.items():
        reasons = (reason(values, y) for reason in ((_missing,) if amount else (_implied, _missing)) for y in asked)
        if name not in refused and (why := next((r for r in reasons if r is not None), None)) is not None:
            refused[name] = why
    alone = {name: max(_auc(values, y) for y in asked) for name, values in columns.items() if name not in refused}
    suspects = _ahead(alone)
    for name, auc in alone.items():
        if name in suspects:
            continue
        if auc >= _TOO_GOOD:
            suspects[name] = f"alone it has AUC {auc:.3f}"
        elif auc >= _SPEAKS and comes_after(name):
            suspects[name] = f"its name speaks of what comes after, and alone it has AUC {auc:.2f}"
        elif len(target) >= _TELLING and begins_as(name, target):
            suspects[name] = f"its name begins as that of {target}"
    return Told(refused=refused, suspects=suspects)


def _ahead(alone: Mapping[str, float]) -> dict[str, str]:
    """The few columns, three at most, that leave all others behind by far: one strong column among many is honest."""
    ranked = sorted(alone, key=lambda name: -alone[name])
    for few in range(1, min(_AT_MOST, len(ranked) - 1) + 1):
        last, following = alone[ranked[few - 1]], alone[ranked[few]]
        if last >= _ALONE and last - following >= _AHEAD:
            return {
                name: f"alone it has AUC {alone[name]:.2f}, all others at most {following:.2f}" for name in ranked[:few]
            }
    return {}


def _auc(values: NDArray[np.generic], y: F64) -> float:
    """Of the values' own order, or of each value's rate where they are texts: learnt on half, judged on the other."""
    if values.dtype.kind == "f":
        return auc_of_numbers(values, y)
    auc = auc_of_rates(codes_of(values)[0], y, learnt=np.arange(len(y)) % 2 == 0)
    return 0.5 if auc is None else auc


def _implied(values: NDArray[np.generic], y: F64) -> str | None:
    """A value of few that goes with one outcome only, too often for luck."""
    codes = codes_of(values)[0]
    count = np.bincount(codes)
    if (count > 0).sum() > _FEW:  # such as an amount: all that is not the commonest, 0, may go with it
        codes = (codes != count.argmax()).astype(np.int64)
        count = np.bincount(codes)
    hits = np.bincount(codes, weights=y)
    for code in np.argsort(-count):
        n, events = int(count[code]), float(hits[code])
        rest = (y.sum() - events, len(y) - n)
        if n < ENOUGH or rest[1] < ENOUGH or events not in {0.0, float(n)}:
            continue
        outcome = int(events == n)
        chance = (y.mean() if outcome else 1 - y.mean()) ** n * (count > 0).sum()
        if chance < _BY_LUCK and (y.mean() <= 0.5) == bool(outcome):
            same = values[codes == code]
            value = same[0]
            said = "an empty cell" if value is None or value != value else f"the value {mask_contacts(str(value))}"
            said = (
                "any value but the commonest"
                if any(other not in (value, None) and other == other for other in same[1:])
                else said
            )
            return f"{said} always goes with the outcome ({n:,} rows): it is known after it, or is it"
    return None


def _missing(values: NDArray[np.generic], y: F64) -> str | None:
    """Whether an empty cell says it all."""
    gone = np.array([value is None or value != value for value in values], dtype=np.float64)
    if not FEWEST <= gone.sum() <= len(gone) - FEWEST:
        return None
    auc = measure("auc", y, gone)
    return (
        f"whether it is empty separates the outcome (AUC {max(auc, 1 - auc):.3f})"
        if max(auc, 1 - auc) >= PROOF
        else None
    )


def lottery(
    sample: pl.DataFrame, kinds: Mapping[str, Kind], columns: Mapping[str, NDArray[np.generic]], named: str | None
) -> tuple[str, str] | None:
    """A column that says who was treated, and its control value: few values, called so, told by no other column."""
    for name in [named] if named is not None else [n for n in columns if _LOTTERY.search(n)]:
        control = _control(sample, kinds, name)
        if control is None:
            continue
        told = (sample[name] != control).to_numpy().astype(np.float64)
        if not min(told.sum(), (1 - told).sum()) >= ENOUGH:
            continue
        before = [v for other, v in columns.items() if other != name and not _follows(v, told)]
        if named is not None or all(_auc(v, told) <= _UNTOLD for v in before):
            return name, control
    return None


def is_treatment(sample: pl.DataFrame, kinds: Mapping[str, Kind], name: str) -> bool:
    """Whether a column is called so, and one of its few values is no treatment."""
    return _SAYS.search(name) is not None and _control(sample, kinds, name) is not None


def following(columns: Mapping[str, NDArray[np.generic]], treated: F64) -> list[str]:
    """Columns with a value that only the treated have, or that tell them apart: they were seen after it."""
    return [name for name, values in columns.items() if _follows(values, treated)]


def _follows(values: NDArray[np.generic], treated: F64) -> bool:
    """A value that goes with being treated only, too often for luck; whichever of the two groups is the rarer."""
    codes = codes_of(values)[0]
    count, hits = np.bincount(codes), np.bincount(codes, weights=treated)
    pure = (hits == count) & (count >= ENOUGH)
    return bool((treated.mean() ** count[pure] * len(count) < _BY_LUCK).any())


def _control(sample: pl.DataFrame, kinds: Mapping[str, Kind], name: str) -> str | None:
    """The value of few that is no treatment."""
    cells = sample[name].filter(~sample[name].is_in(list(NULLS - {"none", "None", "No"})))
    values = sorted(cells.unique().to_list())
    if not 2 <= len(values) <= 6 or (kinds[name].what == "numeric" and len(values) != 2):
        return None
    spelt = _CONTROL if _SAYS.search(name) else _SPELLS_CONTROL
    return next((value for value in values if spelt.search(value)), None)


def questions_of(cells: pl.Series, keys: Keys, kind: str) -> tuple[NDArray[np.bool_], list[F64]]:
    """Rows with a known outcome (n,), and the yes-or-no questions that it answers there."""
    column = Column(role="outcome", **{k: v for k, v in keys.items() if k != "role"})
    known = cast_columns(cells.to_frame(), {cells.name: column}).frame[cells.name]
    is_known = known.is_not_null().to_numpy()
    told = known.drop_nulls()
    if kind == "multiclass":
        return is_known, [(told == value).to_numpy().astype(np.float64) for value in told.unique().sort()]
    y = told.cast(pl.Float64).to_numpy()
    asked = [y] if kind == "binary" else [(y > np.median(y)).astype(np.float64), (y > 0).astype(np.float64)]
    return is_known, [q for q in asked if min(q.sum(), len(q) - q.sum()) >= FEWEST]
