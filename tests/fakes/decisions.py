"""Decision records as the gate and the registry write them."""

from __future__ import annotations

from typing import Any

from perennial.results.decision import DecisionRecord, ModelReference, Rule, RuleName, RuleState

CHAMPION = ModelReference(version="3", digest="c" * 64, family="boosted")


def decision_record(verdict: str = "PROMOTE", version: str = "4", **changes: Any) -> DecisionRecord:
    """A record of one rule, which says what follows from it."""
    states = {"PROMOTE": RuleState.PASS, "HOLD": RuleState.HOLD, "REJECT": RuleState.REJECT}
    state = states.get(verdict, RuleState.INFO)
    rule = Rule(name=RuleName.IMPROVEMENT, sentence="auc: better by +0.0200 [+0.0100, +0.0300]", state=state)
    fields = {
        "use_case": "shop",
        "verdict": verdict,
        "version": version,
        "family": "linear",
        "digest": version * 64,
        "champion": None,
        "reasons": (rule.sentence,),
        "rules": (rule,),
        "at": "2026-06-02 03:14:00",
    }
    return DecisionRecord.model_validate({**fields, **changes})
