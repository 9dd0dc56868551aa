"""Campaign plan: the options of an audience, checked against the contract before any customer is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from perennial.config.audience import AudienceParams
from perennial.config.base import describe_problems, read_use_cases
from perennial.contract.model import Contract
from perennial.errors import ConfigError, ContractError
from perennial.evaluation.statistics.holdout import HoldoutDesign
from perennial.files.project import Project

CONTACT = "contact"  # the arm of everyone who was contacted, where messages were not assigned at random
DEFAULT_CONTROL = 0.1


def read_audience_options(project: Project, name: str, overrides: Mapping[str, object]) -> AudienceParams:
    """The audience section of params.yaml, with the command line's `overrides`.

    Raises: ConfigError listing every wrong value at once.
    """
    block = read_use_cases(project.root / "params.yaml").get(name) or {}
    try:
        return AudienceParams.model_validate({**(block.get("audience") or {}), **overrides})
    except ValidationError as error:
        raise ConfigError(f"audience of {name}: {describe_problems(error)}") from error


@dataclass(frozen=True, kw_only=True)
class CampaignPlan:
    """Which use case a campaign is for, how its groups are drawn, and the messages that can be sent."""

    use_case: str
    campaign: str
    contract: Contract
    options: AudienceParams
    messages: tuple[str, ...]

    @property
    def key(self) -> str:
        return str(self.contract.entity)

    @property
    def is_uplift(self) -> bool:
        return self.contract.task.has_arms

    @property
    def is_randomized(self) -> bool:
        """Whether messages are assigned at random instead of by the model."""
        return self.options.messages is not None

    @property
    def no_contact(self) -> str:
        """What the message column says of someone who is not contacted."""
        return self.contract.arms[0] if self.is_uplift else "none"

    @property
    def holdout(self) -> HoldoutDesign:
        control, minimum = self.options.control, self.options.min_control
        share = DEFAULT_CONTROL if control is None and minimum is None else control or 0.0
        return HoldoutDesign(control=share, min_control=minimum or 0, explore=self.options.explore or 0.0)

    def cost(self, message: str) -> float:
        if self.is_uplift:
            return self.contract.columns[str(self.contract.find_column("treatment"))].arms[message].cost
        return float(self.contract.money.cost_of_contact or 0)


def plan_campaign(use_case: str, campaign: str, contract: Contract, options: AudienceParams) -> CampaignPlan:
    """Raises: ContractError for a contract that allows no campaign, ConfigError for a message that cannot be sent."""
    _check_contract(contract)
    arms = tuple(contract.arms[1:]) if contract.task.has_arms else ()
    control = contract.arms[0] if arms else "none"
    wrong = [m for m in options.messages or () if (arms and m not in arms) or m == control]
    if wrong:
        raise ConfigError(f"--messages {', '.join(wrong)}: choose from {', '.join(arms) or f'any but {control}'}")
    messages = options.messages or arms or (CONTACT,)
    return CampaignPlan(use_case=use_case, campaign=campaign, contract=contract, options=options, messages=messages)


def _check_contract(contract: Contract) -> None:
    task = contract.task.kind
    if task not in {"binary", "uplift"}:
        raise ContractError(f"an audience is for a binary or an uplift task, not for {task}")
    needed = ("value_of_response", "cost_of_contact") if task == "binary" else ("value_of_response",)
    if absent := [f"money.{name}" for name in needed if getattr(contract.money, name) is None]:
        raise ContractError(f"{' and '.join(absent)} missing: without it, nobody can say who is worth contacting")
    if task == "uplift" and contract.outcome is not None and not contract.outcome.is_coded:
        raise ContractError("an audience is drawn for responses of 0 and 1 so far, not for amounts")
    if contract.sampling.sampling_rate == "unknown":
        raise ContractError("sampling.sampling_rate is unknown: scores only rank, so neither size nor profit can be predicted")
    if contract.entity is None:
        raise ContractError("no column has the role id or entity: nobody could tell later who was contacted")
