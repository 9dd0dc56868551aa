"""Scoring flow: score the rows in .perennial/NAME/incoming/ with the champion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.states import Completed

from flows.record import begin_run, fail_run, name_run
from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.promotion.step_summary import describe_action
from perennial.results.receipt import Skipped
from perennial.serving.score import score_incoming


@flow(name="scoring", flow_run_name="{name}")
def scoring(name: str) -> Any:  # a Prefect state; Prefect is not type-checked
    """Score new rows; the state is Skipped when there are none."""
    project = Project(root=Path.cwd())
    begin_run(project.root, name, "scoring")
    try:
        result = score_incoming(project, name)
    except PerennialError as error:
        return fail_run(name, str(error), f"Exit{error.exit_code}")
    if isinstance(result, Skipped):
        name_run(name, "skipped")
        return Completed(name="Skipped", message=result.skipped)
    name_run(name, f"{result.scored:,} scored")
    message = describe_action(project, name, "score", result)
    get_run_logger().info(message)
    return Completed(message=f"{name}, {message}")
