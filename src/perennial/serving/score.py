"""`perennial score NAME --input FILE --output FILE`: rows in, one scored line or one reason each out.

The champion's bundle scores; every row of the input is in the output or among the rejected, by its row_id. Where units
are made of events, every entity with an event is scored as of the day after the last one (nothing later is known), and
every event feeds a score or is among the rejected.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from perennial.contract.load import load
from perennial.contract.model import MAIN, Contract
from perennial.contract.serving import ServingView, build_serving_view, find_changed_features, select_scoring_columns
from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat, assign_files
from perennial.data.masking import mask_contacts
from perennial.data.names import ENTITY, ORDER, ROW_ID, conserve_rows
from perennial.data.prepare.clean import WHY, clean
from perennial.data.prepare.cutoffs import build_units, find_last_day
from perennial.data.prepare.featurize import featurize
from perennial.data.quality.validate import count_unexpected, validate
from perennial.errors import ConfigError, InputError, Refused
from perennial.evaluation.decisions import policy, risk
from perennial.evaluation.decisions.money import contact_policy, loan_policy, message_policy
from perennial.evaluation.decisions.profit import best
from perennial.explain.words import describe_adverse_reasons, describe_reasons
from perennial.files.durable import write_bytes
from perennial.files.project import Project
from perennial.files.readable import check_readable
from perennial.files.tables import write_table
from perennial.results.receipt import ScoredList, Skipped
from perennial.scoring.reasons import contributions, focus
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")
_DRAWS, _SEED, _REASONS = 64, 1, 3  # of the reasons; they decide no score
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run as a formula by spreadsheets


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Rows ready to score (`units`), and every row of the input that feeds none, with its reason (`rejected`).

    `as_of` is the date of units that are made of events.
    """

    units: pl.DataFrame
    rejected: pl.DataFrame
    n_rows: int
    as_of: dt.date | None = None


def score_incoming(project: Project, name: str) -> ScoredList | Skipped:
    """Score .perennial/NAME/incoming/ into .perennial/NAME/scores.csv, or say why it is skipped."""
    incoming = project.state(name) / "incoming"
    if not incoming.is_dir() or not any(incoming.iterdir()):
        return Skipped(skipped="no rows are waiting in incoming/")
    if registry.find_champion(open_store(project), name) is None:
        return Skipped(skipped="there is no champion to score with")
    output = project.state(name) / "scores.csv"
    result = score(project, name, incoming, output, None)
    return result.model_copy(update={"output": str(output.relative_to(project.root))})


def score(project: Project, name: str, source: Path, output: Path, number: str | None) -> ScoredList:
    """Counts are exact: rows = scored + rejected, or those that feed a score + rejected.

    `chosen` is None where the contract names no money to decide by.

    Raises: InputError for a file that cannot be read, ConfigError for a list that cannot be written there, Refused when
    there is nothing to score with.
    """
    if not source.exists():
        raise InputError(f"--input {source}: there is no such file or folder", code="missing_file")
    if not source.is_dir():
        check_readable(source)
    rejects = writable(source, output)
    contract = load(project.contract(name))
    found, scorer = in_use(project, name, contract, number)
    prepared = prepare(contract, source)
    table = scored(scorer, prepared.units, contract).with_columns(pl.lit(found.number).alias("model_version"))
    write_list(output, table)
    write_list(rejects, prepared.rejected)
    passed_over = ["none", "refuse"]
    chosen = int((~table["action"].is_in(passed_over)).sum()) if "action" in table.columns else None
    unknown = scorer.bundle.encoding.count_unknown(prepared.units)
    if unknown:
        log.warning("categories that training did not know: %s", ", ".join(f"{n} in {c}" for c, n in unknown.items()))
    return ScoredList(
        rows=prepared.n_rows,
        scored=table.height,
        rejected=prepared.rejected.height,
        output=str(output),
        model_version=found.number,
        as_of=str(prepared.as_of) if prepared.as_of else None,
        chosen=chosen,
        to="approve" if loan_policy(contract.money) is not None else "contact",
        unknown=unknown,
    )


def in_use(project: Project, name: str, contract: Contract, number: str | None) -> tuple[registry.Version, Scorer]:
    """The champion, or the version asked for, and its scorer.

    Raises: Refused when there is none, or when the contract makes its features otherwise than when it was trained.
    """
    store = open_store(project)
    found = registry.get_version(store, name, number) if number else registry.find_champion(store, name)
    if found is None:
        raise Refused(f"{name} has no champion yet: perennial run {name}, or choose with --version")
    scorer = registry.load_scorer(store, found)
    changed = find_changed_features(scorer.bundle.serving, build_serving_view(contract))
    if changed:
        words = f"the contract makes {', '.join(changed)} otherwise than when version {found.number} was trained"
        raise Refused(f"{words}: perennial run {name}")
    return found, scorer


