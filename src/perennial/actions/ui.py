"""`perennial ui`: MLflow and Prefect over what the runs left, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from perennial.actions.server import ensure
from perennial.files.project import Project
from perennial.tracking.store import open_store, quiet


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000, help="of MLflow, on 127.0.0.1")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    store = open_store(project)
    quiet()
    print(f"Prefect  {ensure(project)}\nMLflow   http://127.0.0.1:{args.port}   (Ctrl-C ends it)", flush=True)  # noqa: T201
    words = [
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(args.port),
        "--workers",
        "1",
        "--backend-store-uri",
        store.uri,
    ]
    where = [] if store.artifacts is None else ["--default-artifact-root", store.artifacts]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    try:
        return subprocess.call([sys.executable, "-m", "mlflow", *words, *where], env=environment)
    except KeyboardInterrupt:
        return 130
