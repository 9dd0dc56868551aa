"""`perennial list`: the use cases of this project, and those of the gallery that are not in it."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from perennial.config.base import read_use_cases
from perennial.contract.load import load
from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.promotion.receipt import current_receipt
from perennial.sources.gallery import list_gallery


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # no options


def main(args: argparse.Namespace) -> int:
    del args
    project = Project.here()
    here = read_use_cases(project.root / "params.yaml")
    table = Table("use case", "task", "target", "state")
    for name in here:
        table.add_row(name, *_describe(project, name))
    for name in list_gallery():
        if name not in here:
            table.add_row(name, "", "", f"perennial add {name}", style="dim")
    Console().print(table)
    return 0


def _describe(project: Project, name: str) -> tuple[str, str, str]:
    """Task, target and state; of a contract that cannot be read, the error."""
    try:
        contract = load(project.contract(name))
    except PerennialError as error:
        return "", "", str(error)
    receipt = current_receipt(project, name) if project.raw(name).with_suffix(".dvc").exists() else None
    state = receipt.results.promote.verdict if receipt and receipt.results.promote else f"perennial run {name}"
    return contract.task.kind, contract.target or "none", state
