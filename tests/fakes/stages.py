"""Summaries of the stages around an evaluation: where rows went, training, explanations, other splits."""

from __future__ import annotations

from typing import Any

from perennial.contract.model import MAIN, Contract
from perennial.files.project import Project
from perennial.results.baseline import BaselineSummary, SplitSensitivity
from perennial.results.clean import CleanSummary
from perennial.results.evaluation import EvaluationSummary
from perennial.results.explain import ColumnImportance, ExplainSummary, GroupEffect, StrongestWords, WordEffect, WordSummary
from perennial.results.families import Family
from perennial.results.featurize import FeaturizeSummary
from perennial.results.figures import Interval
from perennial.results.ingest import IngestSummary
from perennial.results.split import SplitSummary
from perennial.results.summary import RowFlow, read_summary, stage_of
from perennial.results.train import FittedFamily, StepLoss, TrainSummary
from perennial.results.validate import ValidateSummary

BAD = "<script>alert(1)</script>"
TRAIN = 9569


def around(value: float, reach: float) -> Interval:
    return Interval(value=value, low=value - reach, high=value + reach)


def split_sensitivity(metric: str) -> SplitSensitivity:
    """Three splits by two sets of columns."""
    values = ((0.61, 0.83), (0.72, 0.84), (0.61, 0.58))
    return SplitSensitivity(
        metric=metric,
        rows=("time", "random", "entity"),
        columns=((), ("a late column",)),
        reported=(0, 0),
        cells=tuple(tuple(around(value, 0.02) for value in row) for row in values),
    )


def summaries(contract: Contract, evaluation: EvaluationSummary, suspects: tuple[str, ...], rate: float | None) -> dict[str, Any]:
    """What the stages before and after an evaluation say. Summaries on disk have their keys sorted: test before train."""
    table, val, test = next(iter(contract.tables)), evaluation.rows["val"], evaluation.rows["test"]
    units = {"out_of_time": 0, "test": test, "train": TRAIN, "val": val}
    cutoffs = {} if contract.unit.cutoffs is None else {str(day): test for day in contract.unit.cutoffs.all}
    if len(cutoffs) > 1 and contract.task.kind == "clustering":
        units["lookback"] = 3900
    clean, unused = {"duplicate": 10}, {"not in unit.where": 3850} if contract.unit.where else {}
    fed = TRAIN + val + test
    if table != MAIN:
        clean, unused = ({"cancelled or adjusted": 8905, "no CustomerID": 135120}, {"no history before the cut-off": 41595})
        fed = 356289
    n_clean = fed + sum(unused.values())
    read = n_clean + sum(clean.values())

    def flow(rows_in: int, **to: int) -> dict[str, RowFlow]:
        return {table: RowFlow(rows_in=rows_in, to=to)}

    losses = tuple(StepLoss(step=e, train_loss=0.2 + 0.2 / e, val_loss=0.22 + abs(e - 11) / 100) for e in range(1, 18))
    fitted = FittedFamily(val_loss=0.22, digest="f" * 64, curve=losses)
    return {
        "ingest": IngestSummary(
            flow=flow(read + 90, passed=read + 40, quarantined=50), warnings=(), normalised={}, quarantine={"cell:signup": 50}
        ),
        "validate": ValidateSummary(
            flow=flow(read + 40, passed=read, quarantined=40),
            warnings=(),
            audited={},
            quarantine={"cell:signup": 1, f"in_set:{BAD}": 39},
        ),
        "clean": CleanSummary(flow=flow(read, **clean, kept=n_clean)),
        "featurize": FeaturizeSummary(flow=flow(n_clean, fed=fed, **unused), units=sum(units.values()), cutoffs=cutoffs),
        "split": SplitSummary(
            flow={"units": RowFlow(rows_in=sum(units.values()), to=units)},
            leakage_suspects=suspects,
            rate={} if rate is None else dict.fromkeys(("train", "val", "test"), rate),
        ),
        "train": TrainSummary(families={"deep": fitted}),
        "baseline": BaselineSummary(families={"boosted": fitted}),
        "explain": _explanations(evaluation.candidate.family),
    }


def _explanations(family: Family) -> ExplainSummary:
    labels = {"visited_garden": "garden visits", "visits_90d": "visits in 90 days"}
    return ExplainSummary(
        family=family,
        rows=400,
        completeness_error=0.0,
        spread=0.9,
        importance=tuple(
            ColumnImportance(column=column, label=label, mean_abs=0.3, share=0.5, direction=0.4)
            for column, label in labels.items()
        ),
        groups=(
            GroupEffect(column="visited_garden", words="garden visits: 2 or more", n=109, share=0.27, effect=0.669),
            GroupEffect(column="city", words=f"city: {BAD}", n=73, share=0.18, effect=-0.386),
        ),
    )


def words() -> WordSummary:
    """Words that raise a probability, and one that lowers it."""
    raises = word_effect(BAD, 1.2), word_effect("cheap", 0.9)
    strongest = StrongestWords(raises=raises, lowers=(word_effect("love", -1.1),))
    return WordSummary(min_rows=10, outputs={"probability": strongest})


def word_effect(word: str, value: float) -> WordEffect:
    return WordEffect(output="probability", word=word, rows=20, effect=around(value, 0.1))


def read_stages(project: Project, name: str) -> dict[str, Any]:
    """What real stages left, by the fields of a report's context."""
    models = (IngestSummary, ValidateSummary, CleanSummary, FeaturizeSummary, SplitSummary, TrainSummary, BaselineSummary)
    return {stage_of(model): read_summary(project, name, model) for model in (*models, ExplainSummary)}
