"""Lineage: the code, data, params, packages and processor that results were made from."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from pathlib import Path

import yaml

from perennial.errors import InputError
from perennial.files.manifest import folder_digest
from perennial.files.project import Project

_TRACKED = ("src", "flows", "contracts", "params.yaml", "dvc.yaml", "versions.yaml", "requirements.lock")


def read_lineage(project: Project, name: str) -> dict[str, str]:
    """Commit, whether tracked code, params or contracts differ from it, their digest, raw data, packages, processor.

    dvc.lock does not count as changed, because every run changes it.
    """
    versions = yaml.safe_load((project.root / "versions.yaml").read_text())
    return {
        "commit": read_git(project.root, "rev-parse", "HEAD") or "none",
        "changed": str(bool(read_git(project.root, "status", "--porcelain", "--", *_TRACKED))).lower(),
        "code": _digest(project.root, [project.contract(name)]),
        "raw": read_raw_md5(project, name),
        "python": platform.python_version(),
        "cpu": f"{platform.machine()} {_cpu_features()}",
        **{f"version.{package}": str(version) for package, version in versions.items()},
    }


def read_revision(root: Path) -> list[str]:
    """Branch and short commit that are checked out; empty outside git, without a branch where none is."""
    branch, commit = read_git(root, "branch", "--show-current"), read_git(root, "rev-parse", "--short", "HEAD")
    return [text for text in (branch, commit) if text]


def read_raw_md5(project: Project, name: str) -> str:
    """The digest by which DVC knows the content of the raw folder."""
    note = project.raw(name).with_suffix(".dvc")
    try:
        return str(yaml.safe_load(note.read_text())["outs"][0]["md5"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(f"{note} does not say which raw data there is: perennial fetch {name}") from error


def read_output_md5(project: Project, name: str, stage: str) -> str:
    """The digest by which DVC knows the output of a stage; of one that was run without DVC, its manifest's."""
    try:
        lock = yaml.load((project.root / "dvc.lock").read_text(), yaml.CSafeLoader)  # a long file: the C parser
        return str(lock["stages"][f"{stage}@{name}"]["outs"][0]["md5"])
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return folder_digest(project.output(name, stage))[:32]


def _digest(root: Path, files: list[Path]) -> str:
    """One sha256 over the package's sources and `files`, by relative name and content."""
    digest = hashlib.sha256()
    for path in sorted([*(root / "src").rglob("*.py"), root / "params.yaml", *files]):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_git(root: Path, *arguments: str) -> str:
    """What git answers; empty where it has no answer."""
    process = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return process.stdout.strip() if process.returncode == 0 else ""


def _cpu_features() -> str:
    """The widest vector unit; with another one, sums may be rounded differently."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith("flags")).split()
    except (OSError, StopIteration):
        return "unknown"
    return next((wide for wide in ("avx512f", "avx2", "avx", "sse4_2") if wide in flags), "basic")
