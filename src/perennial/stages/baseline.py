"""Baseline: the traditional families and their bundles.

Linear and boosted (of pictures: kernel); of a task without an outcome k-means.
"""

from __future__ import annotations

from perennial.config.baseline import BaselineParams
from perennial.contract.serving import build_serving_view
from perennial.data.prepare.parts import select_part
from perennial.evaluation.decisions.segments import FAMILY
from perennial.files.durable import read_json
from perennial.files.tables import read_table
from perennial.models.families import fit_model
from perennial.models.model import FitTask
from perennial.results.baseline import BaselineSummary
from perennial.results.families import FAMILIES
from perennial.scoring.fitted import FitContext
from perennial.scoring.segment_choice import choose_segments
from perennial.scoring.split_sensitivity import measure_split_sensitivity
from perennial.stages.runner import Job, log, main


def run(job: Job) -> BaselineSummary:
    """Raises: ConfigError when a clustering task has no `segments` among its params."""
    params, contract = job.params(BaselineParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    train, val = (select_part(units, splits, name, contract) for name in ("train", "val"))
    serving = build_serving_view(contract)
    fit = FitTask.prepare(train, val, serving.features, serving.head, params)
    context = FitContext(
        train=train,
        val=val,
        x_val=fit.val.x,
        encoding=fit.encoding,
        params=params,
        split=read_json(job.input("split") / "split.json"),
    )
    if contract.target is None:
        choice = choose_segments(fit, contract)
        fitted = {FAMILY: context.save(FAMILY, choice.model, choice.serving, job.out / FAMILY)}
        return BaselineSummary(families=fitted, agreement=choice.agreement, previous=choice.model.previous)
    inputs = {"all", "tables" if fit.encoding.image is None else "pictures"}
    families = [f for f, entry in FAMILIES.items() if entry.stage == "baseline" and entry.inputs in inputs]
    fitted = {}
    for family in families:
        model = fit_model(family, fit)
        fitted[family] = context.save(family, model, serving, job.out / family)
        log.info("%s: val loss %.4f", family, fitted[family].val_loss)
    sensitivity = measure_split_sensitivity(units, splits, contract, params) if fit.encoding.image is None else None
    return BaselineSummary(families=fitted, split_sensitivity=sensitivity)


if __name__ == "__main__":
    main("baseline", run)
