"""dvc.yaml in, a Prefect run out: one task a stage in the order of the graph, then the actions.

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
from perennial.pipeline.run import run_stage, stop_all
from perennial.promotion.promote import promote
from perennial.promotion.receipt import Receipt
from perennial.promotion.register import register
from perennial.promotion.reporting import report
from perennial.serving.score import score_incoming
from perennial.sources.fetch import fetch

_WORDS = {"up to date": "Cached", "cached": "Cached", "ran": "Ran"}


@task(cache_policy=NO_CACHE)
def stage(root: str, address: str) -> Any:
    """Bring one DVC stage up to date in a process of its own."""
    logger = get_run_logger()
    try:
        outcome = run_stage(Path(root), address, logger.info)
    except PerennialError as error:
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    return Completed(name=_WORDS[outcome], message=f"{address}: {outcome}", data=outcome)


@task(cache_policy=NO_CACHE)
def action(call: Callable[[], Any]) -> Any:
    """One effect: idempotent, never cached."""
    try:
        result = call()
    except PerennialError as error:
        return Failed(message=str(error), name=f"Exit{error.exit_code}")
    skipped = isinstance(result, dict) and result.get("skipped")
    return Completed(name="Skipped" if skipped else "Ran", message=str(skipped or "done"), data=result)


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
        stop_all()
        raise


def _train(project: Project, name: str, refresh: bool) -> Any:
    logger = get_run_logger()
    for line in repo.mend(project.root):
        logger.warning(line)
    if refresh:
        fetched = _act("fetch", lambda: fetch(project, name), retries=2)
        if not fetched.is_completed():
            return fetched
    with repo.opened(project.root) as opened:
        nodes = repo.order(opened, name)
    futures: dict[str, PrefectFuture[Any]] = {}
    for node in nodes:
        named = stage.with_options(name=node.stage, task_run_name=node.address)
        before = [futures[address] for address in node.after]
        futures[node.address] = named.submit(str(project.root), node.address, wait_for=before)
    ends = {address: _end(future) for address, future in futures.items()}
    undone = [state for state in ends.values() if not state.is_completed()]
    failed = [state for state in undone if state.is_failed() or state.is_crashed()] or undone
    outcomes = {address: state.name for address, state in ends.items()}
    if failed:
        Receipt(project=project, name=name, outcomes=outcomes).fail()
        return Failed(message=f"{name}: {failed[0].message}", name=failed[0].name)
    return _effects(project, name, outcomes)


def _effects(project: Project, name: str, outcomes: dict[str, str]) -> Any:
    receipt = Receipt(project=project, name=name, outcomes=outcomes)
    steps: list[tuple[str, Callable[[], Any], int]] = [
        ("register", lambda: register(project, name), 2),
        ("promote", lambda: promote(project, name), 0),
        ("score", lambda: score_incoming(project, name), 0),
        ("report", lambda: report(project, name), 0),
    ]
    for word, call, retries in steps:
        state = _act(word, call, retries=retries)
        if not state.is_completed():
            receipt.fail()
            return Failed(message=f"{name}, {word}: {state.message}", name=state.name)
        receipt.add(word, state.result())
    receipt.close()
    _artifacts(name, receipt)
    verdict = receipt.results["promote"]["verdict"]
    words = f"{name}: {verdict}. {receipt.results['promote']['reasons'][0]}"
    if verdict == "REJECT":
        return Failed(message=words, name="Exit3")
    return Completed(message=words, name=verdict.title())


def _act(word: str, call: Callable[[], Any], *, retries: int) -> Any:
    named = action.with_options(name=word, task_run_name=word, retries=retries, retry_delay_seconds=5)
    return _end(named.submit(call))


def _end(future: PrefectFuture[Any]) -> Any:
    future.wait()
    return future.state


def _artifacts(name: str, receipt: Receipt) -> None:
    key = name.replace("_", "-")
    decision = receipt.results["promote"]
    lines = [f"# {name}: {decision['verdict']}", *(f"- {reason}" for reason in decision["reasons"])]
    create_markdown_artifact(key=f"{key}-decision", markdown="\n".join(lines))
    create_table_artifact(key=f"{key}-rows", table=receipt.row_flow(), description="Where every row went")
    create_table_artifact(key=f"{key}-figures", table=receipt.figures(), description="Key figures on test")


def _interrupted(*_: Any) -> None:
    """End what is running at once, and listen no more: a second signal would cut Prefect's own ending short."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_all()
    raise KeyboardInterrupt


def _tells(record: logging.LogRecord) -> bool:
    """Prefect says twice that a task failed, with a traceback of nothing, and once more of each that waited for it."""
    return "Task run failed with state" not in record.getMessage() and "NotReady" not in record.getMessage()


def main() -> int:
    """Run the flow for one use case; the exit codes of errors.py hold."""
    parser = argparse.ArgumentParser(prog="python flows/training.py")
    parser.add_argument("name")
    parser.add_argument("--refresh", action="store_true", help="fetch raw data first")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, _interrupted)
    for name in ("prefect.task_runs", "prefect.flow_runs"):
        logging.getLogger(name).addFilter(_tells)
    try:
        state = training(args.name, args.refresh, return_state=True)
    except KeyboardInterrupt:
        return 130
    if state.is_completed():
        return 0
    sys.stderr.write(f"{state.message}\n")
    told = (state.name or "").removeprefix("Exit")
    return int(told) if told.isdigit() else 1


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    sys.exit(main())
