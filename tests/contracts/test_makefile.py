"""`make lock` and `make clean` lose nothing that cannot be made again; `make browser` installs one or says what follows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def make(root: Path, target: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    command = [str(shutil.which("make")), "--no-print-directory", target]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=root, env=environment, text=True, capture_output=True, check=False)


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
    remaining = [".perennial/mlflow/mlflow.db", ".perennial/shop/incoming/rows.csv", ".dvc/cache/files/a", "data/shop/raw/a"]
    for file in (*remaining, "outputs/shop/train/weights", ".ruff_cache/a"):
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        (checkout / file).touch()
    done = make(checkout, "clean")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rm -rf outputs ")
    assert "kept: .perennial (registry, decisions, reports, lists)" in done.stdout
    assert [(checkout / file).exists() for file in remaining] == [True] * len(remaining)
    assert not (checkout / "outputs").exists()
    assert not (checkout / ".ruff_cache").exists()


def browser(checkout: Path, **programs: str) -> tuple[int, str, str]:
    """What `make browser` does where these are the only programs: its exit code, its output, how apt-get was called."""
    folder = checkout / "programs"
    folder.mkdir()
    (folder / "sh").symlink_to(str(shutil.which("sh")))
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    done = make(checkout, "browser", str(folder))
    calls = checkout / "calls"
    return done.returncode, done.stdout, calls.read_text() if calls.exists() else ""


APT = 'echo "$*" >> calls'


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_is_there_is_taken(checkout: Path, name: str) -> None:
    code, said, calls = browser(checkout, **{name: "exit 0", "apt-get": APT})
    assert (code, said, calls) == (0, f"{checkout}/programs/{name}\n", "")


def test_a_browser_that_is_missing_is_installed_and_nothing_else(checkout: Path) -> None:
    code, said, calls = browser(checkout, **{"apt-get": APT})
    assert (code, said, calls) == (0, "", "update -qq\ninstall -y -qq chromium\n")


@pytest.mark.parametrize(
    ("programs", "reason"), [({}, "no Chromium and no apt-get"), ({"apt-get": "exit 100"}, "apt-get could not install chromium")]
)
def test_without_a_browser_it_is_said_that_tests_are_skipped(checkout: Path, programs: dict[str, str], reason: str) -> None:
    code, said, _ = browser(checkout, **programs)
    assert (code, said) == (0, f"{reason}: tests that look through a browser will be skipped\n")


def test_the_check_of_a_fresh_clone_calls_make_alone() -> None:
    lines = (REPO / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make browser", "make check", "make test", "make test-gallery"]
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.M))
    assert {command.split()[1] for command in commands} <= targets


def test_a_first_install_says_what_it_downloads_and_a_second_says_nothing(checkout: Path) -> None:
    program(checkout, "uv", 'case "$*" in *requirements.lock*) echo "$@" ;; esac')
    assert "Installing" not in make(checkout, "install").stdout
    (checkout / ".venv" / "installed").unlink()
    first = make(checkout, "install")
    assert first.returncode == 0, first.stderr
    assert "Installing the 1 packages of requirements.lock" in first.stdout
    (command,) = (line for line in first.stdout.splitlines() if line.startswith("pip install"))
    assert "--quiet" not in command, "the packages and their progress are shown"
    assert "Installing" not in make(checkout, "install").stdout


def test_pull_requests_and_commits_are_checked_by_what_the_makefile_and_its_check_run() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    workflow = yaml.safe_load((REPO / ".github" / "workflows" / "check.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    assert steps == ["make browser", "make check", "make test"]
    assert {step.removeprefix("make ") for step in steps} <= targets
    assert set(workflow[True]) == {"pull_request", "push"}, "YAML reads `on` as true"
    assert (workflow["permissions"], workflow["jobs"]["check"]["timeout-minutes"]) == ({"contents": "read"}, 45)
    (cache,) = (step["with"] for step in workflow["jobs"]["check"]["steps"] if "actions/cache@" in step.get("uses", ""))
    assert cache["path"] == ".venv"
    assert "hashFiles('requirements.lock')" in cache["key"]
    assert "steps.python.outputs.python-version" in cache["key"], "an environment is of one Python"
    (hooks,) = (repo["hooks"] for repo in yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())["repos"])
    programs = [hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks]
    check = (REPO / "Makefile").read_text().partition("\ncheck: install\n")[2].partition("\n\n")[0]
    assert set(programs) == set(re.findall(r"\$\(BIN\)/([a-z-]+)", check))


def test_workflows_are_linted_and_a_mistake_is_found(tmp_path: Path) -> None:
    recipe = (REPO / "Makefile").read_text().partition("\ncheck: install\n")[2].partition("\n\n")[0]
    lines = [line for line in recipe.splitlines() if "zizmor" in line or "check-jsonschema" in line]
    assert len(lines) == 3
    for path in (".github", "infra"):
        shutil.copytree(REPO / path, tmp_path / path)
    commands = [line.strip().removeprefix("@").replace("$(BIN)", str(Path(sys.executable).parent)) for line in lines]

    def lint() -> list[int]:
        return [subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True).returncode for command in commands]

    assert lint() == [0, 0, 0]
    workflow, template = tmp_path / ".github" / "workflows" / "retrain.yml", tmp_path / "infra" / "gitlab-ci.yml"
    workflow.write_text(workflow.read_text().replace('retrain.sh "$NAME"', "retrain.sh ${{ github.head_ref }}"))
    check = workflow.with_name("check.yml")
    check.write_text(check.read_text().replace("timeout-minutes: 45", "timeout-minutes: soon"))
    template.write_text(template.read_text().replace("when: always", "when: sometimes"))
    assert all(code != 0 for code in lint()), lint()
