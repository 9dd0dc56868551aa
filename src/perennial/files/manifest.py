"""A folder in, its manifest.json out: the sha256 of every file in it, written last and checked before use."""

from __future__ import annotations

import hashlib
from pathlib import Path

from perennial.errors import IntegrityError
from perennial.files.durable import read_json, sha256_file, write_json

NAME = "manifest.json"


def seal(folder: Path) -> str:
    """Write the manifest of `folder` and return its digest, which names the whole content."""
    write_json(folder / NAME, {"files": _digests(folder)})
    return folder_digest(folder)


def folder_digest(folder: Path) -> str:
    """The sha256 of the manifest: one name for everything in the folder."""
    try:
        return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    except FileNotFoundError:
        raise IntegrityError(f"{folder} has no {NAME}: what writes it did not finish; run it again") from None


def verify(folder: Path) -> str:
    """Compare every file of `folder` with its manifest and return the manifest's digest.

    Raises: IntegrityError naming the first files that are missing, changed or not listed.
    """
    name = folder_digest(folder)
    told, found = read_json(folder / NAME)["files"], _digests(folder)
    wrong = sorted(path for path in told.keys() | found.keys() if told.get(path) != found.get(path))
    if wrong:
        raise IntegrityError(
            f"{folder}: {', '.join(wrong[:3])} differ from {NAME}; restore with dvc checkout or run it again"
        )
    return name


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
