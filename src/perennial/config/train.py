"""The train section: the deep model and how it is fitted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perennial.config.base import ParamsSection


class WordParams(ParamsSection):
    """The encoder of texts: width of a word's embedding, shares of words and of dimensions dropped in training."""

    width: int = Field(ge=4)
    word_dropout: float = Field(ge=0, lt=1)
    dropout: float = Field(ge=0, lt=1)


class Pretrained(ParamsSection):
    """Pretrained weights: frozen for pictures, initial values for words.

    `source` is a folder or an installed package that holds one file of weights, with this sha256. Nothing is downloaded.
    """

    kind: Literal["pretrained"]
    source: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class OwnFunction(ParamsSection):
    """A function of the project's own in `src/extensions/models.py`, and its keyword arguments.

    As encoder it is (n_columns, *, settings) → a module from numbers (B, F) to (B, F, D) with `d_out` = D; as loss it is
    (raw_BKR, y_B, arm_B, *, settings) → the loss of each row (B,).
    """

    kind: Literal["custom"]
    name: str = Field(min_length=1)
    settings: dict[str, bool | int | float | str] = Field(default_factory=dict)


class TrainParams(ParamsSection):
    """Widths, rates and devices of the deep family. Devices are explicit because they decide bits.

    Optional parts are off when left out: without `warmup` the rate is constant, without `ema_decay` the last weights count.
    """

    seed: int = Field(ge=0, lt=2**31)
    members: int = Field(ge=1, le=64)
    """K, the implicit ensemble of TabM."""
    width: int = Field(ge=4)
    blocks: int = Field(ge=0, le=8)
    """0: the head follows the columns directly."""
    dropout: float = Field(ge=0, lt=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(ge=2)
    epochs: int = Field(ge=1)
    patience: int = Field(ge=1)
    swap_noise: float = Field(ge=0, lt=1)
    """Share of cells exchanged with another row of the batch while training."""
    warmup: float | None = Field(None, gt=0, lt=1)
    """Share of all steps; then the rate falls along a cosine to 0."""
    ema_decay: float | None = Field(None, gt=0, lt=1)
    """Decay of the exponential mean of the weights, which is what val evaluates and the bundle keeps."""
    label_smoothing: float | None = Field(None, gt=0, lt=1)
    """Of class labels."""
    words: WordParams | None = None
    encoder: Annotated[Pretrained | OwnFunction, Field(discriminator="kind")] | None = None
    """Without it all is learnt from scratch."""
    loss: OwnFunction | None = None
    """Without it the task's."""
    accelerator: Literal["cpu", "gpu"]
    devices: int = Field(ge=1)
    num_nodes: int = Field(ge=1)
    strategy: Literal["single", "ddp"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    threads: int = Field(ge=1)
