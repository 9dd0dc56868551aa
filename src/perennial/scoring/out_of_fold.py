"""A fitted bundle and all labelled rows in, scores of each row by a model of its family that has not seen it out.

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
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.models.traditional.boosted import BoostedModel, fit_boosted
from perennial.models.traditional.linear import LinearModel, fit_linear
from perennial.scoring.bundle import Bundle
from perennial.scoring.calibration import calibrate
from perennial.scoring.model import Model
from perennial.scoring.scorer import Scorer
from perennial.tasks.losses import loss_of

F64 = NDArray[np.float64]
FOLDS = 5
_SALT = "out of fold"


def out_of_fold(bundle: Bundle, rows: LabelledRows, owner: pl.Series) -> F64:
    """Scores (n, outputs): of five folds, three fit, the next one chooses and calibrates, the last is scored, in turn.

    Rows of one `owner` (n,) are in one fold. The bundle is linear or boosted: those are fitted in seconds.
    """
    fold = assign_folds(owner, _SALT, FOLDS)
    scores = np.empty((len(rows), len(bundle.serving.head.outputs)))
    for f in range(FOLDS):
        is_held, is_val = fold == f, fold == (f + 1) % FOLDS
        refitted = _refitted(bundle, _only(rows, ~is_held & ~is_val), _only(rows, is_val))
        scores[is_held] = refitted.score(_only(rows, is_held).frame)
    return scores


def _refitted(bundle: Bundle, train: LabelledRows, val: LabelledRows) -> Scorer:
    """The same family on other rows: everything that is estimated is so again."""
    head, seed = bundle.serving.head, int(bundle.params["seed"])
    encoding, x_train = fit_encoding(train.frame, bundle.serving.features, train.y, seed)
    x_val = encoding.encode(val.frame)
    model = _model(bundle, (x_train, train), (x_val, val), encoding)
    calibration = calibrate(head, model.link(x_val), val.y, val.arm)
    return Scorer(bundle=replace(bundle, model=model, encoding=encoding, calibration=calibration))


def _model(
    bundle: Bundle, train: tuple[Encoded, LabelledRows], val: tuple[Encoded, LabelledRows], encoding: Encoding
) -> Model:
    """One setting of trees; of a linear model the design that the bundle has."""
    assert isinstance(bundle.model, LinearModel | BoostedModel)
    head, (x_val, held) = bundle.serving.head, val

    def val_loss(model: Model) -> float:
        return loss_of(head).mean(model.link(x_val), held.y, held.arm)

    both = [(x, part.y, part.arm) for x, part in (train, val)]
    if isinstance(bundle.model, BoostedModel):
        one = BaselineParams.model_validate(bundle.params).model_copy(update={"trials": 1})
        return fit_boosted(both[0], both[1], head, encoding, one, val_loss)
    return fit_linear(*both[0], head, encoding, val_loss, bundle.model.design)


def _only(rows: LabelledRows, mask: NDArray[np.bool_]) -> LabelledRows:
    return LabelledRows(
        frame=rows.frame.filter(pl.Series(mask)), y=rows.y[mask], arm=rows.arm[mask], weight=rows.weight[mask]
    )
