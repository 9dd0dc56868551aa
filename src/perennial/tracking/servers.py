"""Prefect server of a project: on 127.0.0.1, started when it is needed, reused while it lives, ended when nobody uses it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perennial.errors import ServiceError
from perennial.files.durable import read_json, write_json
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.results.base import Result
from perennial.tracking.idle import SERVER_LOCK

_START_S, _STOP_S = 120.0, 10.0
_LOOPS = {  # background work of an idle server in seconds, 5 to 20 by default; longer where a delay only shows: ADR 0015
    "LATE_RUNS": 300,
    "PAUSE_EXPIRATIONS": 300,
    "CLEANUP_RECONCILER": 300,
    "CANCELLATION_CLEANUP": 60,
    "REPOSSESSOR": 60,
    "SCHEDULER_RECENT_DEPLOYMENTS": 30,
}
_SAVINGS = {
    **{f"PREFECT_SERVER_SERVICES_{loop}_LOOP_SECONDS": str(seconds) for loop, seconds in _LOOPS.items()},
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "0:01:00",  # Prefect reads no plain number here
}


class Server(Result):
    """The server that this project started last; a pid can be given to another process, so its start time counts too."""

    pid: int
    port: int
    started: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_alive(self) -> bool:
        return bool(self.started) and _read_start_time(self.pid) == self.started

    @property
    def is_ready(self) -> bool:
        """Whether it answers requests."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health", timeout=2) as answer:
                return bool(answer.read() == b"true")  # unread, it would reset the connection, which then is no use
        except (urllib.error.URLError, TimeoutError, OSError):
            return False


def build_environment(url: str, project: Project) -> dict[str, str]:
    """What a process needs to use this server and no other: nothing inherited, no telemetry."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")},
        "PREFECT_HOME": str(project.services / "prefect"),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
    }


def ensure_server(project: Project) -> str:
    """The URL of a living server of this project.

    Raises: ServiceError when it does not answer in time, naming its log.
    """
    if shared := os.environ.get("PERENNIAL_PREFECT_URL"):
        return shared.rstrip("/")
    with file_lock(project.services / SERVER_LOCK, what="the Prefect server", wait_s=_START_S):
        server = read_server(project)
        if server is not None and server.is_alive and server.is_ready:
            return server.url
        port = server.port if server is not None and is_port_free(server.port) else find_free_port()
        return _start_server(project, port).url


def find_server_url(project: Project) -> str | None:
    """The URL of the shared server, or of this project's own where that is up; starts nothing."""
    if shared := os.environ.get("PERENNIAL_PREFECT_URL"):
        return shared.rstrip("/")
    server = read_server(project)
    return server.url if server is not None and server.is_alive and server.is_ready else None


@contextmanager
def hold_server(project: Project) -> Iterator[None]:
    """Keep the server that this project started from ending as idle: a connection is open for the block."""
    server = read_server(project)
    if server is None or not server.is_alive:  # a shared one
        yield
        return
    with socket.create_connection(("127.0.0.1", server.port)):
        yield


def is_server_up(project: Project) -> bool:
    """Whether the server that this project started is alive; a shared one does not count."""
    server = read_server(project)
    return server is not None and server.is_alive


def stop_server(project: Project) -> bool:
    """Stop the server that this project started; False when there is none. Others are never touched."""
    server = read_server(project)
    was_up = server is not None and server.is_alive
    if server is not None and was_up:
        os.killpg(server.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while server.is_alive and time.monotonic() < deadline:
            time.sleep(0.1)
        if server.is_alive:
            os.killpg(server.pid, signal.SIGKILL)
    _note_path(project).unlink(missing_ok=True)
    return was_up


def is_port_free(port: int) -> bool:
    """Whether nobody listens there on this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_server(project: Project, port: int) -> Server:
    log = project.services / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "perennial.tracking.idle", str(port), *words],
            env=build_environment(f"http://127.0.0.1:{port}", project) | _SAVINGS,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd=project.services,
        )
    server = Server(pid=process.pid, port=port, started=_read_start_time(process.pid))
    write_json(_note_path(project), server.model_dump(mode="json"))
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if server.is_ready:
            return server
        time.sleep(0.2)
    raise ServiceError(f"the Prefect server on port {port} did not answer; its log: {log}")


def _note_path(project: Project) -> Path:
    return project.services / "server.json"


def read_server(project: Project) -> Server | None:
    """The server that this project started last, alive or not; None before the first."""
    path = _note_path(project)
    return Server.model_validate(read_json(path)) if path.exists() else None


def _read_start_time(pid: int) -> str:
    """Empty for a process that is gone, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
