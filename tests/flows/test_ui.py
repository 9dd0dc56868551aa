"""`perennial ui`: two servers that end with it, and one line when they cannot go on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.files.project import Project
from perennial.tracking import servers as server
from tests.flows.conftest import BIN

pytestmark = [pytest.mark.flows]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project in which nothing was run."""
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).touch()
    yield Project(root=tmp_path)
    server.stop_server(Project(root=tmp_path))


def started(project: Project, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(BIN / "perennial"), "ui", "--port", str(port)],
        cwd=project.root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"},
    )


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, TimeoutError, OSError):
        return False


def ready(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 150
    while not answers(port):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.5)


def is_held(project: Project) -> bool:
    """Whether a connection to the Prefect server stays open, so that it does not end as unused."""
    known = server.read_server(project)
    assert known is not None
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(f":{known.port:04X}") and row[3] == "01" for row in rows)


def test_ctrl_c_ends_both_servers_without_a_traceback(project: Project) -> None:
    port = server.find_free_port()
    process = started(project, port)
    ready(process, port)
    assert server.is_server_up(project)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    said, _ = process.communicate(timeout=40)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.count("(Ctrl-C ends it)") == 2
    assert server.is_port_free(port)
    assert not server.is_server_up(project)


def test_a_server_that_was_up_stays_and_one_that_dies_is_told(project: Project) -> None:
    imports = "from perennial.tracking.servers import ensure_server; from perennial.files.project import Project"
    code = f"{imports}; ensure_server(Project.here())"
    subprocess.run([str(BIN / "python"), "-c", code], cwd=project.root, check=True)
    port = server.find_free_port()
    process = started(project, port)
    ready(process, port)
    assert is_held(project), "an open UI is use"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.killpg(int(children[-1]), signal.SIGKILL)
    said, _ = process.communicate(timeout=40)
    assert process.returncode == 1, said
    assert said.endswith("perennial: MLflow ended with exit code -9; see its output above\n")
    assert "(was up before: `perennial stop` ends it)" in said
    assert server.is_server_up(project)


def test_a_port_that_is_taken_is_told_before_anything_starts(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = started(project, port)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said == f"perennial: port {port} is taken: end what listens there, or choose another with --port\n"
    assert not server.is_server_up(project)
