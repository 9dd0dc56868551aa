"""`perennial audience NAME --input FILE --campaign ID`: the list for a CRM or ad platform, with a control group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from perennial.campaigns.audience import build_audience
from perennial.campaigns.plan import DEFAULT_CONTROL, read_audience_options
from perennial.commands.arguments import UseCase
from perennial.files.project import Project

EXAMPLE = "perennial audience ad_response --input customers.csv --campaign spring_2026 --suppress opt-outs.csv"


def main(
    input: Annotated[Path, Option(help="A file, or a folder with a file for each table.")],
    campaign: Annotated[str, Option(metavar="ID", help="A name for this campaign, such as spring_2026.")],
    name: UseCase = "",
    suppress: Annotated[Path | None, Option(help="A file with the ids of opt-outs and of recent contacts.")] = None,
    output: Annotated[Path | None, Option(help="The list to write, .csv or .parquet; by default in the record.")] = None,
    columns: Annotated[str, Option(help="Of the list: a,b; by default the id and hashed contacts.")] = "",
    control: Annotated[float | None, Option(help=f"Share in the control group; by default {DEFAULT_CONTROL:g}.")] = None,
    min_control: Annotated[int | None, Option(help="Customers in the control group where the share gives fewer.")] = None,
    explore: Annotated[float | None, Option(help="Share of those below the cut to draw in too; by default 0.")] = None,
    messages: Annotated[str, Option(help="Two or more to randomise among those contacted: a,b.")] = "",
) -> None:
    project = Project.here()
    overrides = {
        "columns": _split(columns),
        "control": control,
        "min_control": min_control,
        "explore": explore,
        "messages": _split(messages),
    }
    options = read_audience_options(project, name, {key: value for key, value in overrides.items() if value is not None})
    build_audience(project, name, campaign, input, options, suppress=suppress, output=output)


def _split(text: str) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else None
