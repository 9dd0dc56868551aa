"""`perennial rollback NAME [--to VERSION]`: make an earlier version the champion again, with a record of it."""

from __future__ import annotations

import argparse
import logging
from datetime import UTC, datetime

from perennial.actions.receipt import forget
from perennial.errors import Refused
from perennial.files.locks import held
from perennial.files.project import Project
from perennial.tracking import registry
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--to", help="the version to go back to; by default the champion before this one")
    parser.add_argument("--why", default="asked for at the command line", help="the reason, for the record")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    rollback(project, args.name, args.to, args.why)
    forget(project, args.name)
    return 0


def rollback(project: Project, name: str, to: str | None, why: str) -> str:
    """The version that is champion now.

    Raises: Refused when there is no earlier champion, or no such version.
    """
    store = open_store(project)
    with held(project.state(name) / "decide.lock", what=f"a decision on {name}", wait_s=60):
        now = registry.champion(store, name)
        target = registry.version(store, name, to or _earlier(registry.decisions(store, name), now, name))
        if now is not None and now.number == target.number:
            raise Refused(f"{name} version {target.number} is the champion already")
        record = {
            "use_case": name, "verdict": "ROLLBACK", "version": target.number, "digest": target.digest,
            "family": target.family, "rules": [],
            "champion": {"version": now.number, "digest": now.digest} if now else None, "reasons": [why],
            "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        }  # fmt: skip
        registry.append_decision(store, name, record)
        registry.crown(store, name, target.number)
    log.info("%s: version %s is the champion again", name, target.number)
    return target.number


def _earlier(records: list[dict[str, object]], now: registry.Version | None, name: str) -> str:
    """The champion before the present one: promotions pile up, a rollback takes down to the version it went to."""
    pile: list[str] = []
    for record in records:
        number = str(record["version"])
        if record["verdict"] == "ROLLBACK" and number in pile:
            del pile[pile.index(number) + 1 :]
        elif record["verdict"] in {"PROMOTE", "ROLLBACK"}:
            pile.append(number)
    before = [number for number in pile if now is None or number != now.number]
    if not before:
        raise Refused(f"{name} has no earlier champion to go back to: `perennial history {name}`")
    return before[-1]
