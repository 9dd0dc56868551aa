"""Prose is compared with a plain text file under tests/snapshots/; `UPDATE_SNAPSHOTS=1` writes what the code says now.

Sentences belong here, numbers and structure into assertions. Thirty lines of our own and no syrupy: its files are named after
test functions and hold many texts each, so that a renamed test reads as a deleted and a new one; here one text is one file,
with a name that the test chooses, and a diff of wording reads as such in review.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def assert_snapshot(text: str, name: str, folder: Path = FOLDER) -> None:
    """`text` is what `folder`/`name`.txt holds, to the byte; a snapshot that is missing fails too."""
    path = folder / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return
    assert path.exists(), f"no snapshot {path}: UPDATE_SNAPSHOTS=1 writes it; then read it before you commit it\n\n{text}"
    expected = path.read_bytes().decode()
    if text != expected:
        lines = unified_diff(expected.splitlines(), text.splitlines(), f"{path.name}, as committed", "now", lineterm="")
        diff = "\n".join(lines) or f"they differ in their ends of lines: {expected[-20:]!r}, now {text[-20:]!r}"
        raise AssertionError(f"{path} differs; where the new words are meant, UPDATE_SNAPSHOTS=1 writes them\n\n{diff}")
