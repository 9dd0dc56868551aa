"""`perennial ui`: MLflow and Prefect over what the runs left, until Ctrl-C."""

from __future__ import annotations

from functools import partial
from typing import Annotated, NoReturn

from typer import Option

from perennial.files.project import Project
from perennial.tracking.store import WEB_PORT
from perennial.tracking.ui import run_ui

EXAMPLE = "perennial ui --port 5001"


def main(port: Annotated[int, Option(help="Of MLflow, on 127.0.0.1.")] = WEB_PORT) -> NoReturn:
    run_ui(Project.here(), port, partial(print, flush=True))
