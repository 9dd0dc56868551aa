"""k-means: planted groups come out of any half and noise does not, parts add up, names stay, and a copy scores alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from perennial.config.baseline import PreviousSegments
from perennial.contract.serving import FeatureColumn
from perennial.errors import ConfigError, DataStopped
from perennial.evaluation.decisions.naming import Trait
from perennial.evaluation.decisions.segments import choose_k, measure_agreement
from perennial.files.durable import read_json, write_json
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.models.traditional.kmeans import KMeansModel, fit_kmeans, name_segments, refit_kmeans, split_half_labels

pytestmark = pytest.mark.model
TRAITS = [Trait("b", ""), Trait("a", "")]


def rows(groups: int, n: int = 600, apart: float = 6.0, seed: int = 3) -> tuple[Encoding, Encoded]:
    """Numbers about so many corners of a square, exponentiated: skewed, never below 0; a null here and there."""
    rng = np.random.default_rng(seed)
    corner = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])[rng.integers(groups, size=n)]
    x = np.exp(corner * apart + rng.normal(size=(n, 2)))
    frame = pl.DataFrame({"b": x[:, 0], "a": [None if i % 97 == 5 else v for i, v in enumerate(x[:, 1])]})
    return fit_encoding(frame, [FeatureColumn(name=c, kind="numeric", label=c) for c in "ba"], np.zeros(n), 1)


def agreed(groups: int, **settings: float) -> dict[int, float]:
    encoding, encoded = rows(groups, **settings)  # type: ignore[arg-type]
    train, held_rows = encoded.take(np.arange(0, 600, 2)), encoded.take(np.arange(1, 600, 2))
    result = {}
    for k in (2, 3, 4):
        result[k] = measure_agreement(split_half_labels(train, held_rows, encoding, k, pairs=range(3), starts=3, seed=1))
    assert choose_k(result, 0.85) in result
    return {k: one.index.value for k, one in result.items()} | {0: choose_k(result, 0.85)}


def test_planted_groups_are_found_by_halves_and_noise_is_not() -> None:
    planted, noise = agreed(4), agreed(1, apart=0.0)
    assert planted[0] == 4
    assert planted[4] > 0.95
    assert max(noise[k] for k in (3, 4)) < 0.85


def test_parts_add_up_to_the_link_and_the_nearest_centre_wins() -> None:
    encoding, encoded = rows(4)
    model = fit_kmeans(encoded, encoding, 4, starts=3, seed=1)
    parts, link = model.contributions(encoded), model.link(encoded)
    assert parts.shape == (600, 2, 4)
    np.testing.assert_allclose(parts.sum(axis=1), link)
    z = model.scale.z(encoded.raw_NF, encoding.median_F)
    distance = ((z[:, None] - model.centre_KF) ** 2).sum(axis=2)
    assert (model.segment(encoded) == distance.argmin(axis=1)).all()
    assert model.scale.is_log_F.all()


def test_a_saved_copy_scores_alike(tmp_path: Path) -> None:
    encoding, encoded = rows(3)
    model = name_segments(fit_kmeans(encoded, encoding, 3, starts=3, seed=1), encoded, TRAITS)
    model.save(tmp_path)
    again = KMeansModel.load(tmp_path, encoding)
    assert again.names == model.names
    assert len(set(model.names)) == 3
    np.testing.assert_array_equal(again.link(encoded), model.link(encoded))


def test_a_fit_from_known_segments_keeps_names_and_scale_while_centres_move(tmp_path: Path) -> None:
    encoding, encoded = rows(3)
    old = name_segments(fit_kmeans(encoded, encoding, 3, starts=3, seed=1), encoded, TRAITS)
    other_encoding, others = rows(3, seed=4)
    write_json(tmp_path / "known.json", old.previous.model_dump(mode="json"))
    new = refit_kmeans(others, other_encoding, PreviousSegments.model_validate(read_json(tmp_path / "known.json")))
    assert new.names == old.names
    np.testing.assert_array_equal(new.scale.center_F, old.scale.center_F)
    assert 0 < np.abs(new.centre_KF - old.centre_KF).max() < 0.3
    assert (new.segment(encoded) == old.segment(encoded)).mean() > 0.97
    known = {
        **old.previous.model_dump(mode="json"),
        "columns": {"z": old.previous.columns["a"].model_dump(mode="json")},
        "centres": [{"z": 0.0}, {"z": 1.0}, {"z": 2.0}],
    }
    with pytest.raises(ConfigError, match="has the columns z; the data have b, a"):
        refit_kmeans(others, other_encoding, PreviousSegments.model_validate(known))


def test_too_few_different_rows_stop() -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0] * 20})
    encoding, encoded = fit_encoding(frame, [FeatureColumn(name="a", kind="numeric", label="a")], np.zeros(40), 1)
    with pytest.raises(DataStopped, match="fewer than 3 different ones"):
        fit_kmeans(encoded, encoding, 3, starts=1, seed=1)
    frame = pl.DataFrame({"a": [1.0] * 40})
    encoding, encoded = fit_encoding(frame, [FeatureColumn(name="a", kind="numeric", label="a")], np.zeros(40), 1)
    with pytest.raises(DataStopped, match="nothing to tell customers apart"):
        fit_kmeans(encoded, encoding, 2, starts=1, seed=1)
