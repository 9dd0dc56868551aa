"""Live view: one table at a terminal that follows a run, with each step's state, rows and seconds, and the epochs of training."""

from __future__ import annotations

import os
import select
import subprocess
import time
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import TypeAdapter
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table

from perennial.config.base import read_section
from perennial.config.train import TrainParams
from perennial.files.project import Project
from perennial.pipeline.events import AddressEvent, StepEvent
from perennial.promotion.overview import count_rows

_TICK_S = 0.2
_EVENTS: TypeAdapter[StepEvent | AddressEvent] = TypeAdapter(StepEvent | AddressEvent)
_STYLES = {"running": "bold", "failed": "bold red", "waiting": "dim", "up to date": "dim", "cached": "dim"}


@dataclass(kw_only=True)
class Step:
    """What is known of a stage or an action so far."""

    state: str = "waiting"
    message: str = ""
    rows: int | None = None
    started: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float | None:
        if self.started is None:
            return None
        return (self.ended or time.monotonic()) - self.started


@dataclass(kw_only=True)
class LiveView:
    """The steps of a run in their order."""

    project: Project
    name: str
    steps: dict[str, Step] = field(default_factory=dict)

    def update(self, event: StepEvent) -> None:
        step = self.steps.setdefault(event.step, Step())
        if event.state == "running" and step.started is None:
            step.started = time.monotonic()
        if event.state not in {"waiting", "running"}:
            step.ended = time.monotonic()
            step.rows = count_rows(self.project, self.name, event.step)
        step.state = event.state
        message = event.message.removeprefix(f"{event.step}: ").removeprefix(f"{event.state}; ")
        step.message = message if message not in {"", event.state} else step.message

    def __rich__(self) -> Table:
        """The table as it is now; no cell is wrapped."""
        columns = [Column(name, no_wrap=True, justify="right") for name in ("rows", "seconds")]
        table = Table(
            Column("step", no_wrap=True), Column("state", no_wrap=True), *columns, Column("", no_wrap=True, ratio=1), expand=True
        )
        for name, step in self.steps.items():
            rows = "" if step.rows is None else f"{step.rows:,}"
            seconds = "" if step.seconds is None else f"{step.seconds:.0f}"
            table.add_row(name, step.state, rows, seconds, self._describe(name, step), style=_STYLES.get(step.state, ""))
        return table

    @cached_property
    def _epochs(self) -> int:
        return read_section(self.project.root / "params.yaml", self.name, "train", TrainParams).epochs

    def _describe(self, name: str, step: Step) -> str | Table:
        """The last line of a step; for a training that runs, the bar of its epochs before it."""
        if name != "train" or step.state != "running" or not step.message.startswith("epoch "):
            return step.message
        bar = Table.grid(Column(width=20), Column(no_wrap=True), padding=(0, 1))
        bar.add_row(ProgressBar(total=self._epochs, completed=int(step.message.split()[1].rstrip(":")), width=20), step.message)
        return bar


def follow_run(view: LiveView, process: subprocess.Popen[bytes], events: int, console: Console) -> None:
    """Show a run until its process closes `events`, the reading end of a pipe."""
    rest = b""
    with Live(view, console=console, refresh_per_second=4), os.fdopen(events, "rb", buffering=0) as pipe:
        while True:
            if not select.select([pipe], [], [], _TICK_S)[0]:
                if process.poll() is not None:
                    return
                continue
            chunk = pipe.read(65536)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                event = _EVENTS.validate_json(line)
                if isinstance(event, AddressEvent):
                    console.print(f"Prefect shows this run at {event.url}", highlight=False, soft_wrap=True)
                else:
                    view.update(event)
