"""`perennial score NAME --input FILE --output FILE`: rows in, one scored line or one reason each out.

The champion's bundle scores; every row of the input is in the output or among the rejected, by its row_id.
"""

from __future__ import annotations

import argparse
import csv
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from perennial.contract.model import MAIN, Contract, load
from perennial.contract.rules import RowRule
from perennial.contract.serving import ServingView, changed_features, serving_view, without_outcomes
from perennial.data.clean import WHY, clean
from perennial.data.featurize import featurize
from perennial.data.ingest import Form, ingest, matching
from perennial.data.names import ENTITY, ORDER, ROW_ID, conserve
from perennial.data.validate import validate
from perennial.errors import ConfigError, InputError, Refused
from perennial.evaluation import policy
from perennial.evaluation.money import money_of, offer_of
from perennial.evaluation.profit import best
from perennial.explain.words import reasons
from perennial.files.durable import write_bytes
from perennial.files.project import Project
from perennial.files.tables import write_table
from perennial.scoring.reasons import contributions, focus
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")
_DRAWS, _SEED, _REASONS = 64, 1, 3  # of the reasons; they decide no score
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run as a formula by spreadsheets


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--input", type=Path, required=True, help="a file, or a folder with a file for each table")
    parser.add_argument("--output", type=Path, required=True, help="the list to write: .csv or .parquet")
    parser.add_argument("--version", help="score with this version instead of the champion")


