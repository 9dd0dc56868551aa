"""Fitted models: calibrated on val and written as bundles, with rows by which a copy can prove itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.config.baseline import BaselineParams
from perennial.config.train import TrainParams
from perennial.contract.serving import ServingView
from perennial.data.prepare.parts import LabelledRows
from perennial.models.encoding.encode import Encoded, Encoding
from perennial.models.model import Model, Remembering
from perennial.results.families import Family
from perennial.results.train import FitHistory, FittedFamily
from perennial.scoring.bundle import Bundle, background_rows, save_bundle
from perennial.scoring.calibration import calibrate
from perennial.scoring.scorer import golden_rows
from perennial.tasks.losses import loss_of


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """What all models of a stage are fitted with; `split` is the split as a function."""

    train: LabelledRows
    val: LabelledRows
    x_val: Encoded
    encoding: Encoding
    params: BaselineParams | TrainParams
    split: dict[str, Any]  # split.json, with other keys for each kind

    def save(
        self, family: Family, model: Model, serving: ServingView, folder: Path, history: FitHistory | None = None
    ) -> FittedFamily:
        """Calibrate a model on val and write its bundle; without a `history` it is the one that the model remembers."""
        val, seed, link = self.val, self.params.seed, model.link(self.x_val)
        bundle = Bundle(
            family=family,
            model=model,
            encoding=self.encoding,
            serving=serving,
            calibration=calibrate(serving.head, link, val.y, val.arm),
            params=self.params.model_dump(mode="json"),
            split=self.split,
            background=background_rows(self.train.frame, serving, seed),
        )
        digest = save_bundle(bundle, folder, golden_rows(bundle, background_rows(val.frame, serving, seed)))
        val_loss = loss_of(serving.head).mean(link, val.y, val.arm)
        if history is None:
            history = model.history if isinstance(model, Remembering) else FitHistory()
        return FittedFamily(val_loss=val_loss, digest=digest, settings=history.settings, curve=history.curve)
