"""`eval "$(perennial env)"`: the addresses of this project's MLflow and Prefect, as a line that a shell evaluates."""

from __future__ import annotations

import logging
import sys

from perennial.files.project import Project
from perennial.tracking.environment import read_environment

EXAMPLE = "perennial env"
log = logging.getLogger("perennial")


def main() -> None:
    environment = read_environment(Project.here())
    if environment.advice:
        log.warning(environment.advice)
    sys.stdout.write(environment.exports + "\n")
