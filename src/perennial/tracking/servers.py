"""A project in, the address of its own Prefect server on 127.0.0.1 out: reused while it lives, else started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from perennial.errors import ServiceError
from perennial.files.durable import read_json, write_json
from perennial.files.locks import file_lock
from perennial.files.project import Project

_START_S = 120.0


def environment(url: str, project: Project) -> dict[str, str]:
    """What a process needs to speak to this server and no other: nothing inherited, no telemetry."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    return {
        **kept,
        "PREFECT_HOME": str(project.services / "prefect"),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
    }


def ensure(project: Project) -> str:
    """The URL of a living server of this project.

    Raises: ServiceError when it does not answer in time, naming its log.
    """
    shared = os.environ.get("PERENNIAL_PREFECT_URL")
    if shared:
        return shared.rstrip("/")
    note = project.services / "server.json"
    with file_lock(project.services / "server.lock", what="the Prefect server", wait_s=_START_S):
        known = read_json(note) if note.exists() else {}
        if known and _lives(known) and _answers(known["port"]):
            return f"http://127.0.0.1:{known['port']}"
        return _start(project, note, known.get("port"))


def is_up(project: Project) -> bool:
    """Whether the server that this project started is alive; a shared one is no business of ours."""
    note = project.services / "server.json"
    known = read_json(note) if note.exists() else {}
    return bool(known) and _lives(known)


def stop(project: Project) -> bool:
    """Stop the server that this project started; False when there is none. Others are never touched."""
    note = project.services / "server.json"
    known = read_json(note) if note.exists() else {}
    if not known or not _lives(known):
        note.unlink(missing_ok=True)
        return False
    os.killpg(known["pid"], signal.SIGTERM)
    deadline = time.monotonic() + 10
    while _lives(known) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _lives(known):
        os.killpg(known["pid"], signal.SIGKILL)
    note.unlink(missing_ok=True)
    return True


def _start(project: Project, note: Path, old_port: int | None) -> str:
    port = old_port if old_port and is_free(old_port) else _any_port()
    url = f"http://127.0.0.1:{port}"
    log = project.services / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment(url, project), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            cwd=project.services,
        )  # fmt: skip
    write_json(note, {"pid": process.pid, "port": port, "started": _start_time(process.pid)})
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(port):
            return url
        time.sleep(0.2)
    raise ServiceError(f"the Prefect server on port {port} did not answer; its log: {log}")


def _lives(known: dict[str, Any]) -> bool:
    """The same process as we started: a PID can come again, and a zombie keeps its start time."""
    return bool(known["started"]) and _start_time(known["pid"]) == known["started"]


def _start_time(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            status: int = answer.status
            return status == 200
    except (urllib.error.URLError, TimeoutError, OSError):
        return False


def is_free(port: int) -> bool:
    """Whether nobody listens there on this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
