"""Five names for a notebook: load_contract, load_table, load_scorer, evaluate, gate. The same code that stages and promotion use.

Everything is read; nothing here trains, registers or decides. Open the notebook in the project's folder, or below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from perennial.contract.load import load_contract
from perennial.contract.model import Contract
from perennial.data.names import ROW_ID
from perennial.data.prepare.parts import label_rows
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.evidence import compare_models
from perennial.promotion.gate import decide
from perennial.results.decision import Decision
from perennial.results.families import FAMILIES, Family
from perennial.results.figures import Interval
from perennial.scoring.scorer import Scorer
from perennial.serving.champion import load_champion
from perennial.tasks.lookup import supervised_task

__all__ = ["evaluate", "gate", "load_contract", "load_scorer", "load_table"]


def load_table(name: str, part: Literal["train", "val", "test", "out_of_time"] | None = None) -> pl.DataFrame:
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
