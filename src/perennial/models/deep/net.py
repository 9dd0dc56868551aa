"""Network of the deep family: an encoder for each kind of column, a TabM trunk, and a head for the task.

Suffixes: B batch, F numbers, M missing flags, C categorical, Z all chunks, K members, R raw outputs, O scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tabm
import torch
from pydantic import Field
from torch import Tensor, nn

from perennial.config.train import WordParams
from perennial.contract.columns import ContractPart
from perennial.contract.head import Head
from perennial.errors import ConfigError
from perennial.files.extensions import extension_path, load_extension
from perennial.models.deep.encoders import CategoryEncoder, PeriodicEncoder, WideEncoder, WordEncoder
from perennial.models.deep.images import ImageEncoder
from perennial.models.deep.pretrained import FrozenPictures


class WordSpec(WordParams):
    """The word encoder's settings, the size of the vocabulary, and the number of words and pairs of each text column."""

    vocabulary: int
    grams: tuple[int, ...]


class NetSpec(ContractPart):
    """Everything that decides the shape of the weights."""

    n_numeric: int
    n_missing: int
    cards: tuple[int, ...]
    head: Head
    members: int
    width: int
    blocks: int
    dropout: float
    words: WordSpec | None = None
    has_image: bool = False
    frozen_pictures: bool = False  # encoded by frozen pretrained weights
    encoder: str = ""  # of numbers, where it is a function of the project's own, and its settings
    settings: dict[str, Any] = Field(default_factory=dict)
    smoothing: float = 0.0  # of class labels
    center: float = 0.0  # of a training amount (of its logarithm where it has two parts), and its spread
    spread: float = 1.0


class TabularNet(nn.Module):
    """TabM (Gorishniy, Kotelnikov, Babenko 2024): K networks that share most weights, each with its own head."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.numeric, d_number = _build_numeric(spec)
        self.category = CategoryEncoder(list(spec.cards))
        self.chunks = [d_number] * spec.n_numeric + [1] * spec.n_missing
        self.chunks += [self.category.d_out] * len(spec.cards)
        self.wide: WideEncoder | None = None
        self.word: WordEncoder | None = None
        if spec.words is not None:
            words = spec.words
            self.word = WordEncoder(words.vocabulary, width=words.width, word_dropout=words.word_dropout, dropout=words.dropout)
            self.wide = WideEncoder(list(words.grams), spec.head.raw)
            self.chunks += [self.word.d_out]
        self.image: ImageEncoder | FrozenPictures | None = None
        if spec.has_image:
            self.image = FrozenPictures() if spec.frozen_pictures else ImageEncoder()
        if self.image is not None:
            self.chunks += [self.image.d_out]
        self.n_trunk, self.raw = sum(self.chunks), spec.head.raw
        self.texts = len(spec.words.grams) if spec.words else 0
        width = spec.width if spec.blocks else self.n_trunk
        self.trunk = _build_trunk(spec, self.chunks) if spec.blocks else nn.Dropout(spec.dropout)
        self.members = tabm.EnsembleView(k=spec.members)
        self.head = tabm.LinearEnsemble(width, spec.head.raw, k=spec.members)

    def forward(self, x: Mapping[str, Tensor]) -> Tensor:
        """→ raw_BKR"""
        return self.from_chunks(self.embed(x))

    def embed(self, x: Mapping[str, Tensor]) -> Tensor:
        """→ z_BZ: chunks of numbers, missing flags, categories, all texts together, and pictures, then each text's wide part."""
        parts = [self.numeric(x["norm"]).flatten(1), x["miss"], self.category(x["cat"]).flatten(1)]
        wide = []
        if self.word is not None and self.wide is not None:
            parts.append(self.word(x["word"]))
            wide = [self.wide(x["gram"], x["gram_weight"])]
        if self.image is not None:
            parts.append(self.image(x["photo"]))
        return torch.cat([*parts, *wide], dim=1)

    def on_progress(self, progress: float) -> None:
        """Set the share of training that is over: the size of training pictures grows with it."""
        if isinstance(self.image, ImageEncoder):
            self.image.progress = progress

    def from_chunks(self, z_BZ: Tensor) -> Tensor:
        """z_BZ → raw_BKR"""
        out: Tensor = self.head(self.trunk(self.members(z_BZ[:, : self.n_trunk])))
        if self.texts:
            wide_BR = z_BZ[:, self.n_trunk :].reshape(len(z_BZ), self.texts, self.raw).sum(dim=1)
            out = out + wide_BR[:, None, :]
        return out


def _build_numeric(spec: NetSpec) -> tuple[nn.Module, int]:
    """The encoder of numbers, ours or one of the project's own, and its width for each."""
    if not spec.encoder:
        ours = PeriodicEncoder(spec.n_numeric)
        return ours, ours.d_out
    encoder = load_extension("models", spec.encoder, spec.settings)(spec.n_numeric, **spec.settings)
    d_out = getattr(encoder, "d_out", None)
    if not isinstance(encoder, nn.Module) or not isinstance(d_out, int):
        raise ConfigError(f"{spec.encoder} in {extension_path('models')} gives no module with a whole number d_out")
    return encoder, d_out


def _build_trunk(spec: NetSpec, chunks: list[int]) -> nn.Module:
    trunk: nn.Module = tabm.make_tabm_backbone(
        d_in=sum(chunks),
        n_blocks=spec.blocks,
        d_block=spec.width,
        dropout=spec.dropout,
        activation="ReLU",
        k=spec.members,
        arch_type="tabm",
        start_scaling_init="normal",
        start_scaling_init_chunks=chunks,
    )
    return trunk
