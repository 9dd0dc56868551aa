"""Figure tables: the curves of an evaluation as flat files beside its output, for `dvc plots` and MLflow's tables.

Every use case writes every file, with its header alone where a task has no such figure: dvc.yaml names one list for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METRICS_FILE = "evaluate.json"


@dataclass(frozen=True, kw_only=True)
class FigureTable:
    """The columns of a table, which of them are drawn, and by which template of .dvc/plots."""

    title: str
    columns: tuple[str, ...]
    x: str
    y: str
    template: str
    x_label: str
    y_label: str


_BAND = ("low", "high")
FIGURE_TABLES: Mapping[str, FigureTable] = {
    "loss": FigureTable(
        title="Loss by pass or round (solid: val, faint: train)",
        columns=("family", "step", "val_loss", "train_loss"),
        x="step",
        y="val_loss",
        template="loss",
        x_label="pass over the training data, or round of boosting",
        y_label="loss",
    ),
    "calibration": FigureTable(
        title="Calibration of the candidate on test (95 % intervals)",
        columns=("predicted", "observed", *_BAND, "n"),
        x="predicted",
        y="observed",
        template="calibration",
        x_label="predicted probability",
        y_label="observed share",
    ),
    "gains": FigureTable(
        title="Gains of the candidate on test (95 % band)",
        columns=("share", "found", *_BAND),
        x="share",
        y="found",
        template="band",
        x_label="share of customers, best first",
        y_label="share of all events among them",
    ),
    "roc": FigureTable(
        title="ROC of the candidate on test",
        columns=("false_positive_rate", "true_positive_rate"),
        x="false_positive_rate",
        y="true_positive_rate",
        template="line",
        x_label="false positive rate",
        y_label="true positive rate",
    ),
    "precision_recall": FigureTable(
        title="Precision and recall of the candidate on test",
        columns=("recall", "precision"),
        x="recall",
        y="precision",
        template="line",
        x_label="recall",
        y_label="precision",
    ),
    "profit": FigureTable(
        title="Profit of the candidate on test by depth (95 % band)",
        columns=("share", "profit", *_BAND),
        x="share",
        y="profit",
        template="band",
        x_label="share of customers, best first",
        y_label="profit in the contract's currency",
    ),
    "confusion": FigureTable(
        title="Confusion on test, at the threshold that is used",
        columns=("actual", "predicted", "n"),
        x="predicted",
        y="actual",
        template="counts",
        x_label="predicted",
        y_label="actual",
    ),
}
