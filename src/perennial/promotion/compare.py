"""Comparison of two checkouts: their candidates on the test rows of this one."""

from __future__ import annotations

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.contract.load import load
from perennial.files.project import Project
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import decide
from perennial.promotion.run_views import bundle_folder
from perennial.results.evaluations import read_evaluation
from perennial.results.figures import Interval
from perennial.scoring.scorer import Scorer


def compare(here: Project, other: Project, name: str) -> str:
    """Markdown: the figures of both candidates, and the gate's decision on this one compared with the other."""
    contract = load(here.contract(name))
    gate = read_section(here.root / "params.yaml", name, "gate", GateParams)
    new, old = (load_candidate(project, name) for project in (here, other))
    decision = decide(gather_evidence(here, name, contract, new, old, gate))
    mine, others = (read_evaluation(project, name) for project in (here, other))
    primary = contract.task.primary
    lines = [
        f"## {name}: {decision.verdict} (against the other branch)",
        "",
        "| | this branch | the other |\n|---|---|---|",
        f"| candidate | {mine.candidate.family} | {others.candidate.family} |",
        f"| {primary}, own test rows | {_format(mine.chosen.test[primary])} | {_format(others.chosen.test[primary])} |",
        "",
        "Both candidates on the test rows of this branch:",
        *(f"- {rule.state}: {rule.sentence}" for rule in decision.rules),
        "",
        f"Rows: {', '.join(f'{count} {part}' for part, count in mine.rows.items())}.",
    ]
    return "\n".join(lines) + "\n"


def load_candidate(project: Project, name: str) -> Scorer:
    return Scorer.load(bundle_folder(project, name, read_evaluation(project, name).candidate.family))


def _format(interval: Interval) -> str:
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
