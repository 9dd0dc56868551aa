"""`perennial stop`: stop the Prefect server that this project started; others are never touched."""

from __future__ import annotations

import argparse
import logging

from perennial.files.project import Project
from perennial.tracking import servers as server

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # no options


def main(args: argparse.Namespace) -> int:
    del args
    log.info("stopped" if server.stop_server(Project.here()) else "no server of this project is running")
    return 0
