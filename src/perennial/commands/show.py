"""`perennial show NAME [--json]`: the overview of a use case, from summaries and the receipt, without loading MLflow."""

from __future__ import annotations

import json
from typing import Annotated

from rich.console import Console
from rich.table import Table
from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.promotion.overview import build_overview

EXAMPLE = "perennial show ad_response --json"


def main(
    name: UseCase = "",
    as_json: Annotated[bool, Option("--json", help="One JSON object, for scripts; keys may grow, never change.")] = False,
) -> None:
    overview = build_overview(Project.here(), name)
    if as_json:
        print(json.dumps(overview.model_dump(mode="json"), indent=1, ensure_ascii=False))  # noqa: T201 - the answer
        return
    console = Console()
    verdict = overview.decision.verdict if overview.decision else "not decided yet"
    console.print(f"[bold]{overview.use_case}[/] ({overview.task}): {verdict}")
    table = Table("family", "metric", "value", "95 % interval")
    for family, metrics in (overview.families or {}).items():
        for metric, figure in metrics.items():
            title = f"{family} (candidate)" if family == overview.candidate else family
            table.add_row(title, metric, f"{figure.value:.4f}", f"[{figure.low:.4f}, {figure.high:.4f}]")
    console.print(table)
    rows = ", ".join(f"{count:,} {place}" for place, count in overview.rows if count)
    console.print(f"rows: {rows or 'none read yet'}\nreport: {overview.report or 'none yet'}", highlight=False)
