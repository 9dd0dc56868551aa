"""The learning curve and the tuning: their figures, and that they leave the project as it was."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from perennial.config.base import read_section
from perennial.config.baseline import BaselineParams
from perennial.config.train import TrainParams
from perennial.errors import ConfigError
from perennial.files.durable import read_json, write_text
from perennial.results.study import LearningCurve
from perennial.studies.learning_curve import build_learning_curve, page_path
from perennial.studies.tune import Budget, tune_params
from perennial.tracking.store import open_store

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def toy(prepared_toy: Toy, tmp_path: Path) -> Toy:
    """A copy of the shared project, up to augment, whose training is short."""
    toy = type(prepared_toy)(root=tmp_path / "project")
    shutil.copytree(prepared_toy.root, toy.root, ignore=shutil.ignore_patterns(".perennial"))
    toy.edit("params.yaml", "epochs: 40", "epochs: 2")
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.edit("params.yaml", "rounds: 800", "rounds: 40")
    (toy.root / "dvc.lock").write_text("schema: '2.0'\n")
    return toy


def digests(root: Path) -> dict[str, str]:
    """Every file of a project but what is in .perennial/."""
    files = [path for path in root.rglob("*") if path.is_file() and ".perennial" not in path.relative_to(root).parts]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_learning_curve_leaves_the_project_as_it_was(toy: Toy) -> None:
    state, full = toy.project.state(toy.name), "a full curve's page"
    page = page_path(toy.project, toy.name, quick=False)
    write_text(page, full)
    before = digests(toy.root)
    curve = build_learning_curve(toy.project, toy.name, quick=True)
    assert digests(toy.root) == before
    assert page.read_text() == full, "a quick page never takes the place of a full one"
    assert "dvc.lock" in before
    assert len(before) > 20
    small, whole = curve.shares
    assert (small.share, whole.share) == (0.25, 1.0)
    assert whole.rows == toy.summary("split")["flow"]["units"]["to"]["train"]
    assert 0.2 < small.rows / whole.rows < 0.3
    assert [fit.blocks for fit in curve.depths] == [0, 2]
    assert curve.depths[1].figures == whole.figures != curve.depths[0].figures
    for fit in (*curve.shares, *curve.depths):
        assert all(figure.low < figure.value < figure.high for figure in fit.figures.test.values())
    assert curve.data_gain is not None
    gain = whole.figures.test["deep"].value - small.figures.test["deep"].value
    assert curve.data_gain.gain["deep"].value == pytest.approx(gain)
    assert [sentence.partition(":")[0] for sentence in curve.sentences] == ["Too small to tell"]
    quick = page_path(toy.project, toy.name, quick=True)
    assert quick.is_relative_to(state / "trial_runs")
    assert LearningCurve.model_validate(read_json(quick.with_suffix(".json"))) == curve
    html = quick.read_text()
    assert html.count("<svg") == 2
    assert "Too small to tell</h1>" in html
    assert str(toy.root) not in html


def test_a_tuning_goes_on_where_it_was_and_ends_in_a_diff(toy: Toy) -> None:
    before = digests(toy.root)
    first = tune_params(toy.project, toy.name, Budget(trials=2))
    again = tune_params(toy.project, toy.name, Budget(trials=3))
    assert digests(toy.root) == before
    assert {group: result.trials for group, result in first.groups.items()} == {"deep": 2, "traditional": 2}
    assert {group: result.trials for group, result in again.groups.items()} == {"deep": 3, "traditional": 3}
    for group, result in again.groups.items():
        before_it = first.groups[group]
        assert result.current_val_loss == before_it.current_val_loss is not None
        assert result.best is not None
        assert before_it.best is not None
        assert result.best.val_loss <= before_it.best.val_loss <= result.current_val_loss
        assert result.study == before_it.study
    diff = toy.project.state(toy.name) / "tune.diff"
    assert diff.read_text() == again.diff
    if again.changes:
        words = ["patch", "--strip=1", f"--input={diff}"]
        subprocess.run(words, cwd=toy.root, check=True, capture_output=True)
    for stage, model in (("train", TrainParams), ("baseline", BaselineParams)):
        block = yaml.safe_load((toy.root / "params.yaml").read_text())["use_cases"][toy.name][stage]
        read_section(toy.root / "params.yaml", toy.name, stage, model)  # raises where the block is not of its kind
        changed = again.changes.get(stage, {})
        assert {key: block[key] for key in changed} == changed
    client = open_store(toy.project).client
    experiment = client.get_experiment_by_name(toy.name).experiment_id
    runs = client.search_runs([experiment])
    parents = {run.info.run_id for run in runs if "mlflow.parentRunId" not in run.data.tags}
    under = [run.data.tags["mlflow.parentRunId"] for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert len(parents) == 2
    assert sorted(under.count(parent) for parent in parents) == [3, 3]


def test_segments_have_nothing_to_learn_or_tune(toy: Toy) -> None:
    contract = toy.project.contract(toy.name)
    contract.write_text((resources.files("perennial.gallery") / "wholesale_segments.yaml").read_text())
    with pytest.raises(ConfigError, match="no outcome to learn"):
        build_learning_curve(toy.project, toy.name)
    with pytest.raises(ConfigError, match="no loss to tune by"):
        tune_params(toy.project, toy.name, Budget(trials=1))