def main(args: argparse.Namespace) -> int:
    result = score(Project.here(), args.name, args.input, args.output, args.version)
    log.info(
        "%d rows in: %d scored, %d rejected → %s", result["rows"], result["scored"], result["rejected"], args.output
    )
    return 0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Rows ready to score (`units`), and every other row of the input with its reason (`rejected`)."""

    units: pl.DataFrame
    rejected: pl.DataFrame
    n_rows: int


def score_incoming(project: Project, name: str) -> dict[str, Any]:
    """Score .perennial/NAME/incoming/ into .perennial/NAME/scores.csv, or say why it is skipped."""
    incoming = project.state(name) / "incoming"
    if not incoming.is_dir() or not any(incoming.iterdir()):
        return {"skipped": "no rows are waiting in incoming/"}
    if registry.champion(open_store(project), name) is None:
        return {"skipped": "there is no champion to score with"}
    output = project.state(name) / "scores.csv"
    return {**score(project, name, incoming, output, None), "output": str(output.relative_to(project.root))}


def score(project: Project, name: str, source: Path, output: Path, number: str | None) -> dict[str, Any]:
    """Counts {rows, scored, rejected, chosen}, exact: rows = scored + rejected.

    Raises: InputError for a file that cannot be read, Refused when there is nothing to score with.
    """
    if output.suffix not in {".csv", ".parquet"}:
        raise ConfigError(f"--output {output}: end it in .csv or .parquet")
    contract, store = load(project.contract(name)), open_store(project)
    found = registry.version(store, name, number) if number else registry.champion(store, name)
    if found is None:
        raise Refused(f"{name} has no champion yet: perennial run {name}, or choose with --version")
    scorer = registry.scorer(store, found)
    changed = changed_features(scorer.bundle.serving, serving_view(contract))
    if changed:
        words = f"the contract makes {', '.join(changed)} otherwise than when version {found.number} was trained"
        raise Refused(f"{words}: perennial run {name}")
    prepared = prepare(contract, source)
    table = scored(scorer, prepared.units, contract).with_columns(pl.lit(found.number).alias("model_version"))
    rejects = output.with_name(f"{output.stem}.rejected{output.suffix}")
    _write(output, table)
    _write(rejects, prepared.rejected)
    chosen = int((table["action"] != "none").sum()) if "action" in table.columns else 0
    counts = {"rows": prepared.n_rows, "scored": table.height, "rejected": prepared.rejected.height, "chosen": chosen}
    unknown = scorer.bundle.encoding.unknown(prepared.units)
    if unknown:
        log.warning("categories that training did not know: %s", ", ".join(f"{n} in {c}" for c, n in unknown.items()))
    return {**counts, "model_version": found.number, "unknown": unknown}


def prepare(contract: Contract, source: Path) -> Prepared:
    """The way of the data once more, with the contract's serving side: no outcome is asked for, no row is filtered.

    Raises: InputError when no row can be read.
    """
    serving = contract.model_copy(
        update={"columns": without_outcomes(contract), "unit": contract.unit.model_copy(update={"where": {}})}
    )
    paths = [source] if source.is_file() else sorted(p for p in source.iterdir() if not p.name.startswith("."))
    patterns = {table: pattern for table, (pattern, _) in serving.tables.items()}
    files = {MAIN: paths} if source.is_file() and not serving.events else matching(paths, patterns)
    tables, lost, n_rows = {}, [], 0
    for table, (_, columns) in serving.tables.items():
        read = ingest(files[table], columns, replace(Form.of(serving, table), allow_empty=table != MAIN))
        kept, gone = _judged(table, read.rows, serving.row_rules(table), columns, serving)
        tables[table] = kept
        if table == MAIN:
            n_rows = read.rows.height + read.rejects.height
            lost += [read.rejects.select(ROW_ID, "reason"), gone]
    units = featurize({name: nw.from_native(rows.lazy()) for name, rows in tables.items()}, serving).units
    ready = units.to_native().collect().sort(ORDER)
    if not ready.height:
        raise InputError(
            f"{source}: none of {n_rows} rows can be scored: {', '.join(sorted(set(pl.concat(lost)['reason'])))}"
        )
    names = _keys(serving)
    ready = ready.drop(names, strict=False).join(tables[MAIN].select(ROW_ID, *names), on=ROW_ID, maintain_order="left")
    rejected = pl.concat(lost).sort(ROW_ID)
    conserve(
        "score",
        MAIN,
        pl.concat([tables[MAIN][ROW_ID], rejected[ROW_ID]]),
        scored=ready[ROW_ID],
        rejected=rejected[ROW_ID],
    )
    return Prepared(units=ready, rejected=rejected, n_rows=n_rows)


def scored(scorer: Scorer, units: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """row_id, key, scores, decile (1 is best), action under the budget, and reasons of each row."""
    scores = scorer.score(units)
    serving = scorer.bundle.serving
    found = contributions(scorer.bundle, units, draws=_DRAWS, seed=_SEED)
    told = reasons(found.columns, focus(scorer.bundle, units, found), units, serving.features, _REASONS)
    ranking, action = _decide(scores, serving)
    decile = np.empty(len(ranking), np.int64)
    decile[np.argsort(-ranking, kind="stable")] = np.arange(len(ranking)) * 10 // max(len(ranking), 1) + 1
    columns: Mapping[str, Any] = {name: scores[:, o] for o, name in enumerate(scorer.outputs)}
    out = units.select(ROW_ID, *_keys(contract)).with_columns(pl.Series(n, v) for n, v in columns.items())
    out = out.with_columns(pl.Series("decile", decile))
    if action is not None:
        out = out.with_columns(pl.Series("action", action, dtype=pl.String))
    return out.with_columns(pl.Series("reasons", told, dtype=pl.String))


def _decide(scores: np.ndarray[Any, Any], serving: ServingView) -> tuple[np.ndarray[Any, Any], list[str] | None]:
    """What the list is ranked by, and what to do with each row; None where the contract names no money to decide by."""
    if serving.head.task == "uplift":
        offer = offer_of(serving)
        ranking, _ = policy.ranked_choice(scores, offer)
        names = ["none", *serving.head.outputs[1:]]
        return ranking, [names[arm] for arm in policy.choice(scores, offer)]
    money, p = money_of(serving.money), scores[:, 0]
    if money is None:
        return p, None
    worth = (money.value * p > money.cost) & best(p, money.budget_share, np.ones(len(p)))
    return p, ["contact" if chosen else "none" for chosen in worth]


def _judged(
    table: str, rows: pl.DataFrame, rules: list[RowRule], columns: Mapping[str, Any], contract: Contract
) -> tuple[pl.DataFrame, pl.DataFrame]:
    passed, quarantine = validate(table, rows, rules)
    drop = table == MAIN and contract.unit.duplicates == "drop"
    marked = clean(nw.from_native(passed.lazy()), dict(columns), drop_duplicates=drop).to_native().collect()
    gone = marked.filter(pl.col(WHY).is_not_null()).select(ROW_ID, WHY)
    return marked.filter(pl.col(WHY).is_null()).drop(WHY), pl.concat([quarantine.select(ROW_ID, "reason"), gone])


def _keys(contract: Contract) -> list[str]:
    return [name for name in contract.having("id", "entity") if name not in {ROW_ID, ENTITY}]


def _write(path: Path, table: pl.DataFrame) -> None:
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
