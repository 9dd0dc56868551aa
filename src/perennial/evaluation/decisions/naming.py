"""Names of segments: the usual ones of recency, frequency and money, else the two strongest traits of a centre."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from perennial.evaluation.statistics.intervals import F64

Meaning = Literal["recency", "frequency", "money", ""]
_FAR = 0.35  # standard deviations from the mean of all from which a centre is high or low
_ALIKE = 0.5  # … by which two columns may differ in every centre and yet say the same


class Trait(NamedTuple):
    """What a reader calls a column, and which of the three it is."""

    label: str
    meaning: Meaning


def rank_centres(centre_KF: F64, size_K: F64, traits: Sequence[Trait]) -> list[int]:
    """The most valuable first (money, frequency, less silence); without these the greatest first."""
    if not _is_rfm(traits):
        return [int(s) for s in np.argsort(-size_K, kind="stable")]
    worth = sum(_of(centre_KF, traits, meaning) * sign for meaning, sign in (("money", 1), ("frequency", 1), ("recency", -1)))
    return [int(s) for s in np.argsort(-worth, kind="stable")]


def propose_names(centre_KF: F64, traits: Sequence[Trait]) -> list[str]:
    """Different names for centres (k, columns) in standard deviations from the mean of all customers."""
    if not _is_rfm(traits):
        return _number_repeats([_two_traits(s, centre_KF, traits) for s in range(len(centre_KF))], centre_KF, traits)
    recency, frequency, money = (_of(centre_KF, traits, m) for m in ("recency", "frequency", "money"))
    names = [_rfm_name(-r, f, m) for r, f, m in zip(recency, frequency, money, strict=True)]
    return _number_repeats(names, centre_KF, traits)


def _rfm_name(fresh: float, often: float, much: float) -> str:
    """The usual name of a cell of recency, frequency and money; each is how far above the mean of all."""
    if often > _FAR and fresh > _FAR:
        return "Champions" if much > _FAR else "Loyal customers"
    if often > _FAR:
        return "At risk" if fresh < -_FAR else "Loyal customers"
    if much > 2 * _FAR:
        return "Big spenders"
    if fresh > _FAR:
        return "New or rare customers" if often < -_FAR else "Promising customers"
    return "Lost customers" if fresh < -_FAR and often < _FAR else "Occasional customers"


def _two_traits(s: int, centre_KF: F64, traits: Sequence[Trait]) -> str:
    """The column in which a centre is farthest from the mean, and the next one that says something else."""
    first, *others = np.argsort(-np.abs(centre_KF[s]), kind="stable")
    second = [f for f in others if np.abs(centre_KF[:, f] - centre_KF[:, first]).max() > _ALIKE]
    strongest = [first, *second[:1]]
    name = ", ".join(f"{'more' if centre_KF[s, f] > 0 else 'less'} {traits[f].label}" for f in strongest)
    return name[:1].upper() + name[1:]


def _number_repeats(names: list[str], centre_KF: F64, traits: Sequence[Trait]) -> list[str]:
    """Centres with one name get the column by which they differ most, with its order among them."""
    out = list(names)
    for name in [name for name, times in Counter(names).items() if times > 1]:
        same = [s for s, other in enumerate(names) if other == name]
        column = int(np.ptp(centre_KF[same], axis=0).argmax())
        ranked = sorted(same, key=lambda s: -centre_KF[s, column])
        for place, s in enumerate(ranked):
            which = "most" if place == 0 else "least" if place == len(ranked) - 1 else f"no. {place + 1} in"
            out[s] = f"{name}, {which} {traits[column].label}"
    return out


def _is_rfm(traits: Sequence[Trait]) -> bool:
    return {"recency", "frequency", "money"} <= {trait.meaning for trait in traits}


def _of(centre_KF: F64, traits: Sequence[Trait], meaning: Meaning | str) -> F64:
    """The first column of a meaning, (k,)."""
    return np.asarray(centre_KF[:, next(f for f, trait in enumerate(traits) if trait.meaning == meaning)])
