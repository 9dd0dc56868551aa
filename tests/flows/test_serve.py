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

pytestmark = [pytest.mark.flows, pytest.mark.xdist_group("flows")]


def test_a_schedule_starts_a_run_that_completes(done: Done) -> None:
    words = ["serve", NAME, "--train", "15 3 * * *", "--score", "* * * * *", "--timezone", "Europe/Vienna"]
    served = subprocess.Popen(
        [str(BIN / "perennial"), *words], cwd=done.toy.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}, start_new_session=True,
    )  # fmt: skip
    wanted = {"flow_runs": {"deployment_id": {"is_null_": False}}, "limit": 50}
    try:
        deadline, ended = time.monotonic() + 150, []
        while not ended and time.monotonic() < deadline:
            time.sleep(2)
            runs = done.api("/flow_runs/filter", wanted)
            ended = [run for run in runs if run["auto_scheduled"] and run["state_type"] in {"COMPLETED", "FAILED"}]
    finally:
        os.killpg(served.pid, 15)
        served.wait(30)
    assert ended, "no scheduled run ended in 150 s"
    assert ended[0]["state_type"] == "COMPLETED", ended[0]["state"]["message"]
    assert ended[0]["parameters"] == {"name": NAME}
