"""Texts in every family: what words say is learnt, adds up to the score, and comes back from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from perennial.contract.serving import FeatureColumn
from perennial.errors import ConfigError
from perennial.evaluation.statistics.metrics import measure
from perennial.models.deep.encoders import WideEncoder, WordEncoder
from perennial.models.deep.losses import build_loss, link_scores
from perennial.models.deep.model import DeepModel, build_tensors, split_blocks
from perennial.models.deep.net import NetSpec, TabularNet, WordSpec
from perennial.models.encoding.encode import fit_encoding
from perennial.models.traditional.heads import compute_link
from perennial.models.traditional.linear import LinearModel
from perennial.results.families import Family
from perennial.scoring.bundle import load_bundle, save_bundle
from perennial.scoring.reasons import explain_rows
from perennial.scoring.scorer import Scorer, golden_rows
from perennial.training.module import build_adamw
from perennial.training.setup import build_spec
from tests.model.builders import HEADS, LEARNING, train_params
from tests.model.reviews import Read, reviews

pytestmark = pytest.mark.model


@pytest.mark.parametrize("family", LEARNING)
def test_what_words_say_is_learnt_and_comes_back_from_disk(read: Read, family: Family, tmp_path: Path) -> None:
    rows, y, _ = reviews(400, 3)
    scorer = Scorer(bundle=read(family))
    score = scorer.score(rows)
    assert measure("auc", y, score[:, 0]) > 0.8
    save_bundle(read(family), tmp_path / "b", golden_rows(read(family), rows.head(20)))
    again = Scorer(bundle=load_bundle(tmp_path / "b"))
    assert np.array_equal(again.score(rows), score)
    again.prove(tmp_path / "b")


@pytest.mark.parametrize("family", LEARNING)
def test_a_text_scores_the_same_alone_and_beside_longer_ones(read: Read, family: Family) -> None:
    rows, scorer = reviews(60, 4)[0], Scorer(bundle=read(family))
    together = scorer.score(rows)
    alone = np.vstack([scorer.score(rows[i : i + 1]) for i in range(30)])
    longer = scorer.score(pl.concat([rows, rows[:1].with_columns(review=pl.lit("soft dress love it " * 60))]))[:60]
    np.testing.assert_allclose(alone, together[:30], atol=1e-6)
    np.testing.assert_allclose(longer, together, atol=1e-6)


@pytest.mark.parametrize("family", LEARNING)
def test_nothing_said_and_nothing_known_still_get_a_score(read: Read, family: Family) -> None:
    strange = pl.DataFrame(
        {"age": [30, 30, 30], "title": [None, "", "zebra"], "review": [None, "", "quagga…"]},
        schema={"age": pl.Int64, "title": pl.String, "review": pl.String},
    )
    score = Scorer(bundle=read(family)).score(strange)
    assert np.isfinite(score).all()
    assert score[0] == pytest.approx(score[1], abs=1e-7), "a null is an empty text"


@pytest.mark.parametrize("family", ["linear", "boosted"])
def test_parts_of_words_add_up_to_the_score(read: Read, family: Family) -> None:
    bundle, rows = read(family), reviews(80, 5)[0]
    explained = explain_rows(bundle, rows, draws=16, seed=1)
    assert sorted(explained.columns) == ["age", "review", "title"]
    model = bundle.model
    base = model.expected_R if not isinstance(model, LinearModel) else model.mean_J @ model.coef_JR + model.intercept_R  # type: ignore[attr-defined]
    gap = model.link(bundle.encoding.encode(rows)) - compute_link(bundle.serving.head, base[None])
    np.testing.assert_allclose(explained.parts.sum(axis=1), gap, atol=1e-9)
    strength = np.abs(explained.parts[:, :, 0]).mean(axis=0)
    assert explained.columns[int(strength.argmax())] == "review", "each title says less, a fifth of them nothing"


def test_parts_of_the_network_nearly_add_up_over_texts_too(read: Read) -> None:
    bundle, rows = read("deep"), reviews(80, 5)[0]
    explained = explain_rows(bundle, rows, draws=128, seed=1)
    score = bundle.model.link(bundle.encoding.encode(rows))
    base = bundle.model.link(bundle.encoding.encode(bundle.background)).mean(axis=0)
    spread = np.abs(score - base).mean()
    np.testing.assert_allclose(explained.parts.sum(axis=1) + explained.error, score - base, atol=2e-4)
    assert np.abs(explained.error).mean() < 0.05 * spread
    strength = np.abs(explained.parts[:, :, 0]).mean(axis=0)
    assert explained.columns[int(strength.argmin())] == "age"


def test_the_design_of_texts_is_sparse_and_of_one_kind(read: Read) -> None:
    model = read("linear").model
    assert isinstance(model, LinearModel)
    assert model.design == "normal"
    assert isinstance(model.build_design(read("linear").encoding.encode(reviews(5, 1)[0])), csr_matrix)


def test_train_words_must_be_told_where_there_are_texts(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"train.words is missing, and title, review are texts: see the gallery"):
        build_spec(HEADS["binary"], read("deep").encoding, np.zeros(2), train_params())


def test_the_wide_part_is_a_logistic_regression_on_words(read: Read) -> None:
    """With the coefficients of scikit-learn in its table it gives scikit-learn's scores, each text column by itself."""
    encoding = read("deep").encoding
    rows, y, _ = reviews(300, 6)
    x = encoding.encode(rows)
    assert x.texts is not None
    grams, sizes = x.texts.grams_NJ, encoding.text_owners[1]
    theirs = LogisticRegression(C=1.0).fit(grams, y)
    wide = WideEncoder(sizes, 1)
    with torch.no_grad():
        wide.table.weight[1:, 0] = torch.from_numpy(theirs.coef_[0]).float()
    result = build_tensors(x)
    each = wide(result["gram"], result["gram_weight"]).detach().numpy()
    assert each.shape == (300, 2)
    np.testing.assert_allclose(each.sum(axis=1) + theirs.intercept_[0], theirs.decision_function(grams), atol=1e-5)
    title = grams[:, : sizes[0]] @ theirs.coef_[0, : sizes[0]]
    np.testing.assert_allclose(each[:, 0], title, atol=1e-5)


