"""Step summary: one line on what a stage or an action of a run did, from the result that it left."""

from __future__ import annotations

from pydantic import TypeAdapter

from perennial.contract.model import MAIN
from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.promotion.overview import FLOWS
from perennial.results.augment import AugmentSummary
from perennial.results.baseline import BaselineSummary
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import read_evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.receipt import ActionResult, Registration, ReportPage, ScoredList, Skipped
from perennial.results.summary import RowFlow, StageSummary, parse_summary, stage_of
from perennial.results.train import TrainSummary

_MODELS: dict[str, type[StageSummary]] = FLOWS | {
    stage_of(model): model for model in (AugmentSummary, TrainSummary, BaselineSummary, ExplainSummary)
}


def describe_stage(project: Project, name: str, stage: str, outcome: str) -> str:
    """What a stage did: `ingest: 2,010 rows in, 2,005 accepted, 5 quarantined`; where it did not run, that first."""
    try:
        facts = _read_facts(project, name, stage)
    except PerennialError:  # the next reader of that output says what is wrong with it
        facts = ""
    if not facts:
        return f"{stage}: {outcome}"
    return f"{stage}: {facts}" if outcome == "ran" else f"{stage}: {outcome}; {facts}"


def describe_action(project: Project, name: str, step: str, result: ActionResult) -> str:
    """What an action did: `promote: HOLD. …`."""
    return f"{step}: {_list_raw_files(project, name) if result is None else _describe_result(result)}"


def _describe_result(result: Registration | DecisionRecord | ScoredList | Skipped | ReportPage) -> str:
    match result:
        case Registration():
            return f"version {result.version}, {result.family} family"
        case DecisionRecord():
            return f"{result.verdict}. {result.reasons[0]}"
        case ScoredList():
            chosen = "" if result.chosen is None else f", {result.chosen:,} to {result.to}"
            return f"{result.rows:,} rows in, {result.scored:,} scored, {result.rejected:,} rejected{chosen}"
        case Skipped():
            return f"skipped, {result.skipped}"
        case ReportPage():
            return f"{result.path}, {result.verdict}"


def _list_raw_files(project: Project, name: str) -> str:
    files = sorted(project.raw(name).iterdir())
    return ", ".join(f"{file.name} {file.stat().st_size:,} bytes" for file in files)


def _read_facts(project: Project, name: str, stage: str) -> str:
    if stage == "evaluate":
        evaluation = read_evaluation(project, name)
        value = evaluation.chosen.test[evaluation.primary].value
        return f"the candidate is the {evaluation.candidate.family} family, {evaluation.primary} {value:.4f} on test"
    if stage not in _MODELS:
        return ""
    match summary := parse_summary(project.output(name, stage), TypeAdapter(_MODELS[stage])):
        case AugmentSummary():
            return f"{summary.rows:,} training rows, {summary.draws:,} draws an epoch"
        case TrainSummary() if not summary.families:
            return "no deep family for this task"
        case TrainSummary() | BaselineSummary():
            losses = ", ".join(f"{family} {fitted.val_loss:.4f}" for family, fitted in summary.families.items())
            deep = summary.families.get("deep")
            epochs = f"best epoch {deep.best_step} of {len(deep.curve)}, " if deep else ""
            return f"{epochs}loss on val: {losses}"
        case ExplainSummary():
            columns = ", ".join(item.label for item in summary.importance[:3])
            return f"{summary.rows:,} rows explained, most by {columns}"
        case _:
            tables = sorted(summary.flow.items(), key=lambda item: item[0] != MAIN)
            return "; ".join(_describe_flow(table, flow) for table, flow in tables)


def _describe_flow(table: str, flow: RowFlow) -> str:
    counts = ", ".join(f"{n:,} {place}" for place, n in flow.to.items() if n)
    return f"{'' if table == MAIN else f'{table}: '}{flow.rows_in:,} rows in, {counts}"
