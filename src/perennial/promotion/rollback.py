"""`perennial rollback NAME [--to VERSION]`: make an earlier version the champion again, with a record of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from perennial.errors import Refused
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.promotion.show_decision import show_decision
from perennial.results.decision import DecisionRecord, utc_now
from perennial.tracking import registry
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


def rollback(project: Project, name: str, to: str | None, why: str) -> DecisionRecord:
    """The record of it: its `version` is champion now.

    Raises: Refused when there is no earlier champion, no such version, or one that was never in use.
    """
    store = open_store(project)
    with file_lock(project.state(name) / "decide.lock", what=f"a decision on {name}", wait_s=60):
        now, records = registry.find_champion(store, name), registry.read_decisions(store, name)
        target = registry.get_version(store, name, to or find_earlier_champion(records, now, name))
        if now is not None and now.number == target.number:
            raise Refused(f"{name} version {target.number} is the champion already")
        refuse_never_champion(records, name, target)
        record = registry.append_decision(
            store,
            name,
            DecisionRecord(
                use_case=name,
                verdict="ROLLBACK",
                version=target.number,
                digest=target.digest,
                family=target.family,
                champion=now.reference if now else None,
                reasons=(why,),
                at=utc_now(),
            ),
        )
        show_decision(store, name, record)
        registry.set_champion(store, name, target.number)
    log.info("%s: version %s is the champion again", name, target.number)
    return record


def refuse_never_champion(records: Sequence[DecisionRecord], name: str, target: registry.Version) -> None:
    """A way back leads to former champions only: what was held or rejected never passed the gate."""
    champions = [record for record in records if record.verdict in {"PROMOTE", "ROLLBACK"}]
    if target.digest in {record.digest for record in champions}:
        return
    before = ", ".join(dict.fromkeys(record.version for record in champions)) or "none"
    raise Refused(
        f"{name} version {target.number} was never in use, so there is no way back to it; in use were: {before}. "
        f"To have it judged: perennial promote {name} --version {target.number}"
    )


def find_earlier_champion(records: Sequence[DecisionRecord], now: registry.Version | None, name: str) -> str:
    """The champion before the present one: promotions pile up, a rollback takes down to the version it went to."""
    pile: list[str] = []
    for record in records:
        number = record.version
        if record.verdict == "ROLLBACK" and number in pile:
            del pile[pile.index(number) + 1 :]
        elif record.verdict in {"PROMOTE", "ROLLBACK"}:
            pile.append(number)
    before = [number for number in pile if now is None or number != now.number]
    if not before:
        raise Refused(f"{name} has no earlier champion to go back to: `perennial history {name}`")
    return before[-1]
