"""Choice of segments: as many as models of split halves of the customers agree on by val, and their names."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from perennial.config.baseline import SegmentParams
from perennial.contract.model import Contract
from perennial.contract.serving import ServingView, build_serving_view, find_rfm_features
from perennial.contract.tasks import Clustering
from perennial.errors import ConfigError
from perennial.evaluation.decisions.naming import Trait
from perennial.evaluation.decisions.segments import choose_k, measure_agreement
from perennial.models.model import FitTask
from perennial.models.traditional.kmeans import KMeansModel, fit_kmeans, name_segments, refit_kmeans, split_half_labels
from perennial.results.clustering import Agreement

log = logging.getLogger("perennial")


@dataclass(frozen=True, kw_only=True)
class SegmentChoice:
    """The fitted segments, the serving view with their names, and how far halves agree on each number of them."""

    model: KMeansModel
    serving: ServingView
    agreement: dict[int, Agreement]


def choose_segments(fit: FitTask, contract: Contract) -> SegmentChoice:
    """Raises: ConfigError when the params have no `baseline.segments`."""
    if fit.params.segments is None:
        raise ConfigError("baseline.segments is missing: a clustering task needs it, see the gallery")
    assert isinstance(contract.task, Clustering)
    by_k = _compare_halves(fit, contract.task, fit.params.segments)
    serving = build_serving_view(contract)
    model = _fit_segments(fit, contract, serving, by_k, contract.task.min_stability)
    head = serving.head.model_copy(update={"outputs": model.names})
    return SegmentChoice(model=model, serving=serving.model_copy(update={"head": head}), agreement=by_k)


def _compare_halves(fit: FitTask, task: Clustering, params: SegmentParams) -> dict[int, Agreement]:
    by_k: dict[int, Agreement] = {}
    for k in range(task.k[0], task.k[1] + 1):
        pairs = split_half_labels(
            fit.train.x, fit.val.x, fit.encoding, k, pairs=params.choosing, starts=params.starts, seed=fit.params.seed
        )
        by_k[k] = measure_agreement(pairs)
        log.info("%d segments: halves agree by %.3f, at least %.3f", k, by_k[k].index.value, by_k[k].index.low)
    return by_k


def _fit_segments(
    fit: FitTask, contract: Contract, serving: ServingView, by_k: dict[int, Agreement], min_stability: float
) -> KMeansModel:
    params = fit.params.segments
    assert params is not None
    if params.previous is not None:
        return refit_kmeans(fit.train.x, fit.encoding, params.previous)
    labels = {feature.name: feature.label for feature in serving.features}
    meanings = find_rfm_features(contract)
    traits = [Trait(label=labels[name], meaning=meanings.get(name, "")) for name in fit.encoding.numeric]
    k = choose_k(by_k, min_stability)
    return name_segments(
        fit_kmeans(fit.train.x, fit.encoding, k, starts=params.starts, seed=fit.params.seed), fit.train.x, traits
    )
