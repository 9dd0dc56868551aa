"""Scored list: what to do with the rows of the file that was scored last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from perennial.charts import numbers as n
from perennial.report.context import AnyReport
from perennial.report.page import Row


@dataclass(frozen=True)
class ListView:
    """What list.html.j2 shows."""

    report: AnyReport

    @property
    def file(self) -> str:
        """The name of the list: a page says no path of a machine."""
        return PurePath(self.report.scored.output).name if self.report.scored else ""

    def action_rows(self) -> list[Row]:
        """Each action with its reason, the rows it is for, and the profit that is expected of them if it is done."""
        scored = self.report.scored
        assert scored is not None, "the template asks for a list first"
        rows: list[Row] = []
        for each in scored.actions:
            profit = [] if each.expected_profit is None else [self.report.money(each.expected_profit)]
            rows.append((n.capital(each.action), n.capital(each.reason), n.count(each.n), *profit))
        return rows
