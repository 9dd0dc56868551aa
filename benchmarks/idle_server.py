"""CPU of two idle Prefect servers side by side: one as Prefect starts it, one as this project does.

`python benchmarks/idle_server.py [MINUTES]` prints the CPU seconds of each after its start, and their ratio.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from perennial.files.project import Project
from perennial.tracking.servers import build_environment, ensure_server, find_free_port, read_server, stop_server

SETTLE_S = 60


def start_plain(folder: Path) -> subprocess.Popen[bytes]:
    port, project = find_free_port(), Project(root=folder)
    (project.services / "prefect").mkdir(parents=True)
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=build_environment(f"http://127.0.0.1:{port}", project),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def read_cpu_s(pid: int) -> float:
    """User and system time, its ended children's too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main(minutes: float) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as plain_folder, tempfile.TemporaryDirectory() as own_folder:
        plain, project = start_plain(Path(plain_folder)), Project(root=Path(own_folder))
        try:
            ensure_server(project)
            own = read_server(project)
            assert own is not None, "it was just started"
            time.sleep(SETTLE_S)
            before = read_cpu_s(plain.pid), read_cpu_s(own.pid)
            time.sleep(minutes * 60)
            cpu_plain, cpu_own = read_cpu_s(plain.pid) - before[0], read_cpu_s(own.pid) - before[1]
        finally:
            stop_server(project)
            plain.terminate()
            plain.wait()
    print(f"{minutes:g} minutes without use: {cpu_plain:.1f} CPU s as Prefect starts it, {cpu_own:.1f} as this project does")
    print(f"ratio {cpu_own / cpu_plain:.2f}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10)