def writable(source: Path, output: Path) -> Path:
    """The neighbour of the list that takes the rejected rows.

    Raises: ConfigError when either cannot be written, or would take the place of what is read.
    """
    if output.suffix not in {".csv", ".parquet"}:
        raise ConfigError(f"--output {output}: end it in .csv or .parquet")
    rejects = output.with_name(f"{output.stem}.rejected{output.suffix}")
    read = {path.resolve() for path in (source, *(source.iterdir() if source.is_dir() else ()))}
    for path in (output, rejects):
        if path.is_dir():
            raise ConfigError(f"--output {output}: {path} is a folder; name a file")
        if read.intersection((path.resolve(), *path.resolve().parents)):
            raise ConfigError(f"--output {output}: {path} is part of the input {source}; name a file elsewhere")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {output}: its folder cannot be made ({error.strerror})") from error
    if not os.access(output.parent, os.W_OK):
        raise ConfigError(f"--output {output}: {output.parent} may not be written to")
    return rejects


def prepare(contract: Contract, source: Path, also: Sequence[str] = ()) -> Prepared:
    """The way of the data once more, with the contract's serving side: no outcome is asked for, no row is filtered.

    `also` are columns of the main table that come along beside what a model sees.

    Raises: InputError when no row can be read.
    """
    unit = contract.unit.model_copy(update={"where": {}, "target": {}})
    serving = contract.model_copy(update={"columns": select_scoring_columns(contract), "unit": unit})
    scored_by = [MAIN] if serving.columns else list(serving.events)  # tables whose rows are all accounted for
    tables, lost, n_rows = {}, [], 0
    for table, paths in _files(serving, source).items():
        columns = serving.tables[table][1]
        form = replace(TableFormat.of(serving, table), allow_empty=table not in scored_by)
        read = ingest(paths, columns, form, _attachments(serving, source))
        kept, gone = _judged(table, read.rows, serving)
        tables[table] = kept
        if table in scored_by:
            n_rows += read.rows.height + read.rejects.height
            lost += [read.rejects.select(ROW_ID, "reason"), gone]
    ready, as_of, lost = _units(tables, serving, lost, also)
    rejected = pl.concat(lost).sort(ROW_ID)
    if not ready.height:
        reasons = mask_contacts(", ".join(sorted(set(rejected["reason"]))[:5]))
        raise InputError(f"{source}: none of {n_rows} rows can be scored: {reasons}")
    return Prepared(units=ready, rejected=rejected, n_rows=n_rows, as_of=as_of)


def _files(contract: Contract, source: Path) -> dict[str, list[Path]]:
    """One file is the file of the only table, whatever its name; in a folder the names tell."""
    tables = contract.tables
    if source.is_file() and len(tables) == 1:
        return {next(iter(tables)): [source]}
    patterns = {table: pattern for table, (pattern, _) in tables.items()}
    if source.is_file():
        named = " and ".join(patterns.values())
        raise InputError(
            f"{source} is one file, the contract has {len(tables)} tables: give the folder that holds {named}"
        )
    held = [p for p in sorted(source.iterdir()) if not p.name.startswith(".") and p.name not in contract.attached]
    return assign_files(held, patterns)


def _attachments(contract: Contract, source: Path) -> list[Path]:
    """What stands beside the tables, such as the tar that their pictures are in."""
    folder = source if source.is_dir() else source.parent
    return [folder / name for name in contract.attached if (folder / name).is_file()]


def _units(
    tables: dict[str, pl.DataFrame], contract: Contract, lost: list[pl.DataFrame], also: Sequence[str]
) -> tuple[pl.DataFrame, dt.date | None, list[pl.DataFrame]]:
    """Units with the columns that name them, the date they are as of, and all rows that feed none."""
    lazy = {name: nw.from_native(rows.lazy()) for name, rows in tables.items()}
    names = _keys(contract)
    if contract.unit.cutoffs is None:
        ready = featurize(lazy, contract).units.to_native().collect().sort(ORDER)
        names = list(dict.fromkeys([*names, *also]))
        keys = tables[MAIN].select(ROW_ID, *names)
        conserve_rows("score", MAIN, keys[ROW_ID], scored=ready[ROW_ID])
        return ready.drop(names, strict=False).join(keys, on=ROW_ID, maintain_order="left"), None, lost
    last = find_last_day(lazy, contract, contract.events)
    if last is None:
        return pl.DataFrame(schema={ROW_ID: pl.String}), None, lost
    as_of = last + dt.timedelta(days=1)
    log.info("the last event is of %s: every customer is scored as of %s", last, as_of)
    units, fed, unused = build_units(lazy, contract, [as_of])
    unfed = pl.concat([part.to_native().collect() for part in unused])
    ids = pl.concat([rows[ROW_ID] for rows in tables.values()])
    used = pl.concat([part.to_native().collect()[ROW_ID] for part in fed.values()])
    conserve_rows("score", "events", ids, used=used, rejected=unfed[ROW_ID])
    ready = units.to_native().collect().sort(ORDER).with_columns(pl.col(ENTITY).alias(name) for name in names)
    return ready, as_of, [*lost, unfed.select(ROW_ID, "reason")]