def test_the_wide_part_starts_at_nothing_and_learns_faster(read: Read) -> None:
    spec = deep_spec(read)
    net = TabularNet(spec)
    assert net.wide is not None
    assert not net.wide.table.weight.any()
    decayed, remaining, fast = build_adamw(0.01, 0.5)(net).param_groups
    assert (decayed["lr"], remaining["lr"], fast["lr"]) == (0.01, 0.01, pytest.approx(0.15))
    assert fast["weight_decay"] == 0
    assert [id(p) for p in fast["params"]] == [id(net.wide.table.weight)]
    assert sum(len(group["params"]) for group in (decayed, remaining, fast)) == len(list(net.parameters()))


def deep_spec(read: Read, **changes: object) -> NetSpec:
    model = read("deep").model
    assert isinstance(model, DeepModel)
    return model.spec.model_copy(update=changes)


def test_each_text_of_the_wide_part_reaches_each_raw_number(read: Read) -> None:
    """Of several outputs each has its own sum over all texts; no column's part reaches another's output."""
    spec = deep_spec(read, head=HEADS["two_part"])
    net, x = TabularNet(spec).eval(), build_tensors(read("deep").encoding.encode(reviews(6, 7)[0]))
    before = net(x)
    z = net.embed(x)
    assert net.wide is not None
    with torch.no_grad():
        net.wide.table.weight[1:, 1] = 1.0
    moved = net(x) - before
    assert torch.count_nonzero(moved[:, :, 0]) == 0
    torch.testing.assert_close(moved[:, 0, 1], x["gram_weight"].sum(dim=1))
    assert z.shape[1] == net.n_trunk + 2 * net.raw
    assert net(x).shape == (6, spec.members, 2)


def test_words_are_pooled_over_those_that_there_are() -> None:
    encoder = WordEncoder(5, width=3, word_dropout=0.0, dropout=0.0).eval()
    codes = torch.tensor([[2, 3, 3, 0, 0, 0], [6, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    out = encoder(codes)
    table = encoder.table.weight
    assert out.shape == (3, encoder.d_out) == (3, 9)
    torch.testing.assert_close(out[0, :3], (table[2] + 2 * table[3]) / 3)
    torch.testing.assert_close(out[0, 6:], torch.maximum(table[2], table[3]))
    torch.testing.assert_close(out[1], table[6].repeat(3))
    assert not out[2].any(), "no word, nothing said"
    weight = torch.softmax(torch.stack([encoder.attention(table[c]) for c in (2, 3, 3)]), dim=0)
    torch.testing.assert_close(out[0, 3:6], (weight * table[[2, 3, 3]]).sum(dim=0))
    torch.testing.assert_close(encoder(codes[:, :3]), out, atol=1e-7, rtol=0)


def test_words_are_dropped_while_training_only() -> None:
    torch.manual_seed(1)
    encoder = WordEncoder(50, width=4, word_dropout=0.5, dropout=0.0)
    codes = torch.arange(2, 42)[None].repeat(2, 1)
    a, b = encoder.train()(codes), encoder(codes)
    assert not torch.equal(a, b)
    assert torch.equal(encoder.eval()(codes), encoder(codes))
    everything = WordEncoder(50, width=4, word_dropout=0.999999, dropout=0.0).train()
    torch.testing.assert_close(everything(codes)[0, :4], everything.table.weight[1])


def test_a_network_of_texts_only_has_all_of_its_parts() -> None:
    words = WordSpec(vocabulary=4, grams=(3,), width=4, word_dropout=0.0, dropout=0.0)
    spec = NetSpec(
        n_numeric=0, n_missing=0, cards=(), head=HEADS["multiclass"], members=2, width=8, blocks=1, dropout=0.0, words=words
    )
    frame = pl.DataFrame({"t": ["a b", "b a", "a b", None]})
    encoding, x = fit_encoding(frame, [FeatureColumn(name="t", kind="text", label="t")], np.arange(4.0), 1)
    assert encoding.texts is not None
    sizes = tuple(encoding.text_owners[1])
    net = TabularNet(spec.model_copy(update={"words": words.model_copy(update={"grams": sizes})}))
    raw = net(split_blocks(x, 4)[0])
    assert raw.shape == (4, 2, 3)
    assert torch.isfinite(build_loss(spec)(raw, torch.tensor([0.0, 1.0, 2.0, 1.0]), torch.zeros(4, dtype=torch.int64))).all()
    assert torch.allclose(link_scores(raw, spec).exp().sum(dim=1), torch.ones(4, dtype=torch.float64))
