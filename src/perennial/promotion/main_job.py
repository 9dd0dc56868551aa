"""Main job: answer from the receipt if there is nothing to do, else start the flow, and print what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from perennial.config.base import read_section
from perennial.config.sections import SECTIONS
from perennial.contract.load import load
from perennial.errors import ConfigError, ContractError
from perennial.files import logs
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.pipeline import repo
from perennial.promotion.receipt import current_receipt
from perennial.results.receipt import Receipt, ScoredList

GUARD = "PERENNIAL_RUN_GUARD"  # the flow ends when its standard input does: however this process ends, SIGKILL too
_POLL_S = 0.2
_REJECTED, _STOPPED = 3, {130, 143}


def check_config(project: Project, name: str) -> None:
    """Find now what would stop a stage later.

    Raises: ConfigError with every problem of the contract and of all sections of params; LeakError as the contract.
    """
    params = project.root / "params.yaml"
    checks: list[Callable[[], object]] = [partial(load, project.contract(name))]
    checks += [partial(read_section, params, name, key, model) for key, model in SECTIONS.items()]
    problems = []
    for check in checks:
        try:
            check()
        except (ContractError, ConfigError) as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("; ".join(dict.fromkeys(problems)))


def run_main_job(project: Project, name: str) -> int:
    """Run whatever is stale, then the actions; the exit code is 3 when the candidate was rejected."""
    if sys.stdout.isatty():
        print_line(f"{name}: looking for what is stale")
    receipt = find_valid_receipt(project, name)
    if receipt is not None:
        print_line(f"Nothing to do: 0 stages ran, every output of {name} is up to date.")
        print_results(name, receipt)
        return _REJECTED if receipt.results.promote and receipt.results.promote.verdict == "REJECT" else 0
    code = start_flow(project, name)
    if code in _STOPPED:
        sys.stderr.write(f"perennial: stopped; perennial run {name} continues from there\n")
    receipt = current_receipt(project, name) if code in {0, _REJECTED} else None
    if receipt is not None:
        n_ran = sum(outcome == "Ran" for outcome in receipt.stages.values())
        n_cached = len(receipt.stages) - n_ran
        ran = "1 stage" if n_ran == 1 else f"{n_ran} stages"
        print_line(f"{ran} ran, {n_cached} {'was' if n_cached == 1 else 'were'} up to date or cached.")
        print_results(name, receipt)
    return code


def find_valid_receipt(project: Project, name: str) -> Receipt | None:
    """The last receipt, if no stage is stale and it still fits. Fetches raw data first when there is none.

    Raises: Busy when a run of this use case is going on.
    """
    with file_lock(project.state(name) / "run.lock", what=f"a run of {name}"):
        for line in repo.repair_state(project.root):
            print_line(line)
        if not project.raw(name).is_dir() and not repo.pull_raw(project.root, name):
            from perennial.sources.fetch import fetch  # with its readers: not needed for an answer from the receipt

            fetch(project, name)
        receipt = current_receipt(project, name)
        if receipt is None:
            return None
        with repo.open_repo(project.root) as opened:
            stale = repo.find_stale(opened, {node.address for node in repo.sort_nodes(opened, name)})
        return None if stale else receipt


def start_flow(project: Project, name: str) -> int:
    """Run flows/training.py as a process of its own against this project's Prefect server; its exit code."""
    from perennial.tracking.servers import build_environment, ensure_server

    flow = project.root / "flows" / "training.py"
    if not flow.exists():
        raise ConfigError(f"{flow} is missing: it derives the run from dvc.yaml")
    environment = build_environment(ensure_server(project), project) | {GUARD: "1"}
    command = [sys.executable, "-m", "flows.training", name]
    if sys.stdout.isatty():
        return _run_with_view(project, name, command, environment)
    return _wait(subprocess.Popen(command, cwd=project.root, env=environment, stdin=subprocess.PIPE))


def _run_with_view(project: Project, name: str, command: list[str], environment: dict[str, str]) -> int:
    """Run the flow under a live view; what it logs goes to .perennial/NAME/run.log."""
    from rich.console import Console

    from perennial.pipeline.events import FILE_DESCRIPTOR
    from perennial.promotion.live_view import LiveView, follow_run

    reading, writing = os.pipe()
    path = project.state(name) / "run.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=project.root,
            env={**environment, FILE_DESCRIPTOR: str(writing)},
            pass_fds=[writing],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    os.close(writing)
    try:
        follow_run(LiveView(project=project, name=name), process, reading, Console())
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
    code = _wait(process)
    if code and code not in _STOPPED:
        sys.stderr.write(f"{logs.read_last_line(path)}\nAll lines of this run: {path}\n")
    return code


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The exit code, polled: another thread may receive Ctrl-C, and one long wait would lose the code."""
    while process.returncode is None:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # the terminal may have sent it already: the flow listens once
    return 128 - process.returncode if process.returncode < 0 else process.returncode


def print_results(name: str, receipt: Receipt) -> None:
    page, scored = receipt.results.report, receipt.results.score
    assert page is not None, "a current receipt has a report"
    print_line(f"\n{page.verdict}: {page.headline}")
    print_line(f"Champion: version {page.champion}" if page.champion else "Champion: none")
    if isinstance(scored, ScoredList):
        n_scored = f"{scored.scored:,}"
        chosen = f"{n_scored} scored" if scored.chosen is None else f"{scored.chosen:,} of {n_scored} to {scored.to}"
        print_line(f"List: {scored.output}, {chosen}")
    print_line(f"Report: {page.path}\n")
    steps = {
        f"perennial open {name}": "look at the report",
        f"perennial show {name}": "the figures as text",
        "perennial ui": "MLflow and Prefect in a browser",
        'eval "$(perennial env)"': "for the commands of mlflow and prefect",
    }
    if (script := _find_activate_script()) is not None:
        steps = {f". {script}": "once in each shell: perennial and dvc by name", **steps}
    width = max(map(len, steps)) + 4
    print_line("Next:\n" + "\n".join(f"  {command.ljust(width)}{purpose}" for command, purpose in steps.items()))


def _find_activate_script() -> str | None:
    """The script that puts the environment's programs on PATH, where they are not."""
    folder = Path(sys.executable).parent
    if str(folder) in os.environ.get("PATH", "").split(os.pathsep) or not (folder / "activate").exists():
        return None
    script, cwd = folder / "activate", Path.cwd()
    return str(script.relative_to(cwd) if script.is_relative_to(cwd) else script)


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
