"""The how-to that adds a family: its blocks, applied to a copy of the code, train the family that they describe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perennial.files.durable import read_json
from tests.conftest import REPO, Toy

pytestmark = pytest.mark.integration
HOW_TO = REPO / "docs" / "how-to" / "add-a-family.md"
MODULE = "src/perennial/models/traditional/stumps.py"
CHECK = """
import sys
from pathlib import Path
import polars as pl
from perennial.scoring.reasons import explain_rows
from perennial.scoring.scorer import Scorer
folder = Path(sys.argv[1])
scorer = Scorer.load(folder)
scorer.prove(folder)
rows = pl.read_parquet(folder / "golden.parquet")
parts = explain_rows(scorer.bundle, rows, draws=8, seed=1)
print(scorer.bundle.family, parts.parts.shape[0], abs(parts.error).max())
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's source with the how-to's module and patches."""
    shutil.copytree(REPO / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (module,) = blocks("python")
    (tmp_path / MODULE).write_text(module)
    patches = blocks("diff")
    assert len(patches) == 2, "three files in all"
    for patch in patches:
        subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, text=True, check=True)
    return tmp_path / "src"


def test_the_how_to_adds_a_family_that_is_fitted_saved_and_explained(prepared_toy: Toy, tmp_path: Path, copy: Path) -> None:
    shutil.copytree(prepared_toy.root, tmp_path / "project")
    toy = Toy(root=tmp_path / "project")
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = toy.stage("baseline", env=environment)
    assert done.returncode == 0, done.stderr
    families = read_json(toy.out("baseline", "summary.json"))["families"]
    assert set(families) == {"linear", "stumps", "boosted"}
    assert families["stumps"]["val_loss"] != families["boosted"]["val_loss"]
    words = [sys.executable, "-c", CHECK, str(toy.out("baseline", "stumps"))]
    checked = subprocess.run(words, cwd=toy.root, text=True, capture_output=True, check=True, env=environment)
    family, rows, error = checked.stdout.split()
    assert family == "stumps"
    assert int(rows) > 0
    assert float(error) == 0, "its parts add up"
