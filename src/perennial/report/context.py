"""What a report is made of: plain results of stages and actions, gathered by the action that writes the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.contract.model import Contract
from perennial.report.charts.flows import Verdict
from perennial.report.charts.numbers import GAP, Interval, money


@dataclass(frozen=True, kw_only=True)
class Story:
    """`summaries` by stage; `decision` and `history` are decision records; `quarantine` has a few raw rows."""

    name: str
    contract: Contract
    at: str  # UTC
    summaries: Mapping[str, Mapping[str, Any]]
    decision: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    version: str
    curve: Sequence[Mapping[str, float]]
    people: Sequence[Mapping[str, Any]]
    quarantine: Sequence[Mapping[str, Any]]
    quarantined: Mapping[str, int]
    lineage: Mapping[str, str]
    mistakes: Sequence[Mapping[str, Any]] = ()  # the surest ones, of texts and photos

    @property
    def evaluation(self) -> Mapping[str, Any]:
        return self.summaries["evaluate"]

    @property
    def verdict(self) -> Verdict:
        verdict: Verdict = self.decision["verdict"]
        return verdict

    @property
    def in_use(self) -> str | None:
        """The version that the newest decision left in use, which need not be the one that this story is about."""
        last = self.history[-1] if self.history else self.decision
        if last["verdict"] in {"PROMOTE", "ROLLBACK"}:
            return str(last["version"])
        return str(last["champion"]["version"]) if last["champion"] else None

    @property
    def symbol(self) -> str:
        currency = self.contract.money.currency or ""
        code = f"{currency}{GAP}" if currency else ""
        return {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency, code)

    def money(self, amount: float) -> str:
        """An amount in the contract's currency."""
        return money(amount, self.symbol)

    def figure(self, metric: str) -> Interval:
        """A metric of the candidate on test."""
        return interval(self.evaluation["families"][self.evaluation["candidate"]["family"]]["test"][metric])

    @property
    def does(self) -> str:
        """What those do whom a binary task looks for: "those who respond"."""
        made = self.contract.unit.target.get(self.contract.target or "")
        return str((made.label if made else None) or getattr(self.contract.task, "outcome_verb", "respond"))

    @property
    def stopped_by(self) -> str:
        """The rule that decided against the candidate, a rejecting one first; empty for a promotion."""
        rules = sorted(self.decision.get("rules", ()), key=lambda rule: str(rule["state"] != "rejects"))
        return next((str(rule["name"]) for rule in rules if rule["state"] in {"rejects", "holds"}), "")

    @property
    def is_first(self) -> bool:
        """Whether nothing was in use that it could be held against."""
        anew = any(rule["name"] == "anew" for rule in self.decision.get("rules", ()))
        return anew or not self.decision.get("champion")


def interval(found: Mapping[str, float]) -> Interval:
    """An interval as the charts take it."""
    return Interval(value=found["value"], low=found["low"], high=found["high"])


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


METRIC_NAMES = {
    "auc": "AUC", "ap": "AP", "ap_sample": "AP in the file", "log_loss": "Log loss", "brier": "Brier", "qini": "Qini",
    "accuracy": "Accuracy", "macro_f1": "Mean F1", "kappa": "Kappa", "gini_norm": "Gini", "mae": "Mean abs. error",
    "stability": "Agreement", "normalised_entropy": "Norm. entropy",
}  # fmt: skip
LOWER_IS_BETTER = {"log_loss", "brier", "mae", "normalised_entropy"}
FAMILY_NAMES = {
    "linear": "Linear",
    "boosted": "Boosted trees",
    "kernel": "Kernel machine",
    "kmeans": "k-means",
    "deep": "Deep network",
    "blend": "Deep and trees, blended",
}
