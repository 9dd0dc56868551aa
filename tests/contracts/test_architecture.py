"""The rooms: the import rules hold, a planted violation of each is found, and nothing has grown too long."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
LONGEST_FUNCTION, LONGEST_MODULE = 60, 300  # lines

PLANTS = {
    "evaluation that scores": ("evaluation/decisions/profit", "from perennial.scoring import scorer", "imports go down only"),
    "a room that no rule knows": ("helpers/__init__", "", "imports go down only"),
    "an effect that calls a command": ("serving/score", "from perennial.commands import show", "imports go down only"),
    "two modules that need each other": (
        "contract/model",
        "from perennial.contract import consistency",
        "no circle inside a room",
    ),
    "a stage that uses another": (
        "stages/clean",
        "from perennial.stages import split",
        "the ten stages know nothing of each other",
    ),
    "a stage that reads the graph": (
        "stages/clean",
        "from perennial.pipeline import repo",
        "stages reach no graph, tracker, report, effect or network",
    ),
    "a flow that reads data": (
        "../../flows/scoring",
        "from perennial.data.prepare import clean",
        "flows use the rooms of effects and the graph only",
    ),
    "a light room that loads torch through another": (
        "gallery/simulator/draws",
        "from perennial.models.deep import net",
        "light rooms load nothing heavy, not even through others",
    ),
    "mlflow in the notebook's names": ("api", "import mlflow", "mlflow has one owner"),
    "mlflow in a promotion": ("promotion/overview", "def late():\n    import mlflow", "mlflow has one owner"),
    "prefect in the main job": ("promotion/main_job", "import prefect", "prefect has one owner"),
    "dvc in the notebook's names": ("api", "from dvc import repo", "dvc has one owner"),
    "Lightning in a stage": ("stages/train", "import pytorch_lightning", "pytorch_lightning has one owner"),
    "Great Expectations in a proposal": (
        "discovery/column_types",
        "import great_expectations",
        "great_expectations has one owner",
    ),
    "torch in the notebook's names": ("api", "import torch", "torch has one owner"),
    "sklearn in a page": ("report/pages/compose", "def late():\n    import sklearn", "sklearn has one owner"),
    "LightGBM in a stage": ("stages/baseline", "import lightgbm", "lightgbm has one owner"),
    "calamine in a proposal": ("discovery/tables", "import python_calamine", "python_calamine has one owner"),
    "XlsxWriter in a campaign": ("campaigns/audience", "import xlsxwriter", "xlsxwriter has one owner"),
    "Optuna in a proposal": ("discovery/column_types", "import optuna", "optuna has one owner"),
}


def lint(root: Path) -> tuple[int, list[str], str]:
    """The exit code of lint-imports over the tree at `root`, the names of the broken contracts, all that was said."""
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    path = os.pathsep.join([str(root / "src"), str(root)])
    done = subprocess.run(words, cwd=root, text=True, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": path})
    said = done.stdout + done.stderr
    return done.returncode, re.findall(r"^(.+) BROKEN$", said, re.M), said


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources and their rules, in a folder of their own."""
    root = tmp_path_factory.mktemp("tree")
    for folder in ("src", "flows"):
        shutil.copytree(REPO / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(REPO / "pyproject.toml", root)
    return root


def test_the_rules_hold(copied: Path) -> None:
    code, broken, said = lint(copied)
    assert (code, broken) == (0, []), said
    remaining = re.findall(r"^(.+) KEPT$", said, re.M)
    assert {contract for _, _, contract in PLANTS.values()} == set(remaining), "every rule has its violation"


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_violation_is_found(copied: Path, plant: str) -> None:
    path, line, contract = PLANTS[plant]
    file = copied / "src" / "perennial" / f"{path}.py"
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        code, broken, said = lint(copied)
    finally:
        if before is None:
            shutil.rmtree(file.parent)
        else:
            file.write_text(before)
    assert code == 1, said
    assert contract in broken, said
    assert (file.parent if file.stem == "__init__" else file).stem in said.rpartition("Broken contracts")[2]


def test_functions_and_modules_stay_short() -> None:
    files = [path for folder in ("src", "flows") for path in sorted((REPO / folder).rglob("*.py"))]
    long, functions = [], 0
    for path in files:
        text = path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > LONGEST_MODULE:
            long.append(f"{path.relative_to(REPO)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions += 1
                if (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(REPO)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []
    assert len(files) > 100
    assert functions > 600
