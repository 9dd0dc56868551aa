"""The deep family as a scorer sees it: encoded rows in, link scores out; saved as JSON and safetensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from torch import Tensor

from perennial.data.encode import Encoded
from perennial.files.durable import read_json, write_bytes, write_json
from perennial.models.deep.net import NetSpec, TabularNet, link

_ROWS = 8192


@dataclass(frozen=True, kw_only=True)
class DeepModel:
    """A fitted network and what shaped it."""

    spec: NetSpec
    net: TabularNet

    def link(self, rows: Encoded) -> NDArray[np.float64]:
        """Link scores (n, outputs), in blocks of a fixed size, so that a row's bits do not depend on its neighbours."""
        self.net.eval()
        with torch.inference_mode():
            parts = [link(self.net(*block)) for block in blocks(rows, _ROWS)]
        out: NDArray[np.float64] = torch.cat(parts).numpy() if parts else np.zeros((0, self.spec.outputs))
        return out

    def save(self, folder: Path) -> None:
        write_json(folder / "net.json", self.spec.as_json())
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.net.state_dict().items()}
        write_bytes(folder / "weights.safetensors", save(state))

    @classmethod
    def load(cls, folder: Path) -> DeepModel:
        told = read_json(folder / "net.json")
        spec = NetSpec(**{**told, "cards": tuple(told["cards"])})
        net = TabularNet(spec)
        net.load_state_dict(load_file(folder / "weights.safetensors"))
        return cls(spec=spec, net=net.eval())


def tensors(rows: Encoded) -> tuple[Tensor, Tensor, Tensor]:
    """(norm_NF, miss_NM, cat_NC) as torch tensors."""
    return torch.from_numpy(rows.norm_NF), torch.from_numpy(rows.miss_NM), torch.from_numpy(rows.cat_NC)


def blocks(rows: Encoded, size: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    norm, miss, cat = tensors(rows)
    return [(norm[i : i + size], miss[i : i + size], cat[i : i + size]) for i in range(0, len(rows), size)]
