"""The view of a run at a terminal: every step with its state, rows and seconds, and nothing wrapped."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.pipeline.events import FILE_DESCRIPTOR, StepEvent, send_event
from perennial.promotion.live_view import LiveView, follow_run

pytestmark = pytest.mark.unit

NAME = "ad_response"
SENDER = """
from perennial.pipeline.events import send_address, send_event
send_address("http://127.0.0.1:4200/runs/flow-run/a-long-id-which-is-never-wrapped-at-the-end-of-a-line-of-eighty")
for step in ("ingest", "train"):
    send_event(step, "waiting")
send_event("ingest", "running", "ingest: main: 20100 records")
send_event("ingest", "ran")
send_event("train", "running", "train: epoch 3: train loss 0.2, val loss 0.2")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    block = yaml.safe_load((resources.files("perennial.gallery") / "params.yaml").read_text())["use_cases"][NAME]
    write_text(tmp_path / "params.yaml", yaml.safe_dump({"use_cases": {NAME: block}}))
    return Project(root=tmp_path)


def render(view: LiveView, width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=False).print(view)
    return stream.getvalue().splitlines()


def test_a_run_is_followed_until_its_process_ends(project: Project) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SENDER], pass_fds=[writing], env={**os.environ, FILE_DESCRIPTOR: str(writing)}
    )
    os.close(writing)
    view = LiveView(project=project, name=NAME)
    screen = io.StringIO()
    follow_run(view, process, reading, Console(file=screen, width=80))
    assert process.wait() == 0
    assert screen.getvalue().count("Prefect shows this run at http://127.0.0.1:4200/runs/flow-run/a-long-id-which-is-never") == 1
    assert "of-a-line-of-eighty\n" in screen.getvalue()
    assert {name: step.state for name, step in view.steps.items()} == {"ingest": "ran", "train": "running"}
    assert view.steps["ingest"].message == "main: 20100 records"
    assert view.steps["ingest"].seconds is not None
    lines = render(view, 100)
    assert len(lines) == 3 + len(view.steps) + 1, "a line a step, none wrapped"
    (train,) = (line for line in lines if "train" in line)
    bar = train.count("━")
    assert 0 < bar <= 20
    assert "epoch 3: train loss 0.2" in train


def test_no_cell_is_wrapped_however_long_a_message_is(project: Project) -> None:
    view = LiveView(project=project, name=NAME)
    view.update(StepEvent(step="evaluate", state="failed", message="evaluate: " + "a long reason " * 40))
    for width in (60, 80, 200):
        lines = render(view, width)
        assert len(lines) == 5
        assert max(map(len, lines)) <= width


def test_without_a_listener_nothing_is_sent_and_a_listener_that_left_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE_DESCRIPTOR, raising=False)
    send_event("ingest", "running")
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setenv(FILE_DESCRIPTOR, str(writing))
    send_event("ingest", "running")
    assert FILE_DESCRIPTOR not in os.environ
    os.close(writing)
