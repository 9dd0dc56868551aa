"""The bundles of all families but the blend in; it, the candidate, and all figures that are reported, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.contract.tasks import Binary, Multiclass, Regression, Uplift
from perennial.data.names import ROW_ID
from perennial.data.parts import Part, part
from perennial.evaluation import alerts, amounts, classes, messages, response, risk
from perennial.evaluation.money import loan_of, money_of, offer_of
from perennial.files.tables import read_table, write_table
from perennial.scoring.bundle import FAMILIES, STAGE_OF, Bundle, Family, background_rows, blend, load, save
from perennial.scoring.scorer import Scorer, golden_rows
from perennial.stages.shell import Job, Summary, log, main


def run(job: Job) -> Summary:
    params, contract = job.params(EvaluateParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    folders = {stage: job.input(stage) for stage in ("train", "baseline")}
    fitted = [*job.summary_of("baseline")["families"], "deep"]
    bundles: dict[Family, Bundle] = {f: load(folders[STAGE_OF[f]] / f) for f in FAMILIES if f in fitted}
    parts = {name: part(units, splits, name, contract) for name in ("val", "test")}
    val = parts["val"]
    bundles["blend"] = blend(
        bundles["kernel" if "kernel" in bundles else "boosted"], bundles["deep"], val.frame, val.y, val.arm
    )
    sample = background_rows(val.frame, bundles["blend"].serving, params.seed)
    save(bundles["blend"], job.out / "blend", golden_rows(bundles["blend"], sample))
    scorers = {family: Scorer(bundle=bundles[family]) for family in FAMILIES if family in bundles}
    scores = {name: {f: s.score(rows.frame) for f, s in scorers.items()} for name, rows in parts.items()}
    outputs = scorers["deep"].outputs
    write_table(job.out / "predictions.parquet", pl.concat(_rows(n, parts[n], scores[n], outputs) for n in parts))
    resampling = response.Resampling(n=params.bootstrap, seed=params.seed)
    found = _judge(contract, parts, scores, resampling, params)
    candidate = found["candidate"]["family"]
    figures = {family: round(value, 4) for family, value in found["candidate"]["val"].items()}
    log.info("%s on val %s: the candidate is %s", found["primary"], figures, candidate)
    return {"task": contract.task.kind, "rows": {name: len(rows) for name, rows in parts.items()}, **found}


def _judge(
    contract: Contract,
    parts: dict[str, Part],
    scores: dict[str, Any],
    resampling: response.Resampling,
    params: EvaluateParams,
) -> dict[str, Any]:
    test = parts["test"]
    slices = test.groups(contract.slices)
    match contract.task:
        case Binary():
            pair, money = _labelled(parts, scores), money_of(contract.money)
            found = response.judge(*pair, contract.task.primary, money, slices, resampling)
            if (loan := loan_of(contract.money)) is not None:
                p = pair[1].scores[found["candidate"]["family"]]
                protected = test.groups([name for name in contract.slices if name in contract.having("protected")])
                found["risk"] = risk.judge(test.y, p, loan, protected, n=params.bootstrap, seed=params.seed)
            if contract.money.alerts_per_1000 is not None:
                found["alerts"] = _alerts(contract, parts, pair, found["candidate"]["family"], params)
            return found
        case Multiclass():
            task, pair = contract.task, _labelled(parts, scores)
            return classes.judge(*pair, task.primary, contract.classes, task.ordered, slices, resampling)
        case Regression():
            return amounts.judge(*_labelled(parts, scores), contract.task.primary, slices, resampling)
        case Uplift():
            campaigns = {
                name: messages.Campaign(y=rows.y, arm=rows.arm, scores=scores[name]) for name, rows in parts.items()
            }
            before = {f.name: test.frame[f.name].to_numpy() for f in feature_columns(contract)}
            offer = offer_of(contract)
            return messages.judge(
                campaigns["val"],
                campaigns["test"],
                contract.arms,
                contract.shares,
                offer,
                before,
                resampling,
                params.placebos,
            )
        case _:
            assert_never(contract.task)


def _alerts(
    contract: Contract, parts: dict[str, Part], pair: tuple[response.Labelled, response.Labelled], family: str,
    params: EvaluateParams,
) -> dict[str, Any]:  # fmt: skip
    money, (val, test) = contract.money, pair
    assert money.alerts_per_1000 is not None
    amount = None if money.amount is None else parts["test"].frame[money.amount].fill_null(0).to_numpy()
    chances = (val.scores[family], parts["val"].weight), (test.y, test.scores[family], parts["test"].weight)
    budget = alerts.Budget(per_1000=money.alerts_per_1000)
    return alerts.judge(*chances, amount, budget, n=params.bootstrap, seed=params.seed)


def _labelled(parts: dict[str, Part], scores: dict[str, Any]) -> tuple[response.Labelled, response.Labelled]:
    """Val and test; one score a row is (n,)."""
    val, test = (
        response.Labelled(
            y=parts[name].y,
            scores={family: s[:, 0] if s.shape[1] == 1 else s for family, s in scores[name].items()},
            weight=None if np.ptp(parts[name].weight) == 0 else parts[name].weight,
        )
        for name in ("val", "test")
    )
    return val, test


def _rows(name: str, rows: Part, scores: Mapping[Any, NDArray[np.float64]], outputs: list[str]) -> pl.DataFrame:
    columns = {f"{family}:{o}": found[:, i] for family, found in scores.items() for i, o in enumerate(outputs)}
    base = {ROW_ID: rows.frame[ROW_ID], "split": [name] * len(rows), "y": rows.y, "arm": rows.arm}
    return pl.DataFrame({**base, **columns})


if __name__ == "__main__":
    main("evaluate", run)
