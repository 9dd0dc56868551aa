"""The root of every result: frozen, closed, and equal to its JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Result(BaseModel):
    """What a stage, a decision or a receipt says. JSON on disk is `model_dump(mode="json")`, read back by `model_validate`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
