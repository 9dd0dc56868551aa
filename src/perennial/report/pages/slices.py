"""Customer groups: how well the model does for each, and how many respond compared with the prediction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, Standing, plot_intervals
from perennial.contract.model import Contract
from perennial.contract.serving import name_group
from perennial.results.figures import Interval


class Slice(Protocol):
    """The rows with one value of a column."""

    @property
    def column(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def n(self) -> int: ...


def name_slice(contract: Contract, column: str, value: str) -> str:
    """A customer group by the label of its column."""
    declared = contract.columns.get(column)
    return name_group((declared.label if declared else None) or column.replace("_", " "), value)


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """A figure of each group (name, rows, figure) against a line that all share; `of` names the rows."""

    groups: Sequence[tuple[str, int, Interval]]
    line: Line
    show: n.Format
    of: str = "rows"
    axis: str = ""
    standing: Standing = "reference"

    @classmethod
    def of_metric(
        cls, contract: Contract, slices: Iterable[tuple[Slice, Interval | None]], whole: Interval, axis: str
    ) -> GroupFigures | None:
        """A metric of each group that it could be measured of, against that of all rows; None where there is no group."""
        groups = [(name_slice(contract, row.column, row.value), row.n, figure) for row, figure in slices if figure is not None]
        return cls(groups=groups, line=Line(at=whole.value, name="all"), show=n.decimal, axis=axis) if groups else None

    @property
    def weakest(self) -> str:
        """The group that is measurably below the line; empty where none is."""
        weaker = [(figure.value, name) for name, _, figure in self.groups if figure.high < self.line.at]
        return min(weaker)[1] if weaker else ""

    @property
    def clear(self) -> list[str]:
        """The groups that differ measurably."""
        return [name for name, _, figure in self.groups if figure.low > self.line.at or figure.high < self.line.at]

    def draw(self, *, label: str) -> Markup:
        rows = [
            Row(name=n.capital(name), interval=figure, note=f"{n.count(count)} {self.of}", standing=self.standing)
            for name, count, figure in self.groups
        ]
        return plot_intervals(rows, self.line, self.show, label=label, axis=self.axis)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Customers with one value of a column: the share who respond, and the mean predicted probability."""

    name: str
    n: int
    observed: Interval
    predicted: float

    @property
    def is_off(self) -> bool:
        return not self.observed.low <= self.predicted <= self.observed.high


@dataclass(frozen=True)
class SharesByGroup:
    """The share of events in each group and its prediction, and the share of all."""

    groups: Sequence[Group]
    whole: float
    verb: str

    @property
    def standout(self) -> Group | None:
        """The group that differs most from all, of those that differ measurably."""
        clear = [group for group in self.groups if not group.observed.low <= self.whole <= group.observed.high]
        return max(clear, key=lambda group: abs(group.observed.value - self.whole), default=None)

    @property
    def count_off(self) -> int:
        return sum(group.is_off for group in self.groups)

    def draw(self, *, label: str) -> Markup:
        rows = [
            Row(
                name=n.capital(group.name),
                interval=group.observed,
                line=group.predicted,
                standing="reference",
                note=f"{n.count(group.n)} rows",
                text=f"{n.share(group.observed.value)}, predicted {n.share(group.predicted)}",
            )
            for group in self.groups
        ]
        return plot_intervals(rows, None, n.share, label=label, axis=f"Share of those who {self.verb}")
