"""`perennial history NAME`: every decision, the oldest first, from the registry's chained records."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from perennial.contract.model import load
from perennial.files.project import Project
from perennial.tracking import registry
from perennial.tracking.store import open_store


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")


def main(args: argparse.Namespace) -> int:
    store = open_store(Project.here())
    champion = registry.champion(store, args.name)
    table = Table("no.", "when (UTC)", "verdict", "version", "against", "why", title=f"Decisions on {args.name}")
    for record in registry.decisions(store, args.name):
        against = (record["champion"] or {}).get("version", "none")
        why = "; ".join(record["reasons"])
        table.add_row(str(record["number"]), record["at"], record["verdict"], record["version"], against, why)
    console = Console()
    console.print(table)
    console.print(f"champion: version {champion.number} ({champion.family})" if champion else "no champion yet")
    return 0
