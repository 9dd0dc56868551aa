"""docs/contract.md is written from the models, and its examples are ones that they accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from perennial.contract import reference
from perennial.contract.events import Filter, Product
from perennial.contract.features import Feature, Outcome
from perennial.contract.rules import Rule
from perennial.contract.source import Source
from perennial.contract.split import Split
from perennial.contract.tasks import Task

pytestmark = pytest.mark.contracts
REPO = Path(__file__).parents[2]
UNIONS: tuple[Any, ...] = (Task, Source, Rule, Filter, Product, Feature, Outcome, Split)


def kinds_of(hint: Any) -> list[tuple[str, Any]]:
    """Every kind of a union, with the union that reads it."""
    models = [hint] if isinstance(hint, type) and issubclass(hint, BaseModel) else list(reference.find_models(hint))
    return [(kind, model) for model in models for kind in get_args(model.model_fields["kind"].annotation)]


KINDS = [(kind, model) for union in UNIONS for kind, model in kinds_of(union)]


def test_the_page_is_what_the_models_say() -> None:
    """Write it again: python -m perennial.contract.reference > docs/contract.md."""
    assert (REPO / "docs/contract.md").read_text(encoding="utf-8") == reference.render_page()


def test_every_kind_has_an_example_that_its_model_accepts() -> None:
    for kind, model in KINDS:
        example = yaml.safe_load(reference.find_kind_example(kind, model))
        assert example["kind"] == kind
        TypeAdapter(model).validate_python(example)
    assert len(KINDS) > 40


def test_every_key_of_a_block_is_explained() -> None:
    page = reference.render_page()
    assert page.count("\n## `") == 11
    for name in ("Column", "EventTable", "Unit", "Money", "Sampling"):
        assert f"### {name}" in page
    assert "| `minimum` | number | required | What the primary metric must clear" in page
