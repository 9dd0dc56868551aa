"""Matrices of shaded cells: other splits beside the reported one, and classes that were confused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shade = Literal["plain", "reported", "flatters", "worse", "impossible", "s0", "s1", "s2", "s3", "s4"]


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell: `reported` is framed, `flatters` blue, `worse` orange, `impossible` hatched; s0 to s4 shade a share."""

    value: str
    shade: Shade
    interval: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    name: str
    cells: tuple[HeatCell, ...]
    note: str = ""
