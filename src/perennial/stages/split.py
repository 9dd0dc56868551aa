"""Units in; the part of each (train, val, test, later), and the split as a function, out. Leaks are refused here."""

from __future__ import annotations

import polars as pl

from perennial.contract.serving import feature_columns
from perennial.data.names import CUTOFF, ENTITY, LABEL_END, ROW_ID, conserve
from perennial.data.split import PARTS, split
from perennial.errors import LeakError
from perennial.evaluation.leaks import reaching, straddling, telling
from perennial.files.durable import write_json
from perennial.files.tables import read_table, write_table
from perennial.stages.shell import Job, Summary, log, main


def run(job: Job) -> Summary:
    """Raises: LeakError when a column tells the outcome, an entity is in two parts, or train knows of the test's time."""
    units, contract = read_table(job.input("featurize") / "units.parquet"), job.contract
    splits, function = split(units, contract)
    by_cutoff = contract.split.kind == "cutoff"  # then the test's people may be those of train, at a later time
    parts_of = splits["split"].to_numpy()
    shared = straddling(splits[ENTITY].to_numpy(), parts_of, ("train", "val") if by_cutoff else None)
    if shared:
        raise LeakError(f"{len(shared)} entities are in two parts of the split, such as {shared[0]!r}: split by entity")
    if by_cutoff and (late := reaching(units[CUTOFF].to_numpy(), units[LABEL_END].to_numpy(), parts_of)):
        raise LeakError(
            f"the outcomes of {late} units of train and val reach into the time of the test: cut off earlier"
        )
    train = units.join(splits, on=ROW_ID).filter(pl.col("split") == "train")
    features = [column.name for column in feature_columns(contract)]
    told = telling({name: train[name].to_numpy() for name in features}, train[contract.task.target].to_numpy())
    proven = [leak for leak in told if leak.proven]
    if proven:
        raise LeakError("; ".join(leak.words for leak in proven) + "; give it the role ignore with the reason")
    for leak in told:
        log.warning("suspect: %s", leak.words)
    parts = {part: splits.filter(pl.col("split") == part)[ROW_ID] for part in PARTS}
    rows = conserve("split", "units", units[ROW_ID], **parts)
    log.info("%s", ", ".join(f"{part} {count}" for part, count in rows.items()))
    write_table(job.out / "splits.parquet", splits.select(ROW_ID, "split"))
    write_json(job.out / "split.json", function)
    base = {part: float(_rate(units, splits, contract.task.target, part)) for part in PARTS if rows[part]}
    return {
        "flow": {"units": {"in": units.height, "to": rows}},
        "rate": base,
        "suspects": [leak.words for leak in told],
    }


def _rate(units: pl.DataFrame, splits: pl.DataFrame, target: str, part: str) -> float:
    """The mean outcome in one part."""
    mean = units.join(splits, on=ROW_ID).filter(pl.col("split") == part)[target].mean()
    assert isinstance(mean, float)
    return mean


if __name__ == "__main__":
    main("split", run)
