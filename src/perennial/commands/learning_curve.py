"""`perennial learning-curve NAME`: what more data and more layers would gain, as a table, sentences and a page."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.report.pages.learning import build_cells
from perennial.results.study import LearningCurve
from perennial.studies.learning_curve import build_learning_curve, page_path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--quick", action="store_true", help="two shares and a small training: does it all work?")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    curve = build_learning_curve(project, args.name, quick=args.quick)
    console = Console(highlight=False)
    console.print(f"{args.name}: {curve.primary} on test, 95 % intervals; nothing is registered")
    _print_fits(console, curve)
    for sentence in curve.sentences:
        console.print(sentence, soft_wrap=True)
    console.print(f"Picture: {page_path(project, args.name, quick=args.quick)}", soft_wrap=True)
    return 0


def _print_fits(console: Console, curve: LearningCurve) -> None:
    """A row per fit: shares of train, then numbers of blocks."""
    shares = [((f"{fit.share:.0%}", f"{fit.rows:,}"), fit.figures) for fit in curve.shares]
    depths = [((str(fit.blocks), f"{curve.shares[-1].rows:,}"), fit.figures) for fit in curve.depths]
    for heading, rows in (("share of train", shares), ("blocks", depths)):
        table = Table(heading, "rows", "deep", "traditional", "deep \u2212 traditional")
        for first_cells, figures in rows:
            table.add_row(*first_cells, *(f"{cell.value} {cell.interval}" for cell in build_cells(figures)))
        console.print(table)
