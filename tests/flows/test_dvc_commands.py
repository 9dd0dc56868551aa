"""DVC's own commands on a finished run: metrics, plots, params, experiments, one stage, one use case."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from perennial.errors import ConfigError, IntegrityError
from perennial.files.manifest import verify
from perennial.pipeline import graph
from perennial.pipeline.lock_file import check_lock
from tests.conftest import NAME, REPO, Toy
from tests.flows.conftest import perennial

if TYPE_CHECKING:
    from tests.flows.conftest import Done

pytestmark = [pytest.mark.flows]
FIGURES = ("loss", "calibration", "gains", "roc", "precision_recall", "profit", "confusion")


@pytest.fixture(scope="module")
def tuned(done: Done, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A copy of the finished project whose first results are committed, and which an experiment was run in."""
    toy = Toy(root=tmp_path_factory.mktemp("dvc") / "project")
    shutil.copytree(done.toy.root, toy.root, symlinks=True, ignore=shutil.ignore_patterns(".perennial"))
    shutil.copytree(REPO / "src" / "perennial" / "starter" / "plots", toy.root / ".dvc" / "plots", dirs_exist_ok=True)
    with (toy.root / ".dvc" / "config").open("a") as config:
        config.write("[plots]\n    html_template = plots/page.html\n")
    toy.git("add", "--all")
    toy.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "--message=first")
    words = ["exp", "run", "--name", "one-pass", "-S", f"use_cases.{NAME}.train.epochs=1", f"explain@{NAME}"]
    ran = toy.dvc(*words)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Running stage 'train@ad_response'" in ran.stdout
    assert "Running stage 'validate@ad_response'" not in ran.stdout
    return toy


def test_metrics_are_shown_and_compared(tuned: Toy) -> None:
    shown = json.loads(tuned.dvc("metrics", "show", "--json").stdout)
    metrics = shown[""]["data"][f"outputs/{NAME}/evaluate.json"]["data"]
    evaluation = tuned.summary("evaluate")
    assert metrics["candidate"] == evaluation["candidate"]["family"]
    interval = evaluation["families"][metrics["candidate"]]["test"]["auc"]
    assert [metrics[key] for key in ("auc", "auc_low", "auc_high")] == [
        pytest.approx(interval[end], abs=1e-6) for end in ("value", "low", "high")
    ]
    changes = json.loads(tuned.dvc("params", "diff", "HEAD", "--json").stdout)
    assert changes["params.yaml"] == {f"use_cases.{NAME}.train.epochs": {"old": 3, "new": 1, "diff": -2}}
    assert tuned.dvc("metrics", "diff", "HEAD").returncode == 0


def test_plots_are_drawn_without_a_network(tuned: Toy) -> None:
    shown = tuned.dvc("plots", "show", "--out", "shown")
    assert shown.returncode == 0, shown.stderr
    page = (tuned.root / "shown" / "index.html").read_text()
    assert not re.search(r'(?:src|href)="http', page), "the page loads nothing"
    assert "vegaEmbed" in page
    for figure in FIGURES:
        assert f"outputs_{NAME}_{figure}_csv" in page
    compared = tuned.dvc("plots", "diff", "HEAD", "--out", "compared")
    assert compared.returncode == 0, compared.stderr
    both = (tuned.root / "compared" / "index.html").read_text()
    assert {"HEAD", "workspace"} <= set(re.findall(r'"rev": "(\w+)"', both))


def test_every_use_case_has_every_file_and_each_fits_what_dvc_draws(tuned: Toy) -> None:
    stage = yaml.safe_load((tuned.root / "dvc.yaml").read_text())["stages"]["evaluate"]["do"]
    drawn = {path: options for plot in stage["plots"] for path, options in plot.items()}
    assert [Path(path).stem for path in drawn] == list(FIGURES)
    for path, options in drawn.items():
        header, *rows = (tuned.root / path.replace("${key}", NAME)).read_text().splitlines()
        assert {options["x"], options["y"]} <= set(header.split(","))
        assert rows
        assert (tuned.root / ".dvc" / "plots" / f"{options['template']}.json").exists()


def test_an_experiment_is_listed_readably_and_applied(tuned: Toy) -> None:
    listed = tuned.dvc("exp", "show", "--only-changed", "--drop", "(outputs|src|data)/.*", "--no-pager").stdout
    header = next(line for line in listed.splitlines() if "Experiment" in line)
    assert f"use_cases.{NAME}.train.epochs" in header
    assert "outputs/" not in header
    assert "one-pass" in listed
    tuned.git("stash", "--quiet")
    try:
        assert "epochs: 3" in (tuned.root / "params.yaml").read_text()
        applied = tuned.dvc("exp", "apply", "one-pass")
        assert applied.returncode == 0, applied.stderr
        assert "epochs: 1" in (tuned.root / "params.yaml").read_text()
        assert tuned.dvc("status", f"explain@{NAME}").stdout.strip() == "Data and pipelines are up to date."
    finally:
        tuned.git("checkout", "--quiet", "--force", ".")
        tuned.git("stash", "pop", "--quiet")


