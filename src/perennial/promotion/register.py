"""`perennial register NAME`: mirror results into MLflow, register the candidate's bundle; idempotent by its digest."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import polars as pl

from perennial.files.durable import read_json
from perennial.files.manifest import verify
from perennial.files.project import Project
from perennial.pipeline.lineage import lineage
from perennial.scoring.families import STAGE_OF, Family
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.mirror import Results, mirror
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


def bundle_folder(project: Project, name: str, family: Family) -> Path:
    """Where a family's bundle was written."""
    return project.output(name, STAGE_OF[family]) / family


def register(project: Project, name: str) -> dict[str, Any]:
    """The run and version of the candidate: {run_id, version, family, digest}; the alias challenger points to it."""
    summary = read_json(project.output(name, "evaluate") / "summary.json")
    family: Family = summary["candidate"]["family"]
    folder = bundle_folder(project, name, family)
    digest, store = verify(folder), open_store(project)
    run_id = mirror(store, name, _results(project, name, family, digest, summary))
    scorer = Scorer.load(folder)
    example = scorer.bundle.background.head(3)
    scores = pl.DataFrame(scorer.score(example), schema=scorer.outputs)
    found = registry.register(store, name, run_id, folder, example, scores, {"family": family, **_proof(project, name)})
    champion = registry.champion(store, name)
    if champion is None or champion.number != found.number:
        registry.set_alias(store, name, "challenger", found.number)
    log.info("%s version %s holds the %s family (%s)", name, found.number, family, digest[:12])
    return {"run_id": run_id, "version": found.number, "family": family, "digest": digest}


def _proof(project: Project, name: str) -> dict[str, str]:
    """What a version carries to be rebuilt from."""
    told = lineage(project, name)
    return {key: told[key] for key in ("commit", "changed", "code", "raw", "cpu")}


def _results(project: Project, name: str, family: Family, digest: str, summary: dict[str, Any]) -> Results:
    """The stages' results as MLflow shows them."""
    metrics = {
        f"{part}.{other}.{metric}": value["value"] if isinstance(value, dict) else value
        for other, parts in summary["families"].items()
        for part in ("val", "test")
        for metric, value in parts[part].items()
    }
    curve = read_json(project.output(name, "train") / "curve.json")
    params = {
        f"{stage}.{key}": str(value)
        for stage, block in read_json(bundle_folder(project, name, family) / "params.json").items()
        for key, value in (block.items() if isinstance(block, dict) else [(stage, block)])
    }
    told = lineage(project, name)
    files = [project.root / "dvc.lock", bundle_folder(project, name, family) / "manifest.json", project.contract(name)]
    return Results(
        name=f"{name} {family} {digest[:8]}",
        digest=digest,
        params={"family": family, **params},
        metrics=metrics,
        curves={key: [(row["epoch"], row[key]) for row in curve] for key in ("train_loss", "val_loss")},
        tags=told,
        inputs={f"{name}/raw": told["raw"]},
        files=[path for path in files if path.exists()],
    )
