"""A finished campaign becomes the contract of an uplift question: what its randomization can teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.contract.columns import Arm, Column
from perennial.contract.model import Contract, Money, Sampling, Unit
from perennial.contract.serving import FeatureColumn
from perennial.contract.source import Source
from perennial.contract.split import Fractions, HashSplit
from perennial.contract.tasks import Uplift
from perennial.discovery.contract_draft import ignored_column, refuse_invalid
from perennial.results.campaign import CampaignRecord

FILE = "campaign.parquet"
_UNUSED = {
    "group": "says which randomization group a customer was in",
    "message": "what was sent: where it was not drawn at random, it tells whom the model chose",
    "score": "what the model that chose foretold",
}


@dataclass(frozen=True, kw_only=True)
class FinishedCampaign:
    """A campaign whose outcomes are known; `costs` has one of each arm, the control's first."""

    record: CampaignRecord
    costs: Sequence[float]
    features: Sequence[FeatureColumn]


def name_columns(campaign: FinishedCampaign) -> dict[str, str]:
    """What a column of the record (key, arm, y, group, message, score) is called beside the features."""
    taken = {feature.name for feature in campaign.features}
    names = {"key": campaign.record.key, "y": campaign.record.target, "arm": "treatment"} | {name: name for name in _UNUSED}
    for column, name in names.items():
        while name in taken:
            name += "_of_campaign"
        taken.add(name)
        names[column] = name
    return names


def draft_next_contract(campaign: FinishedCampaign, before: Contract) -> Contract:
    """Every customer who was drawn is a row, as the model saw it, with the randomized group and the outcome.

    Raises: ContractError for features that a contract of one file cannot have, such as pictures.
    """
    with refuse_invalid(campaign.record.use_case):
        return _draft_contract(campaign, before)


def _draft_contract(campaign: FinishedCampaign, before: Contract) -> Contract:
    names, record = name_columns(campaign), campaign.record
    features = {  # as the model saw them; a recipe of events is a plain number now
        feature.name: Column(role=feature.kind, label=feature.label, unit=feature.unit, max_null=1.0)
        for feature in campaign.features
    }
    arms = {arm: Arm(cost=cost) for arm, cost in zip(record.arms[1:], campaign.costs[1:], strict=True)}
    treatment = Column(
        role="treatment",
        control=record.arms[0],
        assignment="randomised",
        arms=arms,
        shares=tuple(round(share, 6) for share in record.shares),
    )
    return Contract(
        task=Uplift(
            kind="uplift", question=f"Whom did campaign {record.campaign} move?", target=names["y"], primary="qini", minimum=0.0
        ),
        source=Source(kind="file", files=FILE, format="parquet"),
        columns={
            names["key"]: Column(role="id", type="text", unique=True),
            **features,
            names["arm"]: treatment,
            names["y"]: Column(role="outcome", values={"0": 0, "1": 1}),
            **{names[column]: ignored_column(why) for column, why in _UNUSED.items()},
        },
        rules=(),
        events={},
        unit=Unit(rows="as_is", duplicates="keep"),
        split=HashSplit(
            kind="hash",
            by="entity",
            salt=f"{record.use_case}_{record.campaign}",
            fractions=Fractions(train=0.6, val=0.2, test=0.2),
        ),
        sampling=Sampling(),
        leakage_suspects=(),
        slices=tuple(name for name in before.slices if name in features),
        money=Money(
            currency=before.money.currency, value_of_response=record.value, budget_share=before.money.budget_share or 1.0
        ),
    )


def describe_origin(record: CampaignRecord, rows: int) -> list[str]:
    """What stands above the contract."""
    return [
        f"Campaign {record.campaign} of {record.use_case}: {rows:,} customers, chosen by model version "
        f"{record.model_version}, held back at random.",
        "Features are as they were when the list was drawn; the randomization is known, so effects can be learned from it.",
    ]
