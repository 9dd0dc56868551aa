"""`perennial run NAME`: the main job. Answers from the receipt when there is nothing to do, else starts the flow."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from typing import Any

from perennial.actions import side
from perennial.actions.fetch import fetch
from perennial.actions.receipt import current
from perennial.errors import ConfigError
from perennial.files.locks import held
from perennial.files.project import Project
from perennial.pipeline import repo


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    side.configure(parser)


def main(args: argparse.Namespace) -> int:
    project = Project.here()
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
    told = current(project, args.name) if code in {0, 3} else None
    if told is not None:
        ran = sum(outcome == "Ran" for outcome in told["stages"].values())
        cached = len(told["stages"]) - ran
        _say(f"{ran} stages ran, {cached} were up to date or cached.")
        _say_results(args.name, told)
    return code


def nothing_to_do(project: Project, name: str) -> dict[str, Any] | None:
    """The last receipt, if DVC's plan is empty and it still fits. Fetches raw data first when there is none.

    Raises: Busy when a run of this use case is going on.
    """
    project.contract(name)
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
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # twice to the same process group is harmless: it is stopping already
        code = process.wait()
    return 128 - code if code < 0 else code


def _say_results(name: str, told: dict[str, Any]) -> None:
    verdict, page = told["results"]["promote"]["verdict"], told["results"]["report"]
    _say(f"\n{verdict}: {page['headline']}")
    _say(f"Report: {page['path']}\n")
    _say(f"Next:\n  perennial open {name}      look at the report")
    _say(f"  perennial show {name}      the figures as words\n  make ui                    MLflow and Prefect")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
