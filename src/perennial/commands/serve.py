"""`perennial serve`: run the scheduled flows of this project (flows/serve.py) on its own Prefect server."""

from __future__ import annotations

import argparse
import subprocess
import sys

from perennial.contract.load import load
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.tracking.servers import build_environment, ensure_server


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--train", default="15 3 * * *", metavar="CRON", help="when to fetch and retrain (%(default)s)")
    parser.add_argument("--score", default="15 5 * * *", metavar="CRON", help="when to score new rows (%(default)s)")
    parser.add_argument("--timezone", default="UTC", help="of the times (%(default)s)")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    load(project.contract(args.name))
    flow = project.root / "flows" / "serve.py"
    if not flow.exists():
        raise ConfigError(f"{flow} is missing: it holds the schedules")
    options = [args.name, "--train", args.train, "--score", args.score, "--timezone", args.timezone]
    try:
        return subprocess.call(
            [sys.executable, str(flow), *options], cwd=project.root, env=build_environment(ensure_server(project), project)
        )
    except KeyboardInterrupt:
        return 130
