"""A Prefect server that nobody uses ends itself, and the next run starts one at the same address."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.files.project import Project
from perennial.tracking import servers
from tests.flows.conftest import BIN

pytestmark = [pytest.mark.flows]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).touch()
    yield Project(root=tmp_path)
    servers.stop_server(Project(root=tmp_path))


def ensured(project: Project) -> str:
    """The address of the server, started by a process of its own, as `perennial run` is one."""
    imports = "from perennial.tracking.servers import ensure_server; from perennial.files.project import Project"
    code = f"{imports}; print(ensure_server(Project.here()))"
    environment = {**os.environ, "PERENNIAL_SERVER_IDLE_S": "4"}
    words = [str(BIN / "python"), "-c", code]
    return subprocess.run(words, cwd=project.root, check=True, env=environment, capture_output=True, text=True).stdout


def test_a_server_without_use_ends_itself(project: Project) -> None:
    url, used = ensured(project), time.monotonic()
    time.sleep(15)
    assert servers.is_server_up(project), "a request counts for a minute"
    while servers.is_server_up(project) and time.monotonic() < used + 110:
        time.sleep(0.5)
    assert not servers.is_server_up(project)
    assert "nobody has used this server for 4 s" in (project.services / "prefect" / "server.log").read_text()
    assert ensured(project) == url, "open pages find the next one"
