"""Encoded columns in, one vector a column out; the chunks of all columns stand side by side.

Suffixes: B batch, F numeric columns, M missing flags, C categorical columns, D width of a column's chunk, Z all chunks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class PeriodicEncoder(nn.Module):
    """x ↦ [x, W2 · cos(2π·w1·x + b1) + b2] for each numeric column (PBLD; Holzmüller, Grinsztajn, Steinwart 2024)."""

    def __init__(self, n_columns: int, *, n_frequencies: int = 16, d_out: int = 4, scale: float = 0.1) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(n_columns, n_frequencies) * scale)
        self.b1 = nn.Parameter((torch.rand(n_columns, n_frequencies) * 2 - 1) * math.pi)
        bound = n_frequencies**-0.5
        self.w2 = nn.Parameter((torch.rand(n_columns, n_frequencies, d_out - 1) * 2 - 1) * bound)
        self.b2 = nn.Parameter((torch.rand(n_columns, d_out - 1) * 2 - 1) * bound)
        self.d_out = d_out

    def forward(self, x_BF: Tensor) -> Tensor:
        """x_BF → (B, F, D)"""
        waves = torch.cos(2 * math.pi * self.w1 * x_BF[..., None] + self.b1)
        bent = torch.einsum("bfq,fqd->bfd", waves, self.w2) + self.b2
        return torch.cat([x_BF[..., None], bent], dim=-1)


class CategoryEncoder(nn.Module):
    """One table for all categorical columns, each with its own range of rows; code 0 of a column is the unknown."""

    def __init__(self, cards: list[int]) -> None:
        super().__init__()
        self.d_out = max((embedding_width(card) for card in cards), default=2)
        self.table = nn.Embedding(sum(cards), self.d_out)
        nn.init.normal_(self.table.weight, std=0.1)
        offsets = [sum(cards[:i]) for i in range(len(cards))]
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64), persistent=False)

    def forward(self, x_BC: Tensor) -> Tensor:
        """x_BC → (B, C, D)"""
        assert isinstance(self.offsets, Tensor)
        out: Tensor = self.table(x_BC + self.offsets)
        return out


def embedding_width(card: int) -> int:
    """min(16, max(2, round(1.6·card^0.56))), fastai's rule with a lower ceiling."""
    return min(16, max(2, int(1.6 * card**0.56 + 0.5)))
