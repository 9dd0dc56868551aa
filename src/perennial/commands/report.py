"""`perennial report NAME`: write the page from the results of stages and decisions, and attach it to the MLflow run."""

from __future__ import annotations

import logging

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.promotion.reporting import write_report

EXAMPLE = "perennial report ad_response"
log = logging.getLogger("perennial")


def main(name: UseCase = "") -> None:
    log.info("%s", write_report(Project.here(), name).path)
