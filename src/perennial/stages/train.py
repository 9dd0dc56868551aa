"""Train: the deep family, its bundle and its training curve."""

from __future__ import annotations

from perennial.config.train import TrainParams
from perennial.contract.serving import build_serving_view
from perennial.data.prepare.parts import select_part
from perennial.files.durable import read_json
from perennial.files.tables import read_table
from perennial.models.deep.model import DeepModel
from perennial.models.deep.net import TabularNet
from perennial.models.encoding.encode import fit_encoding
from perennial.models.model import FitRows
from perennial.results.train import FitHistory, TrainSummary
from perennial.scoring.fitted import FitContext
from perennial.stages.runner import Job, log, main
from perennial.training.fit import fit
from perennial.training.setup import build_row_loss, build_rows, build_spec, start_net


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
    parts = [FitRows.of(x_train, train), FitRows.of(x_val, val)]
    train_rows, val_rows = build_rows(parts, spec, params)
    fitted = fit(
        lambda: start_net(spec, encoding, params), build_row_loss(spec, params), train_rows, drawn, val_rows, params, job.curves
    )
    if not job.is_main:
        return TrainSummary()
    assert isinstance(fitted.net, TabularNet)
    context = FitContext(
        train=train, val=val, x_val=x_val, encoding=encoding, params=params, split=read_json(split / "split.json")
    )
    n_weights = sum(weight.numel() for weight in fitted.net.parameters())
    history = FitHistory(settings={"best_epoch": fitted.best_epoch, "weights": n_weights}, curve=fitted.curve)
    deep = context.save("deep", DeepModel(spec=spec, net=fitted.net), serving, job.out / "deep", history)
    log.info("best epoch %d of %d, %d weights, val loss %.4f", fitted.best_epoch, len(fitted.curve), n_weights, deep.val_loss)
    return TrainSummary(families={"deep": deep}, weights=n_weights, dropped=tuple(encoding.dropped))


if __name__ == "__main__":
    main("train", run)
