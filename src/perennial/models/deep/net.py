"""A description of the columns and the task in, one network out: an encoder a kind of column → TabM trunk → head.

Suffixes: B batch, F numeric, M missing flags, C categorical, Z all chunks, K members, O outputs (1 or arms).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import tabm
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from perennial.models.deep.encoders import CategoryEncoder, PeriodicEncoder


@dataclass(frozen=True, kw_only=True)
class NetSpec:
    """Everything that decides the shape of the weights."""

    n_numeric: int
    n_missing: int
    cards: tuple[int, ...]
    outputs: int
    members: int
    width: int
    blocks: int
    dropout: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class TabularNet(nn.Module):
    """TabM (Gorishniy, Kotelnikov, Babenko 2024): K networks that share most weights, each with its own head."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.numeric = PeriodicEncoder(spec.n_numeric)
        self.category = CategoryEncoder(list(spec.cards))
        self.chunks = [self.numeric.d_out] * spec.n_numeric + [1] * spec.n_missing
        self.chunks += [self.category.d_out] * len(spec.cards)
        self.trunk = tabm.make_tabm_backbone(
            d_in=sum(self.chunks), n_blocks=spec.blocks, d_block=spec.width, dropout=spec.dropout, activation="ReLU",
            k=spec.members, arch_type="tabm", start_scaling_init="normal", start_scaling_init_chunks=self.chunks,
        )  # fmt: skip
        self.members = tabm.EnsembleView(k=spec.members)
        self.head = tabm.LinearEnsemble(spec.width, spec.outputs, k=spec.members)

    def forward(self, norm_BF: Tensor, miss_BM: Tensor, cat_BC: Tensor) -> Tensor:
        """→ logits_BKO"""
        return self.from_chunks(self.embed(norm_BF, miss_BM, cat_BC))

    def embed(self, norm_BF: Tensor, miss_BM: Tensor, cat_BC: Tensor) -> Tensor:
        """→ z_BZ, the chunks of all columns in the order numeric, missing flags, categorical."""
        parts = [self.numeric(norm_BF).flatten(1), miss_BM, self.category(cat_BC).flatten(1)]
        return torch.cat(parts, dim=1)

    def from_chunks(self, z_BZ: Tensor) -> Tensor:
        """z_BZ → logits_BKO"""
        out: Tensor = self.head(self.trunk(self.members(z_BZ)))
        return out


def losses(logits_BKO: Tensor, y_B: Tensor, arm_B: Tensor) -> Tensor:
    """The log loss of each row, mean over members, of the output that was seen: its own arm's (0 without arms)."""
    seen_BK = logits_BKO.gather(2, arm_B[:, None, None].expand(-1, logits_BKO.shape[1], 1)).squeeze(2)
    target_BK = y_B[:, None].expand_as(seen_BK)
    return binary_cross_entropy_with_logits(seen_BK, target_BK, reduction="none").mean(dim=1)


def link(logits_BKO: Tensor) -> Tensor:
    """The log odds of the members' mean probability, link_BO."""
    p_BO = torch.sigmoid(logits_BKO.double()).mean(dim=1).clamp(1e-7, 1 - 1e-7)
    return torch.log(p_BO) - torch.log1p(-p_BO)
