"""A receipt answers for a project only while nothing that its answer depends on has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perennial.files.durable import read_json, write_json, write_text
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.promotion.receipt import STAGES, Receipt, current, decided, path

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


def closed(project: Project) -> dict[str, Any]:
    receipt = Receipt(project=project, name=NAME, outcomes=OUTCOMES)
    receipt.add("promote", {"verdict": "HOLD", "reasons": ["not measurably better"]})
    receipt.add("report", {"path": f".perennial/{NAME}/report.html", "headline": "Keep it."})
    receipt.close()
    told: dict[str, Any] = read_json(path(project, NAME))
    return told


def test_a_receipt_tells_the_run_that_left_it(project: Project) -> None:
    assert current(project, NAME) is None
    told = closed(project)
    assert current(project, NAME) == told
    assert told["stages"] == OUTCOMES
    assert told["results"]["promote"]["verdict"] == "HOLD"
    assert sorted(told["state"]) == ["contract", "incoming", "outputs", "params", "raw", "registry"]


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
    "damaged": lambda p: write_text(path(p, NAME), "{"),
    "of another form": lambda p: write_json(path(p, NAME), {"state": {}}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_receipt_is_stale_after_any_change(project: Project, change: Callable[[Project], object]) -> None:
    closed(project)
    assert current(project, NAME) is not None
    change(project)
    assert current(project, NAME) is None


def test_a_receipt_is_stale_for_another_registry(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert current(project, NAME) is None


def test_what_a_receipt_does_not_depend_on_leaves_it_current(project: Project) -> None:
    told = closed(project)
    write_text(project.contract("other"), "task: {}\n")
    write_text(project.root / "params.yaml", "# two\nuse_cases: {other: {}}\n")
    write_text(project.state(NAME) / "curves.csv", "epoch\n")
    assert current(project, NAME) == told


def test_a_failed_run_says_which_stage_and_keeps_what_was_known(project: Project) -> None:
    closed(project)
    Receipt(project=project, name=NAME, outcomes={f"train@{NAME}": "Exit2"}).fail()
    told = read_json(path(project, NAME))
    assert told["stages"] == {f"train@{NAME}": "Exit2"}
    assert told["results"]["promote"]["verdict"] == "HOLD"
    assert current(project, NAME) is None


def test_a_decision_by_hand_is_noted_and_looked_at_again(project: Project) -> None:
    decided(project, NAME, {"verdict": "ROLLBACK"})
    assert not path(project, NAME).exists(), "nothing is known before the first run"
    closed(project)
    decided(project, NAME, {"verdict": "ROLLBACK", "version": "1"})
    assert read_json(path(project, NAME))["results"]["promote"] == {"verdict": "ROLLBACK", "version": "1"}
    assert current(project, NAME) is None


def test_a_first_run_that_fails_leaves_a_receipt_too(project: Project) -> None:
    Receipt(project=project, name=NAME, outcomes={f"ingest@{NAME}": "Exit3"}).fail()
    assert read_json(path(project, NAME))["results"] == {}
    assert current(project, NAME) is None


def test_row_flow_and_figures_are_the_summaries_as_tables(project: Project) -> None:
    flow = {"main": {"in": 1200, "to": {"passed": 1190, "quarantined": 10, "unseen": 0}}}
    write_json(project.output(NAME, "ingest") / "summary.json", {"flow": flow})
    found = {"auc": {"value": 0.81234, "low": 0.8, "high": 0.82468}, "lift_10": 4.0}
    write_json(project.output(NAME, "evaluate") / "summary.json", {"families": {"deep": {"test": found}}})
    receipt = Receipt(project=project, name=NAME)
    assert receipt.row_flow() == [
        {"stage": "ingest", "table": "main", "rows in": 1200, "rows out": "1,190 passed, 10 quarantined"}
    ]
    assert receipt.figures() == [{"family": "deep", "metric": "auc", "value": 0.8123, "low": 0.8, "high": 0.8247}]
