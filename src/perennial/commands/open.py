"""`perennial open NAME`: the report in a browser."""

from __future__ import annotations

import argparse
import webbrowser

from perennial.errors import InputError
from perennial.files.project import Project


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")


def main(args: argparse.Namespace) -> int:
    page = Project.here().state(args.name) / "report.html"
    if not page.exists():
        raise InputError(f"{args.name} has no report yet: perennial run {args.name}")
    print(page)  # noqa: T201 - the answer, for those without a browser
    webbrowser.open(page.as_uri())
    return 0
