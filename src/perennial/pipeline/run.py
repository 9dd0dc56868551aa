"""Stage runner: bring one stage of dvc.yaml up to date in a process of its own, which ends with the flow that started it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from perennial.errors import PerennialError
from perennial.pipeline.repo import is_stale, restore_outputs

Outcome = Literal["up to date", "cached", "ran"]
STOP = threading.Event()
_GRACE_S = 10.0
_running: set[subprocess.Popen[str]] = set()
_NOISE = (
    "To track the changes",
    "git add",
    "To enable auto staging",
    "dvc config core.autostage",
    "Use `dvc push`",
    "Updating lock file",
    "Running stage",
    "Generating lock file",
    "Verifying outputs",
    "> python -m perennial",
)


class StageFailed(PerennialError):
    """A stage ended with an exit code other than 0, which becomes this run's own; its last line says why and comes first."""

    def __init__(self, address: str, exit_code: int, last_line: str) -> None:
        if exit_code < 0:  # of a process that a signal ended
            name = signal.Signals(-exit_code).name
            guess = " (out of memory?)" if -exit_code == signal.SIGKILL else ""
            super().__init__(f"{address} was killed by {name}{guess}; its last line: {last_line or 'none'}")
        else:
            super().__init__(f"{last_line} ({address} failed with exit code {exit_code})")
        self.exit_code = exit_code if exit_code >= 0 else 128 - exit_code


def run_stage(root: Path, address: str, show: Callable[[str], None]) -> Outcome:
    """Bring one stage up to date: nothing, a restore from the run cache, or `dvc repro -s` in its own process.

    Raises: StageFailed with the stage's own exit code (DVC would say 255).
    """
    if not is_stale(root, address):
        return "up to date"
    if restore_outputs(root, address):
        return "cached"
    reproduce(root, address, show)
    return "ran"


def stop_stages() -> None:
    """End every running stage: closing its stdin makes it exit with 143, and DVC cleans up after it."""
    STOP.set()
    processes = list(_running)
    for process in processes:
        if process.stdin:
            process.stdin.close()
    deadline = time.monotonic() + _GRACE_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def reproduce(root: Path, address: str, show: Callable[[str], None]) -> None:
    if STOP.is_set():
        raise StageFailed(address, 143, "the run was stopped")
    code, last, dvc_error = 0, "", ""
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", address],
        cwd=root,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    _running.add(process)
    try:
        for line in process.stdout:
            if not (text := line.rstrip()) or text.lstrip().startswith(_NOISE):
                continue
            if match := re.search(r"exited with (-?\d+)", text):
                code = int(match.group(1))
            elif text.startswith("ERROR:"):
                dvc_error = dvc_error or text.removeprefix("ERROR:").strip()
            else:
                last = text
                show(text)
        if process.wait():  # without an exit code of the stage, DVC itself could not go on
            raise StageFailed(address, code or 1, last if code else dvc_error or last)
    finally:
        _running.discard(process)
        process.stdout.close()
        process.stdin.close()


def _environment() -> dict[str, str]:
    """The venv first on PATH, since `cmd: python` is resolved there."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    settings = {"PERENNIAL_GUARD": "1", "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1", "PATH": path}
    return {**os.environ, **settings}
