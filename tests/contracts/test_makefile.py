"""`make lock` and `make clean` lose nothing that cannot be made again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
RESOLVED = "torch==2.13.0+cpu\nuv==0.9.1\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile over an environment that is installed, and a lock."""
    shutil.copy(REPO / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").write_text("torch==2.12.0\n")
    program(tmp_path, "python", "exit 0")
    (tmp_path / ".venv" / "installed").touch()
    return tmp_path


def program(root: Path, name: str, body: str) -> None:
    path = root / ".venv" / "bin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def make(root: Path, target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", target], cwd=root, text=True, capture_output=True, check=False
    )


def test_a_lock_that_cannot_be_resolved_stays_as_it_was(checkout: Path) -> None:
    program(checkout, "uv", "echo 'no network' >&2; exit 2")
    done = make(checkout, "lock")
    assert done.returncode != 0
    assert "no network" in done.stderr
    assert (checkout / "requirements.lock").read_text() == "torch==2.12.0\n"


def test_a_lock_holds_what_was_resolved_without_local_builds(checkout: Path) -> None:
    to = 'while [ "$1" != -o ]; do shift; done'
    program(checkout, "uv", f"{to}; printf '{RESOLVED}' > \"$2\"; printf '{RESOLVED}'")
    done = make(checkout, "lock")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (checkout / "requirements.lock").read_text() == "torch==2.13.0\nuv==0.9.1\n"
    assert not (checkout / "requirements.lock.new").exists()


def test_clean_keeps_registry_decisions_and_what_outputs_are_restored_from(checkout: Path) -> None:
    kept = [".perennial/mlflow/mlflow.db", ".perennial/shop/incoming/rows.csv", ".dvc/cache/files/a", "data/shop/raw/a"]
    for file in (*kept, "outputs/shop/train/weights", ".ruff_cache/a"):
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        (checkout / file).touch()
    done = make(checkout, "clean")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rm -rf outputs ")
    assert "kept: .perennial (registry, decisions, reports, lists)" in done.stdout
    assert [(checkout / file).exists() for file in kept] == [True] * len(kept)
    assert not (checkout / "outputs").exists()
    assert not (checkout / ".ruff_cache").exists()
