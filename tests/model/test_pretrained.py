"""Weights that others have trained: read from disk by their digest, where training begins, and carried by the bundle."""

from __future__ import annotations

import hashlib
import json
import math
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from perennial.config.train import Pretrained
from perennial.errors import ConfigError
from perennial.models.deep.encoders import WordEncoder
from perennial.models.deep.pretrained import FrozenPictures, distil_vectors, find_weights

pytestmark = pytest.mark.model
WIDTH, HEADS, WORDS = 8, 2, ("good", "bad", "goods", "ab", "zzz")
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "##s", "a", "##b"]


def pretrained(folder: Path) -> Pretrained:
    path = next(p for p in folder.rglob("*") if p.suffix in {".safetensors", ".pth"})
    return Pretrained(kind="pretrained", source=str(folder), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A BERT of two small layers with weights by lot."""
    torch.manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (16, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
    }
    for i in range(2):
        square = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
        flat = ("attention.output.LayerNorm", "output.LayerNorm")
        sizes = dict.fromkeys(square, (WIDTH, WIDTH)) | dict.fromkeys(flat, (WIDTH,))
        for name, shape in (sizes | {"intermediate.dense": (12, WIDTH), "output.dense": (WIDTH, 12)}).items():
            shapes |= {f"encoder.layer.{i}.{name}.weight": shape, f"encoder.layer.{i}.{name}.bias": shape[:1]}
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({name: torch.randn(shape) for name, shape in shapes.items()}, folder / "model.safetensors")
    config = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": 12, "num_hidden_layers": 2}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(PIECES))
    return folder


def read_by_hand(w: dict[str, Tensor], codes: list[int]) -> Tensor:
    """BERT as its paper has it, one word, no layer of torch's."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][codes] + w["embeddings.position_embeddings.weight"][: len(codes)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for i in range(2):
        at, size = f"encoder.layer.{i}.", WIDTH // HEADS
        q, k, v = (
            linear(x, f"{at}attention.self.{n}").reshape(-1, HEADS, size).transpose(0, 1) for n in ("query", "key", "value")
        )
        observed = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(size), dim=-1) @ v
        observed = linear(observed.transpose(0, 1).reshape(-1, WIDTH), f"{at}attention.output.dense")
        x = norm(x + observed, f"{at}attention.output.LayerNorm")
        inner = torch.nn.functional.gelu(linear(x, f"{at}intermediate.dense"))
        x = norm(x + linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")
    return x.mean(0)


def test_words_are_read_as_the_paper_says_then_centred_and_turned(model: Path) -> None:
    from safetensors.torch import load_file

    weights = load_file(model / "model.safetensors")
    codes = {"good": [4], "bad": [5], "goods": [4, 6], "ab": [7, 8], "zzz": [1]}
    by_hand = torch.stack([read_by_hand(weights, [2, *codes[word], 3]) for word in WORDS]).double()
    by_hand = by_hand - by_hand.mean(0)
    result = distil_vectors(pretrained(model), WORDS, 5).double()
    assert result.shape == (5, 5)
    scale = (by_hand.norm() / result.norm()).item()
    torch.testing.assert_close(result @ result.T * scale**2, by_hand @ by_hand.T, atol=1e-4, rtol=1e-4)
    assert distil_vectors(pretrained(model), WORDS, 20).shape == (5, 20), "more numbers than directions: the rest is 0"


def test_training_begins_with_the_vectors_and_learns_on(model: Path) -> None:
    encoder = WordEncoder(len(WORDS), width=5, word_dropout=0.0, dropout=0.0)
    vectors = distil_vectors(pretrained(model), WORDS, 5)
    encoder.load_vectors(vectors)
    assert torch.equal(encoder.table.weight[2:], vectors)
    assert torch.equal(encoder.table.weight[0], torch.zeros(5)) or encoder.table.padding_idx == 0
    assert encoder.table.weight.requires_grad


def test_other_bytes_no_weights_and_unknown_places_are_refused(model: Path, tmp_path: Path) -> None:
    good = pretrained(model)
    assert find_weights(good).name == "model.safetensors"
    with pytest.raises(ConfigError, match=r"has sha256 [0-9a-f]{64}; train\.encoder\.sha256 says 0000"):
        find_weights(good.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(ConfigError, match="neither a folder nor an installed package"):
        find_weights(good.model_copy(update={"source": "no_such_package_at_all"}))
    with pytest.raises(ConfigError, match="has 0 files of weights"):
        find_weights(_empty(good, tmp_path))
    (model / "vocab.txt").unlink()
    with pytest.raises(ConfigError, match=r"has no config\.json and vocab\.txt"):
        distil_vectors(good, WORDS, 5)


def _empty(good: Pretrained, folder: Path) -> Pretrained:
    (folder / "empty").mkdir()
    return good.model_copy(update={"source": str(folder / "empty")})


class Small(nn.Module):
    """In the place of the real network: what a package of pictures offers, with one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self._fc = nn.Conv2d(3, 1280, 8, stride=32), nn.BatchNorm2d(1280), nn.Linear(1280, 10)

    @classmethod
    def from_name(cls, name: str) -> Small:
        assert name == "efficientnet-lite0"
        return cls()

    def extract_features(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Its code as a package, its weights as a file."""
    module = types.ModuleType("efficientnet_lite_pytorch")
    module.EfficientNet = Small  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", module)
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(1)
    torch.save(Small().state_dict(), folder / "net.pth")
    return folder


def test_pictures_are_read_by_frozen_weights_alike_in_training_and_after(package: Path) -> None:
    frozen = FrozenPictures()
    frozen.load_weights(pretrained(package))
    photo = torch.randint(0, 256, (6, 3, 80, 80), dtype=torch.uint8)
    features = frozen.train()(photo)
    assert features.shape == (6, 1280)
    assert not any(weight.requires_grad for weight in frozen.parameters())
    torch.testing.assert_close(features, frozen.eval()(photo))
    torch.testing.assert_close(frozen.features(photo), features)
    torch.testing.assert_close(frozen(features), features)
    torch.testing.assert_close(frozen(photo.flip(3)), features, atol=1e-3, rtol=1e-3)
    again = FrozenPictures()
    again.load_state_dict(frozen.state_dict())
    torch.testing.assert_close(again(photo), features)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ConfigError, match=r"pip install 'perennial-ml\[pretrained\]'"):
        FrozenPictures()
