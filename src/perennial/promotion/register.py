"""Registration: mirror results into MLflow and register the candidate's bundle; idempotent by its digest."""

from __future__ import annotations

import logging

from perennial.files.project import Project
from perennial.promotion.run_views import FlowRun, PipelineViews, bundle_folder
from perennial.results.receipt import Registration
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.mirror import find_pipeline_address, mirror_pipeline
from perennial.tracking.store import open_store

log = logging.getLogger("perennial")


def register(project: Project, name: str, flow_run: FlowRun | None = None) -> Registration:
    """The run and version of the candidate; the alias challenger points to it."""
    views, store = PipelineViews(project=project, name=name, flow_run=flow_run), open_store(project)
    family = views.evaluation.candidate.family
    families = [views.view_family(each) for each in views.families]
    runs = dict(zip(views.families, mirror_pipeline(store, name, views.view_pipeline(), families), strict=True))
    folder = bundle_folder(project, name, family)
    scorer = Scorer.load(folder)
    example = scorer.bundle.background.head(3)
    version = registry.register_bundle(
        store,
        name,
        runs[family],
        folder,
        registry.ModelFacts(
            example=example,
            outputs=scorer.outputs,
            tags={"family": family, **{key: views.lineage[key] for key in ("commit", "changed", "code", "raw", "cpu")}},
            metrics=views.measure(family),
            description=views.write_card(find_pipeline_address(store, runs[family])),
        ),
    )
    champion = registry.find_champion(store, name)
    if champion is None or champion.number != version.number:
        registry.set_alias(store, name, "challenger", version.number)
    log.info("%s version %s holds the %s family (%s)", name, version.number, family, version.digest[:12])
    return Registration(run_id=runs[family], version=version.number, family=family, digest=version.digest)
