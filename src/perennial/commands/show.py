"""`perennial show NAME [--json]`: what is known of a use case, from summaries and the receipt; no MLflow is loaded."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.promotion.overview import show


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts; keys may grow, never change")


def main(args: argparse.Namespace) -> int:
    told = show(Project.here(), args.name)
    if args.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201 - the answer
        return 0
    console = Console()
    console.print(
        f"[bold]{told['use_case']}[/] ({told['task']}): {(told['decision'] or {}).get('verdict', 'not decided yet')}"
    )
    table = Table("family", "metric", "value", "95 % interval")
    for family, metrics in (told["families"] or {}).items():
        for metric, found in metrics.items():
            name = f"{family} (candidate)" if family == told["candidate"] else family
            table.add_row(name, metric, f"{found['value']:.4f}", f"[{found['low']:.4f}, {found['high']:.4f}]")
    console.print(table)
    rows = ", ".join(f"{count:,} {place}" for place, count in told["rows"].items() if count)
    console.print(f"rows: {rows or 'none read yet'}\nreport: {told['report'] or 'none yet'}", highlight=False)
    return 0
