"""Training flow: one Prefect task per stage in the order of dvc.yaml, then the actions.

The tasks are derived from DVC's graph when the flow runs. DVC owns the graph; Prefect owns time.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from perennial.errors import PerennialError
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.pipeline import repo
from perennial.pipeline.events import send_event
from perennial.pipeline.run import run_stage, stop_stages
from perennial.promotion.overview import figures_table, row_flow_table
from perennial.promotion.promote import promote
from perennial.promotion.receipt import write_failure, write_receipt
from perennial.promotion.register import register
from perennial.promotion.reporting import write_report
from perennial.results.decision import DecisionRecord
from perennial.results.receipt import ActionResults, Skipped
from perennial.serving.score import score_incoming
from perennial.sources.fetch import fetch

_STATES = {"up to date": "Cached", "cached": "Cached", "ran": "Ran"}


@task(cache_policy=NO_CACHE)
def stage(root: str, address: str, step: str) -> Any:
    """Bring one DVC stage up to date in a process of its own."""
    logger = get_run_logger()
    send_event(step, "running")

    def show(line: str) -> None:
        logger.info(line)
        send_event(step, "running", line)

    try:
        outcome = run_stage(Path(root), address, show)
    except PerennialError as error:
        send_event(step, "failed", str(error))
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    send_event(step, outcome)
    return Completed(name=_STATES[outcome], message=f"{address}: {outcome}", data=outcome)


@task(cache_policy=NO_CACHE)
def action(step: str, call: Callable[[], Any]) -> Any:
    """One effect: idempotent, never cached."""
    send_event(step, "running")
    try:
        result = call()
    except PerennialError as error:
        send_event(step, "failed", str(error))
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    skipped = result.skipped if isinstance(result, Skipped) else ""
    send_event(step, "skipped" if skipped else "ran", skipped)
    return Completed(name="Skipped" if skipped else "Ran", message=skipped or "done", data=result)


@flow(name="training", flow_run_name="{name}", task_runner=ThreadPoolTaskRunner(max_workers=2), log_prints=False)
def training(name: str, refresh: bool = False) -> Any:
    """Fetch (if asked), whatever is stale, then register, promote, score and report."""
    project = Project(root=Path.cwd())
    try:
        with file_lock(project.state(name) / "run.lock", what=f"a run of {name}"):
            return _train(project, name, refresh)
    except PerennialError as error:
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    except BaseException:
        stop_stages()
        raise


def _train(project: Project, name: str, refresh: bool) -> Any:
    logger = get_run_logger()
    for line in repo.repair_state(project.root):
        logger.warning(line)
    if refresh:
        state = _run_action("fetch", lambda: fetch(project, name), retries=2)
        if not state.is_completed():
            return state
    with repo.open_repo(project.root) as dvc:
        nodes = repo.sort_nodes(dvc, name)
    for step in (*(node.stage for node in nodes), "register", "promote", "score", "report"):
        send_event(step, "waiting")
    futures: dict[str, PrefectFuture[Any]] = {}
    for node in nodes:
        stage_task = stage.with_options(name=node.stage, task_run_name=node.address)
        upstream = [futures[address] for address in node.after]
        futures[node.address] = stage_task.submit(str(project.root), node.address, node.stage, wait_for=upstream)
    states = {address: _wait(future) for address, future in futures.items()}
    incomplete = [state for state in states.values() if not state.is_completed()]
    failed = [state for state in incomplete if state.is_failed() or state.is_crashed()] or incomplete
    outcomes = {address: state.name for address, state in states.items()}
    if failed:
        write_failure(project, name, outcomes)
        return Failed(message=f"{name}: {failed[0].message}", name=failed[0].name)
    return _run_actions(project, name, outcomes)


def _run_actions(project: Project, name: str, outcomes: dict[str, str]) -> Any:
    steps: list[tuple[str, Callable[[], Any], int]] = [
        ("register", lambda: register(project, name), 2),
        ("promote", lambda: promote(project, name), 0),
        ("score", lambda: score_incoming(project, name), 0),
        ("report", lambda: write_report(project, name), 0),
    ]
    results: dict[str, Any] = {}
    for step, call, retries in steps:
        state = _run_action(step, call, retries=retries)
        if not state.is_completed():
            write_failure(project, name, outcomes)
            return Failed(message=f"{name}, {step}: {state.message}", name=state.name)
        results[step] = state.result()
    write_receipt(project, name, outcomes, ActionResults(registration=results.pop("register"), **results))
    decision: DecisionRecord = results["promote"]
    _create_artifacts(project, name, decision)
    message = f"{name}: {decision.verdict}. {decision.reasons[0]}"
    if decision.verdict == "REJECT":
        return Failed(message=message, name="Exit3")
    return Completed(message=message, name=decision.verdict.title())


def _run_action(name: str, call: Callable[[], Any], *, retries: int) -> Any:
    action_task = action.with_options(name=name, task_run_name=name, retries=retries, retry_delay_seconds=5)
    return _wait(action_task.submit(name, call))


def _wait(future: PrefectFuture[Any]) -> Any:
    future.wait()
    return future.state


def _create_artifacts(project: Project, name: str, decision: DecisionRecord) -> None:
    key = name.replace("_", "-")
    lines = [f"# {name}: {decision.verdict}", *(f"- {reason}" for reason in decision.reasons)]
    create_markdown_artifact(key=f"{key}-decision", markdown="\n".join(lines))
    create_table_artifact(key=f"{key}-rows", table=row_flow_table(project, name), description="Where every row went")
    create_table_artifact(key=f"{key}-figures", table=figures_table(project, name), description="Key figures on test")


def _handle_interrupt(*_: object) -> None:
    """End what is running at once, and ignore further signals: a second one would interrupt Prefect's own shutdown."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_stages()
    raise KeyboardInterrupt


def _is_informative(record: logging.LogRecord) -> bool:
    """Prefect logs twice that a task failed, with an empty traceback, and once more for each task that waited for it."""
    return "Task run failed with state" not in record.getMessage() and "NotReady" not in record.getMessage()


def main() -> int:
    """Run the flow for one use case; the exit codes of errors.py hold."""
    parser = argparse.ArgumentParser(prog="python flows/training.py")
    parser.add_argument("name")
    parser.add_argument("--refresh", action="store_true", help="fetch raw data first")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, _handle_interrupt)
    for name in ("prefect.task_runs", "prefect.flow_runs"):
        logging.getLogger(name).addFilter(_is_informative)
    try:
        state = training(args.name, args.refresh, return_state=True)
    except KeyboardInterrupt:
        return 130
    if state.is_completed():
        return 0
    sys.stderr.write(f"{state.message}\n")
    code = (state.name or "").removeprefix("Exit")
    return int(code) if code.isdigit() else 1


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    sys.exit(main())
