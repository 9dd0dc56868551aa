"""Report of a candidate: the verdict first, then why, what to do, reasons, evidence, data and lineage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from perennial.contract.head import TaskKind
from perennial.report.context import AnyReport
from perennial.report.page import read_verdict, render
from perennial.report.pages import response
from perennial.report.pages.amounts import AmountsView
from perennial.report.pages.classes import ClassesView
from perennial.report.pages.data import DataView
from perennial.report.pages.evidence import EvidenceView
from perennial.report.pages.lineage import LineageView
from perennial.report.pages.messages import MessagesView
from perennial.report.pages.mistakes import MistakesView
from perennial.report.pages.reasons import ReasonsView
from perennial.report.pages.scored_list import ListView
from perennial.report.pages.segments import SegmentsView
from perennial.report.pages.verdict import VerdictView
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.regression import RegressionEvaluation
from perennial.results.uplift import UpliftEvaluation

PAGES: Mapping[TaskKind, Callable[[AnyReport], tuple[str, object, object]]] = {  # template, view, view of what is done by it
    "binary": lambda report: response.choose_page(report.of(BinaryEvaluation)),
    "multiclass": lambda report: ("classes", ClassesView(report.of(MulticlassEvaluation)), None),
    "regression": lambda report: ("amounts", AmountsView(report.of(RegressionEvaluation)), None),
    "uplift": lambda report: ("messages", MessagesView(report.of(UpliftEvaluation)), None),
    "clustering": lambda report: ("segments", SegmentsView(report.of(ClusteringEvaluation)), None),
}


def compose(report: AnyReport) -> tuple[str, str]:
    """The whole report as one self-contained HTML page, and its verdict with what to do in a sentence or two."""
    template, page, action = PAGES[report.contract.task.kind](report)
    written = render(
        f"{template}.html.j2",
        report=report,
        page=page,
        action=action,
        verdict=VerdictView(report),
        reasons_view=ReasonsView(report),
        mistakes_view=MistakesView(report),
        evidence_view=EvidenceView(report),
        data=DataView(report),
        lineage=LineageView(report),
        list_view=ListView(report),
    )
    return written, read_verdict(written)
