"""A wheel into an environment of its own, `init`, `new`, `run`: what a user of the package does, with no line edited."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from sklearn import datasets

from tests.conftest import REPO

pytestmark = [pytest.mark.gallery, pytest.mark.timeout(900)]


def test_a_project_of_ones_own_runs_from_the_wheel(tmp_path: Path) -> None:
    place, shop = tmp_path / "site", tmp_path / "shop"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, REPO], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", place, wheel], check=True)
    env = {**os.environ, "PYTHONPATH": str(place), "DVC_NO_ANALYTICS": "1"}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])

    def module(*words: str, cwd: Path) -> str:
        done = subprocess.run([sys.executable, "-m", *words], cwd=cwd, env=env, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def perennial(*words: str, cwd: Path) -> str:
        return module("perennial", *words, cwd=cwd)

    where = "import perennial, sys; sys.exit(not perennial.__file__.startswith(sys.argv[1]))"
    assert subprocess.run([sys.executable, "-c", where, str(place)], env=env, cwd=tmp_path, check=False).returncode == 0
    perennial("init", str(shop), cwd=tmp_path)
    result = datasets.load_breast_cancer()
    path = tmp_path / "cells.csv"
    pl.DataFrame(result.data, schema=list(result.feature_names)).with_columns(target=pl.Series(result.target)).write_csv(path)
    perennial("new", "cells", "--data", str(path), "--yes", cwd=shop)
    assert "passed" in module("pytest", "-q", "tests", cwd=shop)
    try:
        assert "PROMOTE" in perennial("run", "cells", cwd=shop)
        assert "Nothing to do" in perennial("run", "cells", cwd=shop)
        document = json.loads(perennial("show", "cells", "--json", cwd=shop).partition("\n\n")[0])
        assert document["rows"]["raw"] == 569
        assert "up to date" in module("dvc", "status", cwd=shop)
    finally:
        perennial("stop", cwd=shop)
