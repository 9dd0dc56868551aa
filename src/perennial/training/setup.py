"""Setup of a training: the network's shape, its first weights, its loss and its rows, from encoding and params."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from perennial.config.train import OwnFunction, Pretrained, TrainParams
from perennial.contract.head import Head
from perennial.errors import ConfigError
from perennial.files.extensions import load_extension
from perennial.models.deep.losses import build_loss
from perennial.models.deep.model import build_tensors
from perennial.models.deep.net import NetSpec, TabularNet, WordSpec
from perennial.models.deep.pretrained import FrozenPictures, distil_vectors
from perennial.models.encoding.encode import Encoding
from perennial.models.model import FitRows
from perennial.training.loader import Rows
from perennial.training.module import RowLoss


def build_spec(head: Head, encoding: Encoding, y_train: NDArray[np.float64], params: TrainParams) -> NetSpec:
    """Build the shape of the network for these columns and this task; an amount is learnt in units of its training spread."""
    amounts = np.zeros(2)
    if head.scale in {"amount", "arm_amounts"}:
        amounts = y_train
    elif head.scale == "log_amount":
        amounts = np.log(y_train[y_train > 0])
    words, own = None, params.encoder if isinstance(params.encoder, OwnFunction) else None
    if encoding.texts is not None:
        if params.words is None:
            raise ConfigError(f"train.words is missing, and {', '.join(encoding.texts.grams)} are texts: see the gallery")
        vocabulary, grams = len(encoding.texts.vocabulary), tuple(encoding.texts.sizes[0])
        words = WordSpec(vocabulary=vocabulary, grams=grams, **params.words.model_dump())
    return NetSpec(
        n_numeric=len(encoding.owners[0]),
        n_missing=len(encoding.missing),
        cards=tuple(encoding.cards),
        head=head,
        members=params.members,
        width=params.width,
        blocks=params.blocks,
        dropout=params.dropout,
        words=words,
        has_image=encoding.image is not None,
        frozen_pictures=encoding.image is not None and isinstance(params.encoder, Pretrained),
        encoder=own.name if own else "",
        settings=own.settings if own else {},
        smoothing=params.label_smoothing or 0.0,
        center=float(amounts.mean()),
        spread=float(amounts.std()) or 1.0,
    )


def build_row_loss(spec: NetSpec, params: TrainParams) -> RowLoss:
    """The task's loss of each row, or that of the project's own function."""
    if params.loss is None:
        return build_loss(spec)
    own = load_extension("models", params.loss.name, params.loss.settings)
    return partial(own, **params.loss.settings)


def start_net(spec: NetSpec, encoding: Encoding, params: TrainParams) -> TabularNet:
    """A fresh network, with the weights in it that others have trained.

    Raises: ConfigError where the contract has nothing that they could read.
    """
    net = TabularNet(spec)
    if not isinstance(params.encoder, Pretrained):
        return net
    if isinstance(net.image, FrozenPictures):
        net.image.load_weights(params.encoder)
    elif net.word is not None and encoding.texts is not None:
        net.word.load_vectors(distil_vectors(params.encoder, encoding.texts.vocabulary, net.word.table.embedding_dim))
    else:
        raise ConfigError("train.encoder reads texts or pictures, and the contract has neither: take it out")
    return net


def build_rows(parts: list[FitRows], spec: NetSpec, params: TrainParams) -> list[Rows]:
    """Build the tensors of each part; pictures that a frozen encoder reads are encoded once, not in each epoch."""
    frozen = None
    if spec.frozen_pictures and isinstance(params.encoder, Pretrained):
        torch.set_num_threads(params.threads)
        frozen = FrozenPictures().eval()
        frozen.load_weights(params.encoder)
    rows = []
    for part in parts:
        x = build_tensors(part.x)
        if frozen is not None:
            x["photo"] = frozen.features(x["photo"])
        y_N = torch.from_numpy(part.y.astype(np.float32))
        rows.append(Rows(x=x, y_N=y_N, arm_N=torch.from_numpy(part.arm)))
    return rows
