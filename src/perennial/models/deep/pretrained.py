"""Pretrained weights from a folder or package: vectors of words, or frozen features of pictures.

Weights are read as safetensors or by torch's `weights_only`, from disk only; their sha256 is in the params, so that the
declared inputs determine the result. Suffixes: W words, T tokens, D width, B batch, S side.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate

from perennial.config.train import Pretrained
from perennial.errors import ConfigError

_SPREAD = 0.3  # standard deviation of a vector's numbers
_BLOCK = 512  # words at a time
_LITE0_SIDE = 128  # px of its pictures; the network was trained on (x − 127) / 128


def find_weights(pretrained: Pretrained) -> Path:
    """Find the one file of weights in a folder or an installed package, if it is the declared one.

    Raises: ConfigError when there is none, there are several, or its sha256 is another.
    """
    folder = Path(pretrained.source)
    if not folder.is_dir():
        spec = importlib.util.find_spec(pretrained.source) if pretrained.source.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(
                f"train.encoder.source {pretrained.source!r} is neither a folder nor an installed package: "
                "give a folder, or pip install 'perennial-ml[pretrained]'"
            )
        folder = Path(next(iter(spec.submodule_search_locations)))
    paths = sorted(path for kind in ("*.safetensors", "*.pth") for path in folder.rglob(kind))
    if len(paths) != 1:
        raise ConfigError(f"{folder} has {len(paths)} files of weights (.safetensors, .pth): give a folder with one")
    digest = hashlib.sha256(paths[0].read_bytes()).hexdigest()
    if digest != pretrained.sha256:
        raise ConfigError(f"{paths[0].name} has sha256 {digest}; train.encoder.sha256 says {pretrained.sha256}")
    return paths[0]


def distil_vectors(pretrained: Pretrained, words: tuple[str, ...], width: int) -> Tensor:
    """Distil word vectors (W, width): each word alone through a sentence model, centred, rotated to main directions, scaled.

    Distillation as in Model2Vec (Tulkens and van Dongen 2024): whole texts never pass through the large model.
    Raises: ConfigError for a folder that holds no BERT-like model with config.json and vocab.txt.
    """
    path = find_weights(pretrained)
    config, vocabulary = path.with_name("config.json"), path.with_name("vocab.txt")
    if not (config.is_file() and vocabulary.is_file()):
        raise ConfigError(f"{path.parent} has no config.json and vocab.txt: words need a BERT-like sentence model")
    reader = _Reader(json.loads(config.read_text()), load_file(path)).eval()
    codes = {piece: code for code, piece in enumerate(vocabulary.read_text(encoding="utf-8").split("\n"))}
    tokens = [[codes["[CLS]"], *_split_word(word, codes), codes["[SEP]"]] for word in words]
    with torch.inference_mode():
        read = [reader(_pad_tokens(tokens[i : i + _BLOCK])) for i in range(0, len(tokens), _BLOCK)]
    x_WD = torch.cat(read).double()
    x_WD = x_WD - x_WD.mean(dim=0)
    _, _, axes = torch.linalg.svd(x_WD, full_matrices=False)
    near = x_WD @ axes[:width].T
    out = torch.zeros(len(words), width)
    out[:, : near.shape[1]] = (near / near.std() * _SPREAD).float()
    return out


def _split_word(word: str, codes: dict[str, int]) -> list[int]:
    """Split a word into the longest known pieces from its start on (WordPiece; Wu et al. 2016)."""
    tokens, start = [], 0
    while start < len(word):
        ends = (end for end in range(len(word), start, -1) if ("##" * (start > 0)) + word[start:end] in codes)
        end = next(ends, None)
        if end is None:
            return [codes["[UNK]"]]
        tokens.append(codes[("##" * (start > 0)) + word[start:end]])
        start = end
    return tokens


def _pad_tokens(tokens: list[list[int]]) -> Tensor:
    longest = max(map(len, tokens))
    return torch.tensor([line + [0] * (longest - len(line)) for line in tokens])


class _Reader(nn.Module):
    """BERT (Devlin et al. 2019) in torch's own layers; the mean over the tokens of a word that are there."""

    def __init__(self, config: dict[str, int], weights: dict[str, Tensor]) -> None:
        super().__init__()
        width, self.eps = config["hidden_size"], 1e-12
        layer = nn.TransformerEncoderLayer(
            width,
            config["num_attention_heads"],
            config["intermediate_size"],
            dropout=0.0,
            activation="gelu",
            layer_norm_eps=self.eps,
            batch_first=True,
        )
        self.layers = nn.TransformerEncoder(layer, config["num_hidden_layers"], enable_nested_tensor=False)
        self.layers.load_state_dict(_rename_weights(weights, config["num_hidden_layers"]))
        first = {name.removeprefix("embeddings."): w for name, w in weights.items() if name.startswith("embeddings.")}
        self.word, self.place = first["word_embeddings.weight"], first["position_embeddings.weight"]
        self.kind = first["token_type_embeddings.weight"][0]
        self.scale, self.shift = first["LayerNorm.weight"], first["LayerNorm.bias"]

    def forward(self, token_WT: Tensor) -> Tensor:
        """token_WT (0 behind the last) → (W, D)"""
        there = token_WT > 0
        x = self.word[token_WT] + self.place[: token_WT.shape[1]] + self.kind
        x = torch.layer_norm(x, [x.shape[-1]], self.scale, self.shift, self.eps)
        x = self.layers(x, src_key_padding_mask=~there) * there[:, :, None]
        out: Tensor = x.sum(dim=1) / there.sum(dim=1, keepdim=True)
        return out


