"""DVC repository: the order of the stages, which of them are stale, and whether an earlier run is cached.

The only module that imports DVC; it loads no prefect, mlflow or torch.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from collections.abc import Collection, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import Busy, ConfigError, InputError
from perennial.files.durable import write_text
from perennial.files.project import Project

_LOCK = threading.Lock()  # to DVC's own lock, two threads of one process are the same owner


@dataclass(frozen=True, kw_only=True)
class Node:
    """One stage of one use case, or a raw folder's .dvc file, and the addresses that come before it."""

    address: str
    after: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The plain name: `train` for train@shop, `extra` for stages/extra/dvc.yaml:extra@shop, else `raw`."""
        return "raw" if self.address.endswith(".dvc") else self.address.split(":")[-1].split("@")[0]


@contextmanager
def open_repo(root: Path) -> Iterator[Any]:  # DVC has no type hints
    """A DVC repository, waiting for its lock.

    Raises: Busy when a stage of it is running elsewhere; InputError when the graph cannot be read.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo
    from dvc.ui import ui

    ui.error_console.quiet = True  # else its spinner is drawn over what a command shows
    for name in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with chdir(root), Repo(str(root), _wait_for_lock=True) as repo:  # addresses are read from the current folder
            yield repo
    except LockError as error:
        raise Busy(f"DVC is busy in {root}: {_describe_lock(error)}. Wait for it, or end that process") from error
    except DvcException as error:
        raise InputError(f"DVC: {_to_line(error)}") from error


def sort_nodes(repo: Any, name: str) -> list[Node]:
    """The nodes of a use case, each after what it depends on: its raw.dvc, its stages, and the user's own stages."""
    import networkx as nx

    graph = repo.index.graph  # an edge points from a stage to what it depends on
    suffix, raw = f"@{name}", f"data/{name}/raw.dvc"
    stages = {stage for stage in graph if stage.addressing.endswith(suffix) or stage.addressing == raw}
    if not any(stage.addressing.endswith(suffix) for stage in stages):
        raise ConfigError(f"dvc.yaml has no stage for use case {name!r}: add it with `perennial add {name}`")
    subgraph = graph.subgraph(stages)
    last_first = nx.lexicographical_topological_sort(subgraph, key=lambda stage: stage.addressing)
    return [
        Node(address=stage.addressing, after=tuple(sorted(before.addressing for before in subgraph.successors(stage))))
        for stage in reversed(list(last_first))
    ]


def find_stale(repo: Any, addresses: Collection[str]) -> dict[str, object]:
    """The addresses that are stale now, each with DVC's reasons. What becomes stale later shows when its turn comes.

    Asked stage by stage: `repo.status(targets=…)` would read dvc.lock again for each of them.
    """
    with repo.lock:
        statuses = [stage.status() for stage in repo.index.stages if stage.addressing in addresses]
    return {address: changes for status in statuses for address, changes in status.items()}


def is_stale(root: Path, address: str) -> bool:
    with _LOCK, open_repo(root) as repo:
        return bool(find_stale(repo, {address}))


def restore_outputs(root: Path, address: str) -> bool:
    """Restore a stage's outputs from DVC's run cache, if the same inputs were run before; no process is started.

    `stage_cache.restore(dry=True)` would look up the old inputs, so the look-up is made here, after `save_deps`.
    """
    with _LOCK:
        with open_repo(root) as repo, repo.lock:
            (stage,) = repo.stage.collect(address)
            if not stage.cmd:
                return False
            stage.save_deps()
            hit = repo.stage_cache._load(stage)
            if not (hit and repo.stage_cache._create_stage(hit, wdir=stage.wdir).outs_cached()):
                return False
        with open_repo(root) as repo:
            repo.reproduce(targets=[address], single_item=True)
    return True


def record_raw(root: Path, name: str) -> None:
    """`dvc add` a raw folder: its content becomes a version, to be pushed like the rest."""
    with _LOCK, open_repo(root) as repo:
        repo.add([str(Project(root=root).raw(name))])


def pull_raw(root: Path, name: str) -> bool:
    """Restore the recorded raw folder from DVC's cache or remote; False where neither has it."""
    from dvc.exceptions import DvcException

    raw = Project(root=root).raw(name)
    note = raw.with_suffix(".dvc")
    if not note.exists():
        return False
    with _LOCK, open_repo(root) as repo:
        try:
            repo.pull(targets=[str(note)])
        except DvcException:
            return False
    return raw.is_dir()


def repair_state(root: Path) -> list[str]:
    """Remove what a killed DVC leaves behind and would stop every later command; returns what was done.

    DVC writes dvc.lock and its rwlock in place, so a kill can leave either empty; entries of dead processes stay.
    """
    repairs = []
    lock, rwlock = root / "dvc.lock", root / ".dvc" / "tmp" / "rwlock"
    if lock.exists() and not _is_readable(lock):
        lock.unlink()
        committed = subprocess.run(["git", "show", "HEAD:./dvc.lock"], cwd=root, capture_output=True, check=False)
        if committed.returncode == 0:
            lock.write_bytes(committed.stdout)
        repairs.append("dvc.lock was cut short and is restored from the last commit or the run cache")
    if rwlock.exists():
        repairs += _repair_rwlock(rwlock)
    return repairs


def _repair_rwlock(rwlock: Path) -> list[str]:
    """DVC's list: {"write": {path: process}, "read": {path: [process, …]}}, a process being {"pid", "cmd"}."""
    try:
        entries = json.loads(rwlock.read_text())
        old = {"write": entries.get("write", {}), "read": entries.get("read", {})}
        write = {path: process for path, process in old["write"].items() if _is_alive(process)}
        read = {path: [one for one in processes if _is_alive(one)] for path, processes in old["read"].items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        rwlock.unlink()
        return ["DVC's list of running stages was damaged and is emptied"]
    alive = {"write": write, "read": {path: processes for path, processes in read.items() if processes}}
    if alive == old:
        return []
    write_text(rwlock, json.dumps(alive))
    return ["entries of stages that no longer run were removed from DVC's list"]


def _is_alive(process: dict[str, Any]) -> bool:  # JSON that DVC wrote
    """Whether the process that made an entry still runs; another process may have its pid now."""
    try:
        arguments = Path(f"/proc/{int(process['pid'])}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return any(arguments) and process["cmd"].split()[-1:] in ([argument] for argument in arguments)


def _is_readable(path: Path) -> bool:
    try:
        return isinstance(yaml.CSafeLoader(path.read_text()).get_single_data(), dict)  # a long file: the C parser
    except (yaml.YAMLError, UnicodeDecodeError):
        return False


def _describe_lock(error: BaseException) -> str:
    """Who holds the lock, without DVC's advice to delete it: that would break a stage that runs."""
    line = _to_line(error).partition(" If there are no processes")[0]
    return f"a stage or a `dvc repro` is running ({line.rstrip(' .')})"


def _to_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
