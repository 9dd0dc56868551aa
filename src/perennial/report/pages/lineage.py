"""Lineage: decisions so far, and what the model was made with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from perennial.charts.flows import TimelineEntry, plot_timeline
from perennial.charts.svg import Drawing
from perennial.report.context import AnyReport
from perennial.report.page import Row


@dataclass(frozen=True)
class LineageView:
    """What lineage.html.j2 shows."""

    report: AnyReport

    @property
    def _decisions(self) -> list[TimelineEntry]:
        return [
            TimelineEntry(
                version=f"v{record.version}",
                on=date.fromisoformat(record.at[:10]),
                verdict="PROMOTE" if record.verdict == "ROLLBACK" else record.verdict,
            )
            for record in self.report.history
        ]

    @property
    def count_promoted(self) -> int:
        return sum(decision.verdict == "PROMOTE" for decision in self._decisions)

    @property
    def packages(self) -> str:
        """Their names and versions."""
        start = "version."
        versions = {key.removeprefix(start): value for key, value in self.report.lineage.items() if key.startswith(start)}
        return ", ".join(f"{name} {version}" for name, version in versions.items())

    def draw_decisions(self, *, label: str) -> Drawing:
        return plot_timeline(self._decisions, date.fromisoformat(self.report.at[:10]), label=label)

    def decision_rows(self) -> list[Row]:
        return [(str(r.number), r.at, r.verdict, str(r.version), "; ".join(r.reasons)) for r in self.report.history]
