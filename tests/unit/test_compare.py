"""The markdown that compares a branch's candidate with the other branch's."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perennial.commands.compare import main
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.files.durable import write_bytes, write_json, write_text
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.promotion import compare as action
from perennial.promotion.compare import compare
from perennial.promotion.gate import Evidence
from tests.fakes.reports import response_report
from tests.fakes.stages import around

pytestmark = pytest.mark.unit

NAME = "ad_response"


@pytest.fixture
def checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, Project]:
    """This branch and the other, after evaluate; the scores on the same rows are made up: here they rank better."""
    here, other = (Project(root=tmp_path / side) for side in ("here", "other"))
    gallery = resources.files("perennial.gallery")
    gate = "{bootstrap: 100, seed: 1}"
    for project, family, auc in ((here, "deep", 0.83), (other, "linear", 0.8)):
        write_text(project.root / "params.yaml", f"use_cases: {{{NAME}: {{gate: {gate}}}}}\n")
        write_text(project.root / "dvc.yaml", "stages: {}\n")
        write_bytes(project.contract(NAME), (gallery / f"{NAME}.yaml").read_bytes())
        evaluation = response_report().evaluation
        candidate = evaluation.candidate.model_copy(update={"family": family})
        figures = evaluation.chosen.model_copy(update={"test": {"auc": around(auc, 0.01)}})
        changes = {"candidate": candidate, "families": {family: figures}, "rows": {"val": 90, "test": 400}}
        folder = project.output(NAME, "evaluate")
        write_json(folder / "summary.json", evaluation.model_copy(update=changes).model_dump(mode="json"))
        seal(folder)
    rng = np.random.default_rng(1)
    y = (np.arange(400) % 4 == 0).astype(float)
    comparison = PairedComparison(metric="auc", y=y, resamples=50, seed=1)
    scores = {"deep": y + rng.normal(size=400) / 2, "linear": y + rng.normal(size=400)}

    def evidence(project: Project, name: str, contract: object, new: Any, old: Any, gate: object) -> Evidence:
        assert project == here, "both are compared on the rows of this branch"
        return Evidence(comparison=comparison, minimum=0.7, candidate=scores[new], champion=scores[old])

    def bundle(project: Project, name: str) -> str:
        return "deep" if project == here else "linear"

    monkeypatch.setattr(action, "gather_evidence", evidence)
    monkeypatch.setattr(action, "load_candidate", bundle)
    return here, other


def test_the_markdown_has_verdict_figures_and_every_rule(checkouts: tuple[Project, Project]) -> None:
    here, other = checkouts
    lines = compare(here, other, NAME).splitlines()
    assert lines[0] == f"## {NAME}: PROMOTE (against the other branch)"
    table = [line for line in lines if line.startswith("|")]
    assert table == [
        "| | this branch | the other |",
        "|---|---|---|",
        "| candidate | deep | linear |",
        "| auc, own test rows | 0.8300 [0.8200, 0.8400] | 0.8000 [0.7900, 0.8100] |",
    ]
    rules = [line for line in lines if line.startswith("- ")]
    assert len(rules) == 2
    assert rules[0].startswith("- pass: auc, candidate against the champion: better by +0.")
    assert rules[1].startswith("- pass: auc of the candidate")


def test_it_is_printed_or_written(
    checkouts: tuple[Project, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, other = checkouts
    monkeypatch.chdir(here.root)
    main(other.root, NAME)
    printed = capsys.readouterr().out
    main(other.root, NAME, tmp_path / "comparison.md")
    assert capsys.readouterr().out == ""
    assert (tmp_path / "comparison.md").read_text().strip() == printed.strip()
