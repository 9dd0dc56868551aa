"""`perennial serve`: a cron line makes runs that nobody started."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import NAME
from tests.flows.conftest import BIN

if TYPE_CHECKING:
    from tests.flows.conftest import Done

pytestmark = [pytest.mark.flows]


def test_a_schedule_starts_a_run_that_completes(done: Done) -> None:
    words = ["serve", NAME, "--train", "15 3 * * *", "--score", "* * * * *", "--timezone", "Europe/Vienna"]
    log = open(done.toy.root / ".perennial" / "serve.log", "w")  # noqa: SIM115 - the process writes it to its end
    served = subprocess.Popen(
        [str(BIN / "perennial"), *words],
        cwd=done.toy.root,
        stdout=log,
        stderr=log,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
    )
    over = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}
    expected = {"flow_runs": {"deployment_id": {"is_null_": False}, "state": over}, "limit": 50}
    try:
        deadline, ended = time.monotonic() + 150, []
        while not ended and time.monotonic() < deadline:
            time.sleep(2)
            ended = [run for run in done.api("/flow_runs/filter", expected) if run["auto_scheduled"]]
    finally:
        os.killpg(served.pid, 15)
        served.wait(30)
        log.close()
    assert ended, (done.toy.root / ".perennial" / "serve.log").read_text()[-2000:]
    assert ended[0]["state_type"] == "COMPLETED", ended[0]["state"]["message"]
    assert ended[0]["parameters"] == {"name": NAME}
