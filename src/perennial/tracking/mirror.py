"""Mirror of results in MLflow: a run for the pipeline and, under it, one for each family, as stages left them on disk.

Each is keyed by the digest of what it shows, so that it is logged once however often it is asked for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.tracking.store import Store

BUNDLE = "perennial.bundle"
PIPELINE = "perennial.pipeline"
PARENT = "mlflow.parentRunId"
DESCRIPTION = "mlflow.note.content"
_TABLES = "mlflow.loggedArtifacts"
_IMAGES = "perennial.images"
_CHUNK = 900  # metrics a batch; the API takes 1,000

TableRows = Sequence[Mapping[str, float | str]]


@dataclass(frozen=True, kw_only=True)
class DatasetView:
    """A data set that a run read: its DVC digest, where it lies, its columns with MLflow's types, and its use."""

    name: str
    digest: str
    context: str
    source: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunView:
    """Everything that a run shows; `curves` maps a metric to its (step, value) pairs."""

    name: str
    digest: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[DatasetView] = ()
    tables: Mapping[str, TableRows] = field(default_factory=dict)
    files: Sequence[Path] = ()


def mirror_pipeline(store: Store, use_case: str, pipeline: RunView, families: Sequence[RunView]) -> list[str]:
    """The ids of the runs that show the families, in their order, below the run of the pipeline, which ends last.

    A finished run is left alone.
    """
    client, experiment = store.client, store.experiment(use_case)
    parent = _find_or_create_run(client, experiment, pipeline, {PIPELINE: pipeline.digest})
    children = []
    for view in families:
        child = _find_or_create_run(client, experiment, view, {BUNDLE: view.digest, PARENT: parent.info.run_id})
        _complete_run(store, child, view)
        children.append(str(child.info.run_id))
    _complete_run(store, parent, pipeline)
    return children


def find_pipeline_run(store: Store, run_id: str) -> str:
    """The run of the pipeline that a family's run belongs to; runs of earlier versions of this package stand alone."""
    return str(store.client.get_run(run_id).data.tags.get(PARENT, run_id))


def find_pipeline_address(store: Store, run_id: str) -> str:
    """Where MLflow's own pages show the pipeline's run, as a link on another of them."""
    parent = find_pipeline_run(store, run_id)
    return f"#/experiments/{store.client.get_run(parent).info.experiment_id}/runs/{parent}"


def attach_file(store: Store, run_id: str, path: Path, folder: str | None = None) -> None:
    """Show a file under the run, in place of one of its name."""
    store.client.log_artifact(run_id, str(path), folder)


def describe_run(store: Store, run_id: str, markdown: str, tags: Mapping[str, str] | None = None) -> None:
    """Set the description of a run, and more of its tags."""
    for key, value in {DESCRIPTION: markdown, **(tags or {})}.items():
        store.client.set_tag(run_id, key, value)


def show_images(store: Store, run_id: str, pictures: Mapping[str, bytes], step: int) -> None:
    """Show PNGs by name in the run's image grid, at a step; once."""
    from PIL import Image

    client = store.client
    if client.get_run(run_id).data.tags.get(_IMAGES) == str(step):
        return
    for name, png in pictures.items():
        client.log_image(run_id, Image.open(io.BytesIO(png)), key=name, step=step)
    client.set_tag(run_id, _IMAGES, str(step))


def show_table(store: Store, run_id: str, name: str, rows: TableRows) -> None:
    """Show rows of one shape as a table that nobody can edit, in place of one of its name; nothing where there are none.

    The same as MLflow's `log_table` writes, and its `load_table` reads; but that one appends to a table which is there.
    """
    if not rows:
        return
    client, columns = store.client, list(rows[0])
    client.log_dict(run_id, {"columns": columns, "data": [[row[column] for column in columns] for row in rows]}, name)
    shown = json.loads(client.get_run(run_id).data.tags.get(_TABLES, "[]"))
    entry = {"path": name, "type": "table"}
    if entry not in shown:
        client.set_tag(run_id, _TABLES, json.dumps([*shown, entry]))


def show_model_metrics(store: Store, run_id: str, model_id: str, metrics: Mapping[str, float]) -> None:
    """Log the metrics of a run for its model too, by which the models of an experiment are compared."""
    from mlflow.entities import Metric

    store.client.log_batch(run_id, metrics=[Metric(key, value, 0, 0, model_id=model_id) for key, value in metrics.items()])


# MLflow's client has no type hints, so it and its entities are Any.
def _find_or_create_run(client: Any, experiment: str, view: RunView, key: Mapping[str, str]) -> Any:
    match = " and ".join(f"tags.`{tag}` = '{value}'" for tag, value in key.items())
    runs = client.search_runs([experiment], match, max_results=1)
    return runs[0] if runs else client.create_run(experiment, run_name=view.name, tags=dict(key))


def _complete_run(store: Store, run: Any, view: RunView) -> None:
    if run.info.status != "FINISHED":
        client, run_id = store.client, run.info.run_id
        _log_view(client, run_id, view)
        for name, rows in view.tables.items():
            show_table(store, run_id, name, rows)
        client.set_terminated(run_id, "FINISHED")


def _log_view(client: Any, run_id: str, view: RunView) -> None:
    from mlflow.entities import Metric, Param, RunTag

    params = [Param(key, value[:6000]) for key, value in view.params.items()]
    tags = [RunTag(key, value[:5000]) for key, value in view.tags.items()]
    metrics = [Metric(key, value, 0, 0) for key, value in view.metrics.items()]
    metrics += [Metric(key, value, 0, step) for key, points in view.curves.items() for step, value in points]
    client.log_batch(run_id, params=params, tags=tags)
    for start in range(0, len(metrics), _CHUNK):
        client.log_batch(run_id, metrics=metrics[start : start + _CHUNK])
    client.log_inputs(run_id, datasets=[_to_input(view) for view in view.datasets])
    for path in view.files:
        client.log_artifact(run_id, str(path))


def _to_input(view: DatasetView) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"type": kind, "name": name, "required": False} for name, kind in view.columns.items()]
    dataset = Dataset(
        name=view.name,
        digest=view.digest[:36],
        source_type="dvc",
        source=json.dumps(dict(view.source)),
        schema=json.dumps({"mlflow_colspec": columns}) if columns else None,
        profile=None if view.rows is None else json.dumps({"num_rows": view.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", view.context)])