def test_show_says_which_stages_are_stale_now_and_what_the_last_run_did(tuned: Toy, tmp_path: Path) -> None:
    copy = Toy(root=tmp_path / "copy")
    shutil.copytree(tuned.root, copy.root, symlinks=True)

    def show_stages() -> dict[str, str]:
        document = json.loads(perennial(copy, "show", NAME, "--json").stdout)
        assert document["last_run"] == {}
        stages: dict[str, str] = document["stages"]
        return stages

    assert set(show_stages().values()) == {"up to date"}
    copy.edit("params.yaml", "epochs: 1", "epochs: 2")
    (copy.out("explain") / "summary.json").unlink()
    stages = show_stages()
    assert {stage for stage, state in stages.items() if state == "stale"} == {"train", "evaluate"}, "and what comes after"
    assert stages["explain"] == "missing"
    assert stages["baseline"] == "up to date"


def test_one_stage_is_reproduced_and_one_use_case_is_pulled(tuned: Toy, tmp_path: Path) -> None:
    assert "didn't change" in tuned.dvc("repro", "--single-item", f"evaluate@{NAME}").stdout
    remote = tmp_path / "remote"
    assert tuned.dvc("remote", "add", "--local", "--force", "--default", "shared", str(remote)).returncode == 0
    assert tuned.dvc("push", f"explain@{NAME}", "--with-deps").returncode == 0
    other = Toy(root=tmp_path / "other")
    subprocess.run(["git", "clone", "--quiet", str(tuned.root), str(other.root)], check=True)
    tuned_lock = (tuned.root / "dvc.lock").read_text()
    (other.root / "dvc.lock").write_text(tuned_lock)
    shutil.copy(tuned.root / "params.yaml", other.root)
    assert other.dvc("remote", "add", "--local", "--default", "shared", str(remote)).returncode == 0
    pulled = other.dvc("pull", "--with-deps", f"explain@{NAME}")
    assert pulled.returncode == 0, pulled.stderr
    assert other.summary("evaluate") == tuned.summary("evaluate")
    assert (other.root / "outputs" / NAME / "gains.csv").exists()
    assert other.dvc("status", f"explain@{NAME}").stdout.strip() == "Data and pipelines are up to date."


def test_a_figure_that_was_edited_is_no_longer_what_evaluate_wrote(tuned: Toy, tmp_path: Path) -> None:
    copy = Toy(root=tmp_path / "copy")
    shutil.copytree(tuned.root, copy.root, symlinks=True)
    gains = copy.root / "outputs" / NAME / "gains.csv"
    gains.unlink()
    gains.write_text("share,found,low,high\n")
    with pytest.raises(IntegrityError, match=r"\.\./gains\.csv differ from manifest\.json"):
        verify(copy.out("evaluate"))


def test_while_another_dvc_runs_a_run_says_wait_and_not_delete(tuned: Toy, tmp_path: Path) -> None:
    copy = Toy(root=tmp_path / "copy")
    shutil.copytree(tuned.root, copy.root, symlinks=True)
    lock = copy.root / ".dvc" / "tmp" / "rwlock"
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "repro"])
    try:
        holder = {"pid": sleeper.pid, "cmd": "dvc repro"}
        lock.write_text(json.dumps({"write": {str(copy.out("train")): holder}, "read": {}}))
        copy.edit("params.yaml", "epochs: 1", "epochs: 2")
        began = time.monotonic()
        busy = perennial(copy, "run", NAME)
        assert busy.returncode == 75, busy.stdout + busy.stderr
        assert time.monotonic() - began < 120
        said = busy.stdout + busy.stderr
        assert "Wait for it, or end that process" in said
        assert "manually remove" not in said
        asked = copy.dvc("status", f"explain@{NAME}")
        assert "is busy" in asked.stderr, "DVC's own words, which docs/how-to/dvc.md explains"
    finally:
        sleeper.kill()
        sleeper.wait()
        perennial(copy, "stop")


def test_a_stale_lock_is_refused(tuned: Toy, tmp_path: Path) -> None:
    copy = Toy(root=tmp_path / "copy")
    copy.root.mkdir()
    for path in ("dvc.lock", "params.yaml", "versions.yaml"):
        shutil.copy(tuned.root / path, copy.root)
    for folder in ("src", "contracts"):
        shutil.copytree(tuned.root / folder, copy.root / folder)
    check_lock(copy.root)
    copy.edit("params.yaml", "epochs: 1", "epochs: 2")
    with pytest.raises(
        ConfigError, match=rf"dvc.lock is older than train@{NAME} params.yaml:.*perennial run {NAME}, then commit"
    ):
        check_lock(copy.root)
    copy.edit("params.yaml", "epochs: 2", "epochs: 1")
    source = copy.root / "src" / "perennial" / "data" / "prepare" / "augment.py"
    source.write_text(source.read_text() + "\n")
    with pytest.raises(ConfigError, match=r"augment@ad_response src/perennial/data/prepare/augment\.py"):
        check_lock(copy.root)
    assert graph.is_source(copy.root)
