"""Record of a run in Prefect: its name, its tags, its address and its artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.states import Failed
from prefect.utilities.urls import url_for

from perennial.files.project import Project
from perennial.pipeline.events import send_address
from perennial.pipeline.lineage import read_revision
from perennial.promotion.links import link_results
from perennial.promotion.overview import figures_table, row_flow_table
from perennial.promotion.run_views import FlowRun
from perennial.results.decision import DecisionRecord
from perennial.results.receipt import ActionResults


def begin_run(root: Path, name: str, kind: str) -> None:
    """Say where this run can be seen, and tag it: use case, kind, branch and commit. Tasks get no tags, which cost seconds."""
    send_address(url_for("flow-run", obj_id=runtime.flow_run.id) or "")
    with get_client(sync_client=True) as client:
        client.update_flow_run(runtime.flow_run.id, tags={*runtime.flow_run.tags, name, kind, *read_revision(root)})


def find_flow_run() -> FlowRun:
    """The run that goes on, as MLflow names it."""
    return FlowRun(id=str(runtime.flow_run.id), url=url_for("flow-run", obj_id=runtime.flow_run.id) or "")


def name_run(name: str, result: str) -> None:
    """Add to the run's name what came of it."""
    with get_client(sync_client=True) as client:
        client.update_flow_run(runtime.flow_run.id, name=f"{name}: {result}")


def fail_run(name: str, message: str, state: str, *, step: str = "") -> Any:  # a Prefect state; Prefect is not type-checked
    """A failed state; its message begins with the error, and the run's name says where that was."""
    name_run(name, f"failed at {step}" if step else "failed")
    return Failed(message=message.removeprefix("Task run encountered an exception "), name=state)


def create_artifacts(project: Project, name: str, results: ActionResults) -> None:
    """Decision, rows and figures, each with links to the report, the MLflow run and the model version."""
    decision, registration, report = results.promote, results.registration, results.report
    assert isinstance(decision, DecisionRecord), "every run ends in a decision"
    assert registration is not None, "there is no decision without a version"
    assert report is not None, "the report is the last step"
    key, links = name.replace("_", "-"), link_results(project, name, registration, report)
    lines = [f"# {name}: {decision.verdict}", *(f"- {reason}" for reason in decision.reasons), "", links]
    create_markdown_artifact(
        key=f"{key}-decision", markdown="\n".join(lines), description=f"What the gate said of the candidate. {links}"
    )
    create_table_artifact(
        key=f"{key}-rows", table=row_flow_table(project, name), description=f"Where every row went, by stage. {links}"
    )
    create_table_artifact(
        key=f"{key}-figures",
        table=figures_table(project, name),
        description=f"Metrics of every family on test, with 95 % intervals. {links}",
    )
