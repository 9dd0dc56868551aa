"""`show` and `list`: keys that scripts may rely on, null for what is not known, and no MLflow."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from perennial.commands.show import main
from perennial.errors import ConfigError, ContractError
from perennial.files.durable import write_bytes, write_json, write_text
from perennial.files.project import Project
from perennial.promotion.overview import show
from perennial.promotion.receipt import STAGES, path
from perennial.report.context import Story
from tests.fakes.story import CHAMPION, response_story, uplift_story

pytestmark = pytest.mark.unit

NAME = "ad_response"
KEYS = ["use_case", "task", "rows", "quarantine", "families", "candidate", "deep_minus_traditional", "profit",
        "decision", "champion", "stages", "report"]  # fmt: skip
ROWS = ["raw", "quarantined", "duplicates", "train", "val", "test", "out_of_time"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one use case of the gallery and nothing run."""
    project = Project(root=tmp_path)
    write_text(tmp_path / "params.yaml", f"use_cases: {{{NAME}: {{}}}}\n")
    write_text(tmp_path / "dvc.yaml", "stages: {}\n")
    for name in (NAME, "ad_uplift"):
        write_bytes(project.contract(name), (resources.files("perennial.gallery") / f"{name}.yaml").read_bytes())
    return project


def leave(project: Project, story: Story, outcomes: dict[str, str] | None = None) -> None:
    """What a run that came to this story left on disk."""
    for stage in STAGES:
        summary = dict(story.summaries.get(stage, {}))
        if stage in {"ingest", "validate"}:
            summary["quarantine"] = {"ingest": {"cell:signup": 50}, "validate": {"cell:signup": 1, "in_set:city": 39}}[
                stage
            ]
        write_json(project.output(story.name, stage) / "summary.json", {"stage": stage, **summary})
    results = {"promote": story.decision, "report": {"path": f".perennial/{story.name}/report.html"}}
    stages = {f"{stage}@{story.name}": "Ran" for stage in STAGES} | (outcomes or {})
    write_json(path(project, story.name), {"state": {}, "stages": stages, "results": results})


def test_before_anything_is_known_all_is_null_and_missing(project: Project) -> None:
    told = show(project, NAME)
    assert list(told) == KEYS
    assert (told["use_case"], told["task"]) == (NAME, "binary")
    assert told["rows"] == dict.fromkeys(ROWS)
    assert not told["quarantine"]
    for key in ("families", "candidate", "deep_minus_traditional", "profit", "decision", "champion", "report"):
        assert told[key] is None, key
    assert told["stages"] == dict.fromkeys(STAGES, "missing")
    assert len(STAGES) == 10


def test_after_a_run_the_promised_keys_hold_what_was_found(project: Project) -> None:
    story = response_story()
    leave(project, story, {f"clean@{NAME}": "Cached"})
    told = show(project, NAME)
    assert list(told) == KEYS
    assert told["rows"] == {
        "raw": 20100, "quarantined": 90, "duplicates": 10, "train": 9569, "val": 3298, "test": 3283, "out_of_time": 0,
    }  # fmt: skip
    assert told["quarantine"] == {"cell:signup": 51, "in_set:city": 39}
    assert sum(told["quarantine"].values()) == told["rows"]["quarantined"]
    assert sorted(told["families"]) == ["boosted", "deep", "linear"]
    for found in told["families"].values():
        assert sorted(found) == ["ap", "auc", "brier", "log_loss"]
        assert all(list(figures) == ["value", "low", "high"] for figures in found.values())
    assert told["candidate"] == "linear"
    assert list(told["deep_minus_traditional"]) == ["value", "low", "high"]
    assert told["profit"] == {"depth": 0.4, "value": 5814, "everyone": 3394}
    assert told["decision"] == {"verdict": "PROMOTE", "reasons": story.decision["reasons"]}
    assert told["champion"] == {"version": "4", "family": "linear"}
    assert told["stages"] == dict.fromkeys(STAGES, "ran") | {"clean": "cached"}
    assert told["report"] == f".perennial/{NAME}/report.html"
    assert json.loads(json.dumps(told)) == told


