"""A receipt answers for a project only while nothing that its answer depends on has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perennial.files.durable import write_json, write_text
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.promotion.receipt import (
    STAGES,
    current_receipt,
    note_decision,
    read_receipt,
    receipt_path,
    write_failure,
    write_receipt,
)
from perennial.results.receipt import ActionResults, Receipt, ReportPage
from tests.fakes.decisions import decision_record

pytestmark = pytest.mark.unit

NAME = "shop"
OUTCOMES = {f"{stage}@{NAME}": "Cached" for stage in STAGES} | {f"train@{NAME}": "Ran"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project after a run, as far as a receipt looks at it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = Project(root=tmp_path)
    write_text(project.contract(NAME), "task: {}\n")
    write_text(tmp_path / "params.yaml", "use_cases: {}\n")
    write_text(project.raw(NAME).with_suffix(".dvc"), "outs:\n- md5: 0123.dir\n  path: raw\n")
    for stage in STAGES:
        write_json(project.output(NAME, stage) / "summary.json", {"stage": stage})
        seal(project.output(NAME, stage))
    write_text(project.services / "mlflow" / "migrated", "sqlite")
    write_text(project.state(NAME) / "incoming" / "rows.csv", "id\n1\n")
    write_text(project.state(NAME) / "report.html", "<html>")
    return project


def closed(project: Project) -> Receipt:
    page = ReportPage(path=f".perennial/{NAME}/report.html", sha256="0", verdict="HOLD", champion="3", headline="Keep it.")
    write_receipt(project, NAME, OUTCOMES, ActionResults(promote=decision_record("HOLD"), report=page))
    receipt = read_receipt(project, NAME)
    assert receipt is not None
    return receipt


def test_a_receipt_tells_the_run_that_left_it(project: Project) -> None:
    assert current_receipt(project, NAME) is None
    receipt = closed(project)
    assert current_receipt(project, NAME) == receipt
    assert receipt.stages == OUTCOMES
    assert receipt.results.promote == decision_record("HOLD")
    assert sorted(receipt.state) == ["contract", "incoming", "outputs", "params", "raw", "registry"]


def other_output(folder: Path) -> str:
    write_json(folder / "more.json", {})
    return seal(folder)


CHANGES: dict[str, Callable[[Project], object]] = {
    "contract": lambda p: write_text(p.contract(NAME), "task: {kind: binary}\n"),
    "params": lambda p: write_text(p.root / "params.yaml", "use_cases: {shop: {}}\n"),
    "raw": lambda p: write_text(p.raw(NAME).with_suffix(".dvc"), "outs:\n- md5: 4567.dir\n  path: raw\n"),
    "raw unknown": lambda p: p.raw(NAME).with_suffix(".dvc").unlink(),
    "outputs": lambda p: other_output(p.output(NAME, "explain")),
    "an output gone": lambda p: (p.output(NAME, "ingest") / "manifest.json").unlink(),
    "incoming": lambda p: write_text(p.state(NAME) / "incoming" / "more.csv", "id\n2\n"),
    "incoming gone": lambda p: (p.state(NAME) / "incoming" / "rows.csv").unlink(),
    "registry gone": lambda p: (p.services / "mlflow" / "migrated").unlink(),
    "report gone": lambda p: (p.state(NAME) / "report.html").unlink(),
    "damaged": lambda p: write_text(receipt_path(p, NAME), "{"),
    "of another form": lambda p: write_json(receipt_path(p, NAME), {"state": {}}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_receipt_is_stale_after_any_change(project: Project, change: Callable[[Project], object]) -> None:
    closed(project)
    assert current_receipt(project, NAME) is not None
    change(project)
    assert current_receipt(project, NAME) is None


def test_a_receipt_is_stale_for_another_registry(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert current_receipt(project, NAME) is None


def test_what_a_receipt_does_not_depend_on_leaves_it_current(project: Project) -> None:
    result = closed(project)
    write_text(project.contract("other"), "task: {}\n")
    write_text(project.root / "params.yaml", "# two\nuse_cases: {other: {}}\n")
    write_text(project.state(NAME) / "curves.csv", "epoch\n")
    assert current_receipt(project, NAME) == result


def test_a_failed_run_says_which_stage_and_keeps_what_was_known(project: Project) -> None:
    closed(project)
    write_failure(project, NAME, {f"train@{NAME}": "Exit2"})
    receipt = read_receipt(project, NAME)
    assert receipt is not None
    assert receipt.stages == {f"train@{NAME}": "Exit2"}
    assert receipt.results.promote == decision_record("HOLD")
    assert current_receipt(project, NAME) is None


def test_a_decision_by_hand_is_noted_and_looked_at_again(project: Project) -> None:
    record = decision_record("ROLLBACK", "1")
    note_decision(project, NAME, record)
    assert not receipt_path(project, NAME).exists(), "nothing is known before the first run"
    closed(project)
    note_decision(project, NAME, record)
    receipt = read_receipt(project, NAME)
    assert receipt is not None
    assert receipt.results.promote == record
    assert current_receipt(project, NAME) is None


def test_a_first_run_that_fails_leaves_a_receipt_too(project: Project) -> None:
    write_failure(project, NAME, {f"ingest@{NAME}": "Exit3"})
    receipt = read_receipt(project, NAME)
    assert receipt is not None
    assert receipt.results == ActionResults()
    assert current_receipt(project, NAME) is None
