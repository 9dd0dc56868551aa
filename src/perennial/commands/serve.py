"""`perennial serve`: run the scheduled flows of this project (flows/serve.py) on its own Prefect server."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.contract.load import load
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.tracking.servers import build_environment, ensure_server

EXAMPLE = "perennial serve ad_response --train '15 3 * * *' --timezone Europe/Berlin"


def main(
    name: UseCase = "",
    train: Annotated[str, Option(metavar="CRON", help="When to fetch and retrain.")] = "15 3 * * *",
    score: Annotated[str, Option(metavar="CRON", help="When to score new rows.")] = "15 5 * * *",
    timezone: Annotated[str, Option(help="Of the times.")] = "UTC",
) -> int:
    project = Project.here()
    load(project.contract(name))
    flow = project.root / "flows" / "serve.py"
    if not flow.exists():
        raise ConfigError(f"{flow} is missing: it holds the schedules")
    command = [sys.executable, str(flow), name, "--train", train, "--score", score, "--timezone", timezone]
    try:
        return subprocess.call(command, cwd=project.root, env=build_environment(ensure_server(project), project))
    except KeyboardInterrupt:
        return 130
