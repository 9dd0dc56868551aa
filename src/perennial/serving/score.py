"""Scoring of a file: one scored line or one reason for each row, by the champion's bundle."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import polars as pl

from perennial.contract.load import load
from perennial.errors import InputError
from perennial.evaluation.decisions.actions import name_purpose
from perennial.files.durable import write_json
from perennial.files.project import Project
from perennial.files.readable import check_readable
from perennial.results.receipt import PASSED_OVER, ListAction, ScoredList, Skipped
from perennial.serving.champion import load_champion
from perennial.serving.list_files import WORKBOOK, check_output, format_rejected, write_list
from perennial.serving.meaning import ListFacts, describe_list
from perennial.serving.preparation import find_keys, prepare_rows
from perennial.serving.score_list import build_score_list, find_digits, sort_list
from perennial.serving.workbook import write_workbook
from perennial.tracking import registry
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


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


def score(
    project: Project,
    name: str,
    source: Path,
    output: Path,
    number: str | None,
    *,
    keep_order: bool = False,
    sheet: str | None = None,
) -> ScoredList:
    """Write the list, the best first or in the order of the input (`keep_order`), and the rejected rows beside it.

    `sheet` is that of the input, where it is a workbook with several.

    Counts are exact: rows = scored + rejected, or those that feed a score + rejected. `chosen` is None where the contract
    names no money to decide by.

    Raises: InputError for a file that cannot be read, ConfigError for a list that cannot be written there, Refused when
    there is nothing to score with.
    """
    if not source.exists():
        raise InputError(f"--input {source}: there is no such file or folder", code="missing_file")
    if not source.is_dir():
        check_readable(source)
    rejects = check_output(source, output, (".csv", ".parquet", WORKBOOK))
    contract = load(project.contract(name))
    version, scorer = load_champion(project, name, contract, number)
    money = scorer.bundle.serving.money
    if money != contract.money:
        log.warning("money has changed since version %s was trained, which decides by what it was then", version.number)
    prepared = prepare_rows(contract, source, sheet=sheet)
    table = build_score_list(scorer, prepared.units, contract).with_columns(pl.lit(version.number).alias("model_version"))
    unknown = scorer.bundle.encoding.count_unknown(prepared.units)
    if unknown:
        log.warning("categories that training did not know: %s", ", ".join(f"{n} in {c}" for c, n in unknown.items()))
    result = ScoredList(
        rows=prepared.n_rows,
        scored=table.height,
        rejected=prepared.rejected.height,
        output=str(output),
        model_version=version.number,
        as_of=str(prepared.as_of) if prepared.as_of else None,
        chosen=int((~table["action"].is_in(PASSED_OVER)).sum()) if "action" in table.columns else None,
        source=f"{source.name}/" if source.is_dir() else source.name,
        actions=_count_actions(table),
        to=name_purpose(money),
        unknown=unknown,
    )
    table, digits = table if keep_order else sort_list(table), find_digits(scorer.bundle.serving.head)
    rejected = format_rejected(prepared.rejected)
    if output.suffix == WORKBOOK:
        facts = ListFacts(use_case=name, contract=contract, money=money, result=result, date=dt.datetime.now(dt.UTC).date())
        texts = table.with_columns(pl.col(find_keys(contract)).cast(pl.String))
        write_workbook(output, texts, digits, describe_list(table, facts), rejected, facts.date)
    else:
        write_list(output, table, digits)
        write_list(rejects, rejected)
    write_json(list_note(project, name), result.model_dump(mode="json"))
    return result


def list_note(project: Project, name: str) -> Path:
    """What was scored last: the report speaks of that list."""
    return project.state(name) / "list.json"


def _count_actions(table: pl.DataFrame) -> tuple[ListAction, ...]:
    """How many rows get which action, and why; what is done first, and of that the most frequent."""
    if "action" not in table.columns:
        return ()
    profit = pl.col("expected_profit").sum() if "expected_profit" in table.columns else pl.lit(None, pl.Float64)
    groups = table.group_by("action", "action_reason").agg(pl.len().alias("n"), profit.alias("expected_profit"))
    groups = groups.with_columns(is_left=pl.col("action").is_in(PASSED_OVER))
    groups = groups.sort("is_left", "n", "action", "action_reason", descending=[False, True, False, False])
    return tuple(
        ListAction(action=row["action"], reason=row["action_reason"], n=row["n"], expected_profit=row["expected_profit"])
        for row in groups.iter_rows(named=True)
    )
