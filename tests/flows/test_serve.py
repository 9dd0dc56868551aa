"""Schedules: `perennial serve`, and `prefect deploy` with a worker. A cron line makes runs that nobody started, one at a time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perennial.tracking.servers import build_environment, ensure_server
from tests.conftest import NAME, REPO
from tests.flows.conftest import BIN

if TYPE_CHECKING:
    from tests.flows.conftest import Done

pytestmark = [pytest.mark.flows]
SLUG = NAME.replace("_", "-")
DEADLINE_S = 150
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@contextmanager
def running(words: list[str], folder: Path, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A command in a session of its own, which is told to end as a supervisor does."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    with open(log, "w") as file:
        process = subprocess.Popen(
            words, cwd=folder, stdout=file, stderr=file, env={**environment, "PATH": path}, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def runs_of(done: Done, deployment: str) -> list[dict[str, Any]]:
    by_start = {"deployments": {"name": {"any_": [deployment]}}, "sort": "START_TIME_ASC", "limit": 50}
    return [run for run in done.api("/flow_runs/filter", by_start) if run["start_time"]]


def start_two(done: Done, flow: str, deployment: str) -> list[str]:
    """The ids of two runs that are asked for at once."""
    identity = done.api(f"/deployments/name/{flow}/{deployment}", method="GET")["id"]
    return [done.api(f"/deployments/{identity}/create_flow_run")["id"] for _ in range(2)]


def wait_for_schedule(done: Done, deployment: str, started: list[str], log: Path) -> list[dict[str, Any]]:
    """Every run of a deployment by its start, once those in `started` and one of the schedule's own are over."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        runs = [run for run in runs_of(done, deployment) if run["state_type"] in OVER]
        if {*started} <= {run["id"] for run in runs} and any(run["auto_scheduled"] for run in runs):
            return runs
        time.sleep(1)
    pytest.fail(log.read_text()[-3000:])


def assert_one_after_another(runs: list[dict[str, Any]]) -> None:
    assert len(runs) >= 3
    assert [run["state"]["message"] for run in runs if run["state_type"] != "COMPLETED"] == []
    assert [later["id"] for earlier, later in pairwise(runs) if later["start_time"] < earlier["end_time"]] == []


def test_serve_starts_scheduled_runs_one_at_a_time(done: Done) -> None:
    words = ["serve", NAME, "--train", "15 3 * * *", "--score", "* * * * *", "--timezone", "Europe/Vienna"]
    log = done.toy.root / ".perennial" / "serve.log"
    with running([str(BIN / "perennial"), *words], done.toy.root, log, os.environ):
        wait_until_listed(done, f"{NAME}-scoring", log)
        started = start_two(done, "scoring", f"{NAME}-scoring")
        runs = wait_for_schedule(done, f"{NAME}-scoring", started, log)
    assert_one_after_another(runs)
    assert {run["name"] for run in runs} == {f"{NAME}: 100 scored"}
    assert {tag for run in runs for tag in run["tags"]} >= {NAME, "scoring", "main"}
    assert next(run["parameters"] for run in runs if run["auto_scheduled"]) == {"name": NAME}


def wait_until_listed(done: Done, deployment: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while not done.api("/deployments/filter", {"deployments": {"name": {"any_": [deployment]}}}):
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.5)


def test_a_deployment_fires_on_a_worker_one_run_at_a_time(done: Done, tmp_path: Path) -> None:
    """prefect.yaml as it is, but for the time of scoring; and another shell's `prefect` sees what it deployed."""
    shutil.copy(REPO / "prefect.yaml", done.toy.root)
    done.toy.edit("prefect.yaml", "15 5 * * *", "* * * * *")
    url = ensure_server(done.toy.project)
    environment = build_environment(url, done.toy.project) | {"PERENNIAL_PROJECT": str(done.toy.root)}

    def prefect(*words: str, settings: Mapping[str, str] = environment) -> str:
        command = [str(BIN / "prefect"), "--no-prompt", *words]
        ran = subprocess.run(command, cwd=done.toy.root, env={**settings}, text=True, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    prefect("work-pool", "create", "perennial", "--type", "process")
    prefect("deploy", "--all")
    plain = {**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": f"{url}/api", "COLUMNS": "200"}
    listed = prefect("deployment", "ls", settings=plain)
    assert f"training/{SLUG}-training" in listed
    assert f"scoring/{SLUG}-scoring" in listed
    log = done.toy.root / ".perennial" / "worker.log"
    with running([str(BIN / "prefect"), "worker", "start", "--pool", "perennial"], done.toy.root, log, environment):
        started = start_two(done, "scoring", f"{SLUG}-scoring")
        training = done.api(f"/deployments/name/training/{SLUG}-training", method="GET")["id"]
        nightly = done.api(f"/deployments/{training}/create_flow_run")["id"]
        runs = wait_for_schedule(done, f"{SLUG}-scoring", started, log)
        fetched = wait_for_run(done, nightly)
    assert_one_after_another(runs)
    assert {run["work_pool_name"] for run in runs} == {"perennial"}
    assert fetched["name"] == f"{NAME}: PROMOTE", fetched["state"]["message"]


def wait_for_run(done: Done, identity: str) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    run: dict[str, Any] = {"state_type": ""}
    while run["state_type"] not in OVER and time.monotonic() < deadline:
        time.sleep(1)
        run = done.api(f"/flow_runs/{identity}", method="GET")
    return run
