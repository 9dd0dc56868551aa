"""Idle server: `python -m perennial.tracking.idle PORT MODULE WORDS…` runs a server that ends itself when nobody uses it.

Use is a connection to its port: a run, a worker, `perennial serve` and an open page each hold one, or make one every few seconds.
Linux lists a connection for a minute after its end, so a look every half minute misses none.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

from perennial.errors import Busy
from perennial.files.locks import file_lock

SERVER_LOCK = "server.lock"
_IDLE_S, _LOOK_S = 3600.0, 30.0
_LISTENING = "0A"


def is_used(port: int, table: Path = Path("/proc/net/tcp")) -> bool:
    """Whether a connection to the port is open, or was within the last minute; yes where the system cannot say."""
    try:
        rows = [line.split()[1:4] for line in table.read_text().splitlines()[1:]]
    except OSError:
        return True
    end = f":{port:04X}"
    return any(state != _LISTENING and (local.endswith(end) or remote.endswith(end)) for local, remote, state in rows)


def wait_until_idle(port: int, idle_s: float) -> None:
    """Return once the port has been without use for `idle_s` seconds."""
    unused_since = time.monotonic()
    while time.monotonic() - unused_since < idle_s:
        time.sleep(min(_LOOK_S, idle_s / 4))
        if is_used(port):
            unused_since = time.monotonic()


def end_when_idle(port: int, idle_s: float, lock: Path) -> None:
    """End this process when its port is idle. The lock is kept until then, so that no run begins with a server that ends."""
    while True:
        wait_until_idle(port, idle_s)
        try:
            with file_lock(lock, what="the Prefect server"):
                if is_used(port):
                    continue
                sys.stderr.write(f"nobody has used this server for {idle_s:.0f} s: it ends, and the next run starts another\n")
                os.kill(os.getpid(), signal.SIGTERM)
                threading.Event().wait()
        except Busy:  # a run is about to use it
            continue


def main() -> None:
    port, module, *words = sys.argv[1:]
    idle_s = float(os.environ.get("PERENNIAL_SERVER_IDLE_S", _IDLE_S))
    watcher = threading.Thread(target=end_when_idle, args=(int(port), idle_s, Path(SERVER_LOCK).resolve()), daemon=True)
    watcher.start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
