"""Overview of a use case from summaries and the receipt; no MLflow is loaded."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from perennial.contract.load import load
from perennial.contract.model import MAIN
from perennial.errors import Busy, PerennialError
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.pipeline import repo
from perennial.promotion.receipt import STAGES, read_receipt
from perennial.results.binary import BinaryEvaluation
from perennial.results.clean import CleanSummary
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.featurize import FeaturizeSummary
from perennial.results.ingest import IngestSummary
from perennial.results.overview import (
    ChampionOverview,
    DecisionOverview,
    Overview,
    ProfitOverview,
    RowCounts,
    StageOutcome,
    StageState,
)
from perennial.results.split import SplitSummary
from perennial.results.summary import S, StageSummary, parse_summary, read_summary, stage_of
from perennial.results.uplift import UpliftEvaluation
from perennial.results.validate import ValidateSummary

FLOWS: dict[str, type[StageSummary]] = {
    stage_of(model): model for model in (IngestSummary, ValidateSummary, CleanSummary, FeaturizeSummary, SplitSummary)
}
_OUTCOMES: dict[str, StageOutcome] = {"Ran": "ran", "Cached": "cached"}


def build_overview(project: Project, name: str) -> Overview:
    """What is known of a use case; a stage without a sound output is `missing`."""
    contract, receipt = load(project.contract(name)), read_receipt(project, name)
    evaluation = _evaluation(project, name)
    ingest, validate = _summary(project, name, IngestSummary), _summary(project, name, ValidateSummary)
    record = receipt.results.promote if receipt else None
    page = receipt.results.report if receipt else None
    difference = evaluation.deep_minus_traditional if evaluation else None
    return Overview(
        use_case=name,
        task=contract.task.kind,
        rows=_rows(project, name, ingest, validate),
        quarantine=_quarantine(ingest, validate),
        families={family: figures.test for family, figures in evaluation.families.items()} if evaluation else None,
        candidate=evaluation.candidate.family if evaluation else None,
        deep_minus_traditional=difference.gain if difference else None,
        profit=_profit(evaluation),
        decision=DecisionOverview(verdict=record.verdict, reasons=record.reasons) if record else None,
        champion=_champion(record),
        stages=find_states(project, name),
        last_run=_find_outcomes(name, receipt.stages) if receipt else {},
        report=page.path if page else None,
    )


def count_rows(project: Project, name: str, stage: str) -> int | None:
    """The rows that a stage read of its main table, else its first; None for one that passes no rows on, or left no summary.

    For show while a run goes on: its output is not hashed again, which DVC has just done.
    """
    if stage not in FLOWS:
        return None
    try:
        flow = parse_summary(project.output(name, stage), TypeAdapter(FLOWS[stage])).flow
    except PerennialError:
        return None
    first = flow.get(MAIN) or next(iter(flow.values()), None)
    return first.rows_in if first else None


def row_flow_table(project: Project, name: str) -> list[dict[str, str | int]]:
    """Where every row went, a line a stage and table."""
    return [
        {
            "stage": stage,
            "table": table,
            "rows in": flow.rows_in,
            "rows out": ", ".join(f"{n:,} {place}" for place, n in flow.to.items() if n),
        }
        for stage, model in FLOWS.items()
        for table, flow in read_summary(project, name, model).flow.items()
    ]


def figures_table(project: Project, name: str) -> list[dict[str, str | float]]:
    """The test figures of each family, with their intervals."""
    return [
        {"family": family, "metric": metric, **{end: round(figure, 4) for end, figure in interval}}
        for family, figures in read_evaluation(project, name).families.items()
        for metric, interval in figures.test.items()
    ]


def _summary(project: Project, name: str, model: type[S]) -> S | None:
    try:
        return read_summary(project, name, model)
    except PerennialError:
        return None


def _evaluation(project: Project, name: str) -> Evaluation | None:
    try:
        return read_evaluation(project, name)
    except PerennialError:
        return None


def _is_readable(summary: Path) -> bool:
    try:
        read_json(summary)
    except PerennialError:
        return False
    return True


def find_states(project: Project, name: str) -> dict[str, StageState]:
    """What DVC says of each stage now; a stage whose output cannot be read is missing, whatever it says."""
    states: dict[str, StageState] = dict.fromkeys(STAGES, "unknown")
    if (project.root / ".dvc").is_dir():
        try:
            with repo.open_repo(project.root) as dvc:
                nodes = repo.sort_nodes(dvc, name)
                stale = set(repo.find_stale(dvc, {node.address for node in nodes}))
            for node in nodes:  # each after what it depends on
                if not stale.isdisjoint(node.after):
                    stale.add(node.address)
                if node.stage in STAGES:
                    states[node.stage] = "stale" if node.address in stale else "up to date"
        except Busy:
            states = dict.fromkeys(STAGES, "unknown")
    for stage in STAGES:
        if not _is_readable(project.output(name, stage) / "summary.json"):
            states[stage] = "missing"
    return states


def _find_outcomes(name: str, states: dict[str, str]) -> dict[str, StageOutcome]:
    """What a run did, by stage, from the names of Prefect's states."""
    outcomes: dict[str, StageOutcome] = {}
    for stage in STAGES:
        state = states.get(f"{stage}@{name}", "")
        is_failed = state.startswith(("Exit", "Crashed", "Failed"))
        outcomes[stage] = "failed" if is_failed else _OUTCOMES.get(state, "not reached")
    return outcomes


