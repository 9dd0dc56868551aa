"""Showing a decision in MLflow: in the description of the version, and as a table of all so far that nobody can edit.

The chain of tags at the registered model stays the truth (`registry.read_decisions`).
"""

from __future__ import annotations

from perennial.report.model_card import add_decision
from perennial.results.decision import DecisionRecord
from perennial.tracking import registry
from perennial.tracking.mirror import describe_run, find_pipeline_run, show_table
from perennial.tracking.store import Store


def show_decision(store: Store, name: str, record: DecisionRecord) -> None:
    """Show a decision at the version it is on; showing it again changes nothing."""
    version = registry.get_version(store, name, record.version)
    card = add_decision(registry.get_description(store, version), record, version.number)
    registry.set_description(store, version, card)
    if version.run_id:
        run_id = find_pipeline_run(store, version.run_id)
        describe_run(store, run_id, card, {"perennial.verdict": record.verdict, "perennial.version": version.number})
        show_table(store, run_id, "decisions.json", [_to_row(each) for each in registry.read_decisions(store, name)])


def _to_row(record: DecisionRecord) -> dict[str, float | str]:
    return {
        "number": record.number,
        "at (UTC)": record.at,
        "verdict": record.verdict,
        "version": record.version,
        "family": record.family or "",
        "compared with": f"version {record.champion.version}" if record.champion else "the agreed minimum",
        "reasons": "; ".join(record.reasons),
        "digest": record.digest,
        "record before": record.previous,
    }
