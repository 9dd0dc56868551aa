"""Segments: which groups there are, how large they are, what their customers buy, and who moved."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import Row as IntervalRow
from perennial.charts.intervals import plot_intervals
from perennial.report.page import Estimate, Row
from perennial.report.pages.segment_cards import SegmentCard, build_card
from perennial.report.pages.stability import StabilityView
from perennial.results.clustering import SegmentMoves, SegmentProfile
from perennial.results.decision import RuleName

_NEEDS = {
    RuleName.STABILITY: "Halves agree",
    RuleName.LABEL_RETENTION: "Names retained",
    RuleName.SEGMENT_RETENTION: "Least retained segment",
}
_NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}


@dataclass(frozen=True)
class SegmentsView(StabilityView):
    """What segments.html.j2 shows."""

    def say(self, number: int) -> str:
        return _NUMBERS.get(number, str(number))

    def quote(self, word: str) -> list[str]:
        """Heads of columns, one a segment."""
        return [f"{word} “{one.name}”" for one in self.report.evaluation.segments]

    @property
    def top(self) -> SegmentProfile:
        """The segment that brings most money, or the largest where there is no money."""
        return max(self.report.evaluation.segments, key=lambda one: one.amount_share or one.share)

    @property
    def one_more(self) -> float | None:
        """The agreement of one segment more; None where that was not tried."""
        evaluation = self.report.evaluation
        return next((row.reported.index.value for row in evaluation.by_k if row.k == evaluation.k + 1), None)

    @property
    def has_money(self) -> bool:
        return all(one.amount_share is not None for one in self.report.evaluation.segments)

    @property
    def cards(self) -> list[SegmentCard]:
        return [build_card(self.report.contract, one, i) for i, one in enumerate(self.report.evaluation.segments)]

    def draw_needs(self, *, label: str) -> Markup:
        """Each need of the verdict as an interval against its own line."""
        measured = [(rule.name, rule.interval, rule.line) for rule in self.report.decision.rules if rule.interval is not None]
        if not measured:  # a version that was rolled back is not measured again
            index = self.report.evaluation.agreement(self.report.evaluation.k).reported.index
            measured = [(RuleName.STABILITY, index, self.report.contract.task.minimum)]
        rows = [
            IntervalRow(name=_NEEDS[name], interval=interval, line=line, note=f"{line:g} is needed", standing="deciding")
            for name, interval, line in measured
        ]
        return plot_intervals(rows, None, n.ratio, label=label)

    def size_rows(self) -> list[Row]:
        rows: list[Row] = []
        for one in self.report.evaluation.segments:
            mean = self.report.money((one.amount or 0.0) / max(one.n, 1))
            money = [n.share(one.amount_share or 0.0), mean] if self.has_money else []
            rows.append((one.name, n.count(one.n), n.share(one.share), *money, Estimate.of(one.stability, n.share)))
        return rows

    def purchase_rows(self) -> list[Row]:
        """What customers buy, beside what they are worth: two labels of each."""
        return [
            (
                "; ".join(item.item for item in one.items) or "a little of everything",
                n.count(one.n),
                n.share(one.share),
                *(n.share(share) for share in one.segment_shares),
            )
            for one in self.report.evaluation.purchase_clusters
        ]

    def move_rows(self, moves: SegmentMoves) -> list[Row]:
        """The segments now of customers of an earlier date, by the same model on both days."""
        return [
            (one.name, n.count(sum(counts)), *(n.share(count / max(sum(counts), 1)) for count in counts))
            for one, counts in zip(self.report.evaluation.segments, moves.counts, strict=True)
        ]

    def importance_rows(self) -> list[Row]:
        return [(n.capital(one.label), n.share(one.share)) for one in self.report.explain.importance]
