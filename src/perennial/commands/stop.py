"""`perennial stop`: stop the Prefect server that this project started; others are never touched."""

from __future__ import annotations

import logging

from perennial.files.project import Project
from perennial.tracking.servers import stop_server

EXAMPLE = "perennial stop"
log = logging.getLogger("perennial")


def main() -> None:
    log.info("stopped" if stop_server(Project.here()) else "no server of this project is running")