def _rows(project: Project, name: str, ingest: IngestSummary | None, validate: ValidateSummary | None) -> RowCounts:
    flows = ingest.flow if ingest else {}
    first = MAIN if MAIN in flows else next(iter(flows), MAIN)  # where there is no main table, the first of the events

    def count(summary: StageSummary | None, place: str, table: str = first) -> int | None:
        flow = summary.flow.get(table) if summary else None
        return None if flow is None else flow.to.get(place, 0)

    split = _summary(project, name, SplitSummary)
    quarantined = [count(summary, "quarantined") for summary in (ingest, validate)]
    return RowCounts(
        raw=flows[first].rows_in if first in flows else None,
        quarantined=sum(rows or 0 for rows in quarantined) if quarantined[0] is not None else None,
        duplicates=count(_summary(project, name, CleanSummary), "duplicate"),
        train=count(split, "train", "units"),
        val=count(split, "val", "units"),
        test=count(split, "test", "units"),
        out_of_time=count(split, "out_of_time", "units"),
    )


def _quarantine(ingest: IngestSummary | None, validate: ValidateSummary | None) -> dict[str, int]:
    counts: dict[str, int] = {}
    for summary in (ingest, validate):
        for rule, count in (summary.quarantine if summary else {}).items():
            counts[rule] = counts.get(rule, 0) + count
    return counts


def _profit(evaluation: Evaluation | None) -> ProfitOverview | None:
    if isinstance(evaluation, UpliftEvaluation):
        policy = evaluation.policy
        everyone = policy.plan(f"all {policy.best_single}").per_1000.value
        return ProfitOverview(depth=policy.depth, value=policy.plan("choice").per_1000.value, everyone=everyone)
    if isinstance(evaluation, BinaryEvaluation) and evaluation.profit is not None:
        profit = evaluation.profit
        chosen, everyone = (profit.plan(plan).profit.value for plan in ("chosen", "everyone"))
        return ProfitOverview(depth=profit.depth, value=chosen, everyone=everyone)
    return None


def _champion(record: DecisionRecord | None) -> ChampionOverview | None:
    if record is None:
        return None
    if record.verdict in {"PROMOTE", "ROLLBACK"}:
        return ChampionOverview(version=record.version, family=record.family)
    before = record.champion
    return ChampionOverview(version=before.version, family=before.family) if before else None
