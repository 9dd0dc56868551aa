"""Column encoders of the network: one chunk of numbers a column, the chunks of all columns side by side.

Suffixes: B batch, F numeric columns, M missing flags, C categorical columns, D width of a column's chunk, Z all chunks.
"""

from __future__ import annotations

import math
from itertools import pairwise

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
        self.d_out = max((choose_width(card) for card in cards), default=2)
        self.table = nn.Embedding(sum(cards), self.d_out)
        nn.init.normal_(self.table.weight, std=0.1)
        offsets = [sum(cards[:i]) for i in range(len(cards))]
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64), persistent=False)

    def forward(self, x_BC: Tensor) -> Tensor:
        """x_BC → (B, C, D)"""
        assert isinstance(self.offsets, Tensor)
        out: Tensor = self.table(x_BC + self.offsets)
        return out


class WordEncoder(nn.Module):
    """A text as the embeddings of its words, pooled by attention, mean and maximum.

    While training a share of words is read as unknown and a share of embedding dimensions is dropped for all words.
    """

    def __init__(self, n_words: int, *, width: int, word_dropout: float, dropout: float) -> None:
        super().__init__()
        self.table = nn.Embedding(n_words + 2, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        self.attention = nn.Linear(width, 1)
        self.word_dropout, self.dropout, self.d_out = word_dropout, dropout, 3 * width

    def load_vectors(self, vector_WD: Tensor) -> None:
        """Start from pretrained vectors, one for each known word."""
        with torch.no_grad():
            self.table.weight[2:] = vector_WD

    def forward(self, word_BT: Tensor) -> Tensor:
        """word_BT (codes, 0 behind the last word) → (B, D)"""
        word_BT = word_BT[:, : max(int((word_BT > 0).sum(dim=1).max()), 1)].long()
        there_BT = word_BT > 0
        if self.training and self.word_dropout:
            gone = torch.rand(word_BT.shape, device=word_BT.device) < self.word_dropout
            word_BT = torch.where(gone & there_BT, 1, word_BT)
        x_BTD = self.table(word_BT)
        if self.training and self.dropout:
            keep_BD = torch.rand(len(x_BTD), 1, x_BTD.shape[2], device=x_BTD.device) >= self.dropout
            x_BTD = x_BTD * keep_BD / (1 - self.dropout)
        mask = there_BT[:, :, None]
        weight_BT1 = torch.softmax(self.attention(x_BTD).masked_fill(~mask, -1e9), dim=1) * mask
        mean = (x_BTD * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1)
        most = x_BTD.masked_fill(~mask, -1e9).amax(dim=1) * there_BT.any(dim=1)[:, None]
        return torch.cat([mean, (x_BTD * weight_BT1).sum(dim=1), most], dim=1)


class WideEncoder(nn.Module):
    """Logistic regression inside the network: a weight for each known word and pair of each text column (P outputs)."""

    def __init__(self, sizes: list[int], outputs: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(sizes) + 1, outputs, padding_idx=0)
        nn.init.zeros_(self.table.weight)
        self.ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]

    def forward(self, gram_BG: Tensor, weight_BG: Tensor) -> Tensor:
        """Indices (0 is none) and weights of words and pairs → (B, columns × P), the sums of each column."""
        each_BGP = self.table(gram_BG.long()) * weight_BG[:, :, None]
        masks = [(gram_BG > start) & (gram_BG <= end) for start, end in pairwise([0, *self.ends])]
        return torch.cat([(each_BGP * mask_BG[:, :, None]).sum(dim=1) for mask_BG in masks], dim=1)


def choose_width(card: int) -> int:
    """min(16, max(2, round(1.6·card^0.56))), fastai's rule with a lower ceiling."""
    return min(16, max(2, int(1.6 * card**0.56 + 0.5)))
