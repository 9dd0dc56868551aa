"""Names for a notebook: load_contract, load_table, load_features, load_scorer, load_results, evaluate, gate.

The same code that stages and promotion use.

Everything is read; nothing here trains, registers or decides. Open the notebook in the project's folder, or below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from perennial.contract.load import load_contract
from perennial.contract.model import MAIN, Contract
from perennial.contract.serving import feature_columns
from perennial.data.names import ENTITY, ROW_ID
from perennial.data.prepare.parts import label_rows
from perennial.display import show_drawing, show_table
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.evidence import compare_models
from perennial.promotion.gate import decide
from perennial.promotion.overview import build_overview
from perennial.promotion.reporting import gather_report
from perennial.report.context import AnyReport
from perennial.report.figures import Figure, draw_figures
from perennial.results.decision import Decision, DecisionRecord
from perennial.results.evaluation import EvaluationSummary
from perennial.results.families import FAMILIES, Family
from perennial.results.figures import Interval
from perennial.results.overview import Overview
from perennial.scoring.scorer import Scorer
from perennial.serving.champion import load_champion
from perennial.tasks.lookup import supervised_task
from perennial.tracking import registry
from perennial.tracking.store import open_store

__all__ = ["evaluate", "gate", "load_contract", "load_features", "load_results", "load_scorer", "load_table"]


Part = Literal["train", "val", "test", "out_of_time"]


def load_table(name: str, part: Part | None = None) -> pl.DataFrame:
    """Load the rows of a use case as the model sees them, with the part of each in `split`; of one part, or of all.

    >>> import perennial
    >>> rows = perennial.load_table("ad_response", "test")
    >>> set(rows["split"])
    {'test'}

    Raises: InputError where the stages have not run, ConfigError for a part that has no rows.
    """
    project = _find_project(name)
    units = read_table(project.output(name, "featurize") / "units.parquet")
    splits = read_table(project.output(name, "split") / "splits.parquet")
    rows = units.join(splits, on=ROW_ID, maintain_order="left")
    parts = sorted(rows["split"].drop_nulls().unique())
    if part is not None and part not in parts:
        raise ConfigError(f"{name} has no rows in the part {part!r}; there are: {', '.join(parts)}")
    return rows if part is None else rows.filter(pl.col("split") == part)


@dataclass(frozen=True, kw_only=True, repr=False)
class FeatureTable:
    """Rows taken apart: what a model may read, what it is to learn, whose rows they are, and which message they got."""

    features: pl.DataFrame
    outcome: pl.Series | None
    """None where there is none to learn from."""
    keys: pl.DataFrame
    """The ids of the rows, and their part."""
    treatment: pl.Series | None

    def __repr__(self) -> str:
        outcome = "no outcome" if self.outcome is None else f"outcome {self.outcome.name}"
        return f"FeatureTable({self.features.height:,} rows, {self.features.width} features, {outcome})"


def load_features(name: str, part: Part | None = None) -> FeatureTable:
    """Load the rows of a use case with features, outcome, ids and treatment apart.

    >>> table = perennial.load_features("ad_response", "test")
    >>> table.outcome.name
    'responded'
    >>> "responded" in table.features.columns or "row_id" in table.features.columns
    False

    Raises: as load_table.
    """
    rows, project = load_table(name, part), _find_project(name)
    contract = load_contract(project.contract(name))
    features = [column.name for column in feature_columns(contract)]
    outcome, treatment = contract.target, contract.find_column("treatment")
    return FeatureTable(
        features=rows.select(features),
        outcome=rows[outcome] if outcome in rows.columns else None,
        keys=_select_keys(project, name, contract, rows),
        treatment=rows[treatment] if treatment in rows.columns else None,
    )


def _select_keys(project: Project, name: str, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Row ids and parts, with the contract's own id of each row, or the entity that events were gathered for."""
    own, clean = contract.find_columns("id"), project.output(name, "clean") / f"{MAIN}.parquet"
    if contract.unit.cutoffs is not None or not own or not clean.exists():
        return rows.select(ROW_ID, "split", ENTITY)
    keys = rows.select(ROW_ID, "split")
    return keys.join(read_table(clean).select(ROW_ID, *own), on=ROW_ID, how="left", maintain_order="left")


