"""A randomized treatment turns the question into uplift: who was treated, and which columns only followed from it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perennial.contract.columns import Arm, Column
from perennial.discovery.draft import Answers, Draft
from perennial.discovery.leakage import BY_CHANCE, F64, compute_auc
from perennial.discovery.names import has_topic, load_keywords
from perennial.errors import ConfigError
from perennial.evaluation.statistics.leaks import ENOUGH, codes_of

_MAX_AUC = 0.56  # one-column AUC of a treatment by any other column, if it was assigned at random
_MAX_ARMS = 6
_REAL_VALUES = {"none", "None", "No"}  # no null tokens here: who got nothing


def assign_treatment(draft: Draft, answers: Answers) -> None:
    """The column that says who was treated, where it was assigned at random; another such column is left out.

    Raises: ConfigError for a treatment that is no column.
    """
    if answers.treatment == "" or draft.outcome.kind == "multiclass":
        return
    free = draft.find_free("numeric", "categorical")
    if answers.treatment is not None and answers.treatment not in free:
        raise ConfigError(f"treatment {answers.treatment!r} is no such column; there are: {', '.join(free)}")
    features = draft.cast_features(free)
    is_said = answers.treatment is not None
    candidates = free if answers.treatment is None else [answers.treatment]
    name = next((name for name in candidates if _is_randomized(draft, features, name, is_said=is_said)), None)
    if name is None:
        _ignore_observed(draft, free)
        return
    control = _find_control(draft, name)
    assert control is not None
    treated = _mark_treated(draft, name, control)
    for after, values in features.items():
        if after != name and _follows(values, treated):
            why = f"a value of it comes only with {name}: it was seen after it"
            draft.ignore(after, why, known="after_outcome")
    arms = {value: Arm(cost=answers.cost or 0.0) for value in sorted(draft.profile(name).values) if value != control}
    column = Column(role="treatment", control=control, assignment="randomised", arms=arms)
    draft.treatment = name
    draft.put(name, column, f"few values, {control} is none of the messages, and no other column predicts it: assigned at random")
    draft.notes.append(f"{name} says who was treated: the question is whom the treatment moves")


def _ignore_observed(draft: Draft, names: list[str]) -> None:
    """Columns that say who was treated, where others tell who."""
    for name in names:
        if has_topic(name, "treatment") and _find_control(draft, name) is not None:
            draft.ignore(name, "it says who was treated, and not at random: other columns predict it")
            note = f"{name} says who was treated, not at random: left out; --treatment {name} asks whom it moves"
            draft.note_left_out(name, note)


def _is_randomized(draft: Draft, features: Mapping[str, NDArray[np.generic]], name: str, *, is_said: bool) -> bool:
    """Whether a column says who was treated, at random: few values, called so (or said to be), predicted by no other column."""
    control = _find_control(draft, name) if is_said or has_topic(name, "maybe_treatment") else None
    if control is None:
        return False
    treated = _mark_treated(draft, name, control)
    if not min(treated.sum(), (1 - treated).sum()) >= ENOUGH:
        return False
    others = (v for other, v in features.items() if other != name and not _follows(v, treated))
    return is_said or all(compute_auc(values, treated) <= _MAX_AUC for values in others)


def _find_control(draft: Draft, name: str) -> str | None:
    """The value of few that is no treatment."""
    cells = draft.table.sample[name]
    values = sorted(cells.filter(~cells.is_in(list(load_keywords().null_tokens - _REAL_VALUES))).unique().to_list())
    if not 2 <= len(values) <= _MAX_ARMS or (draft.typed[name].type == "numeric" and len(values) != 2):
        return None
    topics = ["control_value", "short_control_value"] if has_topic(name, "treatment") else ["control_value"]
    return next((value for value in values if any(has_topic(value, topic) for topic in topics)), None)


def _mark_treated(draft: Draft, name: str, control: str) -> F64:
    """1 for each row of the sample that is none of the control (n,)."""
    return (draft.table.sample[name] != control).to_numpy().astype(np.float64)


def _follows(values: NDArray[np.generic], treated: F64) -> bool:
    """A value that goes with being treated only, too often for chance; whichever of the two groups is the rarer."""
    codes = codes_of(values)[0]
    count, hits = np.bincount(codes), np.bincount(codes, weights=treated)
    pure = (hits == count) & (count >= ENOUGH)
    return bool((treated.mean() ** count[pure] * len(count) < BY_CHANCE).any())
