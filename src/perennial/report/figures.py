"""Figures of a report as files and objects of their own: the report's drawings, each with what it needs to stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files

from markupsafe import Markup

from perennial.charts.confusion import plot_confusion
from perennial.charts.svg import Drawing
from perennial.display import show_drawing
from perennial.report.context import AnyReport
from perennial.report.pages import response
from perennial.report.pages.alerts import AlertsView
from perennial.report.pages.amounts import AmountsView
from perennial.report.pages.classes import ClassesView
from perennial.report.pages.evidence import EvidenceView
from perennial.report.pages.messages import MessagesView
from perennial.report.pages.profit import ContactsView
from perennial.report.pages.risk import LoansView
from perennial.report.pages.segments import SegmentsView
from perennial.report.pages.verdict import VerdictView
from perennial.report.style_sheet import drawing_style, font_face
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.regression import RegressionEvaluation
from perennial.results.uplift import UpliftEvaluation

_FONT = "fonts/inter.ttf"
_SCALE = 2  # pixels of a PNG for one of the drawing


@dataclass(frozen=True)
class Figure:
    """A drawing of the report by its name; a notebook shows it."""

    name: str
    title: str
    drawing: Markup

    @property
    def svg(self) -> str:
        """The drawing as a file of its own, its colours and its font inside."""
        return self._stand_alone(font_face() + drawing_style())

    @property
    def png(self) -> bytes:
        """The drawing as pixels, twice as many as it is wide and tall."""
        import resvg_py

        with as_file(files("perennial.report.templates").joinpath(_FONT)) as font:
            return bytes(
                resvg_py.svg_to_bytes(
                    svg_string=self._stand_alone(drawing_style()), zoom=_SCALE, font_files=[str(font)], skip_system_fonts=True
                )
            )

    def _repr_html_(self) -> str:
        return show_drawing(self.title, self.svg)

    def __repr__(self) -> str:
        return f"Figure({self.name}: {self.title})"

    def _stand_alone(self, style: str) -> str:
        """Without a page around it, a drawing needs its namespace, a size, its style and paper under it."""
        head = re.match(r'<svg viewBox="0 0 (\S+) (\S+)"', self.drawing)
        assert head is not None, "every drawing is made by charts.svg"
        wide, tall = float(head[1]), float(head[2])
        opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide + 32:g}" height="{tall + 32:g}" '
        opening += f'viewBox="-16 -16 {wide + 32:g} {tall + 32:g}"'
        body = self.drawing[head.end() :]
        attributes, _, marks = body.partition(">")
        paper = f'<rect class="paper" x="-16" y="-16" width="{wide + 32:g}" height="{tall + 32:g}"/>'
        return f"{opening}{attributes}><style>{style}</style>{paper}{marks}"


def draw_figures(report: AnyReport) -> list[Figure]:
    """The figures that the task has, in the order of its page."""
    return list(_draw(report))


def _draw(report: AnyReport) -> Iterator[Figure]:
    evaluation, evidence = report.evaluation, EvidenceView(report)
    if evaluation.deep_minus_traditional is not None:
        yield _figure("deep_or_traditional", "Deep less traditional on test", VerdictView(report).draw_differences)
    if isinstance(evaluation, BinaryEvaluation):
        yield from _draw_response(report)
    elif isinstance(evaluation, MulticlassEvaluation):
        classes, counts = evaluation.classes, evaluation.confusion.counts
        yield _figure("coverage", "Accuracy among the surest", ClassesView(report.of(MulticlassEvaluation)).draw_coverage)
        title = "Confusion on test"
        yield Figure("confusion", title, plot_confusion(classes, counts, label=title, axis="taken for (columns), actual (rows)"))
    elif isinstance(evaluation, RegressionEvaluation):
        yield _figure("concentration", "Who brings the money", AmountsView(report.of(RegressionEvaluation)).draw_concentration)
    elif isinstance(evaluation, UpliftEvaluation):
        messages = MessagesView(report.of(UpliftEvaluation))
        yield _figure("profit", "Profit per 1,000 customers by depth", messages.draw_profit)
    elif isinstance(evaluation, ClusteringEvaluation):
        yield _figure("stability", "Agreement of halves", SegmentsView(report.of(ClusteringEvaluation)).draw_needs)
    if evidence.training_curve:
        yield _figure("training", "Loss of the chosen family while it was fitted", evidence.draw_training)


def _draw_response(report: AnyReport) -> Iterator[Figure]:
    _, page, action = response.choose_page(report.of(BinaryEvaluation))
    match action:
        case ContactsView():
            yield _figure("profit", "Profit by depth", action.draw_profit)
        case LoansView():
            yield _figure("bad_rate", "Bad rate by share approved", action.draw_curve)
        case AlertsView():
            yield _figure("precision", "Precision by share of frauds found", action.draw_curve)
        case None:
            pass
    yield _figure("calibration", "Predicted and observed shares", page.draw_calibration)
    yield _figure("gains", "Cumulative gains", page.draw_gains)
    if page.report.evaluation.at_threshold is not None:
        yield _figure("confusion", "What the decision in use does with whom on test", page.draw_confusion)


def _figure(name: str, title: str, draw: Callable[..., Markup | Drawing]) -> Figure:
    drawing = draw(label=title)
    return Figure(name, title, drawing.wide if isinstance(drawing, Drawing) else drawing)
