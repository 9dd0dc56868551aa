"""What a step says of itself in one line: stages by what they left, actions by their result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.promotion.step_summary import describe_action, describe_stage
from perennial.results.receipt import ActionResult, Registration, ScoredList, Skipped
from tests.fakes.decisions import decision_record

pytestmark = pytest.mark.unit

NAME = "shop"
LIST = ScoredList(rows=1003, scored=1000, rejected=3, output="scores.csv", model_version="3")
FLOW = {"events": {"rows_in": 9000, "to": {"passed": 9000, "quarantined": 0}}, "main": {"rows_in": 1200, "to": {"passed": 1200}}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path)


def leave(project: Project, stage: str, summary: dict[str, object]) -> None:
    write_text(project.output(NAME, stage) / "summary.json", json.dumps({"stage": stage, **summary}))


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ("ran", "split: 1,200 rows in, 1,200 passed; events: 9,000 rows in, 9,000 passed"),
        ("up to date", "split: up to date; 1,200 rows in, 1,200 passed; events: 9,000 rows in, 9,000 passed"),
    ],
)
def test_rows_are_told_of_the_main_table_first(project: Project, outcome: str, line: str) -> None:
    leave(project, "split", {"flow": FLOW, "rate": {}, "leakage_suspects": []})
    assert describe_stage(project, NAME, "split", outcome) == line


def test_a_task_without_a_deep_family_says_so(project: Project) -> None:
    leave(project, "train", {})
    assert describe_stage(project, NAME, "train", "ran") == "train: no deep family for this task"


@pytest.mark.parametrize("stage", ["extra", "raw", "ingest", "evaluate"])
def test_a_stage_that_left_no_summary_says_its_outcome(project: Project, stage: str) -> None:
    assert describe_stage(project, NAME, stage, "cached") == f"{stage}: cached"


@pytest.mark.parametrize(
    ("step", "result", "line"),
    [
        ("register", Registration(run_id="a", version="3", family="deep", digest="0"), "register: version 3, deep family"),
        ("promote", decision_record(verdict="HOLD", reasons=("no better",)), "promote: HOLD. no better"),
        ("score", LIST, "score: 1,003 rows in, 1,000 scored, 3 rejected"),
        (
            "score",
            LIST.model_copy(update={"chosen": 400, "to": "approve"}),
            "score: 1,003 rows in, 1,000 scored, 3 rejected, 400 to approve",
        ),
        ("score", Skipped(skipped="no rows are waiting"), "score: skipped, no rows are waiting"),
    ],
)
def test_an_action_says_its_result(project: Project, step: str, result: ActionResult, line: str) -> None:
    assert describe_action(project, NAME, step, result) == line


def test_fetch_says_what_the_raw_folder_holds(project: Project) -> None:
    write_text(project.raw(NAME) / "customers.csv", "x" * 1234)
    assert describe_action(project, NAME, "fetch", None) == "fetch: customers.csv 1,234 bytes"
