"""The augment section: how often each training row is drawn."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennial.config.base import ParamsSection


class AugmentParams(ParamsSection):
    """`none` draws each train row once; `oversample` draws rows of the rarer outcome `times` times."""

    kind: Literal["none", "oversample"]
    times: int = Field(ge=1, le=100)
