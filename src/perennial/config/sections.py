"""All section models of a use case by their key in params.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.config.augment import AugmentParams
from perennial.config.base import ParamsSection
from perennial.config.baseline import BaselineParams
from perennial.config.evaluate import EvaluateParams
from perennial.config.explain import ExplainParams
from perennial.config.gate import GateParams
from perennial.config.train import TrainParams

SECTIONS: Mapping[str, type[ParamsSection]] = {
    "augment": AugmentParams,
    "train": TrainParams,
    "baseline": BaselineParams,
    "evaluate": EvaluateParams,
    "explain": ExplainParams,
    "gate": GateParams,
}
