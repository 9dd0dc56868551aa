"""Simulated reviews and photos of digits through every stage: planted words lead, mistakes can be looked at, on the page too."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from perennial.files.tables import read_table
from perennial.promotion.reporting import read_customers, read_exhibits, read_mistakes
from perennial.report.pages.compose import compose
from perennial.results.binary import BinaryEvaluation
from perennial.results.evaluations import read_evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.summary import read_summary
from tests.conftest import REPO, Toy, lay_out
from tests.fakes.reports import classes_report, response_report

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

STAGES = ("ingest", "validate", "clean", "featurize", "split", "augment", "train", "baseline", "evaluate", "explain")
GALLERY = REPO / "src" / "perennial" / "gallery"
MAIL = "ann.lee@mail.example.org"


def project(root: Path, name: str, params: dict[str, dict[str, Any]]) -> Toy:
    """An entry of the gallery with smaller numbers, and no raw files yet."""
    return lay_out(root, name, params, {"min: 1000": "min: 100", "min: 500": "min: 100"})


def reviews(path: Path, n: int, seed: int) -> None:
    """Sentences whose planted word tells the outcome in nine of ten cases; the writer leaves an address."""
    rng = np.random.Generator(np.random.PCG64(seed))
    lines = []
    for i in range(n):
        good = rng.random() < 0.5
        word = rng.choice(["superb", "moving"] if good == (rng.random() < 0.9) else ["dreadful", "dull"])
        noun, scene = rng.choice(["film", "story", "cast"]), rng.choice(["opening", "ending", "middle", "music"])
        lines.append(f"the {noun} no {seed}{i} is {word} , {scene} and all , write {MAIL}\t{int(good)}")
    path.write_text("\n".join(lines) + "\n")


def test_planted_words_lead_and_mistakes_are_quoted_without_contact_data(tmp_path: Path) -> None:
    small = {
        "train": {"epochs": 3, "members": 2, "width": 16},
        "baseline": {"trials": 1, "rounds": 30},
        "evaluate": {"bootstrap": 100},
        "explain": {"rows": 150, "draws": 8},
    }
    toy = project(tmp_path / "p", "sst2", small)
    for seed, (part, n) in enumerate({"train": 500, "dev": 200, "test": 200}.items()):
        reviews(toy.project.raw("sst2") / f"{part}.tsv", n, seed)
    toy.run(*STAGES)
    explain, evaluation = read_summary(toy.project, "sst2", ExplainSummary), read_evaluation(toy.project, "sst2")
    assert explain.words is not None
    ends = explain.words.outputs["probability"]
    assert {word.word for word in ends.raises[:2]} == {"superb", "moving"}
    assert {word.word for word in ends.lowers[:2]} == {"dreadful", "dull"}
    table = read_table(toy.out("explain", "words.parquet"))
    assert table.filter(table["rows"] < explain.words.min_rows).is_empty()
    assert explain.words.min_rows == 10
    quotes = read_table(toy.out("explain", "quotes.parquet"))
    assert isinstance(evaluation, BinaryEvaluation)
    assert evaluation.confusion is not None
    counts = np.array(evaluation.confusion.counts)
    assert counts.sum() == 200
    exhibits = read_exhibits(toy.project, "sst2")
    mistakes = read_mistakes(toy.project, "sst2", toy.contract, evaluation, exhibits)
    customers = read_customers(toy.project, "sst2", toy.contract, exhibits)
    assert len(mistakes) == len(evaluation.confusion.mistakes) == min(12, 200 - np.trace(counts))
    assert all(len(row.quotes) == 1 and row.photo is None for row in mistakes)
    assert all(len(row.quotes) == 1 and row.photo is None for row in customers)
    assert 150 <= len(quotes) <= 162
    marked = [max(quote.pieces, key=lambda piece: abs(piece[1]))[0] for mistake in mistakes for quote in mistake.quotes]
    assert set(marked) <= {"superb", "moving", "dreadful", "dull"}
    base = response_report(money=False)
    report = replace(base, contract=toy.contract, customers=customers, mistakes=mistakes, evaluation=evaluation, explain=explain)
    page = compose(report)[0]
    assert "mail.example.org" not in page
    assert "•••" in page


def test_photos_are_shown_small_and_maps_only_where_the_check_passes(tmp_path: Path) -> None:
    small: dict[str, dict[str, Any]] = {
        "train": {"epochs": 4, "patience": 4, "ema_decay": 0.9},
        "evaluate": {"bootstrap": 100},
        "explain": {"rows": 70},
    }
    toy = project(tmp_path / "p", "product_images", small)
    names, digits = toy.contract.classes, load_digits()
    lines = ["path,split,label"]
    with tarfile.open(toy.project.raw(toy.name) / "clothing_small_128.tar", "w") as tar:
        for i in range(420):
            part = "train" if i < 260 else "validation" if i < 320 else "test"
            lines.append(f"{i}.png,{part},{names[digits.target[i]]}")
            file = io.BytesIO()
            Image.fromarray((digits.images[i] * 15).astype(np.uint8)).resize((64, 64)).save(file, "PNG")
            member = tarfile.TarInfo(f"{i}.png")
            member.size = file.tell()
            file.seek(0)
            tar.addfile(member, file)
    (toy.project.raw(toy.name) / "labels.csv").write_text("\n".join(lines) + "\n")
    toy.run(*STAGES)
    explain, evaluation = read_summary(toy.project, toy.name, ExplainSummary), read_evaluation(toy.project, toy.name)
    check = explain.heat
    assert check is not None
    assert check.n == 70
    assert check.passes == (check.elsewhere.low > 0 and check.another.low > 0)
    photos = read_table(toy.out("explain", "photos.parquet"))
    assert photos["photo"].bin.size().max() <= 4096  # type: ignore[operator]
    assert photos["heat"].is_null().all() != check.passes
    exhibits = read_exhibits(toy.project, toy.name)
    mistakes = read_mistakes(toy.project, toy.name, toy.contract, evaluation, exhibits)
    customers = read_customers(toy.project, toy.name, toy.contract, exhibits)
    assert all(row.photo for row in mistakes)
    assert all(row.photo for row in customers)
    assert isinstance(evaluation, MulticlassEvaluation)
    report = replace(classes_report(), customers=customers, mistakes=mistakes, evaluation=evaluation, explain=explain)
    page = compose(report)[0]
    n = len(mistakes) + (len(customers) if check.passes else 0)
    assert page.count("<img") == n * (2 if check.passes else 1)
    assert len(page.encode()) < 300_000
