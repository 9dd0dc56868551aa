"""Model card: what a registered version is, in Markdown, as MLflow shows it.

Mitchell et al. 2019, Model Cards for Model Reporting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from perennial.charts import numbers as n
from perennial.contract.model import MAIN, Contract
from perennial.contract.serving import feature_columns
from perennial.report.context import FAMILY_NAMES
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import Evaluation
from perennial.results.families import FAMILIES
from perennial.results.figures import Interval
from perennial.results.ingest import IngestSummary
from perennial.results.split import SplitSummary

_DECISION = "\n## Decision\n"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What the card says; `links` maps a name to an address, or to what stands in its place."""

    name: str
    contract: Contract
    evaluation: Evaluation
    ingest: IngestSummary
    split: SplitSummary
    lineage: Mapping[str, str]
    links: Mapping[str, str]

    def write(self) -> str:
        """The card of a candidate that is not judged yet."""
        return "\n".join(self._lines()) + _DECISION + "\nNot judged yet."

    def _lines(self) -> Iterator[str]:
        family = self.evaluation.candidate.family
        yield f"# {self.name}: {FAMILY_NAMES[family]}"
        yield self.contract.task.question or f"Predicts {self.contract.target}."
        yield "\n## Data\n"
        yield from self._describe_data()
        yield "\n## Figures on test\n"
        yield from self._tabulate_figures()
        yield "\n## Limits\n"
        yield from (f"- {limit}" for limit in self._find_limits())
        yield "\n## Who may use it\n"
        yield f"Whoever the data owner of contracts/{self.name}.yaml lets see these customers and decide by their scores."
        yield "\n## Where it comes from\n"
        yield from (f"- {what}: {link}" for what, link in self.links.items())

    def _describe_data(self) -> Iterator[str]:
        flows = self.ingest.flow
        table = MAIN if MAIN in flows else next(iter(flows))
        parts = ", ".join(f"{part} {n.count(rows)}" for part, rows in self.split.flow["units"].to.items() if rows)
        yield f"- Raw: {n.count(flows[table].rows_in)} rows of {table}, DVC digest `{self.lineage['raw']}`"
        yield f"- Split by {self.contract.split.kind}: {parts}"
        columns = feature_columns(self.contract)
        names = ", ".join(f"`{column.name}` ({column.kind})" for column in columns)
        yield f"- Unit columns that it takes, {len(columns)}: {names}"

    def _tabulate_figures(self) -> Iterator[str]:
        """Every family by the primary metric, and the candidate's other figures, each with its 95 % interval."""
        evaluation, primary = self.evaluation, self.evaluation.primary
        yield f"| family | {n.METRIC_NAMES[primary]} | 95 % interval |"
        yield "|---|---|---|"
        for family in (family for family in FAMILIES if family in evaluation.families):
            mark = " (chosen)" if family == evaluation.candidate.family else ""
            yield _row(FAMILY_NAMES[family] + mark, evaluation.families[family].test[primary])
        yield f"\n| {FAMILY_NAMES[evaluation.candidate.family]} | value | 95 % interval |"
        yield "|---|---|---|"
        for metric, interval in evaluation.chosen.test.items():
            yield _row(n.METRIC_NAMES.get(metric, metric), interval)

    def _find_limits(self) -> Iterator[str]:
        if self.contract.sampling.sampling_rate == "unknown":
            yield "The score only ranks: how the rows were sampled is unknown, so it is no probability."
        if self.contract.task.kind != "uplift" and self.contract.target:
            yield "It says who will, not who will because of a contact: that needs a control group."
        if self.contract.split.kind not in {"time", "cutoff"}:
            yield "Measured on customers split within the same period: it says nothing of later months."
        yield from (f"May leak the outcome: {suspect}" for suspect in self.split.leakage_suspects)
        yield "Measured on the data above; on other customers, channels or offers it is not known."


def add_decision(card: str, record: DecisionRecord, version: str) -> str:
    """The card with the newest decision in place of an older one."""
    reasons = "\n".join(f"- {reason}" for reason in record.reasons)
    decision = f"**{record.verdict}**, version {version}, decision {record.number} of {record.at} UTC\n\n{reasons}"
    return card.partition(_DECISION)[0] + f"{_DECISION}\n{decision}"


def _row(name: str, interval: Interval) -> str:
    return f"| {name} | {n.decimal(interval.value)} | {n.bracket(interval, n.decimal)} |"
