"""Verdict: the rules that decided, each against its line, and deep compared with traditional."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, plot_against_line, plot_intervals
from perennial.report.context import AnyReport
from perennial.report.page import Estimate
from perennial.results.decision import Rule, RuleName, RuleState
from perennial.results.evaluation import PairedDifference
from perennial.results.families import FAMILIES

_DIFFERENCES = {
    "auc": "ranking quality (AUC)",
    "ap": "ranking quality (AP)",
    "log_loss": "log loss",
    "gini_norm": "ranking quality (Gini)",
    "accuracy": "accuracy",
    "macro_f1": "mean F1",
    "mae": "mean absolute error",
}


@dataclass(frozen=True)
class VerdictView:
    """What every page shows of the decision."""

    report: AnyReport

    @property
    def deep(self) -> PairedDifference:
        """Deep against the best traditional family; every task with an outcome has a deep one."""
        assert self.report.evaluation.deep_minus_traditional is not None
        return self.report.evaluation.deep_minus_traditional

    @property
    def best_traditional(self) -> str:
        return FAMILIES[self.deep.traditional].phrase

    @property
    def difference_name(self) -> str:
        return _DIFFERENCES.get(self.deep.metric, n.METRIC_NAMES[self.deep.metric])

    def draw_differences(self, *, label: str) -> Markup:
        """Deep − traditional, and the rule that decided, as intervals of one difference."""
        rows = [
            Row(name="New − champion, 99\u202f%", interval=rule.interval, standing="deciding")
            for rule in self.report.decision.rules
            if rule.name == RuleName.IMPROVEMENT and rule.interval
        ]
        rows.append(Row(name="Deep − traditional, 95\u202f%", interval=self.deep.gain, standing="reference"))
        return plot_intervals(rows, Line(at=0, name="no difference"), n.difference, label=label)

    def format_rule(self, rule: Rule) -> Estimate:
        """The figure of a rule that has one."""
        assert rule.interval is not None
        return Estimate.of(rule.interval, self._choose_scale(rule)[0])

    def draw_rule(self, rule: Rule, *, label: str) -> Markup:
        """The interval of a rule against its line."""
        assert rule.interval is not None
        falls = rule.name == RuleName.MINIMUM and self.report.contract.task.primary in n.LOWER_IS_BETTER
        return plot_against_line(
            rule.interval,
            self._choose_scale(rule)[1],
            label=label,
            standing="reference" if rule.state == RuleState.INFO else "deciding",
            better="below" if falls else "above",
        )

    def _choose_scale(self, rule: Rule) -> tuple[n.Format, Line]:
        """How the figure of a rule is printed, and the line that it must pass."""
        at = rule.line or 0.0
        match rule.name:
            case RuleName.PROFIT:
                return self.report.money_difference, Line(at=at, name="same profit")
            case RuleName.MINIMUM:
                return n.decimal, Line(at=at, name=f"minimum {at:g}")
            case RuleName.STABILITY:
                return n.decimal, Line(at=at, name=f"{at:g} needed")
            case RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
                return n.share, Line(at=at, name=f"{at:g} needed")
            case _:
                return n.difference, Line(at=at, name="no difference")
