"""What `perennial run` looks at before it starts anything, and what it says at its end."""

from __future__ import annotations

import re
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.errors import ConfigError, LeakError
from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.promotion.main_job import check_config, print_results
from perennial.results.receipt import ActionResults, Receipt, ReportPage, ScoredList, Skipped
from tests.fakes.decisions import decision_record

pytestmark = pytest.mark.unit

NAME = "ad_response"
GALLERY = resources.files("perennial.gallery")
PAGE = ReportPage(path=".perennial/ad_response/report.html", sha256="0", verdict="PROMOTE", champion="3", headline="Use it.")
SCORED = ScoredList(
    rows=1003, scored=1000, rejected=3, output=".perennial/ad_response/scores.csv", model_version="3", chosen=400, to="contact"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A use case of the gallery and nothing run."""
    project = Project(root=tmp_path)
    block = yaml.safe_load((GALLERY / "params.yaml").read_text())["use_cases"][NAME]
    write_text(tmp_path / "params.yaml", yaml.safe_dump({"use_cases": {NAME: block}}))
    write_text(project.contract(NAME), (GALLERY / f"{NAME}.yaml").read_text())
    return project


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1
    write_text(path, text.replace(old, new))


def test_every_problem_of_contract_and_params_is_told_before_the_first_stage(project: Project) -> None:
    check_config(project, NAME)
    params = project.root / "params.yaml"
    edit(project.contract(NAME), "minimum: 0.70", "minimum: high")
    edit(params, "rounds: 800", "rounds: -1")
    edit(params, "draws: 64", "drawz: 64")
    with pytest.raises(ConfigError) as caught:
        check_config(project, NAME)
    words = str(caught.value)
    for place in (f"{NAME}.yaml: task.binary.minimum: ", f"{NAME}.baseline: rounds: ", f"{NAME}.explain: draws: ", "drawz: "):
        assert words.count(place) == 1, (place, words)
    assert "\n" not in words


def test_a_use_case_without_params_is_told_once(project: Project) -> None:
    write_text(project.root / "params.yaml", "use_cases: {}\n")
    with pytest.raises(ConfigError, match=rf"\A\S+ has no use case '{NAME}'; it has: none\Z"):
        check_config(project, NAME)


def test_a_leak_in_the_contract_stays_a_refusal(project: Project) -> None:
    edit(project.contract(NAME), "spend_14d: {role: outcome", "spend_14d: {role: numeric")
    with pytest.raises(LeakError, match="known only after the outcome"):
        check_config(project, NAME)


def said(capsys: pytest.CaptureFixture[str], **changes: Any) -> list[str]:
    results = ActionResults(promote=decision_record(), score=SCORED, report=PAGE).model_copy(update=changes)
    print_results(NAME, Receipt(state={}, stages={}, results=results))
    return capsys.readouterr().out.splitlines()


def test_the_version_in_use_and_the_list_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys)[1:5] == [
        "PROMOTE: Use it.",
        "Champion: version 3",
        "List: .perennial/ad_response/scores.csv, 400 of 1,000 to contact",
        "Report: .perennial/ad_response/report.html",
    ]
    assert "List: .perennial/ad_response/scores.csv, 1,000 scored" in said(
        capsys, score=SCORED.model_copy(update={"chosen": None})
    )
    assert "Champion: none" in said(capsys, report=PAGE.model_copy(update={"champion": None}))
    skipped = said(capsys, score=Skipped(skipped="no rows are waiting in incoming/"))
    assert not any("List:" in line for line in skipped)


def test_next_steps_are_aligned_and_begin_with_the_path_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(tmp_path / ".venv" / "bin" / "activate", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    result = {}
    for path in ("/usr/bin", f"{tmp_path}/.venv/bin:/usr/bin"):
        monkeypatch.setenv("PATH", path)
        lines = said(capsys)
        steps = lines[lines.index("Next:") + 1 :]
        halves = [re.fullmatch(r"  (\S.*?) {4,}(\S.*)", line) for line in steps]
        assert len({half.start(2) for half in halves if half}) == 1, steps
        result[path] = [half[1] for half in halves if half]
    usual = [f"perennial open {NAME}", f"perennial show {NAME}", "perennial ui", 'eval "$(perennial env)"']
    assert list(result.values()) == [[". .venv/bin/activate", *usual], usual]
