"""`perennial history NAME`: every decision, the oldest first, from the registry's chained records."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from perennial.contract.load import load
from perennial.files.project import Project
from perennial.results.decision import DecisionRecord
from perennial.tracking import registry
from perennial.tracking.store import open_store


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    load(project.contract(args.name))
    store = open_store(project)
    champion = registry.find_champion(store, args.name)
    table = Table("decision", Column("why", ratio=1, overflow="fold"), title=f"Decisions on {args.name}", show_lines=True)
    for record in registry.read_decisions(store, args.name):
        table.add_row(_describe(record), Text("\n".join(record.reasons)))  # a reason may hold brackets
    console = Console(highlight=False)
    console.print(table)
    console.print(f"champion: version {champion.number} ({champion.family})" if champion else "no champion yet")
    return 0


def _describe(record: DecisionRecord) -> str:
    """Number and verdict, the version and what it was compared with, and when: a line each."""
    against = f" against {record.champion.version}" if record.champion else ", the first"
    return f"{record.number}. {record.verdict}\nversion {record.version}{against}\n{record.at} UTC"
