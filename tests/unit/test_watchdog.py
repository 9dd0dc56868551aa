"""Nothing that a test started outlives its session, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.watchdog import MARK

pytestmark = pytest.mark.unit

SESSION = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
from tests.watchdog import start_watchdog
watchdog = start_watchdog()
server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(server.pid, flush=True)
if sys.argv[1] == "ends":
    watchdog.stdin.close()
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc, which Linux has")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, "ends"])
def test_a_server_of_a_session_that_ends_or_is_killed_is_gone(end: signal.Signals | str) -> None:
    command = [sys.executable, "-c", SESSION, "ends" if end == "ends" else "is killed"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process.stdout:
        server = int(process.stdout.readline())
    if isinstance(end, signal.Signals):
        assert is_alive(server)
        process.send_signal(end)
    deadline = time.monotonic() + 20
    while is_alive(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    is_gone = not is_alive(server)
    process.kill()
    process.wait()
    assert is_gone


def test_this_session_is_watched() -> None:
    assert MARK in os.environ, "tests/conftest.py starts the watchdog"


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
