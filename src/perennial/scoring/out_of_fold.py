"""Out-of-fold scores: each row scored by a model of the same family that was not fitted on it.

A figure of one test split is as rough as that split is small; of five folds it is of all rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.baseline import BaselineParams
from perennial.data.prepare.parts import LabelledRows
from perennial.data.prepare.split import assign_folds
from perennial.models.families import fit_model
from perennial.models.model import FitTask
from perennial.scoring.bundle import Bundle
from perennial.scoring.calibration import calibrate
from perennial.scoring.scorer import Scorer

F64 = NDArray[np.float64]
FOLDS = 5
SALT = "out of fold"


def score_out_of_fold(bundle: Bundle, rows: LabelledRows, owner: pl.Series) -> F64:
    """Scores (n, outputs): of five folds, three fit, the next one chooses and calibrates, the last is scored, in turn.

    Rows of one `owner` (n,) are in one fold. The bundle is of a family with a quick fit.
    """
    fold = assign_folds(owner, SALT, FOLDS)
    scores = np.empty((len(rows), len(bundle.serving.head.outputs)))
    for f in range(FOLDS):
        is_left_out, is_val = fold == f, fold == (f + 1) % FOLDS
        refitted = _refit(bundle, _select(rows, ~is_left_out & ~is_val), _select(rows, is_val))
        scores[is_left_out] = refitted.score(_select(rows, is_left_out).frame)
    return scores


def _refit(bundle: Bundle, train: LabelledRows, val: LabelledRows) -> Scorer:
    """The same family on other rows: everything that is estimated is so again."""
    serving, params = bundle.serving, BaselineParams.model_validate(bundle.params)
    fit = FitTask.prepare(train, val, serving.features, serving.head, params, like=bundle.model)
    model = fit_model(bundle.family, fit)
    calibration = calibrate(serving.head, model.link(fit.val.x), val.y, val.arm)
    return Scorer(bundle=replace(bundle, model=model, encoding=fit.encoding, calibration=calibration))


def _select(rows: LabelledRows, mask: NDArray[np.bool_]) -> LabelledRows:
    return LabelledRows(frame=rows.frame.filter(pl.Series(mask)), y=rows.y[mask], arm=rows.arm[mask], weight=rows.weight[mask])
