"""Explain: which columns, words and parts of photos the candidate goes by, and the reasons of each row in words."""

from __future__ import annotations

import numpy as np
import polars as pl

from perennial.config.explain import ExplainParams, WordReasons
from perennial.contract.serving import has_text_or_image
from perennial.data.io.images import decode_pictures, encode_jpeg
from perennial.data.names import ROW_ID
from perennial.data.prepare.parts import select_part
from perennial.evaluation.decisions.risk import loan_policy
from perennial.explain.photos import build_heat_maps, check_deletion, draw_overlay
from perennial.explain.texts import find_strongest_words, quote_rows, strongest_by_output, tabulate_words
from perennial.explain.words import describe_adverse_reasons, describe_reasons, find_group_effects, rank_columns
from perennial.files.tables import read_table, write_table
from perennial.results.binary import BinaryEvaluation
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.explain import DeletionCheck, ExplainSummary, WordSummary
from perennial.results.families import FAMILIES
from perennial.results.multiclass import MulticlassEvaluation
from perennial.scoring.bundle import Bundle
from perennial.scoring.occlusion import measure_words, probability_of_prediction
from perennial.scoring.reasons import Contributions, explain_rows, select_parts
from perennial.scoring.scorer import Scorer
from perennial.stages.runner import Job, log, main


def run(job: Job) -> ExplainSummary:
    params = job.params(ExplainParams)
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    evaluation = read_evaluation(job.project, job.name)
    family = evaluation.candidate.family
    scorer = Scorer.load(job.input(FAMILIES[family].stage) / family)
    test = select_part(units, splits, "test", job.contract).frame
    rows = test.sample(min(params.rows, test.height), seed=params.seed)
    parts_of = explain_rows(scorer.bundle, rows, draws=params.draws, seed=params.seed)
    parts = select_parts(scorer.bundle, rows, parts_of)
    features = scorer.bundle.serving.features
    scores = scorer.score(rows)
    why = describe_reasons(parts_of.columns, parts, rows, features, params.reasons, quoted=params.words is None)
    if (loan := loan_policy(job.contract.money)) is not None:
        why_not = describe_adverse_reasons(parts_of.columns, parts, rows, features)
        why = [no if p > loan.cut else yes for no, yes, p in zip(why_not, why, scores[:, 0], strict=True)]
    columns = {f"score:{name}": scores[:, o] for o, name in enumerate(scorer.outputs)}
    table = pl.DataFrame({ROW_ID: rows[ROW_ID], **columns, "reasons": why})
    write_table(job.out / "reasons.parquet", table)
    important = rank_columns(parts_of.columns, parts, rows, features)
    log.info("most: %s", ", ".join(item.label for item in important[:3]))
    wrong = test[_mistakes(evaluation)] if has_text_or_image(features) else test.clear()
    return ExplainSummary(
        family=family,
        rows=rows.height,
        importance=tuple(important),
        groups=tuple(find_group_effects(parts_of.columns, parts, rows, features)[:60]),
        completeness_error=float(np.abs(parts_of.error).mean()),
        spread=float(np.abs(parts.sum(axis=1)).mean()),
        words=_words(job, scorer.bundle, rows, wrong, params.words),
        heat=_photos(job, scorer.bundle, rows, wrong, params),
    )


def _mistakes(evaluation: Evaluation) -> list[int]:
    """The places of the surest mistakes among the test rows; none of tasks that have none."""
    confusion = evaluation.confusion if isinstance(evaluation, BinaryEvaluation | MulticlassEvaluation) else None
    return [] if confusion is None else [mistake.row for mistake in confusion.mistakes]


def _words(job: Job, bundle: Bundle, rows: pl.DataFrame, wrong: pl.DataFrame, params: WordReasons | None) -> WordSummary | None:
    """The effect of each word, as a table, and quotes of the rows and of the mistakes."""
    if params is None or bundle.encoding.texts is None:
        return None
    shown = pl.concat([rows, wrong]).unique(ROW_ID, keep="first", maintain_order=True)
    by_word, outputs = measure_words(bundle, shown), list(bundle.serving.head.outputs)
    words = find_strongest_words(by_word.words[: rows.height], by_word.parts[: rows.height], outputs, params.min_rows)
    write_table(job.out / "words.parquet", tabulate_words(words))
    parts = select_parts(bundle, shown, Contributions([], by_word.parts, by_word.parts[:, 0]))
    texts = [feature for feature in bundle.serving.features if feature.kind == "text"]
    write_table(job.out / "quotes.parquet", quote_rows(shown, texts, by_word.words, parts))
    log.info("words: %d of %d rows or more surely do something", len(words), params.min_rows)
    return WordSummary(min_rows=params.min_rows, outputs=strongest_by_output(words, outputs, params.n_words))


def _photos(job: Job, bundle: Bundle, rows: pl.DataFrame, wrong: pl.DataFrame, params: ExplainParams) -> DeletionCheck | None:
    """Whether heat maps point at what matters; the photos of rows and mistakes, small, with their maps if so."""
    column, photos = bundle.encoding.image, params.photos
    if photos is None or column is None or bundle.serving.head.task not in {"binary", "multiclass"}:
        return None
    shown, n = pl.concat([rows, wrong]).unique(ROW_ID, keep="first", maintain_order=True), rows.height
    pixels, probability = decode_pictures(shown[column]), probability_of_prediction(bundle, shown)
    maps = build_heat_maps(pixels, probability)
    check = check_deletion(pixels[:n], maps[:n], probability, share=photos.share, seed=params.seed)
    log.info("heat maps: hiding takes %.3f, %.3f more than elsewhere", check.drop.value, check.elsewhere.value)
    heat = [encode_jpeg(draw_overlay(*pair)) if check.passes else None for pair in zip(pixels, maps, strict=True)]
    table = {ROW_ID: shown[ROW_ID], "photo": [encode_jpeg(photo) for photo in pixels], "heat": pl.Series(heat, dtype=pl.Binary)}
    write_table(job.out / "photos.parquet", pl.DataFrame(table))
    return check


if __name__ == "__main__":
    main("explain", run)
