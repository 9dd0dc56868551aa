"""Registration: mirror results into MLflow and register the candidate's bundle; idempotent by its digest."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl

from perennial.files.durable import read_json
from perennial.files.manifest import verify
from perennial.files.project import Project
from perennial.pipeline.lineage import read_lineage
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.families import FAMILIES, Family
from perennial.results.receipt import Registration
from perennial.results.summary import read_summary
from perennial.results.train import TrainSummary
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.mirror import RunView, mirror_run
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


def bundle_folder(project: Project, name: str, family: Family) -> Path:
    """Where a family's bundle was written."""
    return project.output(name, FAMILIES[family].stage) / family


def register(project: Project, name: str) -> Registration:
    """The run and version of the candidate; the alias challenger points to it."""
    evaluation = read_evaluation(project, name)
    family = evaluation.candidate.family
    folder = bundle_folder(project, name, family)
    digest, store = verify(folder), open_store(project)
    run_id = mirror_run(store, name, _run_view(project, name, digest, evaluation))
    scorer = Scorer.load(folder)
    example = scorer.bundle.background.head(3)
    scores = pl.DataFrame(scorer.score(example), schema=scorer.outputs)
    tags = {"family": family, **_provenance(project, name)}
    version = registry.register_bundle(store, name, run_id, folder, example, scores, tags)
    champion = registry.find_champion(store, name)
    if champion is None or champion.number != version.number:
        registry.set_alias(store, name, "challenger", version.number)
    log.info("%s version %s holds the %s family (%s)", name, version.number, family, digest[:12])
    return Registration(run_id=run_id, version=version.number, family=family, digest=digest)


def _provenance(project: Project, name: str) -> dict[str, str]:
    """What a version carries to be rebuilt from."""
    facts = read_lineage(project, name)
    return {key: facts[key] for key in ("commit", "changed", "code", "raw", "cpu")}


def _run_view(project: Project, name: str, digest: str, evaluation: Evaluation) -> RunView:
    """The stages' results as MLflow shows them."""
    family, facts = evaluation.candidate.family, read_lineage(project, name)
    folder = bundle_folder(project, name, family)
    curve = read_summary(project, name, TrainSummary).curve
    params = {
        f"{stage}.{key}": str(value)
        for stage, block in read_json(folder / "params.json").items()
        for key, value in (block.items() if isinstance(block, dict) else [(stage, block)])
    }
    files = [project.root / "dvc.lock", folder / "manifest.json", project.contract(name)]
    return RunView(
        name=f"{name} {family} {digest[:8]}",
        digest=digest,
        params={"family": family, **params},
        metrics=_metrics(evaluation),
        curves={
            "train_loss": [(row.epoch, row.train_loss) for row in curve],
            "val_loss": [(row.epoch, row.val_loss) for row in curve],
        },
        tags=facts,
        inputs={f"{name}/raw": facts["raw"]},
        files=[path for path in files if path.exists()],
    )


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for family, figures in evaluation.families.items():
        metrics |= {f"val.{family}.{metric}": value for metric, value in figures.val.items()}
        metrics |= {f"test.{family}.{metric}": interval.value for metric, interval in figures.test.items()}
        if figures.lift_10 is not None:
            metrics[f"test.{family}.lift_10"] = figures.lift_10
    return metrics
