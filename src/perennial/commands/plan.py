"""`perennial plan NAME`: which stages are stale, and what running them is expected to cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.table import Table
from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.durable import write_json
from perennial.files.project import Project
from perennial.promotion.run_plan import format_cost, plan_run

EXAMPLE = "perennial plan ad_response"


def main(
    name: UseCase = "",
    output: Annotated[Path | None, Option(help="Write the plan here, as JSON, for `perennial compare --plan`.")] = None,
) -> None:
    plan = plan_run(Project.here(), name)
    if output:
        write_json(output, plan.model_dump(mode="json"))
        return
    table = Table("stale stage", "CPU seconds")
    for stage in plan.stale:
        table.add_row(stage, f"{plan.predicted[stage]:.1f}" if stage in plan.predicted else "not run here yet")
    console = Console()
    console.print(table if plan.stale else f"{name}: every stage is up to date")
    if plan.stale and plan.predicted_s is not None:
        console.print(f"expected: {format_cost(plan.predicted_s)}", highlight=False)
