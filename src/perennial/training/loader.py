"""Batch loader: batches of an epoch as slices of tensors, in an order that depends only on seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

Inputs = dict[str, Tensor]  # inputs of a network, by kind of column: (n, …) each
_SWAPPED = ("norm", "cat")


class Batch(NamedTuple):
    """Rows of one rank: `rows` are their row numbers, `whole` is the size of the batch over all ranks."""

    x: Inputs
    y: Tensor
    arm: Tensor
    rows: Tensor
    whole: int


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Encoded rows with their outcome (float) and arm (0 without arms)."""

    x: Inputs
    y_N: Tensor
    arm_N: Tensor

    def __len__(self) -> int:
        return len(self.y_N)

    def at(self, which: Tensor | slice) -> Inputs:
        return {kind: values[which] for kind, values in self.x.items()}


class Batches(IterableDataset[Batch]):
    """The batches of one epoch for one rank.

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
        order = self.drawn[torch.randperm(len(self.drawn), generator=_seed_generator(self.seed, self.epoch, 0))]
        for number, (start, stop) in enumerate(self._bounds(), 1):
            mine = order[start:stop][self.rank :: self.world]
            x = self.rows.at(mine)
            if self.swap:
                x |= self._swap_cells(x, order[start:stop], number)
            yield Batch(x, self.rows.y_N[mine], self.rows.arm_N[mine], mine, stop - start)

    def _bounds(self) -> list[tuple[int, int]]:
        n = len(self.drawn)
        starts = list(range(0, n, self.batch))
        if len(starts) > 1 and n - starts[-1] < max(2, self.world):
            starts.pop()
        return list(zip(starts, [*starts[1:], n], strict=True))

    def _swap_cells(self, x: Inputs, whole: Tensor, number: int) -> Inputs:
        """Replace a share `swap` of the cells by the value of another row of the batch."""
        generator = _seed_generator(self.seed, self.epoch, number * self.world + self.rank + 1)
        donor = whole[torch.randint(len(whole), (len(x[_SWAPPED[0]]),), generator=generator)]
        other = self.rows.at(donor)
        taken = {kind: torch.rand(x[kind].shape, generator=generator) < self.swap for kind in _SWAPPED}
        return {kind: torch.where(taken[kind], other[kind], x[kind]) for kind in _SWAPPED}


def _seed_generator(*parts: int) -> torch.Generator:
    """A generator that depends on all parts alike (a 63-bit mix, so that neighbours are unrelated)."""
    mixed = 0x9E3779B97F4A7C15
    for part in parts:
        mixed = ((mixed ^ (part + 0x632BE59BD9B4E019)) * 0xFF51AFD7ED558CCD) & (2**64 - 1)
        mixed ^= mixed >> 33
    return torch.Generator().manual_seed(mixed >> 1)
