"""The bank's own file, by chance and by time: the figures that are told of it, and the refusal of its leak."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.promotion.evidence import gather_evidence
from perennial.promotion.gate import decide
from perennial.promotion.run_views import bundle_folder
from perennial.scoring.scorer import Scorer
from tests.conftest import REPO, Toy, lay_out

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", REPO.parent / "shared" / "data")) / "bank_marketing"
FILE = DATA / "bank-additional-full.csv.gz"
STAGES = ("ingest", "validate", "clean", "featurize", "split", "augment", "train", "baseline", "evaluate")

if not FILE.exists():
    pytest.skip(f"no bank-additional-full.csv.gz in {DATA.name} of PERENNIAL_TEST_DATA", allow_module_level=True)


def bank(root: Path, name: str) -> Toy:
    """A gallery use case over the real file, with a quick deep model: its quality is not what is judged here."""
    train = {"epochs": 2, "members": 2, "width": 32}
    toy = lay_out(root, name, {"train": train, "baseline": {"trials": 2}, "evaluate": {"bootstrap": 100}})
    shutil.copy(FILE, toy.project.raw(name))
    return toy


def verdict(toy: Toy) -> Any:
    """What the gate says of the candidate as the first model."""
    candidate = toy.summary("evaluate")["candidate"]["family"]
    scorer = Scorer.load(bundle_folder(toy.project, toy.name, candidate))
    gate = read_section(toy.root / "params.yaml", toy.name, "gate", GateParams)
    return decide(gather_evidence(toy.project, toy.name, toy.contract, scorer, None, gate))


def test_by_chance_every_row_is_accounted_for_and_the_model_is_good(tmp_path: Path) -> None:
    toy = bank(tmp_path / "bank", "bank_response")
    toy.run(*STAGES)
    assert toy.summary("ingest")["flow"]["main"] == {"rows_in": 41188, "to": {"passed": 41188, "quarantined": 0}}
    assert toy.summary("clean")["flow"]["main"]["to"] == {"kept": 41176, "duplicate": 12}
    summary = toy.summary("evaluate")
    candidate = summary["families"][summary["candidate"]["family"]]
    assert 0.77 < candidate["test"]["auc"]["value"] < 0.83, candidate["test"]["auc"]
    assert summary["profit"]["plans"][0]["profit"]["value"] > 2 * summary["profit"]["plans"][3]["profit"]["value"]
    assert verdict(toy).verdict == "PROMOTE"


def test_by_time_nobody_reaches_the_floor(tmp_path: Path) -> None:
    toy = bank(tmp_path / "bank", "bank_by_time")
    toy.run(*STAGES)
    rows = toy.summary("split")["flow"]["units"]["to"]
    assert rows["out_of_time"] > 8000
    assert abs((rows["train"] + rows["val"]) / 41176 - 0.6) < 0.001
    families = toy.summary("evaluate")["families"]
    assert len(families) == 4
    assert all(result["test"]["auc"]["value"] < 0.70 for result in families.values())
    decision = verdict(toy)
    assert decision.verdict == "REJECT"
    assert "does not clear the agreed minimum 0.7" in decision.reasons[0].sentence


def test_duration_as_a_feature_is_refused_by_name(tmp_path: Path) -> None:
    toy = bank(tmp_path / "bank", "bank_response")
    line = next(line for line in toy.project.contract(toy.name).read_text().splitlines() if "duration" in line)
    toy.edit_contract(line, "  duration: {role: numeric, type: int, known: after_outcome}")
    words = [sys.executable, "-m", "perennial.stages.ingest", toy.name]
    ran = subprocess.run(words, cwd=toy.root, text=True, capture_output=True, check=False)
    assert ran.returncode == 3
    assert "column 'duration' is known only after the outcome" in ran.stderr
