"""Units, splits and draws in; the deep family's bundle and its training curve out."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from perennial.config.train import TrainParams
from perennial.contract.serving import serving_view
from perennial.data.encode import Encoded, fit
from perennial.data.parts import Part, part
from perennial.files.durable import read_json, write_json
from perennial.files.tables import read_table
from perennial.models.deep.model import DeepModel, tensors
from perennial.models.deep.net import NetSpec, TabularNet, losses
from perennial.scoring.bundle import Bundle, background_rows, save
from perennial.scoring.calibration import calibrate, log_loss
from perennial.scoring.scorer import golden_rows
from perennial.stages.shell import Job, Summary, log, main
from perennial.training import fit as training
from perennial.training.loader import Rows


def run(job: Job) -> Summary:
    params, contract = job.params(TrainParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    split = job.input("split")
    splits = read_table(split / "splits.parquet")
    train, val = (part(units, splits, name, contract) for name in ("train", "val"))
    times = read_table(job.input("augment") / "draws.parquet")
    serving = serving_view(contract)
    encoding = fit(train.frame, serving.features, params.seed)
    x_train, x_val = encoding.encode(train.frame), encoding.encode(val.frame)
    outputs = max(1, len(serving.arms))
    spec = NetSpec(
        n_numeric=len(encoding.numeric), n_missing=len(encoding.missing), cards=tuple(encoding.cards), outputs=outputs,
        members=params.members, width=params.width, blocks=params.blocks, dropout=params.dropout,
    )  # fmt: skip
    drawn = train.frame.join(times, on="row_id", how="left", maintain_order="left")["times"].to_torch()
    fitted = training.fit(
        lambda: TabularNet(spec), losses, _rows(x_train, train), drawn, _rows(x_val, val), params, job.curves
    )
    if not job.is_main:
        return {}
    assert isinstance(fitted.net, TabularNet)
    model = DeepModel(spec=spec, net=fitted.net)
    link = model.link(x_val)
    bundle = Bundle(
        family="deep", model=model, encoding=encoding, calibration=calibrate(link, val.y, val.arm), serving=serving,
        params=params.model_dump(mode="json"), split=read_json(split / "split.json"),
        background=background_rows(train.frame, serving, params.seed),
    )  # fmt: skip
    digest = save(bundle, job.out / "deep", golden_rows(bundle, background_rows(val.frame, serving, params.seed)))
    write_json(job.out / "curve.json", [asdict(epoch) for epoch in fitted.curve])
    val_loss = log_loss(link[np.arange(len(val)), val.arm], val.y)
    n_weights = sum(weight.numel() for weight in fitted.net.parameters())
    log.info(
        "best epoch %d of %d, %d weights, val loss %.4f", fitted.best_epoch, len(fitted.curve), n_weights, val_loss
    )
    return {
        "families": {"deep": {"val_log_loss": val_loss, "digest": digest}},
        "best_epoch": fitted.best_epoch,
        "epochs": len(fitted.curve),
        "weights": n_weights,
        "dropped": list(encoding.dropped),
    }


def _rows(encoded: Encoded, labelled: Part) -> Rows:
    norm, miss, cat = tensors(encoded)
    return Rows(
        norm_NF=norm, miss_NM=miss, cat_NC=cat, y_N=torch.from_numpy(labelled.y.astype(np.float32)),
        arm_N=torch.from_numpy(labelled.arm),
    )  # fmt: skip


if __name__ == "__main__":
    main("train", run)
