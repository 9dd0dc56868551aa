"""Score list: one line a row with its scores, what to do with it, and the reasons."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from perennial.contract.model import Contract
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError
from perennial.evaluation.decisions import risk
from perennial.evaluation.decisions.risk import loan_policy
from perennial.explain.words import describe_adverse_reasons, describe_reasons
from perennial.files.durable import write_bytes
from perennial.files.tables import write_table
from perennial.scoring.reasons import explain_rows, select_parts
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import find_keys
from perennial.tasks.lookup import supervised_task

_DRAWS, _SEED, _REASONS = 64, 1, 3  # of the reasons; they decide no score
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run as a formula by spreadsheets


def build_score_list(scorer: Scorer, units: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """row_id, key, scores, decile (1 is best), action under the budget, and reasons of each row.

    Of loans: points, approve or refuse, and of the refused the four reasons against them.

    Of segments: the likeliest, how far the row belongs to each, and reasons; nothing ranks them.
    """
    scores = scorer.score(units)
    serving = scorer.bundle.serving
    parts_of = explain_rows(scorer.bundle, units, draws=_DRAWS, seed=_SEED)
    parts = select_parts(scorer.bundle, units, parts_of)
    why = describe_reasons(parts_of.columns, parts, units, serving.features, _REASONS)
    columns: Mapping[str, Any] = {name: scores[:, o] for o, name in enumerate(scorer.outputs)}
    out = units.select(ROW_ID, *find_keys(contract))
    last = pl.Series("reasons", why, dtype=pl.String)
    if serving.head.scale == "distance":
        names = [scorer.outputs[s] for s in scores.argmax(axis=1)]
        return out.with_columns(pl.Series("segment", names), *(pl.Series(n, v) for n, v in columns.items()), last)
    ranked = supervised_task(serving.head.task).rank(scores, serving)
    ranking, action = ranked.rank, ranked.action
    if loan_policy(serving.money) is not None:
        assert action is not None
        out = out.with_columns(pl.Series("points", risk.score_points(scores[:, 0]).round()))
        why_not = describe_adverse_reasons(parts_of.columns, parts, units, serving.features)
        refused = [no if a == "refuse" else yes for no, yes, a in zip(why_not, why, action, strict=True)]
        last = pl.Series("reasons", refused, dtype=pl.String)
    decile = np.empty(len(ranking), np.int64)
    decile[np.argsort(-ranking, kind="stable")] = np.arange(len(ranking)) * 10 // max(len(ranking), 1) + 1
    out = out.with_columns(*(pl.Series(n, v) for n, v in columns.items()), pl.Series("decile", decile))
    if action is not None:
        out = out.with_columns(pl.Series("action", action, dtype=pl.String))
    return out.with_columns(last)


def check_output(source: Path, output: Path) -> Path:
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
