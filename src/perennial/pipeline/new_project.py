"""New project: a folder of a user's own that depends on this package as it is installed.

Existing files are never touched, except dvc.yaml and versions.yaml under `--upgrade`, which are rendered from the same
stages as this package's own graph.
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
_DVC_CONFIG = "[core]\n    analytics = false\n    autostage = false\n[plots]\n    html_template = plots/page.html\n"


def create_project(folder: Path) -> None:
    """Raises: ConfigError for a folder that holds files of a project already, or whose name cannot be that of a project."""
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
        raise ConfigError(f"{name!r} cannot be the name of a project: letters, digits, -, _ and ., a letter first")
    files = _render_files(name)
    if existing := [path for path in files if (folder / path).exists()]:
        raise ConfigError(f"{folder / existing[0]} is there already: choose a new folder, or use --upgrade")
    for path, text in files.items():
        write_text(folder / path, text)
    (folder / "contracts").mkdir(exist_ok=True)
    (folder / "infra" / "retrain.sh").chmod(0o755)
    _init_version_control(folder)
    log.info("%s is a project now. Next: cd %s && perennial new NAME --data FILE", name, folder)


def upgrade_project(folder: Path) -> None:
    """Raises: ConfigError for a folder that is not a user's project."""
    if not (folder / "params.yaml").is_file() or graph.is_source(folder):
        raise ConfigError(f"{folder} was not made by perennial init: it has no params.yaml, or holds the package itself")
    write_text(folder / "dvc.yaml", graph.render(folder))
    write_text(folder / "versions.yaml", versions.render_installed())
    if (folder / ".dvc").is_dir():
        _write_plots(folder)
    log.info("dvc.yaml and versions.yaml fit perennial %s now", __version__)


def _render_files(name: str) -> dict[str, str]:
    """Every file of a new project, by its path."""
    text = {
        path.name.removesuffix(".in"): path.read_text(encoding="utf-8")
        .replace("{{ name }}", name)
        .replace("{{ version }}", __version__)
        for path in resources.files("perennial.starter").iterdir()
        if path.name.endswith(".in")
    }
    flows = [path for path in _find_flows().iterdir() if path.name.endswith(".py")]
    return {
        "pyproject.toml": text["pyproject.toml"],
        "README.md": text["README.md"],
        "params.yaml": "# Every number that changes a result, a block for each use case.\nuse_cases: {}\n",
        "dvc.yaml": graph.render(Path("nowhere")),
        "versions.yaml": versions.render_installed(),
        ".gitignore": text["gitignore"],
        ".dvcignore": text["dvcignore"],
        "tests/test_project.py": text["test_project.py"],
        "infra/retrain.sh": text["retrain.sh"],
        **{extension_path(kind): text[f"{kind}.py"] for kind in EXTENSION_KINDS},
        **{f"flows/{path.name}": path.read_text(encoding="utf-8") for path in flows},
    }


def _find_flows() -> Traversable:
    """The flows of this package: beside the sources in a checkout, else where they are installed."""
    checkout = Path(perennial.__path__[0]).parents[1] / "flows"
    return checkout if checkout.is_dir() else resources.files("flows")


def _init_version_control(folder: Path) -> None:
    """Initialise git where there is none yet, and DVC in this folder."""
    git = shutil.which("git")
    if git is None:
        raise ConfigError("git is not installed: the project is written; install git, then run git init and dvc init in it")
    prefix = _run(folder, git, "rev-parse", "--show-prefix")
    if prefix.returncode:
        subprocess.run([git, "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    subdir = ["--subdir"] if prefix.returncode == 0 and prefix.stdout.strip() else []
    dvc_init = _run(folder, sys.executable, "-m", "dvc", "init", "--quiet", *subdir)
    if dvc_init.returncode:
        raise ConfigError(f"dvc init failed in {folder}: {dvc_init.stderr.strip()[:300]}")
    write_text(folder / ".dvc" / "config", _DVC_CONFIG)
    _write_plots(folder)


def _write_plots(folder: Path) -> None:
    """The templates of `dvc plots`, and its page with the scripts inside: it loads nothing."""
    for path in resources.files("perennial.starter").joinpath("plots").iterdir():
        write_text(folder / ".dvc" / "plots" / path.name, path.read_text(encoding="utf-8"))


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
