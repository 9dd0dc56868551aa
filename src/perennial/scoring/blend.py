"""The blend of the deep model and its best traditional rival: their mean on the link scale, calibrated anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.errors import ConfigError
from perennial.models.families import BlendModel
from perennial.scoring.bundle import Bundle
from perennial.scoring.calibration import calibrate

F64 = NDArray[np.float64]


def blend_bundles(partner: Bundle, deep: Bundle, val: pl.DataFrame, y: F64, arm: NDArray[np.int64]) -> Bundle:
    """The bundle of the mean of two fitted models, calibrated on val (outcomes and arms (n,)).

    Raises: ConfigError when the two were fitted on other encodings.
    """
    if partner.encoding != deep.encoding:
        raise ConfigError("train and baseline encode columns otherwise, so they cannot be blended: give both one seed")
    model = BlendModel(members={partner.family: partner.model, "deep": deep.model})
    link = model.link(deep.encoding.encode(val))
    return replace(
        deep,
        family="blend",
        model=model,
        calibration=calibrate(deep.serving.head, link, y, arm),
        params={"train": deep.params, "baseline": partner.params},
    )
