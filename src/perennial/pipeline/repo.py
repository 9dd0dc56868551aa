"""A project's root in, what DVC knows of it out: the order of the stages, what is stale, whether a run is cached.

The only place that imports DVC; it loads no prefect, mlflow or torch.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import Busy, ConfigError, InputError
from perennial.files.durable import write_text
from perennial.files.project import Project

_WRITE = threading.Lock()  # DVC's own lock takes two threads of one process for the same owner


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
def opened(root: Path) -> Iterator[Any]:
    """A DVC repository, waiting for its lock.

    Raises: Busy when a stage of it is running elsewhere; InputError when the graph cannot be read.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    for name in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with chdir(root), Repo(str(root), _wait_for_lock=True) as repo:  # addresses are read from the current folder
            yield repo
    except LockError as error:
        raise Busy(f"DVC is busy in {root}: a stage or a `dvc repro` is running ({_line(error)})") from error
    except DvcException as error:
        raise InputError(f"DVC: {_line(error)}") from error


def order(repo: Any, name: str) -> list[Node]:
    """The nodes of a use case, each after what it depends on: its raw.dvc, its stages, stages of one's own."""
    import networkx as nx

    graph = repo.index.graph  # an edge points from a stage to what it depends on
    suffix, raw = f"@{name}", f"data/{name}/raw.dvc"
    mine = {s for s in graph if s.addressing.endswith(suffix) or s.addressing == raw}
    if not any(s.addressing.endswith(suffix) for s in mine):
        raise ConfigError(f"dvc.yaml has no stage for use case {name!r}: add it with `perennial add {name}`")
    sub = graph.subgraph(mine)
    ordered = reversed(list(nx.lexicographical_topological_sort(sub, key=lambda s: s.addressing)))
    return [
        Node(address=s.addressing, after=tuple(sorted(before.addressing for before in sub.successors(s))))
        for s in ordered
    ]


def stale(repo: Any, nodes: list[Node]) -> dict[str, str]:
    """The addresses that are stale now, each with why. What becomes stale later shows when its turn comes.

    Asked stage by stage: `repo.status(targets=…)` would read dvc.lock again for each of them.
    """
    known = {node.address for node in nodes}
    with repo.lock:
        found = [stage.status() for stage in repo.index.stages if stage.addressing in known]
    return {address: _why(changes) for told in found for address, changes in told.items()}


def is_stale(root: Path, address: str) -> bool:
    with _WRITE, opened(root) as repo:
        return bool(stale(repo, [Node(address=address, after=())]))


def restore(root: Path, address: str) -> bool:
    """Bring a stage's outputs back from DVC's run cache, if the same inputs were run before; no process is started.

    `stage_cache.restore(dry=True)` would look up the old inputs, so the look-up is made here, after `save_deps`.
    """
    with _WRITE:
        with opened(root) as repo, repo.lock:
            (stage,) = repo.stage.collect(address)
            if not stage.cmd:
                return False
            stage.save_deps()
            hit = repo.stage_cache._load(stage)
            if not (hit and repo.stage_cache._create_stage(hit, wdir=stage.wdir).outs_cached()):
                return False
        with opened(root) as repo:
            repo.reproduce(targets=[address], single_item=True)
    return True


def record_raw(root: Path, name: str) -> None:
    """`dvc add` of a raw folder: what is in it now is a version, to be pushed like the rest."""
    with _WRITE, opened(root) as repo:
        repo.add([str(Project(root=root).raw(name))])


def bring_raw(root: Path, name: str) -> bool:
    """Bring the recorded raw folder back from DVC's cache or remote; False where neither has it."""
    from dvc.exceptions import DvcException

    raw = Project(root=root).raw(name)
    note = raw.with_suffix(".dvc")
    if not note.exists():
        return False
    with _WRITE, opened(root) as repo:
        try:
            repo.pull(targets=[str(note)])
        except DvcException:
            return False
    return raw.is_dir()


def repair(root: Path) -> list[str]:
    """Remove what a killed DVC leaves behind and would stop every later command; says what was done.

    DVC writes dvc.lock and its rwlock in place, so a kill can leave either empty; entries of dead processes stay.
    """
    done = []
    lock, rwlock = root / "dvc.lock", root / ".dvc" / "tmp" / "rwlock"
    if lock.exists() and not _parses(lock):
        lock.unlink()
        shown = subprocess.run(["git", "show", "HEAD:./dvc.lock"], cwd=root, capture_output=True, check=False)
        if shown.returncode == 0:
            lock.write_bytes(shown.stdout)
        done.append("dvc.lock was cut short and is restored from the last commit or the run cache")
    if rwlock.exists():
        done += _mend_running(rwlock)
    return done


def _mend_running(rwlock: Path) -> list[str]:
    """DVC's list: {"write": {path: process}, "read": {path: [process, …]}}, a process being {"pid", "cmd"}."""
    try:
        told = json.loads(rwlock.read_text())
        write = {path: info for path, info in told.get("write", {}).items() if _lives(info)}
        read = {path: [info for info in infos if _lives(info)] for path, infos in told.get("read", {}).items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        rwlock.unlink()
        return ["DVC's list of running stages was damaged and is started anew"]
    alive = {"write": write, "read": {path: infos for path, infos in read.items() if infos}}
    if alive == {"write": told.get("write", {}), "read": told.get("read", {})}:
        return []
    write_text(rwlock, json.dumps(alive))
    return ["entries of stages that no longer run were removed from DVC's list"]


def _lives(info: dict[str, Any]) -> bool:
    """Whether the process that made an entry still runs; its pid may live again as another process."""
    try:
        words = Path(f"/proc/{int(info['pid'])}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return any(words) and info["cmd"].split()[-1:] in ([word] for word in words)


def _parses(path: Path) -> bool:
    try:
        return isinstance(yaml.CSafeLoader(path.read_text()).get_single_data(), dict)  # a long file: the C parser
    except (yaml.YAMLError, UnicodeDecodeError):
        return False


def _why(changes: list[Any]) -> str:
    words = []
    for change in changes:
        if isinstance(change, str):
            words.append(change)
            continue
        for kind, paths in change.items():
            words.append(f"{kind}: {', '.join(paths) if isinstance(paths, dict | list) else paths}")
    return "; ".join(words)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
