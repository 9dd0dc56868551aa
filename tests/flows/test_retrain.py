"""infra/retrain.sh by hand, in a clone with a folder as remote: a comment on a branch, a decision on main."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import NAME, REPO, Toy
from tests.flows.conftest import BIN

if TYPE_CHECKING:
    from tests.flows.conftest import Done

pytestmark = [pytest.mark.flows]


def test_a_branch_is_compared_and_main_is_registered_and_judged(done: Done, tmp_path: Path) -> None:
    origin, remote = tmp_path / "origin", tmp_path / "remote"
    shutil.copytree(done.toy.root, origin, symlinks=True, ignore=shutil.ignore_patterns(".perennial"))
    source = Toy(root=origin)
    (origin / "infra").mkdir(exist_ok=True)
    shutil.copy(REPO / "infra" / "retrain.sh", origin / "infra")
    source.git("add", "--all")
    source.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "--message=all")
    assert source.dvc("remote", "add", "--local", "--force", "--default", "shared", str(remote)).returncode == 0
    assert source.dvc("push").returncode == 0, "the first results are on the remote"

    clone = Toy(root=tmp_path / "clone")
    subprocess.run(["git", "clone", "--quiet", str(origin), str(clone.root)], check=True)
    assert clone.dvc("remote", "add", "--local", "--default", "shared", str(remote)).returncode == 0
    clone.edit("params.yaml", "rounds: 60", "rounds: 40")
    clone.git("checkout", "--quiet", "-b", "fewer-rounds")
    clone.git("add", "--all")
    clone.commit("fewer rounds")
    on_branch = retrain(clone)
    assert on_branch.returncode == 0, on_branch.stdout + on_branch.stderr
    folder = clone.root / ".perennial" / NAME / "retrain"
    comment = (folder / "comment.md").read_text()
    assert comment.startswith(f"<!-- perennial {NAME} -->\n## {NAME}: ")
    assert "Both candidates on the test rows of this branch" in comment
    cell = r"\S+ \[\S+, \S+\]"
    metrics = re.findall(rf"^\| (auc|ap|log_loss|brier) \| {cell} \| {cell} \| {cell} \|$", comment, re.M)
    assert metrics == ["auc", "ap", "log_loss", "brier"]
    assert re.search(r"^\| baseline \| ran \| \d+\.\d \|$", comment, re.M)
    assert "| validate |" not in comment
    assert "All other stages were up to date" in comment
    assert "Predicted: nothing, for no earlier run here says what baseline" in comment
    assert re.search(r"Actual: \d+\.\d CPU minutes \(0\.\d{4} EUR\), [34] stages", comment)
    assert comment.count("  line [") == 2, "the curves of both"
    assert "[Report, curves and this comment](https://ci.example/1)" in comment
    assert "of this branch" in (folder / "report.html").read_text()
    assert (folder / "profit.png").read_bytes().startswith(b"\x89PNG")
    assert clone.git("status", "--porcelain", "--untracked-files=all").split() == ["M", "dvc.lock"], "nothing lies in git's way"
    assert "register and decide" not in on_branch.stdout
    assert "Running stage 'baseline@ad_response'" in on_branch.stdout
    assert "Running stage 'validate@ad_response'" not in on_branch.stdout, "what did not change came from the remote"

    clone.edit("params.yaml", "rounds: 40", "rounds: 30")
    again = retrain(clone)
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"Predicted: \d+\.\d CPU minutes \(", again.stdout)
    assert re.search(r"How good that is: \d+ % error of the only prediction so far", again.stdout)

    clone.git("checkout", "--quiet", "--force", "main")
    on_main = retrain(clone)
    assert on_main.returncode == 0, on_main.stdout + on_main.stderr
    assert "register and decide" in on_main.stdout
    assert "PROMOTE" in on_main.stdout + on_main.stderr


def test_a_branch_without_anything_to_pull_trains_and_tells_its_own_figures(done: Done, tmp_path: Path) -> None:
    """The main branch's results are recorded in dvc.lock, and nobody has pushed them."""
    origin = Toy(root=tmp_path / "origin")
    shutil.copytree(done.toy.root, origin.root, symlinks=True, ignore=shutil.ignore_patterns(".perennial", "cache"))
    (origin.root / "infra").mkdir(exist_ok=True)
    shutil.copy(REPO / "infra" / "retrain.sh", origin.root / "infra")
    origin.git("add", "--all")
    origin.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "--message=all")
    clone = Toy(root=tmp_path / "clone")
    subprocess.run(["git", "clone", "--quiet", str(origin.root), str(clone.root)], check=True)
    clone.edit("params.yaml", "rounds: 60", "rounds: 40")
    clone.git("checkout", "--quiet", "-b", "fewer-rounds")
    clone.git("add", "--all")
    clone.commit("fewer rounds")
    alone = retrain(clone)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "nothing to compare with: What origin/main made of it is neither in this cache nor on a" in alone.stdout
    comment = (clone.root / ".perennial" / NAME / "retrain" / "comment.md").read_text()
    assert f"## {NAME}: nothing to compare with\n" in comment
    assert "The figures of this branch:" in comment
    assert "(candidate)" in comment
    assert "log_loss" in comment


def retrain(clone: Toy) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "infra/retrain.sh", NAME, "origin/main"],
        cwd=clone.root,
        text=True,
        capture_output=True,
        check=False,
        env={
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PERENNIAL_CPU_HOUR_COST": "0.05 EUR",
            "PERENNIAL_REPORT_URL": "https://ci.example/1",
        },
        timeout=300,
    )
