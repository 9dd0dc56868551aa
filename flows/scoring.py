"""Scoring flow: score the rows in .perennial/NAME/incoming/ with the champion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.states import Completed, Failed

from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.results.receipt import Skipped
from perennial.serving.score import score_incoming


@flow(name="scoring", flow_run_name="{name}")
def scoring(name: str) -> Any:  # a Prefect state; Prefect is not type-checked
    """Score new rows; the state is Skipped when there are none."""
    try:
        result = score_incoming(Project(root=Path.cwd()), name)
    except PerennialError as error:
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    if isinstance(result, Skipped):
        return Completed(name="Skipped", message=result.skipped)
    get_run_logger().info("%d rows in, %d scored, %d rejected", result.rows, result.scored, result.rejected)
    return Completed(message=f"{name}: {result.scored} rows scored")
