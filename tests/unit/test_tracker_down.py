"""A tracker that is down is told in seconds, in one line, with exit 75 and without its password."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from pathlib import Path

import pytest

from perennial.errors import TrackerDown
from perennial.tracking.servers import find_free_port
from perennial.tracking.store import Store

pytestmark = pytest.mark.unit


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield int(server.getsockname()[1])


def test_nobody_there_is_told_at_once() -> None:
    port = find_free_port()
    with pytest.raises(TrackerDown, match=rf"the tracker at 127.0.0.1:{port} does not answer \(.*refused.*\): try later"):
        _ = Store(uri=f"http://anna:secret@127.0.0.1:{port}", artifacts=None).client


def test_one_that_hangs_is_told_within_seconds(silent: int) -> None:
    began = time.monotonic()
    with pytest.raises(TrackerDown) as caught:
        _ = Store(uri=f"http://anna:secret@127.0.0.1:{silent}", artifacts=None).client
    assert time.monotonic() - began < 10
    assert "secret" not in str(caught.value)


def test_one_that_asks_who_is_there_is_up() -> None:
    class Asks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Asks)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    with server:
        assert Store(uri=f"http://127.0.0.1:{server.server_port}", artifacts=None).client is not None
        thread.join(10)


def test_a_command_ends_with_75_and_a_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("use_cases: {shop: {}}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "shop.yaml").write_bytes((resources.files("perennial.gallery") / "ad_response.yaml").read_bytes())
    uri = f"http://127.0.0.1:{find_free_port()}"
    command = f'MLFLOW_TRACKING_URI={uri} exec "{sys.executable}" -m perennial history shop'
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 75, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert time.monotonic() - began < 20
