"""Training flow: one Prefect task per stage in the order of dvc.yaml, then the actions.

The tasks are derived from DVC's graph when the flow runs. DVC owns the graph; Prefect owns time.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.record import begin_run, create_artifacts, fail_run, find_flow_run, name_run
from perennial.errors import PerennialError
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.pipeline import repo
from perennial.pipeline.events import send_event
from perennial.pipeline.run import run_stage, stop_stages
from perennial.promotion.main_job import GUARD
from perennial.promotion.promote import promote
from perennial.promotion.receipt import write_failure, write_receipt
from perennial.promotion.register import register
from perennial.promotion.reporting import write_report
from perennial.promotion.step_summary import describe_action, describe_stage
from perennial.results.decision import DecisionRecord
from perennial.results.receipt import ActionResult, ActionResults, Skipped
from perennial.serving.score import score_incoming
from perennial.sources.fetch import fetch

Future = PrefectFuture[Any]
_GRACE_S = 10.0  # in which the stages that run are ended
_STATES = {"up to date": "Cached", "cached": "Cached", "ran": "Ran"}


@task(cache_policy=NO_CACHE)
def stage(root: str, name: str, address: str, step: str) -> Any:
    """Bring one DVC stage up to date in a process of its own."""
    logger, project = get_run_logger(), Project(root=Path(root))
    send_event(step, "running")

    def show(line: str) -> None:
        logger.info(line)
        send_event(step, "running", line)

    try:
        outcome = run_stage(project.root, address, show)
    except PerennialError as error:
        send_event(step, "failed", str(error))
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    message = describe_stage(project, name, step, outcome)
    send_event(step, outcome, message)
    return Completed(name=_STATES[outcome], message=message, data=outcome)


@task(cache_policy=NO_CACHE)
def action(root: str, name: str, step: str, call: Callable[[], ActionResult]) -> Any:
    """One effect: idempotent, never cached."""
    send_event(step, "running")
    try:
        result = call()
    except PerennialError as error:
        send_event(step, "failed", str(error))
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    message, is_skipped = describe_action(Project(root=Path(root)), name, step, result), isinstance(result, Skipped)
    send_event(step, "skipped" if is_skipped else "ran", message)
    return Completed(name="Skipped" if is_skipped else "Ran", message=message, data=result)


@flow(name="training", flow_run_name="{name}", task_runner=ThreadPoolTaskRunner(max_workers=2), log_prints=False)
def training(name: str, refresh: bool = False) -> Any:
    """Fetch (if asked), whatever is stale, then register, promote, score and report."""
    project = Project(root=Path.cwd())
    begin_run(project.root, name, "training")
    try:
        with file_lock(project.state(name) / "run.lock", what=f"a run of {name}"):
            return _train(project, name, refresh)
    except PerennialError as error:
        return fail_run(name, str(error), f"Exit{error.exit_code}")
    except BaseException:
        stop_stages()
        raise


def _train(project: Project, name: str, refresh: bool) -> Any:
    logger = get_run_logger()
    for line in repo.repair_state(project.root):
        logger.warning(line)
    before: list[Future] = []
    if refresh:
        before = [_submit_action(project, name, "fetch", lambda: fetch(project, name), retries=2, after=[])]
        state = _wait(before[0])
        if not state.is_completed():
            return fail_run(name, state.message, state.name, step="fetch")
    with repo.open_repo(project.root) as dvc:
        nodes = repo.sort_nodes(dvc, name)
    for step in (*(node.stage for node in nodes), "register", "promote", "score", "report"):
        send_event(step, "waiting")
    futures = _submit_stages(project, name, nodes, before)
    states = {node: _wait(futures[node.address]) for node in nodes}
    outcomes = {node.address: state.name for node, state in states.items()}
    incomplete = [(node.stage, state) for node, state in states.items() if not state.is_completed()]
    failed = [(step, state) for step, state in incomplete if state.is_failed() or state.is_crashed()] or incomplete
    if failed:
        step, state = failed[0]
        write_failure(project, name, outcomes)
        return fail_run(name, state.message, state.name, step=step)
    last = {node.address for node in nodes} - {address for node in nodes for address in node.after}
    return _run_actions(project, name, outcomes, [futures[address] for address in sorted(last)])


def _submit_stages(project: Project, name: str, nodes: list[repo.Node], before: list[Future]) -> dict[str, Future]:
    """A task for each node, by address; it waits for those of the nodes that it depends on, the first ones for `before`."""
    futures: dict[str, Future] = {}
    for node in nodes:
        stage_task = stage.with_options(name=node.stage, task_run_name=node.address)
        upstream = [futures[address] for address in node.after] or before
        futures[node.address] = stage_task.submit(str(project.root), name, node.address, node.stage, wait_for=upstream)
    return futures


def _run_actions(project: Project, name: str, outcomes: dict[str, str], after: list[Future]) -> Any:
    """Each action waits for the one before, the first for the last stages: so the graph of the run is one."""
    flow_run = find_flow_run()
    steps: list[tuple[str, Callable[[], ActionResult], int]] = [
        ("register", lambda: register(project, name, flow_run), 2),
        ("promote", lambda: promote(project, name), 0),
        ("score", lambda: score_incoming(project, name), 0),
        ("report", lambda: write_report(project, name), 0),
    ]
    results: dict[str, Any] = {}
    for step, call, retries in steps:
        after = [_submit_action(project, name, step, call, retries=retries, after=after)]
        state = _wait(after[0])
        if not state.is_completed():
            write_failure(project, name, outcomes)
            return fail_run(name, f"{state.message} ({step} of {name} failed)", state.name, step=step)
        results[step] = state.result()
    done = ActionResults(registration=results.pop("register"), **results)
    write_receipt(project, name, outcomes, done)
    create_artifacts(project, name, done)
    decision: DecisionRecord = results["promote"]
    name_run(name, decision.verdict)
    message = f"{name}: {decision.verdict}. {decision.reasons[0]}"
    if decision.verdict == "REJECT":
        return Failed(message=message, name="Exit3")
    return Completed(message=message, name=decision.verdict.title())


def _submit_action(
    project: Project, name: str, step: str, call: Callable[[], ActionResult], *, retries: int, after: list[Future]
) -> Future:
    action_task = action.with_options(name=step, task_run_name=step, retries=retries, retry_delay_seconds=5)
    return action_task.submit(str(project.root), name, step, call, wait_for=after)


def _wait(future: Future) -> Any:
    future.wait()
    return future.state


def _handle_interrupt(*_: object) -> None:
    """End what is running at once, and ignore further signals: a second one would interrupt Prefect's own shutdown."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_stages()
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """End when `perennial run` does, which holds our standard input, however it ends: then nobody waits for this run."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE_S)
    os._exit(143)


def _is_informative(record: logging.LogRecord) -> bool:
    """Prefect logs twice that a task failed, with an empty traceback, and once more for each task that waited for it."""
    return "Task run failed with state" not in record.getMessage() and "NotReady" not in record.getMessage()


def main() -> int:
    """Run the flow for one use case; the exit codes of errors.py hold."""
    parser = argparse.ArgumentParser(prog="python -m flows.training")
    parser.add_argument("name")
    parser.add_argument("--refresh", action="store_true", help="fetch raw data first")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, _handle_interrupt)
    if os.environ.pop(GUARD, None):  # in CI or cron standard input has ended before the run begins
        threading.Thread(target=_end_with_parent, daemon=True).start()
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
