"""`perennial report NAME`: gather what stages and decisions left, and write the page; its run shows it too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

import polars as pl

from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.contract.serving import build_head
from perennial.data.names import ROW_ID
from perennial.data.quality.quarantine import format_row
from perennial.errors import Refused
from perennial.files.durable import read_json, sha256_file, write_text
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.pipeline.lineage import lineage
from perennial.promotion.promote import concerns
from perennial.promotion.register import bundle_folder
from perennial.report.context import Story
from perennial.report.pages.compose import compose
from perennial.tracking import registry
from perennial.tracking.mirror import attach
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")
_STAGES = ("ingest", "validate", "clean", "featurize", "split", "train", "baseline", "evaluate", "explain")
_SAMPLES, _PEOPLE = 5, 4
_NOTHING: Mapping[str, Any] = {"quotes": [], "photo": None, "heat": None}  # to be looked at of a row


def report(project: Project, name: str) -> dict[str, Any]:
    """Write .perennial/NAME/report.html and return {path, sha256, headline, verdict, in_use}.

    Raises: Refused when nothing was decided yet.
    """
    contract, store = load(project.contract(name)), open_store(project)
    history = registry.decisions(store, name)
    if not history:
        raise Refused(f"{name} has no decision to report yet: perennial run {name}")
    decision = _of_candidate(project, name, history)
    quarantine = pl.concat(
        read_table(project.output(name, stage) / "quarantine.parquet") for stage in ("ingest", "validate")
    )
    story = Story(
        name=name,
        contract=contract,
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        summaries={stage: read_json(project.output(name, stage) / "summary.json") for stage in _STAGES},
        decision=decision,
        history=history,
        version=str(decision["version"]),
        curve=read_json(project.output(name, "train") / "curve.json"),
        people=_people(project, name, contract),
        mistakes=_mistakes(project, name, contract),
        quarantine=_samples(quarantine),
        quarantined=dict(quarantine["rule"].value_counts().sort("rule").iter_rows()),
        lineage=lineage(project, name),
    )
    path = project.state(name) / "report.html"
    page, headline = compose(story)
    write_text(path, page)
    attach(store, registry.version(store, name, story.version).run_id, path)
    told = {"verdict": story.verdict, "in_use": story.in_use, "headline": headline}
    return {"path": str(path.relative_to(project.root)), "sha256": sha256_file(path), **told}


def _of_candidate(project: Project, name: str, history: list[dict[str, Any]]) -> dict[str, Any]:
    """What the gate said of the candidate of these outputs: of one in use what put it there, else the newest word.

    Raises: Refused when it is not judged yet, or not since it was taken out of use.
    """
    family = read_json(project.output(name, "evaluate") / "summary.json")["candidate"]["family"]
    bundle = folder_digest(bundle_folder(project, name, family))
    mine = [record for record in history if concerns(record, bundle)]
    judged = [record for record in mine if record["verdict"] != "ROLLBACK"]
    if not judged:
        raise Refused(f"the candidate of {name} is not judged yet: perennial register {name}, perennial promote {name}")
    if mine[-1]["verdict"] != "ROLLBACK":
        return judged[-1]
    if mine[-1]["digest"] != bundle:
        raise Refused(f"the candidate of {name} was taken out of use and not judged since: perennial run {name}")
    return next((record for record in reversed(judged) if record["verdict"] == "PROMOTE"), judged[-1])


def _people(project: Project, name: str, contract: Contract) -> list[dict[str, Any]]:
    """The best of the explained test rows, with the score that the list ranks by. No name, no contact data."""
    rows = read_table(project.output(name, "explain") / "reasons.parquet")
    scores = [column for column in rows.columns if column.startswith("score:")]
    match contract.task.kind:
        case "binary" | "regression":
            rank = pl.col(scores[0])
        case "multiclass" | "clustering":
            rank = pl.max_horizontal(scores)
        case "uplift":
            rank = pl.max_horizontal(scores[1:]) - pl.col(scores[0])
        case _:
            assert_never(contract.task.kind)
    best = rows.with_columns(rank.alias("rank")).sort("rank", ROW_ID, descending=[True, False]).head(_PEOPLE)
    seen = _seen(project, name)
    return [
        {
            "row": _named(row[ROW_ID], contract), "score": _score(row, scores, contract), "reasons": row["reasons"],
            **seen.get(row[ROW_ID], _NOTHING),
        }
        for row in best.iter_rows(named=True)
    ]  # fmt: skip


def _mistakes(project: Project, name: str, contract: Contract) -> list[dict[str, Any]]:
    """The surest mistakes on test, with what can be looked at."""
    found = read_json(project.output(name, "evaluate") / "summary.json").get("mistakes", [])
    predicted = read_table(project.output(name, "evaluate") / "predictions.parquet", [ROW_ID, "split"])
    ids, seen = predicted.filter(pl.col("split") == "test")[ROW_ID].to_list(), _seen(project, name)
    at = [ids[mistake["row"]] for mistake in found]
    return [
        {**mistake, **seen.get(i, _NOTHING), "row": _named(i, contract)} for mistake, i in zip(found, at, strict=True)
    ]


def _seen(project: Project, name: str) -> dict[str, dict[str, Any]]:
    """What can be looked at, by row: its quoted texts, its photo with a heat map. Most use cases have neither."""
    folder, found = project.output(name, "explain"), dict[str, dict[str, Any]]()
    for file in ("quotes", "photos"):
        for row in read_table(folder / f"{file}.parquet").to_dicts() if (folder / f"{file}.parquet").exists() else ():
            here = found.setdefault(row.pop(ROW_ID), {**_NOTHING, "quotes": []})
            here |= {"quotes": [*here["quotes"], row]} if file == "quotes" else row
    return found


def _named(row_id: str, contract: Contract) -> str:
    """The record of a row in its file, or whose unit it is, with the cut-off where there are several."""
    if contract.unit.cutoffs is None:
        return f"row {row_id.rpartition('-')[2]}"
    who, _, when = row_id.rpartition("@")
    return who if len(contract.unit.cutoffs.test) == 1 else f"{who} {when}"


def _score(row: dict[str, Any], scores: list[str], contract: Contract) -> str:
    """The score in words: a chance, an amount, the likeliest class, what a message adds."""
    match contract.task.kind:
        case "binary":
            return f"{100 * row['rank']:.0f}\u202f%"
        case "regression":
            return f"{row['rank']:,.0f}"
        case "multiclass" | "clustering":
            likeliest = max(scores, key=lambda name: float(row[name])).removeprefix("score:")
            return f"{likeliest} {100 * row['rank']:.0f}\u202f%"
        case "uplift":
            is_amount = build_head(contract).amounts
            return f"{row['rank']:+,.2f}" if is_amount else f"{100 * row['rank']:.0f} points"
        case _:
            assert_never(contract.task.kind)


def _samples(quarantine: pl.DataFrame) -> list[dict[str, Any]]:
    """One row of each of the commonest rules, as it stands in the file."""
    common = quarantine["rule"].value_counts().sort(["count", "rule"], descending=[True, False])["rule"].head(_SAMPLES)
    rows = [quarantine.filter(pl.col("rule") == rule).sort("source", "record").row(0, named=True) for rule in common]
    return [{**row, **format_row(row)} for row in rows]
