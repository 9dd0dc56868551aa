"""Tensors and draws in, batches of an epoch out: slices of tensors in an order that only seed and epoch decide.

Suffixes: N rows, F numeric, M missing flags, C categorical, B batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, int]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Encoded rows with their outcome (float) and arm (0 without arms)."""

    norm_NF: Tensor
    miss_NM: Tensor
    cat_NC: Tensor
    y_N: Tensor
    arm_N: Tensor

    def __len__(self) -> int:
        return len(self.y_N)

    def at(self, which: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        return self.norm_NF[which], self.miss_NM[which], self.cat_NC[which], self.y_N[which], self.arm_N[which]


class Batches(IterableDataset[Batch]):
    """The batches of one epoch for one rank: (norm, miss, cat, y, arm, row numbers, size of the whole batch).

    Every rank takes each `world`-th row of the same global batch, so the union over ranks is the epoch and the summed
    loss is that of one process. A last batch smaller than `world` joins the one before it.
    """

    def __init__(
        self, rows: Rows, times: Tensor, *, batch: int, seed: int, epoch: int, rank: int, world: int, swap: float
    ) -> None:
        self.rows, self.batch, self.seed, self.epoch = rows, batch, seed, epoch
        self.rank, self.world, self.swap = rank, world, swap
        self.drawn = torch.repeat_interleave(torch.arange(len(rows)), times.long())

    def __len__(self) -> int:
        return len(self._bounds())

    def __iter__(self) -> Iterator[Batch]:
        order = self.drawn[torch.randperm(len(self.drawn), generator=_generator(self.seed, self.epoch, 0))]
        for number, (start, stop) in enumerate(self._bounds(), 1):
            mine = order[start:stop][self.rank :: self.world]
            norm, miss, cat, y, arm = self.rows.at(mine)
            if self.swap:
                norm, cat = self._swapped(norm, cat, order[start:stop], number)
            yield norm, miss, cat, y, arm, mine, stop - start

    def _bounds(self) -> list[tuple[int, int]]:
        n = len(self.drawn)
        starts = list(range(0, n, self.batch))
        if len(starts) > 1 and n - starts[-1] < max(2, self.world):
            starts.pop()
        return list(zip(starts, [*starts[1:], n], strict=True))

    def _swapped(self, norm: Tensor, cat: Tensor, whole: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """A share `swap` of the cells takes the value of another row of the batch."""
        generator = _generator(self.seed, self.epoch, number * self.world + self.rank + 1)
        donor = whole[torch.randint(len(whole), (len(norm),), generator=generator)]
        other = self.rows.at(donor)
        take_norm = torch.rand(norm.shape, generator=generator) < self.swap
        take_cat = torch.rand(cat.shape, generator=generator) < self.swap
        return torch.where(take_norm, other[0], norm), torch.where(take_cat, other[2], cat)


def _generator(*parts: int) -> torch.Generator:
    """A generator that depends on all parts alike (a 63-bit mix, so that neighbours are unrelated)."""
    mixed = 0x9E3779B97F4A7C15
    for part in parts:
        mixed = ((mixed ^ (part + 0x632BE59BD9B4E019)) * 0xFF51AFD7ED558CCD) & (2**64 - 1)
        mixed ^= mixed >> 33
    return torch.Generator().manual_seed(mixed >> 1)
