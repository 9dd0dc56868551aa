"""`perennial init DIR`: a project of a user's own, which depends on this package as it is installed.

What is there is never touched, but for dvc.yaml and versions.yaml under `--upgrade`: both are rendered, from the one
template that this package's own graph is rendered from.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import perennial
from perennial import __version__
from perennial.errors import ConfigError
from perennial.files.durable import write_text
from perennial.files.extensions import EXTENSION_KINDS, extension_path
from perennial.pipeline import graph, versions

log = logging.getLogger("perennial")
_CONFIG = "[core]\n    analytics = false\n    autostage = false\n"


def init(folder: Path) -> None:
    """Raises: ConfigError for a folder that has something of a project in it, or a name that cannot be one."""
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
        raise ConfigError(f"{name!r} cannot be the name of a project: letters, digits, -, _ and ., a letter first")
    files = _files(name)
    if there := [path for path in files if (folder / path).exists()]:
        raise ConfigError(f"{folder / there[0]} is there already: choose a new folder, or use --upgrade")
    for path, text in files.items():
        write_text(folder / path, text)
    (folder / "contracts").mkdir(exist_ok=True)
    (folder / "infra" / "retrain.sh").chmod(0o755)
    _versioned(folder)
    log.info("%s is a project now. Next: cd %s && perennial new NAME --data FILE", name, folder)


def upgrade(folder: Path) -> None:
    """Raises: ConfigError where there is no project of a user's."""
    if not (folder / "params.yaml").is_file() or graph.is_source(folder):
        raise ConfigError(
            f"{folder} is no project that perennial init made: it has no params.yaml, or the package itself"
        )
    write_text(folder / "dvc.yaml", graph.render(folder))
    write_text(folder / "versions.yaml", versions.installed())
    log.info("dvc.yaml and versions.yaml fit perennial %s now", __version__)


def _files(name: str) -> dict[str, str]:
    """Every file of a new project, by its path."""
    starter, flow = resources.files("perennial.starter").iterdir(), _flows().iterdir()
    told = {"{{ name }}": name, "{{ version }}": __version__}
    text = {path.name.removesuffix(".in"): _filled(path, told) for path in starter if path.name.endswith(".in")}
    flows = {f"flows/{path.name}": _filled(path, {}) for path in flow if path.name.endswith(".py")}
    return {
        "pyproject.toml": text["pyproject.toml"],
        "README.md": text["README.md"],
        "params.yaml": "# Every number that changes a result, a block for each use case.\nuse_cases: {}\n",
        "dvc.yaml": graph.render(Path("nowhere")),
        "versions.yaml": versions.installed(),
        ".gitignore": text["gitignore"],
        ".dvcignore": text["dvcignore"],
        "tests/test_project.py": text["test_project.py"],
        "infra/retrain.sh": text["retrain.sh"],
        **{extension_path(kind): text[f"{kind}.py"] for kind in EXTENSION_KINDS},
        **flows,
    }


def _flows() -> Traversable:
    """The flows of this package: beside the sources in a checkout, else where they are installed."""
    beside = Path(perennial.__path__[0]).parents[1] / "flows"
    return beside if beside.is_dir() else resources.files("flows")


def _filled(path: Traversable, told: dict[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for mark, value in told.items():
        text = text.replace(mark, value)
    return text


def _versioned(folder: Path) -> None:
    """Git where there is none yet, and DVC in this folder."""
    git = shutil.which("git")
    if git is None:
        raise ConfigError(
            "git is not installed: the project is written; install git, then run git init and dvc init in it"
        )
    inside = subprocess.run(
        [git, "rev-parse", "--show-prefix"], cwd=folder, capture_output=True, text=True, check=False
    )
    if inside.returncode:
        subprocess.run([git, "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    sub = ["--subdir"] if inside.returncode == 0 and inside.stdout.strip() else []
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--quiet", *sub], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigError(f"dvc init failed in {folder}: {done.stderr.strip()[:300]}")
    write_text(folder / ".dvc" / "config", _CONFIG)
