"""Deep model: the fitted network with its link scores, saved as JSON and safetensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from scipy.sparse import csr_matrix
from torch import Tensor

from perennial.files.durable import read_json, write_bytes, write_json
from perennial.models.deep.losses import link_scores
from perennial.models.deep.net import NetSpec, TabularNet
from perennial.models.encoding.encode import Encoded

_ROWS = 8192
_PICTURES = 256


@dataclass(frozen=True, kw_only=True)
class DeepModel:
    """A fitted network and its specification."""

    spec: NetSpec
    net: TabularNet

    def link(self, rows: Encoded) -> NDArray[np.float64]:
        """Link scores (n, outputs), in blocks of a fixed size, so that a row's bits do not depend on its neighbours."""
        self.net.eval()
        with torch.inference_mode():
            blocks = split_blocks(rows, _PICTURES if self.spec.has_image else _ROWS)
            parts = [link_scores(self.net(block), self.spec) for block in blocks]
        out: NDArray[np.float64] = torch.cat(parts).numpy() if parts else np.zeros((0, len(self.spec.head.outputs)))
        return out

    def save(self, folder: Path) -> None:
        write_json(folder / "net.json", self.spec.model_dump(mode="json"))
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.net.state_dict().items()}
        write_bytes(folder / "weights.safetensors", save(state))

    @classmethod
    def load(cls, folder: Path) -> DeepModel:
        spec = NetSpec.model_validate(read_json(folder / "net.json"))
        net = TabularNet(spec)
        net.load_state_dict(load_file(folder / "weights.safetensors"))
        return cls(spec=spec, net=net.eval())


def build_tensors(rows: Encoded) -> dict[str, Tensor]:
    """Build the inputs of the network, by kind of column."""
    arrays: dict[str, NDArray[Any]] = {"norm": rows.norm_NF, "miss": rows.miss_NM, "cat": rows.cat_NC}
    if rows.texts:
        arrays["word"] = rows.texts.code_NT
        arrays["gram"], arrays["gram_weight"] = _pad_grams(rows.texts.grams_NJ)
    if rows.pixels_NCSS is not None:
        arrays["photo"] = rows.pixels_NCSS
    return {kind: torch.from_numpy(values) for kind, values in arrays.items()}


def _pad_grams(grams_NJ: csr_matrix) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The indices (from 1, 0 is none) and weights of each row's words and pairs, (n, most of a row)."""
    n, most = grams_NJ.shape[0], max(int(np.diff(grams_NJ.indptr).max(initial=0)), 1)
    place, weight = np.zeros((n, most), np.int32), np.zeros((n, most), np.float32)
    row = np.repeat(np.arange(n), np.diff(grams_NJ.indptr))
    at = np.arange(len(grams_NJ.indices)) - grams_NJ.indptr[row]
    place[row, at], weight[row, at] = grams_NJ.indices + 1, grams_NJ.data
    return place, weight


def split_blocks(rows: Encoded, size: int) -> list[dict[str, Tensor]]:
    x = build_tensors(rows)
    return [{kind: values[i : i + size] for kind, values in x.items()} for i in range(0, len(rows), size)]
