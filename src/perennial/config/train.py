"""The train section: the deep model and how it is fitted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennial.config.base import Section


class TrainParams(Section):
    """Widths, rates and devices of the deep family. Devices are explicit because they decide bits."""

    seed: int = Field(ge=0, lt=2**31)
    members: int = Field(ge=1, le=64)  # k, the implicit ensemble of TabM
    width: int = Field(ge=4)
    blocks: int = Field(ge=1, le=8)
    dropout: float = Field(ge=0, lt=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch: int = Field(ge=2)
    epochs: int = Field(ge=1)
    patience: int = Field(ge=1)
    swap: float = Field(ge=0, lt=1)  # share of cells exchanged with another row of the batch while training
    accelerator: Literal["cpu", "gpu"]
    devices: int = Field(ge=1)
    num_nodes: int = Field(ge=1)
    strategy: Literal["single", "ddp"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    threads: int = Field(ge=1)
