"""Watchdog of a test session: whatever tests started ends with them, also when pytest itself is killed.

Servers and stages run in sessions of their own, so no signal to pytest reaches them. A process beside pytest waits for the end
of a pipe that only pytest holds, and then kills every process that was born with this session's mark in its environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

MARK = "PERENNIAL_TEST_SESSION"
_WATCH = """
import os, signal, sys, time
mark = f"PERENNIAL_TEST_SESSION={sys.argv[1]}".encode()
sys.stdin.read()
for _ in range(5):  # what a dying process starts is found in the next round
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                is_ours = mark in file.read().split(b"\\0")
            if is_ours:
                os.kill(int(pid), signal.SIGKILL)
        except OSError:
            continue
    time.sleep(0.2)
"""


def start_watchdog() -> subprocess.Popen[bytes]:
    """Mark what this session starts from now on; it ends when the watchdog's stdin is closed, or this process ends."""
    session = uuid.uuid4().hex
    process = subprocess.Popen([sys.executable, "-c", _WATCH, session], stdin=subprocess.PIPE, start_new_session=True)
    os.environ[MARK] = session
    return process
