"""`perennial learning-curve NAME`: raw data in, what more of it and more layers would bring out. A side run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.report.pages import learning
from perennial.studies.learning_curve import _KIND, learning_curve


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--quick", action="store_true", help="two shares and a small training: does it all work?")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    found = learning_curve(project, args.name, quick=args.quick)
    _show(args.name, found, project.state(args.name) / f"{_KIND}.html")
    return 0


def _show(name: str, found: Mapping[str, Any], picture: Path) -> None:
    """A row a fit, and what follows from them in words."""
    console = Console(highlight=False)
    console.print(f"{name}: {found['primary']} on test, 95 % intervals; nothing is registered")
    told: tuple[tuple[str, str, Callable[[Mapping[str, Any]], tuple[str, ...]]], ...] = (
        ("share of train", "shares", lambda fit: (f"{fit['share']:.0%}", f"{fit['rows']:,}")),
        ("blocks", "depths", lambda fit: (str(fit["blocks"]), f"{found['shares'][-1]['rows']:,}")),
    )
    for first, key, begins in told:
        table = Table(first, "rows", "deep", "traditional", "deep \u2212 traditional")
        for fit in found[key]:
            table.add_row(*begins(fit), *(f"{cell.value} {cell.interval}" for cell in learning.cells(fit)))
        console.print(table)
    for sentence in found["sentences"]:
        console.print(sentence, soft_wrap=True)
    console.print(f"Picture: {picture}", soft_wrap=True)
