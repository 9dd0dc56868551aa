"""Serving view of a contract: what a model and a scorer may know of it, without outcome and treatment."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Literal

from perennial.contract.columns import Column, ContractPart
from perennial.contract.features import CountBy, Feature, OverEvents, columns_of_feature
from perennial.contract.head import Head
from perennial.contract.model import Contract, Money

FeatureKind = Literal["numeric", "categorical", "text", "image"]
_IN_DAYS = {"days_since", "recency", "tenure", "gap"}
_COUNTED = {"count", "sum", "count_by", "distinct"}
_PREPOSITIONS = (" by", " from", " in", " of", " on", " to", " via", " with")  # after which a value follows
_RFM: dict[str, Literal["recency", "frequency", "money"]] = {
    "recency": "recency",
    "distinct": "frequency",
    "count": "frequency",
    "sum": "money",
}
_HIDDEN = {"outcome", "treatment", "split", "weight"}


class FeatureColumn(ContractPart):
    """One feature of a model, and its name for a reader."""

    name: str
    kind: FeatureKind
    label: str
    unit: str | None = None
    counts: Literal["", "flag", "events"] = ""  # 0 says that there is none: a flag (0 or 1), events counted or summed
    recipe: str = ""  # digest of its definition: the same name with another definition is another feature


class ServingView(ContractPart):
    """The part of a contract that travels in a bundle."""

    head: Head
    costs: tuple[float, ...]  # of one contact by each arm; (cost,) for other tasks
    features: tuple[FeatureColumn, ...]
    money: Money


def build_serving_view(contract: Contract) -> ServingView:
    treatment = contract.find_column("treatment")
    arms = contract.columns[treatment].arms if treatment and contract.task.has_arms else {}
    return ServingView(
        head=build_head(contract),
        costs=(0.0, *(arm.cost for arm in arms.values())) if arms else (contract.money.cost_of_contact or 0.0,),
        features=tuple(_select_features(contract)),
        money=contract.money,
    )


def _select_features(contract: Contract) -> list[FeatureColumn]:
    """The features of a model; without an outcome it measures distances, in numbers only."""
    columns = feature_columns(contract)
    return [c for c in columns if c.kind == "numeric"] if contract.target is None else columns


def build_head(contract: Contract) -> Head:
    task, (zero, one) = contract.task, contract.sampling_rates
    names = [task.score_name] if task.score_name else contract.classes or (contract.arms if task.has_arms else [])
    return Head(
        task=task.kind,
        outputs=tuple(names),
        two_part=task.is_two_part,
        amounts=task.has_arms and contract.outcome is not None and not contract.outcome.is_coded,
        prior=math.log(zero / one),
    )


def feature_columns(contract: Contract, including: Sequence[str] = ()) -> list[FeatureColumn]:
    """The features in order: those of the main table, then those made from events.

    Leakage suspects are left out, but for those of `including`.
    """
    left_out = set(contract.leakage_suspects) - set(including)
    columns = [
        FeatureColumn(
            name=name,
            kind=_feature_kind(column),
            label=column.label or _default_label(name),
            unit=column.unit,
            counts="flag" if column.cell_type == "int" and column.bounds == (0, 1) else "",
            recipe=_digest_cells(column),
        )
        for name, column in contract.columns.items()
        if column.is_feature and name not in left_out
    ]
    for name, feature in contract.unit.features.items():
        label = feature.label or _default_label(name)
        recipe = _digest(_recipe(feature, contract))
        if isinstance(feature, CountBy):
            values = contract.events[feature.events].columns[feature.by].values
            assert isinstance(values, tuple)
            names = {f"{name}_{value}": _label_value(label, value) for value in values}
        else:
            names = {name: label}
        unit = "days" if feature.kind in _IN_DAYS else None
        counts: Literal["", "events"] = "events" if feature.kind in _COUNTED else ""
        columns += [
            FeatureColumn(name=key, kind="numeric", label=words, unit=unit, counts=counts, recipe=recipe)
            for key, words in names.items()
        ]
    return columns


def has_text_or_image(features: Sequence[FeatureColumn]) -> bool:
    """Whether a row has a text or a picture: a person can look at it and see a mistake."""
    return any(feature.kind in {"text", "image"} for feature in features)


def find_rfm_features(contract: Contract) -> dict[str, Literal["recency", "frequency", "money"]]:
    """Find which event features are recency, frequency or money of a customer (RFM)."""
    return {name: _RFM[f.kind] for name, f in contract.unit.features.items() if f.kind in _RFM}


def find_changed_features(before: ServingView, now: ServingView) -> list[str]:
    """Find the features that only one view has, or that the views define differently."""
    old, new = ({f.name: (f.kind, f.recipe) for f in view.features} for view in (before, now))
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def select_scoring_columns(contract: Contract) -> dict[str, Column]:
    """The main table's columns as a file to score has them; those only known later are optional."""
    return {
        name: column.model_copy(update={"required": False, "nullable": True}) if column.role in _HIDDEN else column
        for name, column in contract.columns.items()
    }


def _recipe(feature: Feature, contract: Contract) -> dict[str, object]:
    """The definition of a feature; history, filters and derived columns only where the contract has them."""
    recipe: dict[str, object] = feature.model_dump(mode="json", exclude={"label"})
    if not isinstance(feature, OverEvents):
        return recipe
    table = contract.events[feature.events]
    products = {name: table.derive[name] for name in columns_of_feature(feature) if name in table.derive}
    derived = {name: product.model_dump(mode="json") for name, product in products.items()}
    filters = [rule.model_dump(mode="json", exclude={"why"}) for rule in table.filters]
    history = contract.unit.history if contract.unit.history != "all" else None
    more = {"derived": derived, "filters": filters, "history": history}
    return recipe | {key: value for key, value in more.items() if value}


def _feature_kind(column: Column) -> FeatureKind:
    if column.role == "text" or column.role == "image":
        return column.role
    numeric = column.role == "numeric" or (column.role == "protected" and column.cell_type in {"int", "decimal"})
    return "numeric" if numeric else "categorical"


def name_group(label: str, value: str) -> str:
    """Customers with one value of a column: no newsletter, newsletter, city Berlin."""
    match value.lower():
        case "0" | "false" | "no":
            return f"no {label}"
        case "1" | "true" | "yes":
            return label
        case _:
            return f"{label} {value}"


def _label_value(label: str, value: str) -> str:
    """Events of one kind: garden visits, purchases by web."""
    return f"{label} {value}" if label.endswith(_PREPOSITIONS) else f"{value} {label}"


def _default_label(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _digest_cells(column: Column) -> str:
    """Digest of how cells of a column are read; allowed values and label are no part of a feature's identity."""
    codes = column.values if isinstance(column.values, dict) else None
    source = {"type": column.cell_type, "null": column.null, "map": column.map, "codes": codes, "from": column.source}
    return _digest({**source, "format": column.format, "tz": column.tz})


def _digest(value: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=list).encode()).hexdigest()[:16]
