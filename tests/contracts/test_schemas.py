"""docs/schemas is written from the models, and what a stage leaves fits its schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from perennial.results.schema import render_schemas
from tests.conftest import LIGHT, REPO, Toy

pytestmark = pytest.mark.contracts
FOLDER = REPO / "docs" / "schemas"


def test_the_files_are_what_the_models_say() -> None:
    """Write them again: python -m perennial.results.schema docs/schemas."""
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert files == render_schemas()


@pytest.mark.parametrize("stage", LIGHT)
def test_the_summary_of_a_stage_fits_its_schema(prepared_toy: Toy, stage: str) -> None:
    schema = read(FOLDER / f"{stage}.json")
    summary = read(prepared_toy.out(stage, "summary.json"))
    jsonschema.validate(summary, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**summary, "stage": "another"}, schema)


def read(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content
