"""Report: gather what stages and decisions left, write the page, and show it under its MLflow run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import ValidationError

from perennial.contract.load import load
from perennial.contract.model import MAIN, Contract
from perennial.contract.serving import build_head
from perennial.data.names import ROW_ID
from perennial.data.quality.quarantine import format_row
from perennial.errors import PerennialError, Refused
from perennial.files.durable import read_json, sha256_file, write_text
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.pipeline.lineage import read_lineage
from perennial.promotion.run_views import PipelineViews, bundle_folder
from perennial.report.context import AnyReport, ExplainedRow, QuarantinedRow, QuotedText, ReportContext, ShownMistake
from perennial.report.figures import draw_figures
from perennial.report.pages.compose import compose
from perennial.results.baseline import BaselineSummary
from perennial.results.binary import BinaryEvaluation
from perennial.results.clean import CleanSummary
from perennial.results.costs import read_stage_costs
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.families import FAMILIES
from perennial.results.featurize import FeaturizeSummary
from perennial.results.ingest import IngestSummary
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.receipt import ReportPage, ScoredList
from perennial.results.split import SplitSummary
from perennial.results.summary import read_summary
from perennial.results.train import TrainSummary
from perennial.results.validate import ValidateSummary
from perennial.serving.score import list_note
from perennial.tasks.lookup import TASKS
from perennial.tracking import registry
from perennial.tracking.mirror import attach_file, find_pipeline_run, show_images
from perennial.tracking.store import Store, open_store

_N_SAMPLES, _N_CUSTOMERS = 5, 4


@dataclass(frozen=True, kw_only=True)
class Exhibits:
    """What can be looked at, by row id: quoted texts, and a photo with its heat map if it has one."""

    quotes: Mapping[str, tuple[QuotedText, ...]]
    photos: Mapping[str, tuple[bytes, bytes | None]]

    def photo(self, row_id: str) -> tuple[bytes | None, bytes | None]:
        return self.photos.get(row_id, (None, None))


def write_report(project: Project, name: str) -> ReportPage:
    """Write .perennial/NAME/report.html.

    Raises: Refused when nothing was decided yet.
    """
    store = open_store(project)
    history = registry.read_decisions(store, name)
    report = gather_report(project, name, history)
    path = project.state(name) / "report.html"
    page, headline = compose(report)
    write_text(path, page)
    _show_in_mlflow(store, report, path)
    return ReportPage(
        path=str(path.relative_to(project.root)),
        sha256=sha256_file(path),
        verdict=report.verdict,
        champion=report.champion_version,
        headline=headline,
    )


def _show_in_mlflow(store: Store, report: AnyReport, page: Path) -> None:
    """The page and its figures, at the run of the pipeline and at that of the chosen family."""
    run_id = registry.get_version(store, report.name, report.version).run_id
    figures = draw_figures(report)
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures:
            Path(folder, f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        for shown_at in dict.fromkeys([run_id, find_pipeline_run(store, run_id)]):
            attach_file(store, shown_at, page)
            for figure in figures:
                attach_file(store, shown_at, Path(folder, f"{figure.name}.svg"), "figures")
            show_images(store, shown_at, {figure.name: figure.png for figure in figures}, report.decision.number)


def gather_report(project: Project, name: str, history: list[DecisionRecord]) -> AnyReport:
    """The typed results that the page shows (raises as `write_report`)."""
    if not history:
        raise Refused(f"{name} has no decision to report yet: perennial run {name}")
    contract, evaluation = load(project.contract(name)), read_evaluation(project, name)
    exhibits = read_exhibits(project, name)
    quarantine = pl.concat(read_table(project.output(name, stage) / "quarantine.parquet") for stage in ("ingest", "validate"))
    return ReportContext(
        name=name,
        contract=contract,
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        ingest=read_summary(project, name, IngestSummary),
        validate=read_summary(project, name, ValidateSummary),
        clean=read_summary(project, name, CleanSummary),
        featurize=read_summary(project, name, FeaturizeSummary),
        split=read_summary(project, name, SplitSummary),
        train=read_summary(project, name, TrainSummary),
        baseline=read_summary(project, name, BaselineSummary),
        evaluation=evaluation,
        explain=read_summary(project, name, ExplainSummary),
        decision=find_candidate_decision(project, name, evaluation, history),
        history=tuple(history),
        customers=read_customers(project, name, contract, exhibits),
        mistakes=read_mistakes(project, name, contract, evaluation, exhibits),
        quarantine=_samples(quarantine),
        quarantined=dict(quarantine["rule"].value_counts().sort("rule").iter_rows()),
        lineage=read_lineage(project, name),
        params=PipelineViews(project=project, name=name).flatten_params(evaluation.candidate.family),
        training_s=_find_training_time(project, name, FAMILIES[evaluation.candidate.family].stage),
        scored=_read_list(project, name),
    )


def _find_training_time(project: Project, name: str, stage: str) -> float | None:
    """CPU seconds of the last run of a stage on this machine; None where it was restored."""
    costs = [cost for cost in read_stage_costs(project, name) if cost.stage == stage]
    return costs[-1].cpu_s if costs else None


def _read_list(project: Project, name: str) -> ScoredList | None:
    """What was scored last; None where nothing was, or by a version of this package that said it otherwise."""
    try:
        return ScoredList.model_validate(read_json(list_note(project, name)))
    except (PerennialError, ValidationError):
        return None


def find_candidate_decision(project: Project, name: str, evaluation: Evaluation, history: list[DecisionRecord]) -> DecisionRecord:
    """What the gate said of the candidate of these outputs: of the champion what put it there, else the newest word.

    Raises: Refused when it is not judged yet, or not since it was taken out of use.
    """
    bundle = folder_digest(bundle_folder(project, name, evaluation.candidate.family))
    own = [record for record in history if record.concerns(bundle)]
    judged = [record for record in own if record.verdict != "ROLLBACK"]
    if not judged:
        raise Refused(f"the candidate of {name} is not judged yet: perennial register {name}, perennial promote {name}")
    if own[-1].verdict != "ROLLBACK":
        return judged[-1]
    if own[-1].digest != bundle:
        raise Refused(f"the candidate of {name} was taken out of use and not judged since: perennial run {name}")
    return next((record for record in reversed(judged) if record.verdict == "PROMOTE"), judged[-1])


def read_customers(project: Project, name: str, contract: Contract, exhibits: Exhibits) -> tuple[ExplainedRow, ...]:
    """The best of the explained test rows, with the score that the list ranks by. No name, no contact data."""
    rows = read_table(project.output(name, "explain") / "reasons.parquet")
    scores = [column for column in rows.columns if column.startswith("score:")]
    task, head = TASKS[contract.task.kind], build_head(contract)
    head = head.model_copy(update={"outputs": tuple(column.removeprefix("score:") for column in scores)})
    best = rows.with_columns(pl.Series("rank", task.strength(rows.select(scores).to_numpy())))
    best = best.sort("rank", ROW_ID, descending=[True, False]).head(_N_CUSTOMERS)
    customers, name_row = [], read_row_names(project, name, contract)
    for row in best.iter_rows(named=True):
        photo, heat = exhibits.photo(row[ROW_ID])
        customers.append(
            ExplainedRow(
                row=name_row(row[ROW_ID]),
                score=task.describe(np.array([row[name] for name in scores]), head),
                reasons=row["reasons"],
                quotes=exhibits.quotes.get(row[ROW_ID], ()),
                photo=photo,
                heat=heat,
            )
        )
    return tuple(customers)


def read_mistakes(
    project: Project, name: str, contract: Contract, evaluation: Evaluation, exhibits: Exhibits
) -> tuple[ShownMistake, ...]:
    """The surest mistakes on test, with what can be looked at."""
    confusion = evaluation.confusion if isinstance(evaluation, BinaryEvaluation | MulticlassEvaluation) else None
    if confusion is None:
        return ()
    predicted = read_table(project.output(name, "evaluate") / "predictions.parquet", [ROW_ID, "split"])
    ids = predicted.filter(pl.col("split") == "test")[ROW_ID].to_list()
    mistakes, name_row = [], read_row_names(project, name, contract)
    for mistake in confusion.mistakes:
        row_id = ids[mistake.row]
        photo, heat = exhibits.photo(row_id)
        mistakes.append(
            ShownMistake(
                row=name_row(row_id),
                true=mistake.true,
                predicted=mistake.predicted,
                probability=mistake.probability,
                quotes=exhibits.quotes.get(row_id, ()),
                photo=photo,
                heat=heat,
            )
        )
    return tuple(mistakes)


def read_exhibits(project: Project, name: str) -> Exhibits:
    """What can be looked at, by row. Most use cases have nothing."""
    folder = project.output(name, "explain")
    quotes, photos = dict[str, tuple[QuotedText, ...]](), dict[str, tuple[bytes, bytes | None]]()
    if (folder / "quotes.parquet").exists():
        for row in read_table(folder / "quotes.parquet").to_dicts():
            pieces = tuple((piece["text"], piece["part"]) for piece in row["pieces"])
            quote = QuotedText(label=row["column"], pieces=pieces)
            quotes[row[ROW_ID]] = (*quotes.get(row[ROW_ID], ()), quote)
    if (folder / "photos.parquet").exists():
        photos = {row_id: (photo, heat) for row_id, photo, heat in read_table(folder / "photos.parquet").rows()}
    return Exhibits(quotes=quotes, photos=photos)


def read_row_names(project: Project, name: str, contract: Contract) -> Callable[[str], str]:
    """How a reader knows a row: by its id, else by its record in the file; a unit made of events with its cut-off, if several.

    An id that is an address of mail is contact data, so the record stands for it.
    """
    cutoffs = contract.unit.cutoffs
    if cutoffs is not None:
        several = len(cutoffs.test) > 1
        return lambda row_id: " ".join(row_id.rpartition("@")[::2]) if several else row_id.rpartition("@")[0]
    key = contract.find_column("id")
    path = project.output(name, "clean") / f"{MAIN}.parquet"
    ids = {} if key is None or not path.exists() else dict(read_table(path, [ROW_ID, key]).rows())
    return lambda row_id: f"row {row_id.rpartition('-')[2]}" if "@" in str(ids.get(row_id, "@")) else str(ids[row_id])


def _samples(quarantine: pl.DataFrame) -> tuple[QuarantinedRow, ...]:
    """One row of each of the commonest rules, as it stands in the file."""
    counts = quarantine["rule"].value_counts().sort(["count", "rule"], descending=[True, False])
    common = counts["rule"].head(_N_SAMPLES)
    rows = [quarantine.filter(pl.col("rule") == rule).sort("source", "record").row(0, named=True) for rule in common]
    return tuple(QuarantinedRow(where=t["where"], reason=t["reason"], raw=t["raw"]) for t in map(format_row, rows))
