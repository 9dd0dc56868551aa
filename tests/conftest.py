"""Projects in folders of their own: the gallery's ad_response over a small population of the simulator."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_population
from perennial.pipeline import graph, repo
from perennial.stages.runner import Job, run_body
from tests.watchdog import MARK, start_watchdog

settings.register_profile("shared machine", deadline=None)  # a slow moment of the machine is no failure
settings.load_profile("shared machine")
REPO = Path(__file__).parents[1]
NAME, OTHER = "ad_response", "other"
LIGHT = ("ingest", "validate", "clean", "featurize", "split", "augment")


_LONGEST = ("test_own_project.py", "test_side_searches.py")  # of their folder
_LONGEST_FIRST = ("gallery", "flows", "e2e", "integration", "model", "contracts", "unit")


def pytest_configure(config: pytest.Config) -> None:
    """One watchdog a session: the workers of xdist are watched as the children that they are."""
    if "PYTEST_XDIST_WORKER" not in os.environ and MARK not in os.environ:
        config.add_cleanup(start_watchdog().communicate)  # closes its stdin and waits for it


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks, else there are no groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A worker takes whole files, the long ones first; tests that look at the one run of flows are a group, and share it."""
    items.sort(key=lambda item: (_LONGEST_FIRST.index(item.path.parent.name), item.path.name not in _LONGEST))
    for item in items:
        folder = item.path.parent.name
        shares_run = folder == "flows" and "done" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("flows" if shares_run else item.path.name))


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A project with one use case, and the ways to run its stages."""

    root: Path
    name: str = NAME

    @property
    def project(self) -> Project:
        return Project(root=self.root)

    @property
    def contract(self) -> Contract:
        return load(self.project.contract(self.name))

    @property
    def population(self) -> Population:
        document = self.contract.source.model_dump(include={"seed", "first", "n", "month", "concept"})
        return Population(**document)

    def out(self, stage: str, file: str = "") -> Path:
        return self.project.output(self.name, stage) / file

    def run(self, *stages: str) -> dict[str, Any]:
        """Run stages in this process, with their locks and manifests; the summary of the last."""
        for stage in stages:
            job = Job(project=self.project, name=self.name, stage=stage, contract=self.contract)
            with warnings.catch_warnings():  # Great Expectations imports what Python has deprecated
                warnings.simplefilter("ignore")
                module = importlib.import_module(f"perennial.stages.{stage}")
            run_body(job, module.run)
        return self.summary(stages[-1])

    def summary(self, stage: str) -> dict[str, Any]:
        document: dict[str, Any] = read_json(self.out(stage, "summary.json"))
        return document

    def stage(self, stage: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Run a stage as DVC does: a process of its own in the project's folder."""
        words = [sys.executable, "-m", f"perennial.stages.{stage}", self.name]
        return subprocess.run(
            words, cwd=self.root, text=True, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL, **settings
        )

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands in a file of the project."""
        text = (self.root / path).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        (self.root / path).write_text(text.replace(old, new))

    def edit_contract(self, old: str, new: str) -> None:
        self.edit(f"contracts/{self.name}.yaml", old, new)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, text=True, capture_output=True, check=True)
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", f"--message={message}")

    def dvc(self, *words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=self.root,
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"},
        )


def lay_out(
    root: Path, name: str, params: Mapping[str, Mapping[str, Any]] | None = None, edits: Mapping[str, str] | None = None
) -> Toy:
    """A gallery entry as a project with an empty raw folder; other `params` by section, `edits` of the contract's text."""
    gallery = REPO / "src" / "perennial" / "gallery"
    contract = (gallery / f"{name}.yaml").read_text()
    for old, new in (edits or {}).items():
        contract = contract.replace(old, new)
    block = yaml.safe_load((gallery / "params.yaml").read_text())["use_cases"][name]
    for section, values in (params or {}).items():
        block[section] |= values
    (root / "contracts").mkdir(parents=True)
    (root / "contracts" / f"{name}.yaml").write_text(contract)
    (root / "params.yaml").write_text(yaml.safe_dump({"use_cases": {name: block}}, sort_keys=False))
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copy(REPO / file, root)
    toy = Toy(root=root, name=name)
    toy.project.raw(name).mkdir(parents=True)
    return toy


def make(root: Path, customers: int) -> Toy:
    """The simulator's customers, as raw files of ad_response."""
    toy = lay_out(root, NAME, edits={"n: 20000": f"n: {customers}"})
    write_population(toy.project.raw(NAME), toy.population)
    return toy


@pytest.fixture
def project(tmp_path: Path) -> Toy:
    """2,000 customers, nothing run yet."""
    return make(tmp_path / "project", 2_000)


@pytest.fixture(scope="session")
def prepared_toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """2,000 customers, run from ingest to augment. Shared: read it only."""
    toy = make(tmp_path_factory.mktemp("made") / "project", 2_000)
    toy.run(*LIGHT)
    return toy


@pytest.fixture(scope="session")
def _dvc_project(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """400 customers in a git and DVC repository with a second use case; the first is run up to augment."""
    toy = make(tmp_path_factory.mktemp("dvc") / "project", 400)
    contract, params = toy.project.contract(NAME), toy.root / "params.yaml"
    toy.project.contract(OTHER).write_text(contract.read_text())
    block = yaml.safe_load(params.read_text())["use_cases"][NAME]
    params.write_text(yaml.safe_dump({"use_cases": {NAME: block, OTHER: block}}))
    shutil.copytree(toy.project.raw(NAME), toy.project.raw(OTHER))
    shutil.copytree(REPO / "src", toy.root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ("requirements.lock", ".gitignore", ".dvcignore"):
        shutil.copy(REPO / file, toy.root)
    graph.write(toy.root)
    toy.git("init", "--quiet", "--initial-branch=main")
    assert toy.dvc("init", "--quiet").returncode == 0
    (toy.root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    for name in (NAME, OTHER):
        repo.record_raw(toy.root, name)
    toy.run(*LIGHT)  # in this process, where everything is imported once; then DVC takes it as if it had run them
    Toy(root=toy.root, name=OTHER).run("ingest")
    committed = toy.dvc("commit", "--force", *(f"{stage}@{NAME}" for stage in LIGHT), f"ingest@{OTHER}")
    assert committed.returncode == 0, committed.stderr
    toy.git("add", "--all")
    toy.commit("all")
    return toy


@pytest.fixture
def dvc_project(_dvc_project: Toy, tmp_path: Path) -> Toy:
    """A copy of one's own of a small project under git and DVC that is up to date as far as augment."""
    shutil.copytree(_dvc_project.root, tmp_path / "project", symlinks=True)
    return Toy(root=tmp_path / "project")