def scored(scorer: Scorer, units: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """row_id, key, scores, decile (1 is best), action under the budget, and reasons of each row.

    Of loans: points, approve or refuse, and of the refused the four reasons against them.

    Of segments: the likeliest, how far the row belongs to each, and reasons; nothing ranks them.
    """
    scores = scorer.score(units)
    serving = scorer.bundle.serving
    found = contributions(scorer.bundle, units, draws=_DRAWS, seed=_SEED)
    parts = focus(scorer.bundle, units, found)
    told = describe_reasons(found.columns, parts, units, serving.features, _REASONS)
    columns: Mapping[str, Any] = {name: scores[:, o] for o, name in enumerate(scorer.outputs)}
    out = units.select(ROW_ID, *_keys(contract))
    last = pl.Series("reasons", told, dtype=pl.String)
    if serving.head.task == "clustering":
        names = [scorer.outputs[s] for s in scores.argmax(axis=1)]
        return out.with_columns(pl.Series("segment", names), *(pl.Series(n, v) for n, v in columns.items()), last)
    ranking, action = _decide(scores, serving)
    if loan_policy(serving.money) is not None:
        assert action is not None
        out = out.with_columns(pl.Series("points", risk.points(scores[:, 0]).round()))
        why_not = describe_adverse_reasons(found.columns, parts, units, serving.features)
        refused = [no if a == "refuse" else yes for no, yes, a in zip(why_not, told, action, strict=True)]
        last = pl.Series("reasons", refused, dtype=pl.String)
    decile = np.empty(len(ranking), np.int64)
    decile[np.argsort(-ranking, kind="stable")] = np.arange(len(ranking)) * 10 // max(len(ranking), 1) + 1
    out = out.with_columns(*(pl.Series(n, v) for n, v in columns.items()), pl.Series("decile", decile))
    if action is not None:
        out = out.with_columns(pl.Series("action", action, dtype=pl.String))
    return out.with_columns(last)


def _decide(scores: np.ndarray[Any, Any], serving: ServingView) -> tuple[np.ndarray[Any, Any], list[str] | None]:
    """What the list is ranked by, and what to do with each row; None where the contract names no money to decide by."""
    if serving.head.task == "uplift":
        offer = message_policy(serving)
        ranking, _ = policy.ranked_choice(scores, offer)
        names = ["none", *serving.head.outputs[1:]]
        return ranking, [names[arm] for arm in policy.choice(scores, offer)]
    if serving.head.task == "multiclass":
        return scores.max(axis=1), None
    money, loan, p = contact_policy(serving.money), loan_policy(serving.money), scores[:, 0]
    if loan is not None:
        return p, ["approve" if safe else "refuse" for safe in p <= loan.cut]
    if money is None or serving.head.task == "regression":  # an amount is no chance to respond
        return p, None
    worth = (money.value * p > money.cost) & best(p, money.budget_share, np.ones(len(p)))
    return p, ["contact" if chosen else "none" for chosen in worth]


def _judged(table: str, rows: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    passed, quarantine = validate(table, rows, contract.row_rules(table))
    for note in count_unexpected(table, passed, contract.soft_rules(table)):
        log.warning("%s", note)
    lazy, drop = nw.from_native(passed.lazy()), contract.drops_duplicates(table)
    marked = clean(lazy, contract.tables[table][1], contract.events.get(table), drop_duplicates=drop)
    rows = marked.to_native().collect()
    gone = rows.filter(pl.col(WHY).is_not_null()).select(ROW_ID, WHY)
    return rows.filter(pl.col(WHY).is_null()).drop(WHY), pl.concat([quarantine.select(ROW_ID, "reason"), gone])


def _keys(contract: Contract) -> list[str]:
    """The columns that name a row of the list."""
    named = contract.find_columns("id", "entity") if contract.columns else [str(contract.entity)]
    return [name for name in named if name not in {ROW_ID, ENTITY}]


def write_list(path: Path, table: pl.DataFrame) -> None:
    if path.suffix == ".parquet":
        write_table(path, table)
    else:
        write_bytes(path, _csv(table).encode())


def _csv(table: pl.DataFrame) -> str:
    """CSV that a spreadsheet opens as data: text that begins like a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.iter_rows():
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell for cell in row])
    return out.getvalue()
