"""`perennial history NAME`: every decision, the oldest first, from the registry's chained records."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from perennial.commands.arguments import UseCase
from perennial.contract.load import load
from perennial.files.project import Project
from perennial.results.decision import DecisionRecord
from perennial.tracking import registry
from perennial.tracking.store import open_store

EXAMPLE = "perennial history ad_response"


def main(name: UseCase = "") -> None:
    project = Project.here()
    load(project.contract(name))
    store = open_store(project)
    champion = registry.find_champion(store, name)
    table = Table("decision", Column("why", ratio=1, overflow="fold"), title=f"Decisions on {name}", show_lines=True)
    for record in registry.read_decisions(store, name):
        table.add_row(_describe(record), Text("\n".join(record.reasons)))  # a reason may hold brackets
    console = Console(highlight=False)
    console.print(table)
    console.print(f"champion: version {champion.number} ({champion.family})" if champion else "no champion yet")


def _describe(record: DecisionRecord) -> str:
    """Number and verdict, the version and what it was compared with, and when: a line each."""
    against = f" against {record.champion.version}" if record.champion else ", the first"
    return f"{record.number}. {record.verdict}\nversion {record.version}{against}\n{record.at} UTC"
