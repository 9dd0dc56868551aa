"""Promotion: compare the candidate with the champion on the same rows, write the record, then move the alias."""

from __future__ import annotations

import logging
from dataclasses import replace

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.errors import Refused
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import decide, decide_as_first
from perennial.promotion.show_decision import show_decision
from perennial.results.decision import Decision, DecisionRecord, Rule, RuleName, RuleState, utc_now
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import Store, open_store

log = logging.getLogger("perennial")


def promote(project: Project, name: str, number: str | None = None, *, why: str | None = None) -> DecisionRecord:
    """The decision record. A candidate that was judged against this champion before is not judged again.

    With `why`, a person's reason (--override-incomparable), what cannot be compared with the champion is judged as a first
    model.

    Raises: Refused when no version is registered, or an override is asked for what can be compared.
    """
    contract, store = load(project.contract(name)), open_store(project)
    gate = read_section(project.root / "params.yaml", name, "gate", GateParams)
    with file_lock(project.state(name) / "decide.lock", what=f"a decision on {name}", wait_s=60):
        champion = registry.find_champion(store, name)
        candidate = registry.get_version(store, name, number) if number else registry.find_by_alias(store, name, "challenger")
        candidate = candidate or champion
        if candidate is None:
            raise Refused(f"{name} has no registered version: perennial register {name}")
        if why is None and (standing := _standing_record(store, name, candidate, champion)) is not None:
            show_decision(store, name, standing)
            return standing
        if number is None and (reason := _why_rolled_back(store, name, candidate)) is not None:
            rule = Rule(name=RuleName.ROLLED_BACK, sentence=reason, state=RuleState.HOLD)
            decision = Decision(verdict="HOLD", rules=(rule,))
        else:
            decision = _decide(project, name, contract, registry.load_scorer(store, candidate), store, champion, gate, why)
        record = registry.append_decision(store, name, _record(name, candidate, champion, decision))
        show_decision(store, name, record)
        if decision.verdict == "PROMOTE":
            registry.set_champion(store, name, candidate.number)
    log.info("%s version %s: %s", name, candidate.number, decision.verdict)
    return record


def _decide(
    project: Project,
    name: str,
    contract: Contract,
    new: Scorer,
    store: Store,
    champion: registry.Version | None,
    gate: GateParams,
    why: str | None,
) -> Decision:
    """What the gate says; a champion that an older version of this package made cannot be compared."""
    old, unreadable = None, None
    try:
        old = registry.load_scorer(store, champion) if champion else None
    except Refused as error:
        unreadable = f"the champion cannot be read any more ({error})"
    evidence = gather_evidence(project, name, contract, new, old, gate)
    if unreadable is not None:
        evidence = replace(evidence, not_comparable=unreadable)
    if why is None:
        return decide(evidence)
    if (decision := decide_as_first(evidence, why)) is None:
        raise Refused("the champion can be compared with this one, so it decides: leave --override-incomparable out")
    return decision


def _standing_record(
    store: Store, name: str, candidate: registry.Version, champion: registry.Version | None
) -> DecisionRecord | None:
    """The record that stands: the newest on this candidate, if nothing about the two has changed since.

    A record that says PROMOTE without the alias (killed between the two) is carried out now.
    """
    record = _newest_on(store, name, candidate)
    if record is None or record.verdict == "ROLLBACK":
        return record if record is not None and record.digest == candidate.digest else None
    if champion is not None and champion.digest == candidate.digest:
        return record
    if record.champion_digest != (champion.digest if champion else None):
        return None
    if record.verdict == "PROMOTE":
        registry.set_champion(store, name, candidate.number)
    return record


def _newest_on(store: Store, name: str, candidate: registry.Version) -> DecisionRecord | None:
    records = reversed(registry.read_decisions(store, name))
    return next((record for record in records if record.concerns(candidate.digest)), None)


def _why_rolled_back(store: Store, name: str, candidate: registry.Version) -> str | None:
    """Why a person took this version out of use, if that was the last word on it: no nightly run puts it back."""
    last = _newest_on(store, name, candidate)
    if last is None or last.verdict != "ROLLBACK" or last.digest == candidate.digest:
        return None
    return f"this version was rolled back ({last.reasons[0]}); promote it by hand with --version {candidate.number}"


def _record(name: str, candidate: registry.Version, champion: registry.Version | None, decision: Decision) -> DecisionRecord:
    return DecisionRecord(
        use_case=name,
        verdict=decision.verdict,
        version=candidate.number,
        family=candidate.family,
        digest=candidate.digest,
        champion=champion.reference if champion else None,
        reasons=tuple(rule.sentence for rule in decision.reasons),
        rules=decision.rules,
        at=utc_now(),
    )
