"""Run events: what a flow says of its steps while it runs, as JSON lines to the process that started it."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict

FILE_DESCRIPTOR = "PERENNIAL_EVENTS"
State = Literal["waiting", "running", "ran", "cached", "up to date", "skipped", "failed"]


class StepEvent(BaseModel):
    """A step's state, or the line that it has just logged."""

    model_config = ConfigDict(frozen=True)
    step: str
    state: State
    message: str = ""


class AddressEvent(BaseModel):
    """Where a run can be seen."""

    model_config = ConfigDict(frozen=True)
    url: str


def send_event(step: str, state: State, message: str = "") -> None:
    """Write an event where the environment names a file descriptor; without a listener, nothing."""
    _send(StepEvent(step=step, state=state, message=message))


def send_address(url: str) -> None:
    """Write where the run can be seen, as `send_event` does."""
    _send(AddressEvent(url=url))


def _send(event: StepEvent | AddressEvent) -> None:
    descriptor = os.environ.get(FILE_DESCRIPTOR)
    if descriptor is None:
        return
    try:
        os.write(int(descriptor), event.model_dump_json().encode() + b"\n")
    except OSError:  # whoever listened is gone; the run goes on
        os.environ.pop(FILE_DESCRIPTOR)
