"""`perennial list`: the use cases of this project, and those of the gallery that are not in it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.gallery.entries import list_gallery, list_use_cases, load_gallery_contract
from perennial.promotion.receipt import current_receipt

EXAMPLE = "perennial list"


def main() -> None:
    project = Project.here()
    names = list_use_cases(project)
    table = Table("use case", "task", "target", Column("state", overflow="fold"))
    for name in names:
        try:
            table.add_row(name, *_describe(load(project.contract(name))), _describe_state(project, name))
        except PerennialError as error:  # of one use case, whose contract cannot be read
            table.add_row(name, "", "", str(error))
    for name in list_gallery():
        if name not in names:
            table.add_row(name, *_describe(load_gallery_contract(name)), "gallery", style="dim")
    console = Console(highlight=False)
    console.print(table)
    console.print("perennial run NAME runs one; perennial add NAME adds one of the gallery.")


def _describe(contract: Contract) -> tuple[str, str]:
    """Task and target."""
    return contract.task.kind, contract.target or "none"


def _describe_state(project: Project, name: str) -> str:
    receipt = current_receipt(project, name) if project.raw(name).with_suffix(".dvc").exists() else None
    return receipt.results.promote.verdict if receipt and receipt.results.promote else "not run yet"
