"""Train: the deep family, its bundle and its training curve."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from perennial.config.train import OwnFunction, Pretrained, TrainParams
from perennial.contract.head import Head
from perennial.contract.serving import build_serving_view
from perennial.data.prepare.parts import LabelledRows, select_part
from perennial.errors import ConfigError
from perennial.files.durable import read_json
from perennial.files.extensions import load_extension
from perennial.files.tables import read_table
from perennial.models.deep.losses import build_loss
from perennial.models.deep.model import DeepModel, build_tensors
from perennial.models.deep.net import NetSpec, TabularNet, WordSpec
from perennial.models.deep.pretrained import FrozenPictures, distil_vectors
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.results.train import TrainSummary
from perennial.scoring.fitted import FitContext
from perennial.stages.runner import Job, log, main
from perennial.training import fit as training
from perennial.training.loader import Rows
from perennial.training.module import RowLoss


def run(job: Job) -> TrainSummary:
    if job.contract.target is None:
        log.info("no deep family for %s: it learns from outcomes", job.contract.task.kind)
        return TrainSummary()
    params, contract = job.params(TrainParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    split = job.input("split")
    splits = read_table(split / "splits.parquet")
    train, val = (select_part(units, splits, name, contract) for name in ("train", "val"))
    times = read_table(job.input("augment") / "draws.parquet")
    serving = build_serving_view(contract)
    encoding, x_train = fit_encoding(train.frame, serving.features, train.y, params.seed)
    x_val = encoding.encode(val.frame)
    spec = build_spec(serving.head, encoding, train.y, params)
    drawn = train.frame.join(times, on="row_id", how="left", maintain_order="left")["times"].to_torch()
    rows = _build_rows([(x_train, train), (x_val, val)], spec, params)
    fitted = training.fit(
        lambda: _start_net(TabularNet(spec), encoding, params),
        _loss(spec, params),
        rows[0],
        drawn,
        rows[1],
        params,
        job.curves,
    )
    if not job.is_main:
        return TrainSummary()
    assert isinstance(fitted.net, TabularNet)
    context = FitContext(
        train=train, val=val, x_val=x_val, encoding=encoding, params=params, seed=params.seed,
        split=read_json(split / "split.json"),
    )  # fmt: skip
    deep = context.save("deep", DeepModel(spec=spec, net=fitted.net), serving, job.out / "deep")
    n_weights = sum(weight.numel() for weight in fitted.net.parameters())
    log.info(
        "best epoch %d of %d, %d weights, val loss %.4f", fitted.best_epoch, len(fitted.curve), n_weights, deep.val_loss
    )
    return TrainSummary(
        families={"deep": deep},
        best_epoch=fitted.best_epoch,
        curve=tuple(fitted.curve),
        weights=n_weights,
        dropped=tuple(encoding.dropped),
    )


def build_spec(head: Head, encoding: Encoding, y_train: NDArray[np.float64], params: TrainParams) -> NetSpec:
    """The network for these columns and this task; an amount is learnt in units of its training spread."""
    plain = head.amounts or (head.task == "regression" and not head.two_part)
    amounts = y_train if plain else np.zeros(2)
    if head.two_part:
        amounts = np.log(y_train[y_train > 0])
    words, own = None, params.encoder if isinstance(params.encoder, OwnFunction) else None
    if encoding.texts is not None:
        if params.words is None:
            raise ConfigError(
                f"train.words is missing, and {', '.join(encoding.texts.grams)} are texts: see the gallery"
            )
        vocabulary, grams = len(encoding.texts.vocabulary), tuple(encoding.texts.sizes[0])
        words = WordSpec(vocabulary=vocabulary, grams=grams, **params.words.model_dump())
    return NetSpec(
        n_numeric=len(encoding.owners[0]), n_missing=len(encoding.missing), cards=tuple(encoding.cards), head=head,
        members=params.members, width=params.width, blocks=params.blocks, dropout=params.dropout,
        words=words, has_image=encoding.image is not None,
        frozen_pictures=encoding.image is not None and isinstance(params.encoder, Pretrained),
        encoder=own.name if own else "", settings=own.settings if own else {}, smoothing=params.label_smoothing or 0.0,
        center=float(amounts.mean()), spread=float(amounts.std()) or 1.0,
    )  # fmt: skip


def _loss(spec: NetSpec, params: TrainParams) -> RowLoss:
    """The task's loss of each row, or that of the project's own function."""
    if params.loss is None:
        return build_loss(spec)
    own = load_extension("models", params.loss.name, params.loss.settings)
    return partial(own, **params.loss.settings)


def _start_net(net: TabularNet, encoding: Encoding, params: TrainParams) -> TabularNet:
    """A fresh network, with the weights in it that others have trained.

    Raises: ConfigError where the contract has nothing that they could read.
    """
    if not isinstance(params.encoder, Pretrained):
        return net
    if isinstance(net.image, FrozenPictures):
        net.image.load_weights(params.encoder)
    elif net.word is not None and encoding.texts is not None:
        net.word.load_vectors(distil_vectors(params.encoder, encoding.texts.vocabulary, net.word.table.embedding_dim))
    else:
        raise ConfigError("train.encoder reads texts or pictures, and the contract has neither: take it out")
    return net


def _build_rows(parts: list[tuple[Encoded, LabelledRows]], spec: NetSpec, params: TrainParams) -> list[Rows]:
    """What the network is shown; pictures that a frozen encoder reads are looked at once, not in each epoch."""
    frozen = None
    if spec.frozen_pictures and isinstance(params.encoder, Pretrained):
        torch.set_num_threads(params.threads)
        frozen = FrozenPictures().eval()
        frozen.load_weights(params.encoder)
    parts_of = []
    for encoded, labelled in parts:
        x = build_tensors(encoded)
        if frozen is not None:
            x["photo"] = frozen.features(x["photo"])
        y_N = torch.from_numpy(labelled.y.astype(np.float32))
        parts_of.append(Rows(x=x, y_N=y_N, arm_N=torch.from_numpy(labelled.arm)))
    return parts_of


if __name__ == "__main__":
    main("train", run)
