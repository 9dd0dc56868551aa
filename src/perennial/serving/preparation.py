"""Preparation of rows to score: the stages' own chain, with the contract's serving side.

Every row of the input is among the units or rejected with a reason, by its row_id. Where units are made of events, every
entity with an event is scored as of the day after the last one (nothing later is known), and every event feeds a score or
is rejected.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import narwhals as nw
import polars as pl

from perennial.contract.model import MAIN, Contract
from perennial.contract.serving import select_scoring_columns
from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat, assign_files
from perennial.data.io.workbook import SHEET_WARNINGS
from perennial.data.masking import mask_contacts
from perennial.data.names import ENTITY, LINE, RAW, ROW_ID, SOURCE
from perennial.data.prepare.clean import clean_rows
from perennial.data.prepare.cutoffs import find_last_day
from perennial.data.prepare.featurize import featurize_rows
from perennial.data.quality.validate import count_unexpected, validate
from perennial.errors import InputError

log = logging.getLogger("perennial")
_PLACE = ("source", "line", "raw")  # of a row in the input


@dataclass(frozen=True, kw_only=True)
class PreparedRows:
    """Rows ready to score (`units`), and every row of the input that feeds none (`rejected`): where, reason, raw text.

    `as_of` is the date of units that are made of events.
    """

    units: pl.DataFrame
    rejected: pl.DataFrame
    n_rows: int
    as_of: dt.date | None = None


def prepare_rows(contract: Contract, source: Path, also: Sequence[str] = (), sheet: str | None = None) -> PreparedRows:
    """The way of the data once more, with the contract's serving side: no outcome is asked for, no row is filtered.

    `also` are columns of the main table that come along beside what a model sees; `sheet` is its sheet in a workbook.

    Raises: InputError when no row can be read.
    """
    unit = contract.unit.model_copy(update={"where": {}, "target": {}})
    serving = contract.model_copy(update={"columns": select_scoring_columns(contract), "unit": unit})
    scored_by = [MAIN] if serving.columns else list(serving.events)  # tables whose rows are all accounted for
    tables, rejects, places, n_rows = {}, [], [], 0
    for table, paths in _assign_paths(serving, source).items():
        form = replace(TableFormat.of(serving, table), allow_empty=table not in scored_by)
        form = replace(form, sheet=sheet) if sheet is not None and table == scored_by[0] else form
        read = ingest(paths, serving.tables[table][1], form, _find_attachments(serving, source))
        for found in read.warnings:
            if found.code in SHEET_WARNINGS:
                log.warning("%s", found.message)
        passed, quarantine = validate(table, read.rows, serving.row_rules(table))
        for warning in count_unexpected(table, passed, serving.soft_rules(table)):
            log.warning("%s", warning)
        tables[table], dropped, _ = clean_rows(table, passed, serving)
        if table in scored_by:
            n_rows += read.rows.height + read.rejects.height
            rejects += [frame.select(ROW_ID, "reason") for frame in (read.rejects, quarantine, dropped)]
            places += [read.rows.select(ROW_ID, source=SOURCE, line=LINE, raw=RAW), read.rejects.select(ROW_ID, *_PLACE)]
    units, unused, as_of = _build_units(tables, serving)
    units = _add_keys(units, tables, serving, also)
    rejects.append(unused)
    rejected = pl.concat(rejects).join(pl.concat(places), on=ROW_ID, how="left").sort("source", "line", ROW_ID)
    if not units.height:
        reasons = mask_contacts(", ".join(sorted(set(rejected["reason"]))[:5]))
        raise InputError(f"{source}: none of {n_rows} rows can be scored: {reasons}")
    return PreparedRows(units=units, rejected=rejected, n_rows=n_rows, as_of=as_of)


def _assign_paths(contract: Contract, source: Path) -> dict[str, list[Path]]:
    """One file is the file of the only table, whatever its name; in a folder the names tell."""
    tables = contract.tables
    if source.is_file() and len(tables) == 1:
        return {next(iter(tables)): [source]}
    patterns = {table: pattern for table, (pattern, _) in tables.items()}
    if source.is_file():
        names = " and ".join(patterns.values())
        raise InputError(f"{source} is one file, the contract has {len(tables)} tables: give the folder that holds {names}")
    tables_in = [p for p in sorted(source.iterdir()) if not p.name.startswith(".") and p.name not in contract.attached]
    return assign_files(tables_in, patterns)


def _find_attachments(contract: Contract, source: Path) -> list[Path]:
    """What stands beside the tables, such as the tar that their pictures are in."""
    folder = source if source.is_dir() else source.parent
    return [folder / name for name in contract.attached if (folder / name).is_file()]


def _build_units(tables: dict[str, pl.DataFrame], contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame, dt.date | None]:
    """Units, the events that feed none with the reason, and the date that units made of events are as of."""
    no_rows = pl.DataFrame(schema={ROW_ID: pl.String, "reason": pl.String})
    if contract.unit.cutoffs is None:
        return featurize_rows(tables, contract).units, no_rows, None
    lazy = {name: nw.from_native(rows.lazy()) for name, rows in tables.items()}
    last = find_last_day(lazy, contract, contract.events)
    if last is None:
        return no_rows.select(ROW_ID, pl.lit("").alias(ENTITY)), no_rows, None
    as_of = last + dt.timedelta(days=1)
    log.info("the last event is of %s: every customer is scored as of %s", last, as_of)
    units, unused, _ = featurize_rows(tables, contract, [as_of])
    return units, unused.select(ROW_ID, "reason"), as_of


def _add_keys(units: pl.DataFrame, tables: dict[str, pl.DataFrame], contract: Contract, also: Sequence[str]) -> pl.DataFrame:
    """Add the columns that name a unit, and those of `also`."""
    names = find_keys(contract)
    if contract.unit.cutoffs is not None:
        return units.with_columns(pl.col(ENTITY).alias(name) for name in names)
    names = list(dict.fromkeys([*names, *also]))
    keys = tables[MAIN].select(ROW_ID, *names)
    return units.drop(names, strict=False).join(keys, on=ROW_ID, maintain_order="left")


def find_keys(contract: Contract) -> list[str]:
    """The columns that name a row of the list."""
    keys = contract.find_columns("id", "entity") if contract.columns else [str(contract.entity)]
    return [name for name in keys if name not in {ROW_ID, ENTITY}]
