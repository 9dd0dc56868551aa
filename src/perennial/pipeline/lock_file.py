"""Lock file: whether dvc.lock is of the code and params that it is committed with, told without DVC, data or outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import ConfigError


def check_lock(root: Path) -> None:
    """Raises: ConfigError naming the first files that changed after dvc.lock was written; a missing one is not stale."""
    lock = root / "dvc.lock"
    if not lock.exists():
        return
    stale = list(dict.fromkeys(find_stale_entries(root, yaml.load(lock.read_text(), yaml.CSafeLoader))))
    if stale:
        names = sorted({entry.partition("@")[2].partition(" ")[0] for entry in stale})
        run = " and ".join(f"perennial run {name}" for name in names)
        raise ConfigError(f"dvc.lock is older than {'; '.join(stale[:3])}: {run}, then commit dvc.lock")


def find_stale_entries(root: Path, lock: dict[str, Any]) -> Iterator[str]:  # YAML that DVC wrote
    """For each stage the source files and params that are not those of its entry. Data and outputs are DVC's to compare."""
    documents = cache(lambda file: yaml.load((root / file).read_text(), yaml.CSafeLoader))
    for address, entry in lock["stages"].items():
        for dependency in entry.get("deps", ()):
            path = root / dependency["path"]
            if dependency["path"].startswith("src/") and _hash(path) != dependency["md5"]:
                yield f"{address} {dependency['path']}"
        for file, values in entry.get("params", {}).items():
            for key, value in values.items():
                if _look_up(documents(file), key) != value:
                    yield f"{address} {file}:{key}"


def _hash(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.exists() else ""


def _look_up(document: Any, key: str) -> Any:
    """The value of a dotted key, or of one that has dots itself."""
    if not isinstance(document, dict) or key in document:
        return document.get(key) if isinstance(document, dict) else None
    head, _, rest = key.partition(".")
    return _look_up(document.get(head), rest) if rest else None