def _rename_weights(weights: dict[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Rename BERT's weights to torch's names, where query, key and value are one matrix."""
    state = {}
    for i in range(n_layers):
        old, new = f"encoder.layer.{i}.", f"layers.{i}."
        for part in ("weight", "bias"):
            three = [weights[f"{old}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            state[f"{new}self_attn.in_proj_{part}"] = torch.cat(three)
            for theirs, ours in _NAMES.items():
                state[f"{new}{ours}.{part}"] = weights[f"{old}{theirs}.{part}"]
    return state


_NAMES = {
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "linear1",
    "output.dense": "linear2",
    "output.LayerNorm": "norm2",
}


class FrozenPictures(nn.Module):
    """EfficientNet-Lite0 (Tan and Le 2019) without its last layer: the mean of its 1,280 features over the picture.

    Its weights are read once (`read`), and then travel in the bundle.
    Raises: ConfigError where the package of its code is missing.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise ConfigError("pictures by EfficientNet-Lite0 need pip install 'perennial-ml[pretrained]'") from error
        self.net = EfficientNet.from_name("efficientnet-lite0")
        del self.net._fc
        self.net.requires_grad_(False)
        self.d_out = 1280
        self.eval()

    def load_weights(self, pretrained: Pretrained) -> None:
        weights = torch.load(find_weights(pretrained), map_location="cpu", weights_only=True)
        self.net.load_state_dict({name: w for name, w in weights.items() if not name.startswith("_fc.")})

    def features(self, photo_NCSS: Tensor) -> Tensor:
        """(N, 1280), in blocks; `forward` takes them in place of pictures, so that each is encoded only once."""
        return torch.cat([self(photo_NCSS[i : i + _BLOCK]) for i in range(0, len(photo_NCSS), _BLOCK)])

    def train(self, mode: bool = True) -> FrozenPictures:  # noqa: ARG002 - frozen: it never learns
        return super().train(False)

    def forward(self, photo_BCSS: Tensor) -> Tensor:
        """photo_BCSS (bytes) → (B, 1280), of the picture and its mirror image; features (B, 1280) pass unchanged."""
        if photo_BCSS.ndim == 2:
            return photo_BCSS
        x = interpolate(photo_BCSS.float(), size=(_LITE0_SIDE, _LITE0_SIDE), mode="bilinear", antialias=True)
        x = (x - 127) / 128
        with torch.no_grad():
            features: Tensor = (self._extract(x) + self._extract(x.flip(3))) / 2
        return features

    def _extract(self, x_BCSS: Tensor) -> Tensor:
        out: Tensor = self.net.extract_features(x_BCSS).mean(dim=(2, 3))
        return out
