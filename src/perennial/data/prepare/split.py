"""Split of units into train, val, test, out_of_time and lookback, by a function that travels in the bundle."""

from __future__ import annotations

import datetime as dt
import hashlib
from fnmatch import fnmatch
from typing import Any, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.model import Contract
from perennial.contract.split import ColumnSplit, CutoffSplit, FileSplit, Fractions, HashSplit, TimeSplit
from perennial.data.names import CUTOFF, ENTITY, ORDER, ROW_ID, SHEET, SOURCE
from perennial.errors import DataStopped

PARTS = ("train", "val", "test", "out_of_time")
LOOKBACK = "lookback"  # units of a date before those of all other parts


# The split as a function is JSON, with other keys for each kind: it travels in the bundle as split.json.
def split_units(units: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Split the units (row_id, split, _entity), and describe the split as a function: kind, salt, fractions, cuts.

    Raises: DataStopped when a part has no row.
    """
    rule = contract.split
    function: dict[str, Any] = rule.model_dump(mode="json") | {"keys": _entity_columns(contract)}
    match rule:
        case HashSplit():
            keys = units[ROW_ID] if rule.by == "row" else units[ENTITY]
            parts = assign_by_hash(keys, rule.salt, rule.fractions)
        case TimeSplit():
            parts, function["cuts"] = assign_by_time(units, rule)
        case ColumnSplit():
            column = contract.find_column("split")
            assert column is not None
            parts = units[column]
        case FileSplit():
            parts = _assign_by_file(units, rule)
        case CutoffSplit():
            parts = _assign_by_cutoff(units, contract, rule)
            function |= _describe_windows(contract)
        case _:
            assert_never(rule)
    if contract.unit.cutoffs is not None:
        now = ~units[CUTOFF].is_in(list(contract.unit.cutoffs.lookback_dates))
        parts = parts.zip_with(now, pl.repeat(LOOKBACK, len(parts), eager=True))
    out = units.select(ROW_ID, parts.alias("split"), select_entities(units, contract))
    for part in PARTS[:3]:
        if not (out["split"] == part).any():
            raise DataStopped(f"split {rule.kind}: no row falls into {part} ({len(units)} rows in all); change `split`")
    return out, function


def select_entities(units: pl.DataFrame, contract: Contract) -> pl.Series:
    """The entity of each row; equal rows without an id are different entities, if so declared."""
    rule = contract.split
    each_its_own = isinstance(rule, HashSplit) and rule.by == "row" and contract.entity is None
    return units[ROW_ID if each_its_own else ENTITY].alias(ENTITY)


def _assign_by_file(units: pl.DataFrame, rule: FileSplit) -> pl.Series:
    """Assign parts by the file of a row (raises DataStopped when a file belongs to no part)."""
    part_of = {
        file: next((part for pattern, part in rule.files.items() if fnmatch(file.partition(SHEET)[0], pattern)), None)
        for file in units[SOURCE].unique().sort()
    }
    if lost := [file for file, part in part_of.items() if part is None]:
        raise DataStopped(f"split file: {', '.join(lost)} belongs to no part; split.files has: {', '.join(rule.files)}")
    return units[SOURCE].replace_strict(part_of, return_dtype=pl.String)


def assign_by_hash(keys: pl.Series, salt: str, fractions: Fractions) -> pl.Series:
    """Assign each key a part: the first 8 hex digits of md5(salt:key), as a number in [0, 1), against the fractions."""
    which = _count_edges(keys, salt, np.cumsum([fractions.train, fractions.val, fractions.test]))
    last = 2 if not fractions.out_of_time else 3
    return which.replace_strict({i: PARTS[min(i, last)] for i in range(4)}, return_dtype=pl.String)


def assign_folds(keys: pl.Series, salt: str, n: int) -> NDArray[np.int64]:
    """Assign each key one of `n` folds, by the same md5."""
    return _count_edges(keys, salt, np.arange(1, n) / n).to_numpy()


def thin_train(splits: pl.DataFrame, owners: pl.DataFrame, share: float, salt: str) -> pl.DataFrame:
    """Keep about `share` of the entities of train in the splits (row_id, split); other parts stay as they are.

    `owners` (row_id, _entity) gives the entity of each row. A smaller share under the same salt is part of a larger one.
    """
    keys = splits.select(ROW_ID).join(owners, on=ROW_ID, how="left", maintain_order="left")[ENTITY]
    is_in_share = _count_edges(keys, salt, np.array([share])) == 0
    return splits.filter((pl.col("split") != "train") | is_in_share)


def _count_edges(keys: pl.Series, salt: str, edges: NDArray[np.float64]) -> pl.Series:
    """Count the `edges` (ascending, of [0, 1)) at or below each key's number."""
    unique = keys.unique()
    places = [int(hashlib.md5(f"{salt}:{key}".encode(), usedforsecurity=False).hexdigest()[:8], 16) for key in unique]
    which = np.searchsorted(edges * 2**32, np.array(places, dtype=np.float64), side="right")
    return keys.replace_strict(unique, pl.Series(which, dtype=pl.Int64))


def assign_by_time(units: pl.DataFrame, rule: TimeSplit) -> tuple[pl.Series, list[str]]:
    """Assign parts oldest first; rows of one moment stay together, so a part may be a little larger than its fraction."""
    at = units[ORDER] if rule.order == "record" else units[rule.order]
    if at.null_count():
        raise DataStopped(f"split by time: {at.null_count()} rows have no {rule.order}")
    edges = np.cumsum([rule.fractions.train, rule.fractions.val, rule.fractions.test])
    ranked = at.sort()
    places = [int(edge * len(ranked) + 0.5) for edge in edges[: 3 if rule.fractions.out_of_time else 2]]
    cuts = [ranked[min(place, len(ranked) - 1)] for place in places]
    which = sum(((at >= cut).cast(pl.Int8) for cut in cuts), pl.zeros(len(at), dtype=pl.Int8, eager=True))
    return which.replace_strict(dict(enumerate(PARTS)), return_dtype=pl.String), [str(cut) for cut in cuts]


def _assign_by_cutoff(units: pl.DataFrame, contract: Contract, rule: CutoffSplit) -> pl.Series:
    """Assign parts by cut-off: an entity may be in train and test, at other dates, but not in train and val."""
    assert contract.unit.cutoffs is not None
    is_val = _count_edges(units[ENTITY], rule.salt, np.array([rule.val_share_of_entities])) == 0
    part = pl.when(pl.col(CUTOFF).is_in(list(contract.unit.cutoffs.test))).then(pl.lit("test"))
    return units.select(part.when(is_val).then(pl.lit("val")).otherwise(pl.lit("train")).alias("split")).to_series()


def _describe_windows(contract: Contract) -> dict[str, object]:
    """The cut-offs, and the days after each until its outcome is known."""
    assert contract.unit.cutoffs is not None
    return {
        "cutoffs": contract.unit.cutoffs.model_dump(mode="json", exclude={"lookback_dates"}),
        "label_days": contract.unit.label_days,
    }


def _entity_columns(contract: Contract) -> list[str]:
    """The columns that identify an entity: splits by different columns cannot be compared."""
    rule = contract.split
    if isinstance(rule, CutoffSplit):
        return [str(contract.entity)]
    if not isinstance(rule, HashSplit) or rule.by == "row":
        return []
    entity = contract.entity
    return [entity] if entity is not None and rule.by == "entity" else list(contract.columns)


def is_trained_on(units: pl.DataFrame, function: dict[str, Any]) -> pl.Series:
    """Whether each unit was in train or val of a model whose split was `function`.

    Raises: DataStopped when the function needs a column that the units do not have.
    """
    kind = function["kind"]
    if kind == "hash":
        keys = units[ROW_ID] if function["by"] == "row" else units[ENTITY]
        return assign_by_hash(keys, function["salt"], Fractions(**function["fractions"])).is_in(["train", "val"])
    if kind == "time":
        order = function["order"]
        if order != "record" and order not in units.columns:
            raise DataStopped(f"the model in use was split by {order!r}, which these rows do not have")
        at = units[ORDER] if order == "record" else units[order]
        return _is_before(at, function["cuts"][1])
    if kind == "cutoff":
        if CUTOFF not in units.columns:
            raise DataStopped("the model in use was split by cut-off, which these rows do not have")
        last = max(dt.date.fromisoformat(cutoff) for cutoff in function["cutoffs"]["train"])
        return units[CUTOFF] < last + dt.timedelta(days=function["label_days"])  # its outcomes reach into theirs
    return pl.Series([False] * units.height, dtype=pl.Boolean)


def _is_before(at: pl.Series, cut: str) -> pl.Series:
    """Whether each moment (a date, a time, or a number) lies before the cut; true for what cannot be compared."""
    text = pl.Series([cut.strip()])
    number = text.cast(pl.Float64, strict=False)
    moment = (number if at.dtype.is_numeric() else text.str.to_datetime(time_zone="UTC", strict=False))[0]
    if moment is None:
        return pl.Series([True] * len(at))
    is_before: pl.Series = at < moment
    return is_before.fill_null(True)
