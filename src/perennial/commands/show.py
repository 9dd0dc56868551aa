"""`perennial show NAME [--json]`: the overview of a use case, from summaries and the receipt, without loading MLflow."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.promotion.overview import build_overview


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts; keys may grow, never change")


def main(args: argparse.Namespace) -> int:
    overview = build_overview(Project.here(), args.name)
    if args.json:
        print(json.dumps(overview.model_dump(mode="json"), indent=1, ensure_ascii=False))  # noqa: T201 - the answer
        return 0
    console = Console()
    verdict = overview.decision.verdict if overview.decision else "not decided yet"
    console.print(f"[bold]{overview.use_case}[/] ({overview.task}): {verdict}")
    table = Table("family", "metric", "value", "95 % interval")
    for family, metrics in (overview.families or {}).items():
        for metric, figure in metrics.items():
            name = f"{family} (candidate)" if family == overview.candidate else family
            table.add_row(name, metric, f"{figure.value:.4f}", f"[{figure.low:.4f}, {figure.high:.4f}]")
    console.print(table)
    rows = ", ".join(f"{count:,} {place}" for place, count in overview.rows if count)
    console.print(f"rows: {rows or 'none read yet'}\nreport: {overview.report or 'none yet'}", highlight=False)
    return 0
