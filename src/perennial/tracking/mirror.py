"""Mirror of results in MLflow: one run shows what training and evaluation left on disk, keyed by the bundle's digest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.tracking.store import Store

BUNDLE = "perennial.bundle"
_CHUNK = 900  # metrics a batch; the API takes 1,000


@dataclass(frozen=True, kw_only=True)
class RunView:
    """Everything that a run shows; `curves` maps a metric to its (step, value) pairs."""

    name: str
    digest: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    curves: Mapping[str, Sequence[tuple[int, float]]]
    tags: Mapping[str, str]
    inputs: Mapping[str, str]  # data set → digest
    files: Sequence[Path] = field(default_factory=tuple)


def mirror_run(store: Store, use_case: str, view: RunView) -> str:
    """The id of the run that shows `view`; a finished run is left alone."""
    client, experiment = store.client, store.experiment(use_case)
    runs = client.search_runs([experiment], f"tags.`{BUNDLE}` = '{view.digest}'", max_results=1)
    run = runs[0] if runs else client.create_run(experiment, run_name=view.name, tags={BUNDLE: view.digest})
    run_id = str(run.info.run_id)
    if run.info.status != "FINISHED":
        _log_view(client, run_id, view)
        client.set_terminated(run_id, "FINISHED")
    return run_id


def attach_file(store: Store, run_id: str, path: Path) -> None:
    """Show a file under the run."""
    store.client.log_artifact(run_id, str(path))


def _log_view(client: Any, run_id: str, view: RunView) -> None:  # MLflow's client has no type hints
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

    params = [Param(key, value[:6000]) for key, value in view.params.items()]
    tags = [RunTag(key, value[:5000]) for key, value in view.tags.items()]
    metrics = [Metric(key, value, 0, 0) for key, value in view.metrics.items()]
    metrics += [Metric(key, value, 0, step) for key, points in view.curves.items() for step, value in points]
    client.log_batch(run_id, params=params, tags=tags)
    for start in range(0, len(metrics), _CHUNK):
        client.log_batch(run_id, metrics=metrics[start : start + _CHUNK])
    inputs = [
        DatasetInput(
            Dataset(name=name, digest=digest[:36], source_type="dvc", source=json.dumps({"digest": digest})),
            [InputTag("mlflow.data.context", "training")],
        )
        for name, digest in view.inputs.items()
    ]
    client.log_inputs(run_id, datasets=inputs)
    for path in view.files:
        client.log_artifact(run_id, str(path))
