"""Summary of a stage: where its rows went, what was noted, and how another room reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from perennial.errors import InputError, IntegrityError
from perennial.files.durable import read_json
from perennial.files.manifest import verify
from perennial.files.project import Project
from perennial.results.base import Result


class RowFlow(Result):
    """Rows of a table that came into a stage, and how many went to each place; the places add up to what came in."""

    rows_in: int
    to: dict[str, int]


class DataWarning(Result):
    """Something odd in a table that sets no row aside; `code` stays when the message changes."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class StageSummary(Result):
    """What every stage says of itself."""

    stage: str
    flow: dict[str, RowFlow] = {}
    """By table."""


S = TypeVar("S", bound=StageSummary)


def read_summary(project: Project, name: str, model: type[S]) -> S:
    """The summary of the stage that `model` is of, after its output was checked against its manifest.

    Raises: InputError when the stage has not run; IntegrityError when its files, or the keys of its summary, are others.
    """
    return parse_summary(verify_output(project, name, stage_of(model)), TypeAdapter(model))


def stage_of(model: type[StageSummary]) -> str:
    """The stage whose summary a model is."""
    return str(model.model_fields["stage"].default)


def verify_output(project: Project, name: str, stage: str) -> Path:
    """The output folder of a stage, checked against its manifest (raises as `read_summary`)."""
    folder = project.output(name, stage)
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: perennial run {name}")
    verify(folder)
    return folder


def parse_summary(folder: Path, adapter: TypeAdapter[S]) -> S:
    """The summary in a verified output folder, as `adapter` reads it.

    Raises: IntegrityError when its keys are others.
    """
    try:
        return adapter.validate_python(read_json(folder / "summary.json"))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise IntegrityError(
            f"{folder}/summary.json, {place}: {problem['msg']}; another version wrote it: run the stage again"
        ) from error
