"""Units and splits in; the bundles of the traditional families, linear and boosted (of pictures: kernel), out."""

from __future__ import annotations

from perennial.config.baseline import BaselineParams
from perennial.contract.serving import serving_view
from perennial.data.encode import fit
from perennial.data.parts import part
from perennial.files.durable import read_json
from perennial.files.tables import read_table
from perennial.models.traditional.boosted import fit_boosted
from perennial.models.traditional.kernel import fit_kernel
from perennial.models.traditional.linear import fit_linear
from perennial.scoring.both_ways import both_ways
from perennial.scoring.bundle import Bundle, Family, Model, background_rows, save
from perennial.scoring.calibration import calibrate, link_loss
from perennial.scoring.scorer import golden_rows
from perennial.stages.shell import Job, Summary, log, main


def run(job: Job) -> Summary:
    params, contract = job.params(BaselineParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    split = job.input("split")
    splits = read_table(split / "splits.parquet")
    train, val = (part(units, splits, name, contract) for name in ("train", "val"))
    serving = serving_view(contract)
    head = serving.head
    encoding, x_train = fit(train.frame, serving.features, train.y, params.seed)
    x_val = encoding.encode(val.frame)

    def val_loss(model: Model) -> float:
        return link_loss(head, model.link(x_val), val.y, val.arm)

    models: dict[Family, Model] = {"linear": fit_linear(x_train, train.y, train.arm, head, encoding, val_loss)}
    if encoding.image is None:
        rows = (x_train, train.y, train.arm), (x_val, val.y, val.arm)
        models["boosted"] = fit_boosted(*rows, head, encoding, params, val_loss)
    else:  # trees see no pictures
        models["kernel"] = fit_kernel(x_train, train.y, train.arm, head, encoding, val_loss, params.seed)
    families = {}
    for family, model in models.items():
        bundle = Bundle(
            family=family, model=model, encoding=encoding, serving=serving,
            calibration=calibrate(head, model.link(x_val), val.y, val.arm),
            params=params.model_dump(mode="json"), split=read_json(split / "split.json"),
            background=background_rows(train.frame, serving, params.seed),
        )  # fmt: skip
        golden = golden_rows(bundle, background_rows(val.frame, serving, params.seed))
        digest = save(bundle, job.out / family, golden)
        families[family] = {"val_loss": val_loss(model), "digest": digest}
        log.info("%s: val loss %.4f", family, families[family]["val_loss"])
    return {
        "families": families,
        "both_ways": both_ways(units, splits, contract, params) if encoding.image is None else None,
    }


if __name__ == "__main__":
    main("baseline", run)
