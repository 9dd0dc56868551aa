"""Bundles: what is loaded scores as what was saved, bit for bit; what was touched is refused; nothing can run code."""

from __future__ import annotations

import json
import pickletools
import shutil
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from perennial.contract.serving import feature_columns
from perennial.data.prepare.parts import select_part
from perennial.errors import InputError, IntegrityError, Refused
from perennial.files.durable import write_json
from perennial.files.manifest import folder_digest, seal
from perennial.files.tables import read_table, write_table
from perennial.results.families import Family
from perennial.scoring.blend import blend_bundles
from perennial.scoring.bundle import background_rows, load_bundle, save_bundle
from perennial.scoring.calibration import Calibration
from perennial.scoring.scorer import Scorer, golden_rows
from tests.model.builders import HEADS, LEARNING, TASKS, Give, Task, customers

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.model

each = pytest.mark.parametrize("family", LEARNING)
every = pytest.mark.parametrize("task", TASKS)


@each
@every
def test_a_loaded_bundle_scores_bit_for_bit_as_the_one_that_was_saved(saved: Give, family: Family, task: Task) -> None:
    result, rows = saved(family, task), customers(200, seed=11)
    before, after = Scorer(bundle=result.bundle), Scorer.load(result.folder)
    scores = after.score(rows)
    assert np.array_equal(scores, before.score(rows))
    assert np.array_equal(after.link(rows), before.link(rows))
    assert scores.shape == (200, len(HEADS[task].outputs))
    assert np.isfinite(scores).all()
    if task != "regression":
        assert (scores > 0).all()
    if task in {"binary", "uplift", "multiclass"}:
        assert (scores < 1).all()
    if task == "multiclass":
        np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert len(np.unique(scores[:, 0])) > 20
    assert after.outputs == list(HEADS[task].outputs)
    assert after.bundle.serving.head == after.bundle.calibration.head == HEADS[task]
    for name in ("family", "serving", "params", "split"):
        assert getattr(after.bundle, name) == getattr(result.bundle, name)
    assert after.bundle.background.equals(result.bundle.background)


@each
def test_saving_again_gives_the_same_digest(saved: Give, family: Family, tmp_path: Path) -> None:
    result = saved(family, "uplift")
    loaded = load_bundle(result.folder)
    golden = golden_rows(loaded, customers(64, seed=5))
    assert save_bundle(loaded, tmp_path / "again", golden) == result.digest == folder_digest(result.folder)


