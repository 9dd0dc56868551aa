"""Commands of the README's start and first hour: run here where they are cheap, else by the test that is named for each."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from perennial import cli
from tests.conftest import REPO

pytestmark = pytest.mark.contracts

TEXT = (REPO / "README.md").read_text(encoding="utf-8")
START, FIRST_HOUR = TEXT.partition("![")[0], TEXT.partition("## Your first hour")[2].partition("\n## ")[0]
HERE = {"init", "list", "show"}  # and `graph --check` and `dvc status`, below
ON_THE_COMMAND_LINE = {  # the test gives the command's words to the command line
    "run": "tests/flows/test_training.py",
    "serve": "tests/flows/test_serve.py",
    "open": "tests/unit/test_cli.py",  # up to the browser, for which a stub stands
    "history": "tests/integration/test_registry.py",
    "ui": "tests/flows/test_ui.py",
    "env": "tests/integration/test_mlflow_view.py",
}
BELOW_IT = {  # the test calls what the command calls: its options are checked in test_docs.py, its few lines are run by no test
    "new": "tests/integration/test_new.py",  # on the command line by `make test-gallery` only
    "add": "tests/unit/test_fetch.py",
    "score": "tests/integration/test_score.py",
    "audience": "tests/integration/test_campaign.py",
    "outcome": "tests/integration/test_campaign.py",
    "learning-curve": "tests/integration/test_side_searches.py",
    "tune": "tests/integration/test_side_searches.py",
    "rollback": "tests/integration/test_registry.py",
}


def find_quoted() -> set[str]:
    """The commands of the first hour: in blocks and in the table, where the second of a row goes without `perennial`."""
    words = re.findall(r"(?:perennial |· `(?!perennial))([a-z][a-z-]+)", FIRST_HOUR)
    return set(words) & set(cli.PURPOSES)


def find_entry_points(name: str) -> set[str]:
    """The functions of other rooms that a command's module imports."""
    spec = importlib.util.find_spec(f"perennial.commands.{name.replace('-', '_')}")
    assert spec is not None
    assert spec.origin is not None
    rooms = ("campaigns", "studies", "promotion", "serving", "sources")
    nodes = ast.walk(ast.parse(Path(spec.origin).read_text()))
    imports = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module and n.module.split(".")[1:2] != []]
    return {alias.name for n in imports if str(n.module).split(".")[1] in rooms for alias in n.names if alias.name[0].islower()}


def test_each_command_of_the_first_hour_is_run_by_a_test_that_is_named() -> None:
    quoted = find_quoted()
    assert quoted == HERE | ON_THE_COMMAND_LINE.keys() | BELOW_IT.keys()
    assert len(quoted) == 17


@pytest.mark.parametrize("name", ON_THE_COMMAND_LINE)
def test_the_test_that_is_named_calls_the_command(name: str) -> None:
    tree = ast.parse((REPO / ON_THE_COMMAND_LINE[name]).read_text())
    assert name in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("name", BELOW_IT)
def test_the_test_that_is_named_calls_what_the_command_calls(name: str) -> None:
    tree = ast.parse((REPO / BELOW_IT[name]).read_text())
    called = {getattr(n.func, "id", getattr(n.func, "attr", "")) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    assert find_entry_points(name) & called


def test_make_targets_of_the_readme_are_there() -> None:
    """`make run` and `make test` are run by a fresh clone (.ci/run, check.yml), not here."""
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    assert re.findall(r"^    make ([a-z-]+)", START, re.MULTILINE) == ["run", "test"]
    named = set(re.findall(r"\bmake ([a-z-]+)", TEXT))
    assert named == {"run", "test", "test-gallery"}
    assert named <= targets


def test_what_needs_no_trained_model_runs_as_it_stands(tmp_path: Path) -> None:
    outputs = {}
    for words, folder in (
        ("perennial init shop", tmp_path),
        ("perennial list", tmp_path / "shop"),
        ("perennial graph --check", tmp_path / "shop"),
        ("perennial list", REPO),
        ("perennial show ad_response --json", REPO),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *words.split()], cwd=folder, text=True, capture_output=True, check=False, timeout=120
        )
        assert done.returncode == 0, (words, done.stderr)
        outputs[words, folder] = done.stdout
    assert len(outputs) == 5
    assert "german_risk" in outputs["perennial list", tmp_path / "shop"]
    assert '"use_case": "ad_response"' in outputs["perennial show ad_response --json", REPO]


def test_dvc_answers_in_a_project_that_init_wrote(tmp_path: Path) -> None:
    """The project is empty: what `dvc repro` does with stages is tested in tests/integration/test_dvc.py."""
    dvc = str(Path(sys.executable).with_name("dvc"))
    begun = subprocess.run([sys.executable, "-m", "perennial", "init", "shop"], cwd=tmp_path, capture_output=True, check=False)
    assert begun.returncode == 0, begun.stderr
    done = subprocess.run([dvc, "status"], cwd=tmp_path / "shop", text=True, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "no data or pipelines tracked in this project yet" in done.stdout
