"""Split: the part of each unit (train, val, test, out_of_time), and the split as a function. Leaks are refused here."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.data.names import CUTOFF, ENTITY, LABEL_END, ROW_ID, conserve_rows
from perennial.data.prepare.parts import LabelledRows, select_part
from perennial.data.prepare.split import LOOKBACK, PARTS, split_units
from perennial.errors import LeakError
from perennial.evaluation.statistics.leaks import (
    Leak,
    binary_questions,
    count_reaching_into_test,
    find_leaks,
    find_shared_entities,
)
from perennial.files.durable import write_json
from perennial.files.tables import read_table, write_table
from perennial.results.split import SplitSummary
from perennial.stages.runner import Job, log, main


def run(job: Job) -> SplitSummary:
    """Raises: LeakError when a column tells the outcome, an entity is in two parts, or train knows of the test's time."""
    units, contract = read_table(job.input("featurize") / "units.parquet"), job.contract
    splits, function = split_units(units, contract)
    _refuse_shared(units, splits, contract)
    train = select_part(units, splits, "train", contract)
    suspects = _leaks(train, contract)
    for leak in suspects:
        log.warning("suspect: %s", leak.words)
    parts = {name: splits.filter(pl.col("split") == name)[ROW_ID] for name in (*PARTS, LOOKBACK)}
    flow = conserve_rows("split", "units", units[ROW_ID], **parts)
    log.info("%s", ", ".join(f"{name} {count}" for name, count in flow.to.items()))
    write_table(job.out / "splits.parquet", splits.select(ROW_ID, "split"))
    write_json(job.out / "split.json", function)
    rated = [] if contract.target is None else [name for name in PARTS if flow.to[name]]
    return SplitSummary(
        flow={"units": flow},
        rate={name: _rate(select_part(units, splits, name, contract), contract) for name in rated},
        leakage_suspects=tuple(leak.words for leak in suspects),
    )


def _refuse_shared(units: pl.DataFrame, splits: pl.DataFrame, contract: Contract) -> None:
    """Nobody, no outcome and no picture may be in two parts of the split."""
    by_cutoff = contract.split.kind == "cutoff"  # then the test's customers may be those of train, at a later time
    parts_of = splits["split"].to_numpy()
    if shared := find_shared_entities(splits[ENTITY].to_numpy(), parts_of, ("train", "val") if by_cutoff else PARTS):
        raise LeakError(
            f"{len(shared)} entities are in two parts of the split, such as {shared[0]!r}: split by entity", code="leak_entity"
        )
    if by_cutoff and (late := count_reaching_into_test(units[CUTOFF].to_numpy(), units[LABEL_END].to_numpy(), parts_of)):
        raise LeakError(
            f"the outcomes of {late} units of train and val reach into the time of the test: cut off earlier", code="leak_time"
        )
    for column in feature_columns(contract):
        if column.kind == "image" and (twice := find_shared_entities(_prints(units[column.name]), parts_of, None)):
            raise LeakError(
                f"{len(twice)} pictures of {column.name!r} are in two parts of the split, byte for byte", code="leak_entity"
            )


def _leaks(train: LabelledRows, contract: Contract) -> list[Leak]:
    """The columns of train that may know too much, but for those that the owner vouches for.

    Raises: LeakError when one surely does.
    """
    names = [column.name for column in feature_columns(contract) if column.kind != "image"]
    columns = {name: train.frame[name].to_numpy() for name in names}
    leaks = find_leaks(columns, [] if contract.target is None else binary_questions(train.y, is_class=bool(contract.classes)))
    if proven := [leak for leak in leaks if leak.proven]:
        sentences = "; ".join(leak.words for leak in proven)
        raise LeakError(f"{sentences}; give it the role ignore with the reason", code="leak_column")
    return [leak for leak in leaks if leak.column not in contract.vouched]


def _rate(rows: LabelledRows, contract: Contract) -> float:
    """The mean outcome of a part; of classes the share of the commonest."""
    if contract.classes:
        return float(np.bincount(rows.y.astype(np.int64)).max() / len(rows))
    return float(rows.y.mean())


def _prints(pictures: pl.Series) -> NDArray[Any]:
    """A digest of each picture's bytes."""
    return np.array([hashlib.md5(picture or b"", usedforsecurity=False).hexdigest() for picture in pictures])


if __name__ == "__main__":
    main("split", run)
