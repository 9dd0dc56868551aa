"""Folder manifest: the sha256 of every file, in manifest.json, written last and checked before use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from perennial.errors import IntegrityError
from perennial.files.durable import read_json, sha256_file, write_json

NAME = "manifest.json"


def seal(folder: Path, beside: Iterable[str] = ()) -> str:
    """Write the manifest of `folder`, and of files that belong to it and lie beside it, and return its digest.

    The digest identifies the whole content.
    """
    files = _hash_files(folder) | {f"../{name}": sha256_file(folder.parent / name) for name in beside}
    write_json(folder / NAME, {"files": files})
    return folder_digest(folder)


def folder_digest(folder: Path) -> str:
    """The sha256 of the manifest: one digest for everything in the folder."""
    try:
        return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    except FileNotFoundError:
        raise IntegrityError(f"{folder} has no {NAME}: what writes it did not finish; run it again") from None


def verify(folder: Path) -> str:
    """Compare every file of `folder` with its manifest and return the manifest's digest.

    Raises: IntegrityError naming the first files that are missing, changed or not listed.
    """
    name = folder_digest(folder)
    recorded, actual = read_json(folder / NAME)["files"], _hash_files(folder)
    actual |= {path: sha256_file(folder / path) for path in recorded if path.startswith("../") and (folder / path).is_file()}
    wrong = sorted(path for path in recorded.keys() | actual.keys() if recorded.get(path) != actual.get(path))
    if wrong:
        raise IntegrityError(f"{folder}: {', '.join(wrong[:3])} differ from {NAME}; restore with dvc checkout or run it again")
    return name


def _hash_files(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
