"""The candidate's bundle and test rows in; which columns matter, for whom, and reasons of rows in words, out."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import polars as pl

from perennial.config.explain import ExplainParams
from perennial.data.names import ROW_ID
from perennial.data.parts import part
from perennial.evaluation.money import loan_of
from perennial.explain.words import adverse, groups, importance, reasons
from perennial.files.tables import read_table, write_table
from perennial.scoring.bundle import STAGE_OF
from perennial.scoring.reasons import contributions, focus
from perennial.scoring.scorer import Scorer
from perennial.stages.shell import Job, Summary, log, main


def run(job: Job) -> Summary:
    params = job.params(ExplainParams)
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    family = job.summary_of("evaluate")["candidate"]["family"]
    scorer = Scorer.load(job.input(STAGE_OF[family]) / family)
    test = part(units, splits, "test", job.contract).frame
    rows = test.sample(min(params.rows, test.height), seed=params.seed)
    found = contributions(scorer.bundle, rows, draws=params.draws, seed=params.seed)
    parts = focus(scorer.bundle, rows, found)
    features = scorer.bundle.serving.features
    scores = scorer.score(rows)
    told = reasons(found.columns, parts, rows, features, params.reasons)
    if (loan := loan_of(job.contract.money)) is not None:
        why_not = adverse(found.columns, parts, rows, features)
        told = [no if p > loan.cut else yes for no, yes, p in zip(why_not, told, scores[:, 0], strict=True)]
    columns = {f"score:{name}": scores[:, o] for o, name in enumerate(scorer.outputs)}
    table = pl.DataFrame({ROW_ID: rows[ROW_ID], **columns, "reasons": told})
    write_table(job.out / "reasons.parquet", table)
    important = importance(found.columns, parts, rows, features)
    log.info("most: %s", ", ".join(item.label for item in important[:3]))
    return {
        "family": family,
        "rows": rows.height,
        "importance": [asdict(item) for item in important],
        "groups": [asdict(group) for group in groups(found.columns, parts, rows, features)[:60]],
        "completeness_error": float(np.abs(found.error).mean()),
        "spread": float(np.abs(parts.sum(axis=1)).mean()),
    }


if __name__ == "__main__":
    main("explain", run)
