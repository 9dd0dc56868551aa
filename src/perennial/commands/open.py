"""`perennial open NAME`: the report in a browser."""

from __future__ import annotations

import webbrowser

from perennial.commands.arguments import UseCase
from perennial.errors import InputError
from perennial.files.project import Project

EXAMPLE = "perennial open ad_response"


def main(name: UseCase = "") -> None:
    page = Project.here().state(name) / "report.html"
    if not page.exists():
        raise InputError(f"{name} has no report yet: perennial run {name}")
    print(page)  # noqa: T201 - the answer, for those without a browser
    webbrowser.open(page.as_uri())