@dataclass(frozen=True, repr=False)
class RunResults:
    """What the last run of a use case came to; a notebook shows its table and its figures."""

    name: str
    overview: Overview
    evaluation: EvaluationSummary
    report: AnyReport

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """The drawings of the report by name; each shows itself, and has `svg` and `png`."""
        return {figure.name: figure for figure in draw_figures(self.report)}

    @property
    def decision(self) -> DecisionRecord:
        return self.report.decision

    def __repr__(self) -> str:
        family, primary = self.evaluation.candidate.family, self.evaluation.primary
        figure = self.evaluation.chosen.test[primary]
        return f"RunResults({self.name}: {self.decision.verdict}, {family}, {primary} {figure!r} on test)"

    def _repr_html_(self) -> str:
        evaluation = self.evaluation
        metrics = list(evaluation.chosen.test)
        rows = [(family, *(figures.test[metric] for metric in metrics)) for family, figures in evaluation.families.items()]
        table = show_table(repr(self), ("family", *metrics), rows, "on test, with 95 % intervals")
        return table + "".join(show_drawing(figure.title, figure.svg) for figure in self.figures.values())


def load_results(name: str) -> RunResults:
    """Load what the last run of a use case came to: figures with intervals, the decision, rows, and the report's drawings.

    Raises: Refused when nothing was decided yet; InputError where the stages have not run.
    """
    project = _find_project(name)
    report = gather_report(project, name, registry.read_decisions(open_store(project), name))
    return RunResults(name, build_overview(project, name), report.evaluation, report)


def load_scorer(name: str, *, version: str | None = None, family: Family | None = None) -> Scorer:
    """Load the champion, a `version` of the registry, or a `family` of the last run.

    `score(rows)` gives an array (n, outputs): a probability, an amount, one for each class, or one for each message.

    >>> scorer = perennial.load_scorer("ad_response", family="linear")
    >>> scorer.outputs
    ['probability']
    >>> scorer.score(rows).shape == (len(rows), 1)
    True

    Raises: Refused when there is no champion, or no such version; ConfigError for a family that did not run.
    """
    project = _find_project(name)
    if family is not None:
        if family not in FAMILIES:
            raise ConfigError(f"{family!r} is no family; there are: {', '.join(FAMILIES)}")
        folder = project.output(name, FAMILIES[family].stage) / family
        if not folder.is_dir():
            raise ConfigError(f"{name} has no {family} model of its own: perennial run {name}")
        return Scorer.load(folder)
    return load_champion(project, name, load_contract(project.contract(name)), version)[1]


def evaluate(scorer: Scorer, rows: pl.DataFrame, contract: Contract) -> dict[str, Interval]:
    """Measure a model on rows with known outcomes: each metric with its 95 % interval.

    >>> contract = perennial.load_contract("contracts/ad_response.yaml")
    >>> figures = perennial.evaluate(scorer, rows, contract)
    >>> figures["auc"].low < figures["auc"].value < figures["auc"].high
    True

    Raises: ConfigError for segments, which have no outcome.
    """
    task, test, figures = supervised_task(contract.task.kind), label_rows(rows, contract), {}
    score = scorer.score(rows)
    flat = score[:, 0] if score.shape[1] == 1 else score
    for metric in task.metrics:
        comparison = task.compare(contract, test, metric, resamples=_RESAMPLES, seed=_SEED)
        figures[metric] = comparison.estimate(flat if metric != "qini" else score, _LEVEL)
    return figures


def gate(
    candidate: Scorer,
    champion: Scorer | None,
    rows: Mapping[str, pl.DataFrame],
    contract: Contract,
    *,
    bootstrap: int = 1000,
    seed: int = 1,
) -> Decision:
    """Compare a candidate with the champion as the gate does: a verdict, and each rule with its figures.

    `rows` has the parts `val` (where lists choose their depth) and `test`. Nothing is recorded.

    >>> parts = {part: perennial.load_table("ad_response", part) for part in ("val", "test")}
    >>> decision = perennial.gate(scorer, None, parts, contract, bootstrap=200)
    >>> decision.verdict in {"PROMOTE", "HOLD", "REJECT"}
    True

    Raises: ConfigError for segments.
    """
    val, test = (label_rows(rows[part], contract) for part in ("val", "test"))
    units = pl.concat([val.frame, test.frame])
    return decide(compare_models(contract, candidate, champion, (val, test), units, resamples=bootstrap, seed=seed))


def _find_project(name: str) -> Project:
    """Find the project of the current folder, which has this use case (raises as load_contract)."""
    project = Project.here()
    load_contract(project.contract(name))
    return project


_LEVEL, _RESAMPLES, _SEED = 0.95, 500, 1
