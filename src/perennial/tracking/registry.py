"""Model registry: versions, aliases and the chain of decisions. For these the registry is the truth."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from perennial.errors import IntegrityError, Refused
from perennial.files.manifest import verify
from perennial.results.decision import DecisionRecord, ModelReference
from perennial.results.families import Family
from perennial.scoring.scorer import Scorer
from perennial.tracking.mirror import BUNDLE, show_model_metrics
from perennial.tracking.store import Store

Alias = Literal["champion", "challenger"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered model version and the bundle it holds."""

    name: str
    number: str
    run_id: str
    digest: str
    family: Family | None
    source: str

    @property
    def reference(self) -> ModelReference:
        return ModelReference(version=self.number, digest=self.digest, family=self.family)


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What the registry shows of a model: rows and scores as examples, tags, metrics, and a description in Markdown."""

    example: pl.DataFrame
    outputs: Sequence[str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    description: str


def register_bundle(store: Store, name: str, run_id: str, bundle: Path, facts: ModelFacts) -> Version:
    """The version that holds `bundle`; steps that were done before are recognised by the bundle's digest, not repeated."""
    digest, client = verify(bundle), store.client
    _ensure_model(client, name)
    version = _find_version(client, name, digest)
    if version is None:
        model = _find_logged_model(client, run_id, digest) or _log_model(store, run_id, bundle, facts, digest)
        show_model_metrics(store, run_id, model.model_id, facts.metrics)
        with store.as_default():
            version = client.create_model_version(
                name,
                source=f"models:/{model.model_id}",
                run_id=run_id,
                model_id=model.model_id,
                tags={BUNDLE: digest, **facts.tags},
                description=facts.description,
            )
    return _to_version(version)


def find_champion(store: Store, name: str) -> Version | None:
    return find_by_alias(store, name, "champion")


def find_by_alias(store: Store, name: str, alias: Alias) -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        return _to_version(store.client.get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def get_version(store: Store, name: str, number: str) -> Version:
    """Raises: Refused when there is no such version."""
    from mlflow.exceptions import MlflowException

    try:
        return _to_version(store.client.get_model_version(name, number))
    except MlflowException as error:
        raise Refused(f"{name} has no version {number}: `perennial history {name}` lists them") from error


def get_description(store: Store, version: Version) -> str:
    return str(store.client.get_model_version(version.name, version.number).description or "")


def set_description(store: Store, version: Version, markdown: str) -> None:
    store.client.update_model_version(version.name, version.number, description=markdown)


def set_alias(store: Store, name: str, alias: Alias, number: str) -> None:
    store.client.set_registered_model_alias(name, alias, number)


def set_champion(store: Store, name: str, number: str) -> None:
    """Make a version the champion; as the last act it stops being the challenger."""
    set_alias(store, name, "champion", number)
    challenger = find_by_alias(store, name, "challenger")
    if challenger is not None and challenger.number == number:
        store.client.delete_registered_model_alias(name, "challenger")


def download_bundle(store: Store, version: Version, into: Path) -> Path:
    """The version's bundle as a local folder, checked against the digest it was registered with.

    Raises: IntegrityError when the files are not those that were registered, or are gone.
    """
    import mlflow

    label = f"{version.name} version {version.number}"
    advice = "restore the artifact store, or delete this version and register the bundle again"
    try:
        with store.as_default():
            folder = Path(mlflow.artifacts.download_artifacts(version.source, dst_path=str(into)))
    except (OSError, mlflow.exceptions.MlflowException) as error:
        raise IntegrityError(f"the files of {label} cannot be read ({error}): {advice}") from error
    bundle = next((path.parent for path in sorted(folder.rglob("bundle.json"))), None)
    if bundle is None:
        raise IntegrityError(f"the files of {label} are gone: {advice}")
    if verify(bundle) != version.digest:
        raise IntegrityError(f"{label}: the files are not those that were registered: {advice}")
    return bundle


def load_scorer(store: Store, version: Version) -> Scorer:
    """The version's scorer, once its golden rows score here as they did where it was trained.

    Raises: IntegrityError as `download_bundle`, or when a golden row scores differently.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle = download_bundle(store, version, Path(folder))
        scorer = Scorer.load(bundle)
        scorer.prove(bundle)
    return scorer


def read_decisions(store: Store, name: str) -> list[DecisionRecord]:
    """All decision records, the oldest first, each checked to name the digest of the one before.

    Raises: IntegrityError when the chain is broken.
    """
    from mlflow.exceptions import MlflowException

    try:
        tags = store.client.get_registered_model(name).tags
    except MlflowException:
        return []
    texts = [tags[key] for key in sorted(key for key in tags if key.startswith("decision."))]
    previous = ""
    for text in texts:
        if json.loads(text)["previous"] != previous:
            raise IntegrityError(f"{name}: decision {json.loads(text)['number']} does not follow from the one before it")
        previous = _sha256(text)
    return [DecisionRecord.model_validate_json(text) for text in texts]


def append_decision(store: Store, name: str, record: DecisionRecord) -> DecisionRecord:
    """Write a record after the last one, with that one's digest. The caller holds the use case's decision lock."""
    earlier = read_decisions(store, name)
    previous = _sha256(_to_text(earlier[-1])) if earlier else ""
    chained = record.model_copy(update={"number": len(earlier) + 1, "previous": previous})
    _ensure_model(store.client, name)
    store.client.set_registered_model_tag(name, f"decision.{chained.number:06d}", _to_text(chained))
    return chained


def _to_text(record: DecisionRecord) -> str:
    return json.dumps(record.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# MLflow has no type hints here: its client, versions and models are Any.
def _ensure_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find_version(client: Any, name: str, digest: str) -> Any | None:
    versions = client.search_model_versions(f"name = '{name}'")
    return next((v for v in versions if v.tags.get(BUNDLE) == digest and v.status == "READY"), None)


def _find_logged_model(client: Any, run_id: str, digest: str) -> Any | None:
    """A model that was logged before the run was killed; it is used, so that no orphan is left beside a second one."""
    experiment = client.get_run(run_id).info.experiment_id
    models = client.search_logged_models([experiment], filter_string=f"tags.`{BUNDLE}` = '{digest}'")
    return next((model for model in models if str(model.status).endswith("READY")), None)


def _log_model(store: Store, run_id: str, bundle: Path, facts: ModelFacts, digest: str) -> Any:
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings(), store.as_default(), mlflow.start_run(run_id=run_id):
        warnings.simplefilter("ignore")  # MLflow warns of missing type hints and integer columns, both on purpose
        return mlflow.pyfunc.log_model(
            name="model",
            loader_module="perennial.tracking.pyfunc",
            data_path=str(bundle),
            tags={BUNDLE: digest},
            signature=_describe_scores(facts.outputs),
            input_example=facts.example.to_pandas(),
            pip_requirements=["perennial-ml"],
        )


def _describe_scores(outputs: Sequence[str]) -> Any:
    """The scores only: given types of columns, MLflow would refuse 3 where 3.0 stood in training. The model itself says what is
    wrong with its columns, and the card lists them.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    return ModelSignature(outputs=Schema([ColSpec(DataType.double, name) for name in outputs]))


def _to_version(version: Any) -> Version:
    return Version(
        name=version.name,
        number=str(version.version),
        run_id=version.run_id or "",
        digest=version.tags.get(BUNDLE, ""),
        family=version.tags.get("family"),
        source=version.source,
    )
