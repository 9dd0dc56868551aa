"""A contract in, what a model and a scorer may know of it out: no outcome, no treatment."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, Literal, assert_never

from perennial.contract.columns import Column, ContractPart
from perennial.contract.features import CountBy, Feature, OverEvents, columns_of_feature
from perennial.contract.model import Contract, Money
from perennial.contract.tasks import Binary, Clustering, Multiclass, Regression, Uplift

FeatureKind = Literal["numeric", "categorical", "text", "image"]
_IN_DAYS = {"days_since", "recency", "tenure", "gap"}
_HIDDEN = {"outcome", "treatment", "split", "weight"}


class FeatureColumn(ContractPart):
    """One column that a model sees, and what a reader calls it."""

    name: str
    kind: FeatureKind
    label: str
    unit: str | None = None
    recipe: str = ""  # digest of how it is made: the same name made otherwise is another feature


class Head(ContractPart):
    """What a model predicts: its task and the names of its scores (classes, arms with the control first, else one).

    The names of segments are known once they are found. `amounts`: scores of an uplift task are amounts, not chances.

    `prior` is ln(rate_0 / rate_1), which makes odds of the sample those of the population; 0 where nothing was sampled.
    """

    task: Literal["binary", "multiclass", "regression", "uplift", "clustering"]
    outputs: tuple[str, ...]
    two_part: bool = False
    amounts: bool = False
    prior: float = 0.0

    @property
    def raw(self) -> int:
        """How many numbers a model computes for the scores: two for an amount in two parts."""
        return 2 if self.two_part else len(self.outputs)


class ServingView(ContractPart):
    """The part of a contract that travels in a bundle."""

    head: Head
    costs: tuple[float, ...]  # of one contact by each arm; (cost,) for other tasks
    features: tuple[FeatureColumn, ...]
    money: Money


def build_serving_view(contract: Contract) -> ServingView:
    treatment = contract.find_column("treatment")
    arms = contract.columns[treatment].arms if treatment and contract.task.kind == "uplift" else {}
    return ServingView(
        head=build_head(contract),
        costs=(0.0, *(arm.cost for arm in arms.values())) if arms else (contract.money.cost_of_contact or 0.0,),
        features=tuple(_seen(contract)),
        money=contract.money,
    )


def _seen(contract: Contract) -> list[FeatureColumn]:
    """The columns of a model; distances between customers are measured in numbers only."""
    columns = feature_columns(contract)
    return [c for c in columns if c.kind == "numeric"] if contract.task.kind == "clustering" else columns


def build_head(contract: Contract) -> Head:
    match contract.task:
        case Binary():
            zero, one = contract.sampling_rates
            return Head(task="binary", outputs=("probability",), prior=math.log(zero / one))
        case Multiclass():
            return Head(task="multiclass", outputs=tuple(contract.classes))
        case Regression():
            return Head(task="regression", outputs=("amount",), two_part=contract.task.zeros == "two_part")
        case Uplift():
            amounts = not contract.columns[contract.task.target].is_coded
            return Head(task="uplift", outputs=tuple(contract.arms), amounts=amounts)
        case Clustering():
            return Head(task="clustering", outputs=())
        case _:
            assert_never(contract.task)


def feature_columns(contract: Contract, including: Sequence[str] = ()) -> list[FeatureColumn]:
    """The model's columns in order: those of the main table, then those that events make.

    Suspects are left out, but for those of `including`.
    """
    left_out = set(contract.leakage_suspects) - set(including)
    found = [
        FeatureColumn(
            name=name, kind=_kind(column), label=column.label or _words(name), unit=column.unit, recipe=_cells(column)
        )
        for name, column in contract.columns.items()
        if column.is_feature and name not in left_out
    ]
    for name, feature in contract.unit.features.items():
        label = feature.label or _words(name)
        recipe = _digest(_recipe(feature, contract))
        if isinstance(feature, CountBy):
            values = contract.events[feature.events].columns[feature.by].values
            assert isinstance(values, tuple)
            found += [
                FeatureColumn(name=f"{name}_{v}", kind="numeric", label=f"{label}: {v}", recipe=recipe) for v in values
            ]
        else:
            unit = "days" if feature.kind in _IN_DAYS else None
            found.append(FeatureColumn(name=name, kind="numeric", label=label, unit=unit, recipe=recipe))
    return found


def has_text_or_image(features: Sequence[FeatureColumn]) -> bool:
    """Whether a row is a text or a picture: a person can look at it and see a mistake."""
    return any(feature.kind in {"text", "image"} for feature in features)


def find_rfm_features(contract: Contract) -> dict[str, Literal["recency", "frequency", "money"]]:
    """What a feature made of events tells of a customer: how long ago, how often, how much."""
    told: dict[str, Literal["recency", "frequency", "money"]] = {}
    for name, feature in contract.unit.features.items():
        match feature.kind:
            case "recency":
                told[name] = "recency"
            case "distinct" | "count":
                told[name] = "frequency"
            case "sum":
                told[name] = "money"
    return told


def find_changed_features(before: ServingView, now: ServingView) -> list[str]:
    """Names of features that one view has and the other has not, or makes otherwise."""
    old, new = ({f.name: (f.kind, f.recipe) for f in view.features} for view in (before, now))
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def select_scoring_columns(contract: Contract) -> dict[str, Column]:
    """The main table's columns as a file to score has them; those only known later become optional."""
    return {
        name: column.model_copy(update={"required": False, "nullable": True}) if column.role in _HIDDEN else column
        for name, column in contract.columns.items()
    }


def _recipe(feature: Feature, contract: Contract) -> dict[str, Any]:
    """What a feature is made of; how far back, over which rows and derived columns only where the contract says so."""
    told: dict[str, Any] = feature.model_dump(mode="json", exclude={"label"})
    if not isinstance(feature, OverEvents):
        return told
    table = contract.events[feature.events]
    derived = {
        name: table.derive[name].model_dump(mode="json") for name in columns_of_feature(feature) if name in table.derive
    }
    filters = [rule.model_dump(mode="json", exclude={"why"}) for rule in table.filters]
    history = contract.unit.history if contract.unit.history != "all" else None
    more = {"derived": derived, "filters": filters, "history": history}
    return told | {key: value for key, value in more.items() if value}


def _kind(column: Column) -> FeatureKind:
    if column.role == "text" or column.role == "image":
        return column.role
    numeric = column.role == "numeric" or (column.role == "protected" and column.cell_type in {"int", "decimal"})
    return "numeric" if numeric else "categorical"


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _cells(column: Column) -> str:
    """How cells of a column are read; which values are allowed, and what a report calls it, make no other feature."""
    codes = column.values if isinstance(column.values, dict) else None
    source = {"type": column.cell_type, "null": column.null, "map": column.map, "codes": codes, "from": column.source}
    return _digest({**source, "format": column.format, "tz": column.tz})


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=list).encode()).hexdigest()[:16]
