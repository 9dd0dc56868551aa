"""Baseline: the traditional families and their bundles.

Linear and boosted (of pictures: kernel); of a task without an outcome k-means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perennial.config.baseline import BaselineParams, SegmentParams
from perennial.contract.serving import ServingView, build_serving_view, find_rfm_features
from perennial.contract.tasks import Clustering
from perennial.data.prepare.parts import LabelledRows, select_part
from perennial.errors import ConfigError
from perennial.evaluation.decisions.naming import Trait
from perennial.evaluation.decisions.segments import FAMILY, agreement, choose_k
from perennial.files.durable import read_json
from perennial.files.tables import read_table
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.models.traditional.boosted import fit_boosted
from perennial.models.traditional.kernel import fit_kernel
from perennial.models.traditional.kmeans import KMeansModel, fit_kmeans, name_segments, refit_kmeans, split_half_labels
from perennial.models.traditional.linear import fit_linear
from perennial.results.baseline import BaselineSummary
from perennial.results.clustering import Agreement
from perennial.results.families import Family
from perennial.results.train import FittedFamily
from perennial.scoring.bundle import Bundle, background_rows, save
from perennial.scoring.calibration import calibrate
from perennial.scoring.model import Model
from perennial.scoring.scorer import golden_rows
from perennial.scoring.split_sensitivity import split_sensitivity
from perennial.stages.runner import Job, log, main
from perennial.tasks.losses import loss_of


def run(job: Job) -> BaselineSummary:
    """Raises: ConfigError when a clustering task has no `segments` among its params."""
    params, contract = job.params(BaselineParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    split = job.input("split")
    splits = read_table(split / "splits.parquet")
    train, val = (select_part(units, splits, name, contract) for name in ("train", "val"))
    serving = build_serving_view(contract)
    encoding, x_train = fit_encoding(train.frame, serving.features, train.y, params.seed)
    rows = _Rows(train=train, val=val, x_train=x_train, x_val=encoding.encode(val.frame))
    agreed: dict[int, Agreement] = {}
    sensitivity, previous = None, None
    if isinstance(contract.task, Clustering):
        serving, segments, agreed = _segments(
            rows, serving, encoding, contract.task, params, find_rfm_features(contract)
        )
        models: dict[Family, Model] = {FAMILY: segments}
        previous = segments.previous
    else:
        models = _predictors(rows, serving, encoding, params)
        if encoding.image is None:
            sensitivity = split_sensitivity(units, splits, contract, params)
    families = dict[Family, FittedFamily]()
    for family, model in models.items():
        link = model.link(rows.x_val)
        bundle = Bundle(
            family=family, model=model, encoding=encoding, serving=serving,
            calibration=calibrate(serving.head, link, val.y, val.arm),
            params=params.model_dump(mode="json"), split=read_json(split / "split.json"),
            background=background_rows(train.frame, serving, params.seed),
        )  # fmt: skip
        golden = golden_rows(bundle, background_rows(val.frame, serving, params.seed))
        digest = save(bundle, job.out / family, golden)
        families[family] = FittedFamily(val_loss=loss_of(serving.head).mean(link, val.y, val.arm), digest=digest)
        log.info("%s: val loss %.4f", family, families[family].val_loss)
    return BaselineSummary(families=families, split_sensitivity=sensitivity, agreement=agreed, previous=previous)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Train and val, as they are and encoded."""

    train: LabelledRows
    val: LabelledRows
    x_train: Encoded
    x_val: Encoded


def _predictors(rows: _Rows, serving: ServingView, encoding: Encoding, params: BaselineParams) -> dict[Family, Model]:
    head, train, val = serving.head, rows.train, rows.val

    def val_loss(model: Model) -> float:
        return loss_of(head).mean(model.link(rows.x_val), val.y, val.arm)

    models: dict[Family, Model] = {
        "linear": fit_linear(rows.x_train, train.y, train.arm, head, encoding, val_loss)
    }  # fmt: skip
    if encoding.image is None:
        both = (rows.x_train, train.y, train.arm), (rows.x_val, val.y, val.arm)
        models["boosted"] = fit_boosted(*both, head, encoding, params, val_loss)
    else:  # trees see no pictures
        models["kernel"] = fit_kernel(rows.x_train, train.y, train.arm, head, encoding, val_loss, params.seed)
    return models


def _segments(
    rows: _Rows, serving: ServingView, encoding: Encoding, task: Clustering, params: BaselineParams,
    meaning_of: dict[str, Any],
) -> tuple[ServingView, KMeansModel, dict[int, Agreement]]:  # fmt: skip
    """As many segments as halves of the customers agree on by val, the names that they got, and how far they agree."""
    if params.segments is None:
        raise ConfigError("baseline.segments is missing: a clustering task needs it, see the gallery")
    settings: SegmentParams = params.segments
    agreed = dict[int, Agreement]()
    for k in range(task.k[0], task.k[1] + 1):
        pairs = split_half_labels(
            rows.x_train, rows.x_val, encoding, k, pairs=settings.choosing, starts=settings.starts, seed=params.seed
        )  # fmt: skip
        agreed[k] = agreement(pairs)
        log.info("%d segments: halves agree by %.3f, at least %.3f", k, agreed[k].index.value, agreed[k].index.low)
    if settings.previous is not None:
        model = refit_kmeans(rows.x_train, encoding, settings.previous)
    else:
        labels = {feature.name: feature.label for feature in serving.features}
        traits = [Trait(label=labels[name], meaning=meaning_of.get(name, "")) for name in encoding.numeric]
        k = choose_k(agreed, task.min_stability)
        fitted = fit_kmeans(rows.x_train, encoding, k, starts=settings.starts, seed=params.seed)
        model = name_segments(fitted, rows.x_train, traits)
    head = serving.head.model_copy(update={"outputs": model.names})
    return serving.model_copy(update={"head": head}), model, agreed


if __name__ == "__main__":
    main("baseline", run)
