"""Split sensitivity: what other splits, and columns that may leak, would have shown; one boosted model a cell.

A random split flatters a model that must foresee; a column that is known too late flatters it more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np
import polars as pl

from perennial.config.baseline import BaselineParams
from perennial.contract.model import Contract
from perennial.contract.serving import build_head, feature_columns
from perennial.contract.split import ColumnSplit, CutoffSplit, FileSplit, Fractions, HashSplit, TimeSplit
from perennial.data.names import ENTITY, ROW_ID
from perennial.data.prepare.parts import LabelledRows, select_part
from perennial.data.prepare.split import assign_by_hash, assign_by_time
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.models.model import FitTask
from perennial.models.traditional.boosted import fit_boosted
from perennial.results.baseline import SplitSensitivity
from perennial.results.figures import Interval
from perennial.scoring.calibration import calibrate

_SALT = "both ways"
_FEWEST = 10  # rows of an outcome
_USUAL = Fractions(train=0.6, val=0.2, test=0.2)


def measure_split_sensitivity(
    units: pl.DataFrame, splits: pl.DataFrame, contract: Contract, params: BaselineParams
) -> SplitSensitivity | None:
    """None where there is but one cell, and for uplift, whose figure needs every row."""
    if contract.task.has_arms:
        return None
    reported = _name_of(contract, units)
    parts = {reported: splits.select(ROW_ID, "split"), **_others(units, contract, reported)}
    columns: list[list[str]] = [[], *([name] for name in contract.leakage_suspects)]
    if len(parts) * len(columns) == 1:
        return None
    return SplitSensitivity(
        metric=contract.task.primary,
        rows=tuple(parts),
        columns=tuple(map(tuple, columns)),
        reported=(0, 0),
        cells=tuple(tuple(_cell(units, split, contract, names, params) for names in columns) for split in parts.values()),
    )


def _name_of(contract: Contract, units: pl.DataFrame) -> str:
    match contract.split:
        case HashSplit():
            return "entity" if contract.split.by == "entity" and _repeats(units) else "random"
        case TimeSplit() | CutoffSplit():
            return "time"
        case ColumnSplit() | FileSplit():
            return "given"
        case _:
            assert_never(contract.split)


def _repeats(units: pl.DataFrame) -> bool:
    return units[ENTITY].n_unique() < units.height


def _others(units: pl.DataFrame, contract: Contract, reported: str) -> dict[str, pl.DataFrame]:
    """The part of each unit under every other split that these data allow."""
    fractions = getattr(contract.split, "fractions", _USUAL)
    if fractions.out_of_time:
        fractions = Fractions(train=fractions.train, val=fractions.val, test=1 - fractions.train - fractions.val)
    others = {"random": assign_by_hash(units[ROW_ID], _SALT, fractions)}
    if contract.entity is not None and _repeats(units):
        others["entity"] = assign_by_hash(units[ENTITY], _SALT, fractions)
    moment = contract.find_column("time") if contract.unit.as_of is None else None  # as of one day, a time is a column's
    if moment is not None and not units[moment].null_count():
        rule = TimeSplit(kind="time", order=moment, fractions=fractions)
        others["time"] = assign_by_time(units, rule)[0]
    if contract.unit.rows == "as_is" and contract.unit.as_of is None and reported != "time":
        others["file"] = assign_by_time(units, TimeSplit(kind="time", order="record", fractions=fractions))[0]
    return {name: units.select(ROW_ID, split.alias("split")) for name, split in others.items() if name != reported}


def _cell(
    units: pl.DataFrame, splits: pl.DataFrame, contract: Contract, suspects: Sequence[str], params: BaselineParams
) -> Interval | None:
    head, features = build_head(contract), feature_columns(contract, suspects)
    train, val, test = (select_part(units, splits, name, contract) for name in ("train", "val", "test"))
    if any(_too_few(rows, contract) for rows in (train, val, test)):
        return None
    fit = FitTask.prepare(train, val, features, head, params.model_copy(update={"trials": 1}))
    model = fit_boosted(fit)
    calibration = calibrate(head, model.link(fit.val.x), val.y, val.arm)
    score = calibration.score(model.link(fit.encoding.encode(test.frame)))
    comparison = PairedComparison(
        metric=contract.task.primary, y=test.y, weight=test.uneven_weight, resamples=200, seed=params.seed
    )
    return comparison.estimate(score, 0.95)


def _too_few(rows: LabelledRows, contract: Contract) -> bool:
    if not contract.classes and not contract.task.has_events:  # an amount
        return len(np.unique(rows.y)) < 2
    counts = np.bincount(rows.y.astype(np.int64), minlength=max(2, len(contract.classes)))
    return int(counts.min()) < _FEWEST
