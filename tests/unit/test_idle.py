"""When a server counts as unused: no connection to its port, open or closed within the last minute."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.tracking.idle import is_used, wait_until_idle

pytestmark = pytest.mark.unit


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_server_that_only_listens_is_not_used(server: socket.socket) -> None:
    assert not is_used(port_of(server))


def test_a_request_counts_after_its_connection_was_closed(server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()):
        server.accept()[0].close()
    assert is_used(port_of(server))


def test_a_system_without_the_table_never_ends_a_server(server: socket.socket, tmp_path: Path) -> None:
    assert is_used(port_of(server), tmp_path / "missing")


def test_the_wait_lasts_as_long_as_a_client_is_connected(server: socket.socket) -> None:
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed at once, without its minute
    waiting = threading.Thread(target=wait_until_idle, args=(port_of(server), 0.4), daemon=True)
    waiting.start()
    waiting.join(1.5)
    assert waiting.is_alive()
    client.close()
    accepted.close()
    waiting.join(5)
    assert not waiting.is_alive()
