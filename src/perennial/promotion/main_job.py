"""The main job: answer from the receipt when there is nothing to do, else start the flow."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from perennial.config.base import read_section, read_use_cases
from perennial.config.sections import SECTIONS
from perennial.contract.load import load
from perennial.errors import ConfigError, ContractError
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.pipeline import repo
from perennial.promotion.receipt import current_receipt
from perennial.results.receipt import Receipt
from perennial.sources.fetch import fetch

_TICK_S = 0.2


def check(project: Project, name: str) -> None:
    """What would stop a stage later stops the run now.

    Raises: ConfigError with every problem of the contract and of all sections of params; LeakError as the contract.
    """
    params = project.root / "params.yaml"
    if not project.contract(name).exists() and name not in read_use_cases(params):
        load(project.contract(name))  # a mistyped name has one reason, not one of every file
    looks: list[Callable[[], Any]] = [partial(load, project.contract(name))]
    looks += [partial(read_section, params, name, key, model) for key, model in SECTIONS.items()]
    problems = []
    for look in looks:
        try:
            look()
        except (ContractError, ConfigError) as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("; ".join(dict.fromkeys(problems)))


def nothing_to_do(project: Project, name: str) -> Receipt | None:
    """The last receipt, if DVC's plan is empty and it still fits. Fetches raw data first when there is none.

    Raises: Busy when a run of this use case is going on.
    """
    with file_lock(project.state(name) / "run.lock", what=f"a run of {name}"):
        for line in repo.repair(project.root):
            say(line)
        if not project.raw(name).is_dir() and not repo.bring_raw(project.root, name):
            fetch(project, name)
        receipt = current_receipt(project, name)
        if receipt is None:
            return None
        with repo.opened(project.root) as opened:
            stale = repo.stale(opened, repo.order(opened, name))
        return None if stale else receipt


def start_flow(project: Project, name: str) -> int:
    """Run flows/training.py as a process of its own against this project's Prefect server; its exit code."""
    from perennial.tracking.servers import ensure, environment

    flow = project.root / "flows" / "training.py"
    if not flow.exists():
        raise ConfigError(f"{flow} is missing: it derives the run from dvc.yaml")
    url = ensure(project)
    say(f"Prefect shows this run at {url}")
    process = subprocess.Popen([sys.executable, str(flow), name], cwd=project.root, env=environment(url, project))
    try:
        code = _ended(process)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # the terminal may have told it already: the flow listens once
        code = _ended(process)
    return 128 - code if code < 0 else code


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code, waited for in ticks: Ctrl-C may be told to another thread, and one long wait would lose the code."""
    while True:
        try:
            return process.wait(_TICK_S)
        except subprocess.TimeoutExpired:
            continue


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
