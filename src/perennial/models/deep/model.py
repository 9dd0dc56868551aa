"""The deep family as a scorer sees it: encoded rows in, link scores out; saved as JSON and safetensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from torch import Tensor

from perennial.contract.serving import Head
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
            parts = [link(self.net(block), self.spec) for block in blocks(rows, _ROWS)]
        out: NDArray[np.float64] = torch.cat(parts).numpy() if parts else np.zeros((0, len(self.spec.head.outputs)))
        return out

    def save(self, folder: Path) -> None:
        write_json(folder / "net.json", self.spec.as_json())
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.net.state_dict().items()}
        write_bytes(folder / "weights.safetensors", save(state))

    @classmethod
    def load(cls, folder: Path) -> DeepModel:
        told = read_json(folder / "net.json")
        spec = NetSpec(**{**told, "cards": tuple(told["cards"]), "head": Head.model_validate(told["head"])})
        net = TabularNet(spec)
        net.load_state_dict(load_file(folder / "weights.safetensors"))
        return cls(spec=spec, net=net.eval())


def tensors(rows: Encoded) -> dict[str, Tensor]:
    """What the network takes, by kind of column."""
    arrays = {"norm": rows.norm_NF, "miss": rows.miss_NM, "cat": rows.cat_NC}
    return {kind: torch.from_numpy(values) for kind, values in arrays.items()}


def blocks(rows: Encoded, size: int) -> list[dict[str, Tensor]]:
    x = tensors(rows)
    return [{kind: values[i : i + size] for kind, values in x.items()} for i in range(0, len(rows), size)]
