"""`perennial ui`: MLflow and Prefect over what the runs left, until Ctrl-C."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NoReturn

from perennial.files.project import Project
from perennial.tracking.ui import run_ui


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000, help="of MLflow, on 127.0.0.1")


def main(args: argparse.Namespace) -> NoReturn:
    run_ui(Project.here(), args.port, partial(print, flush=True))
