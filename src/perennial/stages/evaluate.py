"""The bundles of all families but the blend in; it, the candidate, and all figures that are reported, out.

Of segments nothing is blended: what is reported is whether other halves of the customers make the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns, has_text_or_image
from perennial.contract.tasks import Binary, Clustering, Multiclass, Regression, Uplift
from perennial.data.names import CUTOFF, ENTITY, ROW_ID
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import select_entities
from perennial.evaluation.decisions import alerts, amounts, classes, messages, response, risk, segments
from perennial.evaluation.decisions.money import loan_of, money_of, offer_of
from perennial.evaluation.decisions.purchase_clusters import Bought, typical
from perennial.evaluation.decisions.purchase_clusters import judge as judge_tastes
from perennial.evaluation.decisions.segments import FAMILY
from perennial.evaluation.statistics.choice import TRADITIONAL
from perennial.files.tables import read_table, write_table
from perennial.models.traditional.purchase_clusters import cluster_purchases
from perennial.scoring import split_half_stability as halves
from perennial.scoring.blend import blend
from perennial.scoring.bundle import Bundle, background_rows, load, save
from perennial.scoring.families import FAMILIES, STAGE_OF, Family
from perennial.scoring.out_of_fold import out_of_fold
from perennial.scoring.scorer import Scorer, golden_rows
from perennial.stages.runner import Job, Summary, log, main


def run(job: Job) -> Summary:
    params, contract = job.params(EvaluateParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    folders = {stage: job.input(stage) for stage in ("train", "baseline")}
    fitted = [family for stage in ("baseline", "train") for family in job.summary_of(stage)["families"]]
    bundles: dict[Family, Bundle] = {f: load(folders[STAGE_OF[f]] / f) for f in FAMILIES if f in fitted}
    parts = {name: select_part(units, splits, name, contract) for name in ("val", "test")}
    if "deep" in bundles:
        bundles["blend"] = _blended(bundles, parts["val"])
        sample = background_rows(parts["val"].frame, bundles["blend"].serving, params.seed)
        save(bundles["blend"], job.out / "blend", golden_rows(bundles["blend"], sample))
    scorers = {family: Scorer(bundle=bundles[family]) for family in FAMILIES if family in bundles}
    scores = {name: {f: s.score(rows.frame) for f, s in scorers.items()} for name, rows in parts.items()}
    outputs = next(iter(scorers.values())).outputs
    write_table(job.out / "predictions.parquet", pl.concat(_rows(n, parts[n], scores[n], outputs) for n in parts))
    resampling = response.Resampling(n=params.bootstrap, seed=params.seed)
    if isinstance(contract.task, Clustering):
        found = _segments(job, units, splits, bundles[FAMILY], params)
    else:
        slices = parts["test"].groups(contract.slices) | bundles["linear"].encoding.known_ids(parts["test"].frame)
        found = _judge(contract, parts, scores, slices, resampling, params)
    if isinstance(contract.task, Uplift):
        found |= _of_all(contract, units, bundles, found, resampling)
    candidate = found["candidate"]["family"]
    figures = {family: round(value, 4) for family, value in found["candidate"]["val"].items()}
    log.info("%s on val %s: the candidate is %s", found["primary"], figures, candidate)
    return {"task": contract.task.kind, "rows": {name: len(rows) for name, rows in parts.items()}, **found}


def _blended(bundles: Mapping[Family, Bundle], val: LabelledRows) -> Bundle:
    rival = bundles["kernel" if "kernel" in bundles else "boosted"]
    return blend(rival, bundles["deep"], val.frame, val.y, val.arm)


def _judge(
    contract: Contract,
    parts: dict[str, LabelledRows],
    scores: dict[str, Any],
    slices: Mapping[str, NDArray[Any]],
    resampling: response.Resampling,
    params: EvaluateParams,
) -> dict[str, Any]:
    test = parts["test"]
    match contract.task:
        case Binary():
            pair, money = _labelled(parts, scores), money_of(contract.money)
            found = response.judge(*pair, contract.task.primary, money, slices, resampling)
            if (loan := loan_of(contract.money)) is not None:
                p = pair[1].scores[found["candidate"]["family"]]
                protected = test.groups(
                    [name for name in contract.slices if name in contract.find_columns("protected")]
                )
                found["risk"] = risk.judge(test.y, p, loan, protected, n=params.bootstrap, seed=params.seed)
            if has_text_or_image(feature_columns(contract)):
                found |= classes.told_apart(test.y, classes.answers(scores["test"][found["candidate"]["family"]]))
            if contract.money.alerts_per_1000 is not None:
                found["alerts"] = _alerts(contract, parts, pair, found["candidate"]["family"], params)
            return found
        case Multiclass():
            task, pair = contract.task, _labelled(parts, scores)
            return classes.judge(*pair, task.primary, contract.classes, task.ordered, slices, resampling)
        case Regression():
            return amounts.judge(*_labelled(parts, scores), contract.task.primary, slices, resampling)
        case Uplift():
            both = {n: messages.Campaign(y=rows.y, arm=rows.arm, scores=scores[n]) for n, rows in parts.items()}
            return messages.judge(
                both["val"], both["test"], contract.arms, offer_of(contract), resampling, params.placebos
            )
        case Clustering():
            raise AssertionError("segments have no outcome to be judged by")
        case _:
            assert_never(contract.task)


def _of_all(
    contract: Contract, units: pl.DataFrame, bundles: Mapping[Family, Bundle], found: Mapping[str, Any],
    resampling: response.Resampling,
) -> dict[str, Any]:  # fmt: skip
    """The whole campaign, out of fold by the candidate's family or, as that is dear to refit, its traditional rival's."""
    chosen = found["candidate"]["family"]
    chosen = chosen if chosen in TRADITIONAL else found["deep_minus_traditional"]["traditional"]
    family: Family = "boosted" if chosen == "boosted" else "linear"
    rows = label_rows(units, contract)
    scores: dict[str, Any] = {family: out_of_fold(bundles[family], rows, select_entities(units, contract))}
    campaign = messages.Campaign(y=rows.y, arm=rows.arm, scores=scores)
    before = {f.name: units[f.name].to_numpy() for f in feature_columns(contract)}
    told = messages.of_all(campaign, contract.arms, contract.shares, offer_of(contract), before, resampling)
    for message in told["out_of_fold"]["messages"]:
        log.info("%s: rank by %s", message["name"], message["rank_by"])
    return told


def _segments(
    job: Job, units: pl.DataFrame, splits: pl.DataFrame, bundle: Bundle, params: EvaluateParams
) -> dict[str, Any]:
    """Agreement of halves of train and val on test for each number of segments; what they are like, of all customers.

    Val has chosen the number and joins the halves: the larger they are, the surer.
    """
    contract, baseline = job.contract, job.summary_of("baseline")
    frames = {name: select_part(units, splits, name, contract).frame for name in ("train", "val", "test", "lookback")}
    known, test = pl.concat([frames["train"], frames["val"]]), frames["test"]
    units = pl.concat([known, test])
    task, names = contract.task, bundle.serving.head.outputs
    assert isinstance(task, Clustering)
    counts = sorted({*range(task.k[0], task.k[1] + 1), len(names)})
    reported = {k: halves.reported(bundle, known, test, k) for k in counts}
    scorer, amount = Scorer(bundle=bundle), contract.money.amount
    people = segments.People(
        labels=scorer.score(units).argmax(axis=1),
        numbers={f.name: units[f.name].cast(pl.Float64).to_numpy() for f in bundle.serving.features},
        categories={name: units[name].fill_null("(none)").to_numpy() for name in _categories(contract)},
        amount=None if amount is None else units[amount].cast(pl.Float64).fill_null(0).to_numpy(),
    )
    found = segments.judge(baseline["chosen"], reported, scorer.score(test).argmax(axis=1), people, names)
    if frames["lookback"].height:
        found["moves"] = _moves(scorer, units, frames["lookback"])
    if (bought := _bought(job, units)) is not None:
        for one, items in zip(found["segments"], typical(bought, people.labels, len(names)), strict=True):
            one["items"] = items
        if params.purchase_clusters is not None and len(bought.items) > params.purchase_clusters:
            taste = cluster_purchases(bought.by_NI, params.purchase_clusters, seed=params.seed)
            found["tastes"] = judge_tastes(bought, people.labels, len(names), taste, params.purchase_clusters)
            write_table(job.out / "tastes.parquet", units.select(ROW_ID).with_columns(pl.Series("taste", taste)))
    return found


def _moves(scorer: Scorer, units: pl.DataFrame, earlier: pl.DataFrame) -> dict[str, Any]:
    """Where customers of an earlier date are now, by the same model."""
    last = earlier.filter(pl.col(CUTOFF) == pl.col(CUTOFF).max())
    both = units.select(ENTITY).join(last.select(ENTITY), on=ENTITY).sort(ENTITY)[ENTITY]
    before, now = (
        scorer.score(frame.filter(pl.col(ENTITY).is_in(both.implode())).sort(ENTITY)).argmax(axis=1)
        for frame in (last, units)
    )
    dates = {"from": str(last[CUTOFF][0]), "to": str(units[CUTOFF][0])}
    return dates | segments.moves(before, now, len(scorer.outputs))


def _bought(job: Job, units: pl.DataFrame) -> Bought | None:
    """What each customer had bought by the date of their row; None where no table of events names items."""
    named = ((t, log, c) for t, log in job.contract.events.items() for c, column in log.columns.items()
             if column.role == "item")  # fmt: skip
    table, events, item = next(named, (None, None, None))
    if events is None or item is None:
        return None
    time = events.find_column("time")
    lines = read_table(job.input("clean") / f"{table}.parquet").select(ENTITY, pl.col(item).alias("item"), time)
    known = lines.join(units.select(ENTITY, CUTOFF), on=ENTITY).filter(pl.col(time).dt.date() < pl.col(CUTOFF))
    pairs = known.select(ENTITY, "item").drop_nulls().unique().sort(ENTITY, "item")
    return Bought.of(pairs[ENTITY].to_numpy(), pairs["item"].to_numpy(), units[ENTITY].to_numpy())


def _categories(contract: Contract) -> list[str]:
    return [f.name for f in feature_columns(contract) if f.kind == "categorical"]


def _alerts(
    contract: Contract, parts: dict[str, LabelledRows], pair: tuple[response.Labelled, response.Labelled], family: str,
    params: EvaluateParams,
) -> dict[str, Any]:  # fmt: skip
    money, (val, test) = contract.money, pair
    assert money.alerts_per_1000 is not None
    amount = None if money.amount is None else parts["test"].frame[money.amount].fill_null(0).to_numpy()
    chances = (val.scores[family], parts["val"].weight), (test.y, test.scores[family], parts["test"].weight)
    budget = alerts.Budget(per_1000=money.alerts_per_1000)
    return alerts.judge(*chances, amount, budget, n=params.bootstrap, seed=params.seed)


def _labelled(parts: dict[str, LabelledRows], scores: dict[str, Any]) -> tuple[response.Labelled, response.Labelled]:
    """Val and test; one score a row is (n,)."""
    val, test = (
        response.Labelled(
            y=parts[name].y,
            scores={family: s[:, 0] if s.shape[1] == 1 else s for family, s in scores[name].items()},
            weight=parts[name].uneven_weight,
        )
        for name in ("val", "test")
    )
    return val, test


def _rows(name: str, rows: LabelledRows, scores: Mapping[Any, NDArray[np.float64]], outputs: list[str]) -> pl.DataFrame:
    columns = {f"{family}:{o}": found[:, i] for family, found in scores.items() for i, o in enumerate(outputs)}
    base = {ROW_ID: rows.frame[ROW_ID], "split": [name] * len(rows), "y": rows.y, "arm": rows.arm}
    return pl.DataFrame({**base, **columns})


if __name__ == "__main__":
    main("evaluate", run)