def test_an_uplift_task_tells_its_money_per_1000_customers(project: Project) -> None:
    leave(project, uplift_story())
    told = show(project, "ad_uplift")
    assert list(told) == KEYS
    assert told["task"] == "uplift"
    assert told["profit"] == {"depth": 0.4, "value": 1144, "everyone": -343}
    assert sorted(told["families"]["deep"]) == ["policy_value", "qini"]


@pytest.mark.parametrize(
    ("story", "champion"),
    [
        (response_story("HOLD", stopped_by="better", champion=True), {"version": "3", "family": CHAMPION["family"]}),
        (response_story("REJECT", stopped_by="minimum"), None),
    ],
)
def test_the_champion_is_who_is_in_use_after_the_decision(
    project: Project, story: Story, champion: dict[str, str] | None
) -> None:
    leave(project, story)
    told = show(project, NAME)
    assert told["decision"]["verdict"] == story.verdict
    assert told["champion"] == champion


def test_without_money_there_is_no_profit(project: Project) -> None:
    leave(project, response_story(money=False))
    assert show(project, NAME)["profit"] is None


def test_after_a_failed_run_the_failed_stage_is_named(project: Project) -> None:
    leave(project, response_story(), {f"train@{NAME}": "Exit2", f"evaluate@{NAME}": "NotReady"})
    for stage in ("train", "evaluate"):
        (project.output(NAME, stage) / "summary.json").unlink()
    told = show(project, NAME)
    assert (told["stages"]["train"], told["stages"]["evaluate"]) == ("failed", "missing")
    assert told["families"] is None


def test_a_damaged_summary_is_a_missing_one(project: Project) -> None:
    leave(project, response_story())
    write_text(project.output(NAME, "split") / "summary.json", "{")
    told = show(project, NAME)
    assert told["stages"]["split"] == "missing"
    assert told["rows"]["train"] is None


def test_an_unknown_use_case_is_refused(project: Project) -> None:
    with pytest.raises(ContractError, match=r"contracts/nobody\.yaml is missing: `perennial list` names"):
        show(project, "nobody")
    with pytest.raises(ConfigError, match=r"use case name '\.\./x': use lower-case letters"):
        show(project, "../x")


def test_words_and_json_say_the_same(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(project, response_story())
    monkeypatch.chdir(project.root)
    assert main(argparse.Namespace(name=NAME, json=True)) == 0
    assert json.loads(capsys.readouterr().out) == show(project, NAME)
    assert main(argparse.Namespace(name=NAME, json=False)) == 0
    said = capsys.readouterr().out
    assert "ad_response (binary): PROMOTE" in said
    assert "linear (candidate)" in said
    assert said.count("log_loss") == 3
    counted = "rows: 20,100 raw, 90 quarantined, 10 duplicates, 9,569 train, 3,298 val, 3,283 test"
    assert counted in " ".join(said.split())


def test_words_do_without_what_is_not_known(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    assert main(argparse.Namespace(name=NAME, json=False)) == 0
    said = capsys.readouterr().out
    assert "ad_response (binary): not decided yet" in said
    assert said.endswith("rows: none read yet\nreport: none yet\n")


def test_show_and_list_load_no_mlflow(project: Project) -> None:
    code = "import json, sys\nfrom perennial.cli import run\nrun(sys.argv[1:])\nsys.stderr.write(json.dumps(list(sys.modules)))"
    seen = 0
    for words in (["show", NAME, "--json"], ["list"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=project.root, text=True, capture_output=True, check=True
        )
        loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
        assert loaded & {"mlflow", "torch", "prefect", "dvc", "sklearn"} == set()
        assert "perennial" in loaded
        seen += 1
    assert seen == 2


def test_list_names_the_use_cases_here_and_those_to_add(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("COLUMNS", "120")
    action: Any = importlib.import_module("perennial.commands.list")
    assert action.main(argparse.Namespace()) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[1]: line for line in lines if line.startswith("│")}
    assert f"perennial run {NAME}" in rows[NAME]
    assert "responded" in rows[NAME]
    assert {"ad_uplift", "bank_response", "bank_by_time"} <= rows.keys()
    assert all(f"perennial add {name}" in line for name, line in rows.items() if name != NAME)
    assert len(rows) >= 4
