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
from perennial.files.durable import read_json
from perennial.studies.learning_curve import learning_curve
from perennial.studies.tune import Budget, tune
from perennial.tracking.store import open_store

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def toy(made: Toy, tmp_path: Path) -> Toy:
    """A copy of the shared project, up to augment, whose training is short."""
    toy = type(made)(root=tmp_path / "project")
    shutil.copytree(made.root, toy.root, ignore=shutil.ignore_patterns(".perennial"))
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
    before = digests(toy.root)
    found = learning_curve(toy.project, toy.name, quick=True)
    assert digests(toy.root) == before
    assert "dvc.lock" in before
    assert len(before) > 20
    small, whole = found["shares"]
    assert (small["share"], whole["share"]) == (0.25, 1.0)
    assert whole["rows"] == toy.summary("split")["flow"]["units"]["to"]["train"]
    assert 0.2 < small["rows"] / whole["rows"] < 0.3
    assert [fit["blocks"] for fit in found["depths"]] == [0, 2]
    assert found["depths"][1]["deep"] == whole["deep"] != found["depths"][0]["deep"]
    for fit in (*found["shares"], *found["depths"]):
        assert all(fit[group]["low"] < fit[group]["value"] < fit[group]["high"] for group in ("deep", "traditional"))
    rise = found["rise"]
    assert rise["deep"]["value"] == pytest.approx(whole["deep"]["value"] - small["deep"]["value"])
    assert len(found["sentences"]) == 3
    room = toy.project.state(toy.name)
    assert read_json(room / "learning-curve.json") == found
    html = (room / "learning-curve.html").read_text()
    assert html.count("<svg") == 2
    assert str(toy.root) not in html


def test_a_tuning_goes_on_where_it_was_and_ends_in_a_diff(toy: Toy) -> None:
    before = digests(toy.root)
    first = tune(toy.project, toy.name, Budget(trials=2))
    again = tune(toy.project, toy.name, Budget(trials=3))
    assert digests(toy.root) == before
    assert {name: told["trials"] for name, told in first["groups"].items()} == {"deep": 2, "traditional": 2}
    assert {name: told["trials"] for name, told in again["groups"].items()} == {"deep": 3, "traditional": 3}
    for name, told in again["groups"].items():
        assert told["as_is"] == first["groups"][name]["as_is"]
        assert told["best"]["val_loss"] <= first["groups"][name]["best"]["val_loss"] <= told["as_is"]
        assert told["study"] == first["groups"][name]["study"]
    diff = toy.project.state(toy.name) / "tune.diff"
    assert diff.read_text() == again["diff"]
    if again["changes"]:
        words = ["patch", "--strip=1", f"--input={diff}"]
        subprocess.run(words, cwd=toy.root, check=True, capture_output=True)
    for stage, model in (("train", TrainParams), ("baseline", BaselineParams)):
        block = yaml.safe_load((toy.root / "params.yaml").read_text())["use_cases"][toy.name][stage]
        read_section(toy.root / "params.yaml", toy.name, stage, model)  # raises where the block is not of its kind
        changed = again["changes"].get(stage, {})
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
        learning_curve(toy.project, toy.name)
    with pytest.raises(ConfigError, match="no loss to tune by"):
        tune(toy.project, toy.name, Budget(trials=1))
