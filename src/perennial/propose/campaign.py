"""A finished campaign in, the contract of the uplift question that it answers out: what its lottery can teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.contract.model import Contract
from perennial.contract.serving import FeatureColumn

FILE = "campaign.parquet"
_WHY = {
    "group": "says which lottery a customer was in",
    "message": "what was sent: where it was not drawn by lot, it tells whom the model chose",
    "score": "what the model that chose foretold",
}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A campaign whose outcomes are known; `costs` has one of each arm, the control's first."""

    name: str
    campaign: str
    model_version: str
    key: str
    target: str
    arms: Sequence[str]
    shares: Sequence[float]
    costs: Sequence[float]
    value: float
    features: Sequence[FeatureColumn]


def columns_of(finished: Finished) -> dict[str, str]:
    """What a column of the record (key, arm, y, group, message, score) is called beside the features."""
    taken = {feature.name for feature in finished.features}

    def free(name: str) -> str:
        while name in taken:
            name += "_of_campaign"
        taken.add(name)
        return name

    wanted = {"key": finished.key, "y": finished.target, "arm": "treatment"}
    return {own: free(name) for own, name in (wanted | {name: name for name in _WHY}).items()}


def next_contract(finished: Finished, before: Contract) -> dict[str, Any]:
    """Every customer who was drawn is a row, as the model saw it, with what the lottery gave and what came of it."""
    named = columns_of(finished)
    features = {feature.name: _feature(feature) for feature in finished.features}
    treatment = {
        "role": "treatment", "control": finished.arms[0], "assignment": "randomised",
        "arms": {arm: {"cost": cost} for arm, cost in zip(finished.arms[1:], finished.costs[1:], strict=True)},
        "shares": [round(share, 6) for share in finished.shares],
    }  # fmt: skip
    return {
        "task": {
            "kind": "uplift", "question": f"Whom did campaign {finished.campaign} move?", "target": named["y"],
            "primary": "qini", "minimum": 0.0,
        },
        "source": {"kind": "file", "files": FILE, "format": "parquet"},
        "columns": {
            named["key"]: {"role": "id", "type": "text", "unique": True},
            **features,
            named["arm"]: treatment,
            named["y"]: {"role": "outcome", "values": {"0": 0, "1": 1}},
            **{named[own]: {"role": "ignore", "why": why} for own, why in _WHY.items()},
        },
        "rules": [],
        "events": {},
        "unit": {"rows": "as_is", "duplicates": "keep"},
        "split": {
            "kind": "hash", "by": "entity", "salt": f"{finished.name}_{finished.campaign}",
            "fractions": {"train": 0.6, "val": 0.2, "test": 0.2},
        },
        "sampling": {},
        "leakage_suspects": [],
        "slices": [name for name in before.slices if name in features],
        "money": _without_nothing(
            currency=before.money.currency, value_of_response=finished.value,
            budget_share=before.money.budget_share or 1.0,
        ),
    }  # fmt: skip


def head(finished: Finished, rows: int) -> list[str]:
    """What stands above the contract."""
    return [
        f"Campaign {finished.campaign} of {finished.name}: {rows:,} customers, chosen by model version "
        f"{finished.model_version}, held back by lot.",
        "Features are as they were when the list was drawn; the lottery is known, so effects can be learned from it.",
    ]


def _feature(feature: FeatureColumn) -> Mapping[str, Any]:
    """As the model saw it; a recipe of events is a plain number now."""
    return _without_nothing(role=feature.kind, label=feature.label, unit=feature.unit, max_null=1.0)


def _without_nothing(**keys: Any) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
