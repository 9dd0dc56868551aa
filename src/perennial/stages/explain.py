"""The candidate's bundle and test rows in; which columns, words and parts of photos matter, and reasons in words, out."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import polars as pl

from perennial.config.explain import ExplainParams, WordReasons
from perennial.contract.serving import has_text_or_image
from perennial.data.io.images import decode_pictures, encode_jpeg
from perennial.data.names import ROW_ID
from perennial.data.prepare.parts import select_part
from perennial.evaluation.decisions.money import loan_of
from perennial.explain.photos import build_heat_maps, check_deletion, draw_overlay
from perennial.explain.texts import find_strongest_words, pick_extremes, quote_rows, tabulate_words
from perennial.explain.words import describe_adverse_reasons, describe_reasons, find_group_effects, rank_columns
from perennial.files.tables import read_table, write_table
from perennial.scoring.bundle import Bundle
from perennial.scoring.families import STAGE_OF
from perennial.scoring.occlusion import said_chance, word_parts
from perennial.scoring.reasons import Contributions, contributions, focus
from perennial.scoring.scorer import Scorer
from perennial.stages.runner import Job, Summary, log, main


def run(job: Job) -> Summary:
    params = job.params(ExplainParams)
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    evaluated = job.summary_of("evaluate")
    family = evaluated["candidate"]["family"]
    scorer = Scorer.load(job.input(STAGE_OF[family]) / family)
    test = select_part(units, splits, "test", job.contract).frame
    rows = test.sample(min(params.rows, test.height), seed=params.seed)
    found = contributions(scorer.bundle, rows, draws=params.draws, seed=params.seed)
    parts = focus(scorer.bundle, rows, found)
    features = scorer.bundle.serving.features
    scores = scorer.score(rows)
    told = describe_reasons(found.columns, parts, rows, features, params.reasons, quoted=params.words is None)
    if (loan := loan_of(job.contract.money)) is not None:
        why_not = describe_adverse_reasons(found.columns, parts, rows, features)
        told = [no if p > loan.cut else yes for no, yes, p in zip(why_not, told, scores[:, 0], strict=True)]
    columns = {f"score:{name}": scores[:, o] for o, name in enumerate(scorer.outputs)}
    table = pl.DataFrame({ROW_ID: rows[ROW_ID], **columns, "reasons": told})
    write_table(job.out / "reasons.parquet", table)
    important = rank_columns(found.columns, parts, rows, features)
    log.info("most: %s", ", ".join(item.label for item in important[:3]))
    wrong = (
        test[[mistake["row"] for mistake in evaluated.get("mistakes", ())]]
        if has_text_or_image(features)
        else test.clear()
    )
    return {
        "family": family,
        "rows": rows.height,
        "importance": [asdict(item) for item in important],
        "groups": [asdict(group) for group in find_group_effects(found.columns, parts, rows, features)[:60]],
        "completeness_error": float(np.abs(found.error).mean()),
        "spread": float(np.abs(parts.sum(axis=1)).mean()),
        **_words(job, scorer.bundle, rows, wrong, params.words),
        **_photos(job, scorer.bundle, rows, wrong, params),
    }


def _words(job: Job, bundle: Bundle, rows: pl.DataFrame, wrong: pl.DataFrame, params: WordReasons | None) -> Summary:
    """What each word does, as a table, and quotes of the rows and of the mistakes, by what they are asked for."""
    if params is None or bundle.encoding.texts is None:
        return {}
    shown = pl.concat([rows, wrong]).unique(ROW_ID, keep="first", maintain_order=True)
    found, outputs = word_parts(bundle, shown), list(bundle.serving.head.outputs)
    words = find_strongest_words(found.words[: rows.height], found.parts[: rows.height], outputs, params.min_rows)
    write_table(job.out / "words.parquet", tabulate_words(words))
    asked = focus(bundle, shown, Contributions([], found.parts, found.parts[:, 0]))
    texts = [feature for feature in bundle.serving.features if feature.kind == "text"]
    write_table(job.out / "quotes.parquet", quote_rows(shown, texts, found.words, asked))
    log.info("words: %d of %d rows or more surely do something", len(words), params.min_rows)
    return {"words": {"min_rows": params.min_rows, "outputs": pick_extremes(words, outputs, params.n_words)}}


def _photos(job: Job, bundle: Bundle, rows: pl.DataFrame, wrong: pl.DataFrame, params: ExplainParams) -> Summary:
    """Whether heat maps point at what matters; the photos of rows and mistakes, small, with their maps if so."""
    column, told = bundle.encoding.image, params.photos
    if told is None or column is None or bundle.serving.head.task not in {"binary", "multiclass"}:
        return {}
    shown, n = pl.concat([rows, wrong]).unique(ROW_ID, keep="first", maintain_order=True), rows.height
    pixels, chance = decode_pictures(shown[column]), said_chance(bundle, shown)
    maps = build_heat_maps(pixels, chance)
    check = check_deletion(pixels[:n], maps[:n], chance, share=told.share, seed=params.seed)
    log.info("heat maps: hiding takes %.3f, %.3f more than elsewhere", check.drop.value, check.elsewhere.value)
    heat = [encode_jpeg(draw_overlay(*pair)) if check.passes else None for pair in zip(pixels, maps, strict=True)]
    table = {
        ROW_ID: shown[ROW_ID],
        "photo": [encode_jpeg(photo) for photo in pixels],
        "heat": pl.Series(heat, dtype=pl.Binary),
    }
    write_table(job.out / "photos.parquet", pl.DataFrame(table))
    return {"heat": check.as_json()}


if __name__ == "__main__":
    main("explain", run)
