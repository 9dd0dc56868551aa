"""Leakage: columns that tell the outcome because they are known after it, and suspects that only may be.

Proof refuses a column. A suspect is left out until somebody says that it is known in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.data.io.cast import cast_columns
from perennial.data.masking import mask_contacts
from perennial.discovery.draft import Answers, Bools, Draft
from perennial.discovery.names import has_topic, is_extension_of
from perennial.errors import ConfigError
from perennial.evaluation.statistics.leaks import (
    ENOUGH,
    FEWEST,
    PROOF,
    auc_of_numbers,
    auc_of_rates,
    binary_questions,
    codes_of,
    find_leaks,
)
from perennial.evaluation.statistics.metrics import measure

F64 = NDArray[np.float64]
Features = Mapping[str, NDArray[np.generic]]
BY_CHANCE = 1e-6  # probability that a value goes with one outcome only by chance, below which it is none
_STRONG = 0.75  # one-column AUC from which a column that leaves all others behind is asked about
_AHEAD = 0.12  # … by so much
_MAX_AHEAD = 3
_TOO_GOOD = 0.97  # … or whatever the others have
_MIN_NAME = 4  # … or that is called after the outcome, whose name has so many letters
_AFTERWARDS = 0.70  # … or whose name speaks of what happens afterwards
_MAX_VALUES = 50  # that are looked at one by one
_MS_PER_DAY = 86_400_000


def refuse_leaks(draft: Draft, answers: Answers) -> None:
    """Leave out what is known after the outcome, and name the suspects.

    Raises: ConfigError for a leak that is said to be known in time.
    """
    is_known, outcomes = _split_outcome(draft)
    leaks, suspects = _find_column_leaks(draft, is_known, outcomes)
    for name, why in leaks.items():
        if name in answers.known:
            raise ConfigError(f"{name} cannot be known before the decision: {why}")
        draft.ignore(name, f"known after the outcome: {why}", f"a leak: {why}", known="after_outcome")
    draft.suspects = {n: why for n, why in suspects.items() if n not in answers.known and not has_topic(n, "protected")}
    for name, why in _find_late_dates(draft, list(leaks), is_known, outcomes).items():
        if name not in answers.known:
            draft.ignore(name, why, known="after_outcome")


def _split_outcome(draft: Draft) -> tuple[Bools, list[F64]]:
    """Rows of the sample with a known outcome (n,), and the yes-or-no questions that it answers there."""
    name, kind = draft.outcome.name, draft.outcome.kind
    cells = cast_columns(draft.table.sample.select(name), {name: draft.outcome.draft}).frame[name]
    is_known, known = cells.is_not_null().to_numpy(), cells.drop_nulls()
    if kind == "multiclass":
        return is_known, binary_questions(codes_of(known.to_numpy())[0].astype(np.float64), is_class=True)
    asked = binary_questions(known.cast(pl.Float64).to_numpy(), is_class=False)
    return is_known, [y for y in asked if min(y.sum(), len(y) - y.sum()) >= FEWEST]


def _find_column_leaks(draft: Draft, is_known: Bools, outcomes: Sequence[F64]) -> tuple[dict[str, str], dict[str, str]]:
    """Leaks and suspects among the columns that may be features, each with its reason."""
    free = draft.find_free("numeric", "categorical")
    if not outcomes or not free:
        return {}, {}
    features = draft.cast_features(free, is_known)
    leaks = _find_leaks(features, outcomes, is_amount=draft.outcome.kind == "regression")
    others = {name: values for name, values in features.items() if name not in leaks}
    return leaks, _find_suspects(others, outcomes, draft.outcome.name)


def _find_leaks(features: Features, outcomes: Sequence[F64], *, is_amount: bool) -> dict[str, str]:
    """Columns that prove to tell any of the outcomes (0/1), each by itself.

    Of an amount a value may well go with the greater half only: the best part of town is no leak.
    """
    leaks = {leak.column: leak.words for leak in find_leaks(features, outcomes) if leak.proven}
    finders = (_find_missing,) if is_amount else (_find_implied, _find_missing)
    for name, values in features.items():
        proofs = (find(values, y) for find in finders for y in outcomes)
        if name not in leaks and (why := next(filter(None, proofs), None)) is not None:
            leaks[name] = why
    return leaks


def _find_implied(values: NDArray[np.generic], y: F64) -> str | None:
    """A value of few that goes with one outcome only, too often for chance."""
    codes = codes_of(values)[0]
    count = np.bincount(codes)
    if (count > 0).sum() > _MAX_VALUES:  # such as an amount: all that is not the commonest, 0, may go with it
        codes = (codes != count.argmax()).astype(np.int64)
        count = np.bincount(codes)
    hits = np.bincount(codes, weights=y)
    for code in np.argsort(-count):
        n, events = int(count[code]), float(hits[code])
        if min(n, len(y) - n) < ENOUGH or events not in {0.0, float(n)}:
            continue
        outcome = int(events == n)
        probability = (y.mean() if outcome else 1 - y.mean()) ** n * (count > 0).sum()
        if probability < BY_CHANCE and (y.mean() <= 0.5) == bool(outcome):
            what = _describe_value(values[codes == code])
            return f"{what} always goes with the outcome ({n:,} rows): it is known after it, or is it"
    return None


def _describe_value(cells: NDArray[np.generic]) -> str:
    first = cells[0]
    if any(cell not in (first, None) and cell == cell for cell in cells[1:]):
        return "any value but the commonest"
    return "an empty cell" if first is None or first != first else f"the value {mask_contacts(str(first))}"


def _find_missing(values: NDArray[np.generic], y: F64) -> str | None:
    """Whether an empty cell says it all."""
    is_empty = np.array([value is None or value != value for value in values], dtype=np.float64)
    if not FEWEST <= is_empty.sum() <= len(is_empty) - FEWEST:
        return None
    auc = measure("auc", y, is_empty)
    auc = max(auc, 1 - auc)
    return f"whether it is empty separates the outcome (AUC {auc:.3f})" if auc >= PROOF else None


def _find_suspects(features: Features, outcomes: Sequence[F64], target: str) -> dict[str, str]:
    """Columns that tell suspiciously much by themselves, or are called so."""
    aucs = {name: max(compute_auc(values, y) for y in outcomes) for name, values in features.items()}
    suspects = _find_ahead(aucs)
    for name, auc in aucs.items():
        if name in suspects:
            continue
        if auc >= _TOO_GOOD:
            suspects[name] = f"alone it has AUC {auc:.3f}"
        elif auc >= _AFTERWARDS and has_topic(name, "afterwards"):
            suspects[name] = f"its name speaks of what comes after, and alone it has AUC {auc:.2f}"
        elif len(target) >= _MIN_NAME and is_extension_of(name, target):
            suspects[name] = f"its name begins as that of {target}"
    return suspects


def _find_ahead(aucs: Mapping[str, float]) -> dict[str, str]:
    """The few columns, three at most, that leave all others behind by far: one strong column among many is honest."""
    ranked = sorted(aucs, key=lambda name: -aucs[name])
    for few in range(1, min(_MAX_AHEAD, len(ranked) - 1) + 1):
        last, following = aucs[ranked[few - 1]], aucs[ranked[few]]
        if last >= _STRONG and last - following >= _AHEAD:
            others = f"all others at most {following:.2f}"
            return {name: f"alone it has AUC {aucs[name]:.2f}, {others}" for name in ranked[:few]}
    return {}


def compute_auc(values: NDArray[np.generic], y: F64) -> float:
    """Of the values' own order, or of each value's rate where they are texts: learnt on half, judged on the other."""
    if values.dtype.kind == "f":
        return auc_of_numbers(values, y)
    auc = auc_of_rates(codes_of(values)[0], y, learnt=np.arange(len(y)) % 2 == 0)
    return 0.5 if auc is None else auc


def _find_late_dates(draft: Draft, leaks: Sequence[str], is_known: Bools, outcomes: Sequence[F64]) -> dict[str, str]:
    """Dates that are known only after the outcome, by their name, their cells or their distance to another date → why."""
    target, is_amount = draft.outcome.name, draft.outcome.kind == "regression"
    dates = draft.find_free("date")
    late: dict[str, str] = {}
    for name in dates:
        if stems := [leak for leak in (*leaks, target) if name != leak and name.startswith(leak)]:
            late[name] = f"its name begins as that of {stems[-1]}, which is a leak"
        elif has_topic(name, "late_date"):
            late[name] = "its name speaks of what comes after"
    if not outcomes:
        return late
    moments = {name: draft.cast_dates(name).dt.timestamp("ms").cast(pl.Float64).to_numpy() for name in dates}
    days = {name: moment[is_known] / _MS_PER_DAY for name, moment in moments.items()}  # NaN where it is empty
    proven = _find_leaks(days, outcomes, is_amount=is_amount)
    late |= {name: f"its date tells the outcome: {why}" for name, why in proven.items()}
    for one, other in combinations([name for name in dates if name not in late], 2):
        if _find_leaks({"": days[one] - days[other]}, outcomes, is_amount=is_amount):
            is_second = np.nanmedian(days[other]) > np.nanmedian(days[one])
            later, earlier = (other, one) if is_second else (one, other)
            late[later] = f"its distance to {earlier} tells the outcome"
    return late
