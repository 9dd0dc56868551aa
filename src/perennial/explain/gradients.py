"""Expected gradients: each column's part of a score that is differentiable in the column chunks.

Suffixes: N rows, R background rows, S draws, Z chunk values, G columns, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_POINTS = 8192  # points on paths that are held at once


def attribute_gradients(
    score: Callable[[Tensor], Tensor],
    z_NZ: Tensor,
    background_RZ: Tensor,
    owner_Z: Tensor,
    n_columns: int,
    *,
    draws: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Attribute a score: parts (n, columns, outputs) and the completeness error (n, outputs).

    E over background rows b and α ~ U(0, 1) of (z − b) · ∂score/∂z at b + α(z − b) (Erion et al. 2021), with one
    stratum of α and, in turn, one background row a draw. Their sum should be score(z) − mean of score(b); the error is
    what is missing from that.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = max(1, _POINTS // draws)
    parts = [
        _attribute_rows(score, z_NZ[start : start + rows], background_RZ, owner_Z, n_columns, draws, generator)
        for start in range(0, len(z_NZ), rows)
    ]
    attributed = torch.cat(parts)
    with torch.inference_mode():
        difference = score(z_NZ) - score(background_RZ).mean(dim=0)
    return attributed, difference - attributed.sum(dim=1)


def _attribute_rows(
    score: Callable[[Tensor], Tensor],
    z_NZ: Tensor,
    background_RZ: Tensor,
    owner_Z: Tensor,
    n_columns: int,
    draws: int,
    generator: torch.Generator,
) -> Tensor:
    n = len(z_NZ)
    which = torch.arange(draws) % len(background_RZ)
    orders = torch.stack([torch.randperm(draws, generator=generator) for _ in range(n)])
    alpha_NS = (orders + torch.rand((n, draws), generator=generator)) / draws
    base_NSZ = background_RZ[which].expand(n, -1, -1)
    step_NSZ = z_NZ[:, None, :] - base_NSZ
    point = (base_NSZ + alpha_NS[:, :, None] * step_NSZ).flatten(0, 1).detach().requires_grad_(True)
    out_PO = score(point)
    columns: Sequence[Tensor] = [
        _sum_chunks(torch.autograd.grad(out_PO[:, o].sum(), point, retain_graph=True)[0], step_NSZ, owner_Z, n_columns)
        for o in range(out_PO.shape[1])
    ]
    return torch.stack(list(columns), dim=2)


def _sum_chunks(gradient_PZ: Tensor, step_NSZ: Tensor, owner_Z: Tensor, n_columns: int) -> Tensor:
    """Mean over draws of gradient · step, added up over the chunk of each column → (N, G)."""
    part_NZ = (gradient_PZ.reshape(step_NSZ.shape) * step_NSZ).mean(dim=1)
    return torch.zeros((len(part_NZ), n_columns), dtype=part_NZ.dtype).index_add(1, owner_Z, part_NZ)
