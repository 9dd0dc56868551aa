"""`perennial run NAME`: the main job. Answers from the receipt when there is nothing to do, else starts the flow."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from perennial.actions import side
from perennial.actions.fetch import fetch
from perennial.actions.receipt import current
from perennial.config.base import section, use_cases
from perennial.config.sections import SECTIONS
from perennial.contract.model import load
from perennial.errors import ConfigError, ContractError
from perennial.files.locks import held
from perennial.files.project import Project
from perennial.pipeline import repo

_STOPPED = {130, 143}
_TICK_S = 0.2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    side.flags(parser)


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    check(project, args.name)
    if (asked := side.asked(args)) is not None:
        kind, sides = asked
        side.show(args.name, kind, side.run(project, args.name, kind, sides))
        return 0
    told = nothing_to_do(project, args.name)
    if told is not None:
        _say(f"Nothing to do: 0 stages ran, every output of {args.name} is up to date.")
        _say_results(args.name, told)
        return 3 if told["results"]["promote"]["verdict"] == "REJECT" else 0
    code = start_flow(project, args.name)
    if code in _STOPPED:
        sys.stderr.write(f"perennial: stopped; perennial run {args.name} goes on where it was\n")
    told = current(project, args.name) if code in {0, 3} else None
    if told is not None:
        ran = sum(outcome == "Ran" for outcome in told["stages"].values())
        cached = len(told["stages"]) - ran
        ran_words = "1 stage" if ran == 1 else f"{ran} stages"
        _say(f"{ran_words} ran, {cached} {'was' if cached == 1 else 'were'} up to date or cached.")
        _say_results(args.name, told)
    return code


def check(project: Project, name: str) -> None:
    """What would stop a stage later stops the run now.

    Raises: ConfigError with every problem of the contract and of all sections of params; LeakError as the contract.
    """
    params = project.root / "params.yaml"
    if not project.contract(name).exists() and name not in use_cases(params):
        load(project.contract(name))  # a mistyped name has one reason, not one of every file
    looks: list[Callable[[], Any]] = [partial(load, project.contract(name))]
    looks += [partial(section, params, name, key, model) for key, model in SECTIONS.items()]
    problems = []
    for look in looks:
        try:
            look()
        except (ContractError, ConfigError) as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("; ".join(dict.fromkeys(problems)))


def nothing_to_do(project: Project, name: str) -> dict[str, Any] | None:
    """The last receipt, if DVC's plan is empty and it still fits. Fetches raw data first when there is none.

    Raises: Busy when a run of this use case is going on.
    """
    with held(project.state(name) / "run.lock", what=f"a run of {name}"):
        for line in repo.mend(project.root):
            _say(line)
        if not project.raw(name).is_dir() and not repo.bring_raw(project.root, name):
            fetch(project, name)
        told = current(project, name)
        if told is None:
            return None
        with repo.opened(project.root) as opened:
            stale = repo.stale(opened, repo.order(opened, name))
        return None if stale else told


def start_flow(project: Project, name: str) -> int:
    """Run flows/training.py as a process of its own against this project's Prefect server; its exit code."""
    from perennial.actions.server import ensure, environment

    flow = project.root / "flows" / "training.py"
    if not flow.exists():
        raise ConfigError(f"{flow} is missing: it derives the run from dvc.yaml")
    url = ensure(project)
    _say(f"Prefect shows this run at {url}")
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


def _say_results(name: str, told: dict[str, Any]) -> None:
    results, page = told["results"], told["results"]["report"]
    _say(f"\n{page['verdict']}: {page['headline']}")
    _say(f"In use: version {page['in_use']}" if page["in_use"] else "In use: no model")
    if listed := _listed(results["score"]):
        _say(f"List: {listed}")
    _say(f"Report: {page['path']}\n")
    steps = {
        f"perennial open {name}": "look at the report",
        f"perennial show {name}": "the figures as words",
        "make ui": "MLflow and Prefect",
    }
    if (activate := _activate()) is not None:
        steps = {f". {activate}": "once in each shell: perennial and dvc by name", **steps}
    width = max(map(len, steps)) + 4
    _say("Next:\n" + "\n".join(f"  {command.ljust(width)}{purpose}" for command, purpose in steps.items()))


def _listed(scored: dict[str, Any]) -> str | None:
    """The list of those who came in, and how many of them to act on."""
    if "output" not in scored:
        return None
    many = f"{scored['scored']:,}"
    told = f"{many} scored" if scored["chosen"] is None else f"{scored['chosen']:,} of {many} to {scored['to']}"
    return f"{scored['output']}, {told}"


def _activate() -> str | None:
    """The script that puts the environment's programs on PATH, where they are not."""
    folder = Path(sys.executable).parent
    if str(folder) in os.environ.get("PATH", "").split(os.pathsep) or not (folder / "activate").exists():
        return None
    script, here = folder / "activate", Path.cwd()
    return str(script.relative_to(here) if script.is_relative_to(here) else script)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
