"""`perennial quarantine list|show|replay NAME`: what was set aside, how it stands in the file, and whether it would pass now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from rich.console import Console
from rich.table import Table
from typer import Argument, Option

from perennial.commands.arguments import UseCase
from perennial.data.quality.quarantine import FATES, count_by_rule, read_quarantine, replay_quarantine, sample_rows
from perennial.files.project import Project

EXAMPLE = "perennial quarantine show ad_response --rule range:age"


def main(
    what: Annotated[Literal["list", "show", "replay"], Argument(help="Counts, samples, or what would pass now.")],
    name: UseCase = "",
    rule: Annotated[str | None, Option(help="show: only rows that break this rule.")] = None,
    limit: Annotated[int, Option(help="show: how many.")] = 10,
) -> None:
    project, console = Project.here(), Console(width=160, highlight=False, markup=False)
    rows = read_quarantine(project, name)
    match what:
        case "list":
            counts = [(stage, table, rule, f"{n:,}") for (stage, table, rule), n in count_by_rule(rows).items()]
            _print_table(console, ("stage", "table", "rule", "rows"), counts)
        case "show":
            sample = [(r["where"], r["rule"], r["reason"], r["raw"]) for r in sample_rows(rows, rule, limit)]
            _print_table(console, ("where", "rule", "reason", "as in the file, contact data masked"), sample)
        case _:
            fates = replay_quarantine(project, name)
            by_rule = [[rule, *(f"{fates[rule, fate]:,}" for fate in FATES)] for rule in sorted({r for r, _ in fates})]
            _print_table(console, ("rule", *FATES), by_rule)
            passing = sum(n for (_, fate), n in fates.items() if fate == "would pass")
            outcome = f"{passing:,} rows would pass" if passing else "no row would pass that did not before"
            console.print(f"{outcome}; nothing was changed" + (f": perennial run {name}" if passing else ""))


def _print_table(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*names, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table if rows else "no row is set aside")