@each
def test_a_flipped_byte_anywhere_is_refused(saved: Give, family: Family, tmp_path: Path) -> None:
    result = saved(family, "binary")
    files = sorted(str(path.relative_to(result.folder)) for path in result.folder.rglob("*") if path.is_file())
    assert len(files) >= (11 if family == "blend" else 10)
    for name in files:
        copy = tmp_path / name.replace(".", "_").replace("/", "_")
        shutil.copytree(result.folder, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        if name == "manifest.json":  # its digest is the bundle's name: it still differs, or is no JSON any more
            assert folder_digest(copy) != result.digest
            continue
        with pytest.raises(IntegrityError, match=rf"{name} differ from manifest.json; restore"):
            load_bundle(copy)


def test_a_file_too_many_or_too_few_is_refused(saved: Give, tmp_path: Path) -> None:
    for change in ("more", "less"):
        copy = tmp_path / change
        shutil.copytree(saved("linear", "binary").folder, copy)
        (copy / "extra.bin").write_bytes(b"x") if change == "more" else (copy / "linear.json").unlink()
        with pytest.raises(IntegrityError, match=r"(extra.bin|linear.json) differ"):
            load_bundle(copy)


@pytest.mark.parametrize("told", [{"format": 1, "family": "linear"}, {"format": 2, "family": "forest"}])
def test_a_bundle_of_another_format_is_refused(saved: Give, tmp_path: Path, told: dict[str, object]) -> None:
    copy = tmp_path / "b"
    shutil.copytree(saved("linear", "binary").folder, copy)
    write_json(copy / "bundle.json", told)
    seal(copy)
    with pytest.raises(Refused, match=r"this version reads format 2 of linear, boosted"):
        load_bundle(copy)


@each
@every
def test_golden_rows_prove_a_copy(saved: Give, family: Family, task: Task) -> None:
    result = saved(family, task)
    scorer = Scorer.load(result.folder)
    scorer.prove(result.folder)
    golden = read_table(result.folder / "golden.parquet")
    assert golden.height == 64
    assert golden.columns[-len(scorer.outputs) :] == [f"score:{name}" for name in scorer.outputs]


def test_a_copy_that_computes_otherwise_is_found_out(saved: Give, tmp_path: Path) -> None:
    result = saved("boosted", "binary")
    shutil.copytree(result.folder, tmp_path / "b")
    golden = read_table(result.folder / "golden.parquet")
    write_table(tmp_path / "b" / "golden.parquet", golden.with_columns(pl.col("score:probability") + 1e-3))
    seal(tmp_path / "b")
    with pytest.raises(IntegrityError, match=r"golden rows score 0.001 away from what the bundle says"):
        Scorer.load(tmp_path / "b").prove(tmp_path / "b")


@each
def test_a_bundle_holds_no_code(saved: Give, family: Family) -> None:
    looked = 0
    for path in sorted(path for path in saved(family, "uplift").folder.rglob("*") if path.is_file()):
        assert path.suffix in {".json", ".safetensors", ".parquet", ".txt"}, path.name
        content = path.read_bytes()
        assert not zipfile.is_zipfile(path), f"{path.name}: torch.save and joblib write zips"
        assert not is_pickle(content), path.name
        match path.suffix:
            case ".json":
                json.loads(content)
            case ".parquet":
                assert content[:4] == content[-4:] == b"PAR1"
            case ".safetensors":
                json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            case _:
                assert content.startswith(b"tree\nversion=")
        looked += 1
    assert looked >= 11


def is_pickle(content: bytes) -> bool:
    """Whether the first opcodes parse as a pickle up to its STOP."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return any(code.name == "STOP" for code, _, _ in pickletools.genops(content))
    except (ValueError, UnicodeDecodeError, IndexError, KeyError):
        return False


def test_the_search_for_pickles_finds_one() -> None:
    assert is_pickle(b"\x80\x04K\x01.")
    assert is_pickle(b"cos\nsystem\n(S'true'\ntR.")


@each
@every
def test_a_row_scores_the_same_alone_and_in_company(saved: Give, family: Family, task: Task) -> None:
    scorer, rows = Scorer.load(saved(family, task).folder), customers(1000, seed=12)
    together = scorer.score(rows)
    alone = np.vstack([scorer.score(rows[i : i + 1]) for i in range(40)])
    reversed_ = scorer.score(rows.reverse())[::-1]
    tolerance = (1e-6 if family in {"deep", "blend"} else 1e-12) * np.abs(together).max()
    np.testing.assert_allclose(alone, together[:40], rtol=0, atol=tolerance)
    np.testing.assert_allclose(reversed_, together, rtol=0, atol=tolerance)


@each
def test_no_row_no_score(saved: Give, family: Family) -> None:
    assert Scorer.load(saved(family, "uplift").folder).score(customers(5).head(0)).shape == (0, 3)


@each
def test_a_value_never_seen_and_a_null_still_get_a_score(saved: Give, family: Family) -> None:
    strange = customers(3).with_columns(
        town=pl.lit("Atlantis"), spent=pl.lit(None, pl.Float64), age=pl.Series([10**9, -(10**9), 0])
    )
    scores = Scorer.load(saved(family, "binary").folder).score(strange)
    assert np.isfinite(scores).all()


def test_a_missing_column_is_named(saved: Give) -> None:
    with pytest.raises(InputError, match=r"columns age, town are missing; the model needs age, spent"):
        Scorer.load(saved("linear", "binary").folder).score(customers(3).drop("age", "town"))


def test_calibration_is_applied_to_the_score_and_not_to_the_link(saved: Give) -> None:
    bundle, rows = saved("linear", "binary").bundle, customers(20)
    bent = replace(bundle, calibration=Calibration(head=bundle.serving.head, slope_O=np.array([2.0]), shift_O=np.array([-1.0])))
    link = Scorer(bundle=bent).link(rows)
    assert np.array_equal(link, Scorer(bundle=bundle).link(rows))
    np.testing.assert_allclose(Scorer(bundle=bent).score(rows), 1 / (1 + np.exp(1 - 2 * link)))


def test_what_is_in_test_reaches_no_bundle(prepared_toy: Toy, tmp_path: Path) -> None:
    """Test rows a thousand times as large, with the other outcome: every bundle has the same bytes."""
    digests, changed = [], 0
    for name in ("plain", "changed"):
        toy = type(prepared_toy)(root=tmp_path / name)
        shutil.copytree(prepared_toy.root, toy.root)
        toy.edit("params.yaml", "epochs: 40", "epochs: 2")
        toy.edit("params.yaml", "trials: 6", "trials: 1")
        if name == "changed":
            changed = spoil_test(toy)
        toy.run("train", "baseline")
        families = toy.summary("train")["families"] | toy.summary("baseline")["families"]
        digests.append({family: document["digest"] for family, document in families.items()} | {"blend": blended(toy)})
    assert changed > 100
    assert sorted(digests[0]) == sorted(LEARNING)
    assert digests[0] == digests[1]


def blended(toy: Toy) -> str:
    """The digest of the blend that the stage evaluate would make."""
    units, splits = read_table(toy.out("featurize", "units.parquet")), read_table(toy.out("split", "splits.parquet"))
    val = select_part(units, splits, "val", toy.contract)
    result = blend_bundles(
        load_bundle(toy.out("baseline", "boosted")), load_bundle(toy.out("train", "deep")), val.frame, val.y, val.arm
    )
    return save_bundle(result, toy.root / "blend", golden_rows(result, background_rows(val.frame, result.serving, 1)))


def spoil_test(toy: Toy) -> int:
    path = toy.out("featurize", "units.parquet")
    units, splits = read_table(path), read_table(toy.out("split", "splits.parquet"))
    is_test = pl.col("row_id").is_in(splits.filter(split="test")["row_id"].implode())
    numbers = [f.name for f in feature_columns(toy.contract) if f.kind == "numeric"]
    assert len(numbers) > 15
    grown = [pl.when(is_test).then(pl.col(n) * 1000).otherwise(pl.col(n)).cast(units[n].dtype).alias(n) for n in numbers]
    answer = (
        pl.when(is_test)
        .then(1 - pl.col("responded"))
        .otherwise(pl.col("responded"))
        .cast(units["responded"].dtype)
        .alias("responded")
    )
    write_table(path, units.with_columns(*grown, answer))
    seal(toy.out("featurize"))
    return int((splits["split"] == "test").sum())
