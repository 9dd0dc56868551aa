"""`perennial compare NAME --with CHECKOUT`: this checkout's candidate against another's, on this one's test rows."""

from __future__ import annotations

from typing import Any

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.contract.load import load
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.promotion.gate import decide
from perennial.promotion.promote import evidence
from perennial.promotion.register import bundle_folder
from perennial.scoring.scorer import Scorer


def compare(here: Project, other: Project, name: str) -> str:
    """Markdown: the figures of both candidates, and what the gate would say of this one against the other."""
    contract = load(here.contract(name))
    gate = read_section(here.root / "params.yaml", name, "gate", GateParams)
    new, old = (_candidate(project, name) for project in (here, other))
    decision = decide(evidence(here, name, contract, new, old, gate))
    figures = [_figures(project, name) for project in (here, other)]
    primary = contract.task.primary
    lines = [
        f"## {name}: {decision.verdict} (against the other branch)",
        "",
        f"| | this branch | the other |\n|---|---|---|\n| candidate | {figures[0]['family']} | {figures[1]['family']} |",
        f"| {primary}, own test rows | {_told(figures[0][primary])} | {_told(figures[1][primary])} |",
        "",
        "Both candidates on the test rows of this branch:",
        *(f"- {rule.state}: {rule.words}" for rule in decision.rules),
        "",
        f"Rows: {figures[0]['rows']}.",
    ]
    return "\n".join(lines) + "\n"


def _candidate(project: Project, name: str) -> Scorer:
    summary = read_json(project.output(name, "evaluate") / "summary.json")
    return Scorer.load(bundle_folder(project, name, summary["candidate"]["family"]))


def _figures(project: Project, name: str) -> dict[str, Any]:
    summary = read_json(project.output(name, "evaluate") / "summary.json")
    family = summary["candidate"]["family"]
    return {"family": family, "rows": summary["rows"], **summary["families"][family]["test"]}


def _told(found: dict[str, float]) -> str:
    return f"{found['value']:.4f} [{found['low']:.4f}, {found['high']:.4f}]"
