"""Evidence: all families on the same rows, what other splits would have shown, and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_training
from perennial.contract.serving import build_head, feature_columns
from perennial.report.context import FAMILY_NAMES, AnyReport
from perennial.report.matrix import HeatCell, HeatRow, Shade
from perennial.report.page import Estimate, Row
from perennial.results.baseline import SplitSensitivity
from perennial.results.families import FAMILIES, Family
from perennial.results.figures import Interval
from perennial.results.train import FittedFamily, StepLoss

_SPLITS = {"random": "At random", "entity": "By customer", "time": "By time", "given": "As given", "file": "In file order"}
Metric = tuple[str, str, n.Format]  # its key, its name, and how it is printed


@dataclass(frozen=True)
class OtherSplits:
    """What other splits and suspect columns would have shown, beside the cell that is reported."""

    table: SplitSensitivity
    reported: Interval

    @property
    def columns(self) -> list[str]:
        return ["As reported" if not column else f"With {', '.join(column)}" for column in self.table.columns]

    @property
    def farthest(self) -> tuple[str, Sequence[str], float] | None:
        """The split, the added columns and the figure of the cell that differs most, of those whose interval says so."""
        others = [
            (abs(cell.value - self.reported.value), _SPLITS[split], column, cell.value)
            for split, cells in zip(self.table.rows, self.table.cells, strict=True)
            for column, cell in zip(self.table.columns, cells, strict=True)
            if cell is not None and not self._reaches(cell)
        ]
        return max(others, key=lambda other: other[0])[1:] if others else None

    def rows(self) -> list[HeatRow]:
        at = self.table.reported
        return [
            HeatRow(
                name=_SPLITS[split],
                note="used in this report" if at is not None and i == at[0] else "",
                cells=tuple(self._build_cell(cell, is_reported=(i, j) == at) for j, cell in enumerate(cells)),
            )
            for i, (split, cells) in enumerate(zip(self.table.rows, self.table.cells, strict=True))
        ]

    def _reaches(self, cell: Interval) -> bool:
        return cell.low <= self.reported.value <= cell.high

    def _build_cell(self, cell: Interval | None, *, is_reported: bool) -> HeatCell:
        if cell is None:
            return HeatCell(value="too few of an outcome", shade="impossible")
        gap = cell.value - self.reported.value
        shade: Shade = "flatters" if (gap < 0) == (self.table.metric in n.LOWER_IS_BETTER) else "worse"
        if self._reaches(cell):
            shade = "reported" if is_reported else "plain"
        note = "what is reported" if is_reported else n.difference(gap)
        return HeatCell(value=n.decimal(cell.value), interval=n.bracket(cell, n.decimal), note=note, shade=shade)


@dataclass(frozen=True)
class EvidenceView:
    """What evidence.html.j2 shows."""

    report: AnyReport

    @property
    def _families(self) -> list[Family]:
        return [family for family in FAMILY_NAMES if family in self.report.evaluation.families]

    @property
    def chosen_row(self) -> int:
        return self._families.index(self.report.evaluation.candidate.family)

    def metrics(self, *keys: str) -> list[Metric]:
        """The primary one first, then those of the given ones that were measured."""
        primary, measured = self.report.contract.task.primary, self.report.evaluation.chosen.test
        others = [key for key in keys if key != primary and key in measured]
        return [(key, n.METRIC_NAMES[key], n.decimal) for key in (primary, *others)]

    def family_rows(self, metrics: Sequence[Metric]) -> list[Row]:
        """All families, the simplest first, on the same test rows."""
        evaluation = self.report.evaluation
        return [
            (
                FAMILY_NAMES[family] + (" (chosen)" if family == evaluation.candidate.family else ""),
                *(Estimate.of(evaluation.families[family].test[key], show) for key, _, show in metrics),
            )
            for family in self._families
        ]

    @property
    def rival(self) -> tuple[Family, Interval] | None:
        """The other family that does best on test, and by how much, paired with the chosen one."""
        others = self.report.evaluation.over_candidate
        return max(others.items(), key=lambda pair: pair[1].value) if others else None

    @property
    def chosen_phrase(self) -> str:
        return FAMILIES[self.report.evaluation.candidate.family].phrase

    @property
    def training_time(self) -> str:
        """How long it took, where this machine did it; empty elsewhere."""
        seconds = self.report.training_s
        return "" if seconds is None else f"Fitting the families of its stage took {seconds:.0f} CPU seconds here."

    def param_rows(self) -> list[Row]:
        """The params that the chosen family was fitted with, and what the fit chose by val."""
        return list(self.report.params.items())

    def feature_rows(self) -> list[Row]:
        """Each column that a model may read, its type, and its share of what moves scores, the weightiest first."""
        shares = {column.column: column.share for column in self.report.explain.importance}
        rows = [(c.label, c.name, c.kind, shares.get(c.name)) for c in feature_columns(self.report.contract)]
        rows.sort(key=lambda row: -(row[3] or 0.0))
        return [(label, name, kind, "not read" if share is None else n.share(share)) for label, name, kind, share in rows]

    @property
    def splits(self) -> OtherSplits | None:
        """None where nothing else is possible."""
        table = self.report.baseline.split_sensitivity
        return None if table is None or table.reported_cell is None else OtherSplits(table, table.reported_cell)

    @property
    def has_log_loss(self) -> bool:
        head = build_head(self.report.contract)
        return not head.amounts and head.task != "regression"

    @property
    def training_curve(self) -> tuple[StepLoss, ...]:
        """The losses of the chosen family by step; none for one that is not fitted step by step."""
        return self._chosen_fit.curve if self._chosen_fit else ()

    @property
    def best_step(self) -> int:
        return self._chosen_fit.best_step if self._chosen_fit else 0

    @property
    def step_word(self) -> str:
        return "pass" if self.report.evaluation.candidate.family == "deep" else "round"

    def draw_training(self, *, label: str) -> Markup:
        curve, word = self.training_curve, self.step_word
        steps, flag = [row.step for row in curve], Flag(at=self.best_step, text=(f"best: {word} {self.best_step}",))
        curves = [
            Curve(name="validation", x=steps, y=[row.val_loss for row in curve], tone="orange", flag=flag),
            Curve(name="training", x=steps, y=[row.train_loss for row in curve], tone="grey"),
        ]
        axis = "Pass over the training data" if word == "pass" else "Round of boosting"
        return plot_training(curves, n.decimal, label=label, axis=axis)

    @property
    def _chosen_fit(self) -> FittedFamily | None:
        fitted = {**self.report.baseline.families, **self.report.train.families}
        return fitted.get(self.report.evaluation.candidate.family)
