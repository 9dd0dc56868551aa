"""`perennial learning-curve NAME`: what more data and more layers would gain, as a table, sentences and a page."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console
from rich.table import Table
from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.report.pages.learning import build_cells
from perennial.results.study import LearningCurve
from perennial.studies.learning_curve import build_learning_curve, page_path

EXAMPLE = "perennial learning-curve ad_response"


def main(
    name: UseCase = "",
    quick: Annotated[bool, Option("--quick", help="Two shares and a small training, to see that it works; no verdict.")] = False,
) -> None:
    project = Project.here()
    curve = build_learning_curve(project, name, quick=quick)
    console = Console(highlight=False)
    console.print(f"{name}: {curve.primary} on test, 95 % intervals; nothing is registered")
    _print_fits(console, curve)
    for sentence in curve.sentences:
        console.print(sentence, soft_wrap=True)
    console.print(f"Picture: {page_path(project, name, quick=quick)}", soft_wrap=True)


def _print_fits(console: Console, curve: LearningCurve) -> None:
    """A row per fit: shares of train, then numbers of blocks."""
    shares = [((f"{fit.share:.0%}", f"{fit.rows:,}"), fit.figures) for fit in curve.shares]
    depths = [((str(fit.blocks), f"{curve.shares[-1].rows:,}"), fit.figures) for fit in curve.depths]
    for heading, rows in (("share of train", shares), ("blocks", depths)):
        table = Table(heading, "rows", "deep", "traditional", "deep \u2212 traditional")
        for first_cells, figures in rows:
            table.add_row(*first_cells, *(f"{cell.value} {cell.interval}" for cell in build_cells(figures)))
        console.print(table)
