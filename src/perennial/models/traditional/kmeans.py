"""Segment family: k-means on logs of skewed numbers; saved as arrays, scored in numpy.

Suffixes: N rows, F numbers, K segments. Nulls stand at the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from perennial.config.baseline import ColumnScale, PreviousSegments
from perennial.errors import ConfigError, DataStopped
from perennial.evaluation.decisions.naming import Trait, propose_names, rank_centres
from perennial.models.encoding.encode import Encoded, Encoding
from perennial.models.model import read_model, write_model

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FeatureScaling:
    """z = (log(1 + x) or x, less center) / scale for each number."""

    is_log_F: NDArray[np.bool_]
    center_F: F64
    scale_F: F64

    def z(self, raw_NF: F64, median_F: F64) -> F64:
        x_NF = np.where(np.isnan(raw_NF), median_F, raw_NF)
        x_NF = np.where(self.is_log_F, np.log1p(np.maximum(x_NF, 0)), x_NF)
        return np.asarray((x_NF - self.center_F) / self.scale_F)


@dataclass(frozen=True, kw_only=True)
class KMeansModel:
    """Centres of segments on scaled numbers; `spread` is the mean squared distance of a number to its centre."""

    encoding: Encoding
    scale: FeatureScaling
    centre_KF: F64
    spread: float
    names: tuple[str, ...]

    def link(self, rows: Encoded) -> F64:
        """The log density (n, k), up to a constant, of equal spherical clusters about the centres: −distance² / 2 spread."""
        return np.asarray(self.contributions(rows).sum(axis=1))

    def contributions(self, rows: Encoded) -> F64:
        """The part (n, columns, k) of each column in the link scores: they add up exactly."""
        z_NF = self.scale.z(rows.raw_NF, self.encoding.median_F)
        return np.asarray(-((z_NF[:, :, None] - self.centre_KF.T[None]) ** 2) / (2 * self.spread))

    def segment(self, rows: Encoded) -> I64:
        """The nearest centre of each row."""
        return np.asarray(self.link(rows).argmax(axis=1))

    @property
    def previous(self) -> PreviousSegments:
        """The value of `baseline.segments.previous` that keeps these names in a later fit."""
        scales = zip(self.scale.is_log_F, self.scale.center_F, self.scale.scale_F, strict=True)
        columns = [ColumnScale(log=bool(log), center=float(center), scale=float(scale)) for log, center, scale in scales]
        centres = [dict(zip(self.encoding.numeric, centre.tolist(), strict=True)) for centre in self.centre_KF]
        by_name = dict(zip(self.encoding.numeric, columns, strict=True))
        return PreviousSegments(names=self.names, columns=by_name, centres=tuple(centres))

    def save(self, folder: Path) -> None:
        config = {"names": list(self.names), "spread": self.spread}
        write_model(folder, "kmeans", config, vars(self.scale) | vars(self))

    @classmethod
    def load(cls, folder: Path, encoding: Encoding) -> KMeansModel:
        config, arrays = read_model(folder, "kmeans")
        centre_KF = arrays.pop("centre_KF")
        scale, names = FeatureScaling(**arrays), tuple(config["names"])
        return cls(encoding=encoding, scale=scale, centre_KF=centre_KF, spread=config["spread"], names=names)


def fit_kmeans(rows: Encoded, encoding: Encoding, k: int, *, starts: int, seed: int) -> KMeansModel:
    """The best of `starts` starts; segments are numbered, not named.

    Raises: DataStopped when no number varies, or there are fewer different rows than segments.
    """
    if not encoding.numeric:
        raise DataStopped("no numeric column varies among the training rows: there is nothing to tell customers apart")
    x_NF = np.where(np.isnan(rows.raw_NF), encoding.median_F, rows.raw_NF)
    is_log_F = np.array([_has_less_skewed_log(x) for x in x_NF.T])
    x_NF = np.where(is_log_F, np.log1p(np.maximum(x_NF, 0)), x_NF)
    spread_F = x_NF.std(axis=0)
    scale = FeatureScaling(is_log_F=is_log_F, center_F=x_NF.mean(axis=0), scale_F=np.where(spread_F > 0, spread_F, 1.0))
    z_NF = scale.z(rows.raw_NF, encoding.median_F)
    if len(np.unique(z_NF, axis=0)) < k:
        raise DataStopped(f"{len(z_NF)} rows are fewer than {k} different ones: they cannot be {k} segments")
    return _fit_estimator(encoding, scale, z_NF, KMeans(k, n_init=starts, random_state=seed))


def refit_kmeans(rows: Encoded, encoding: Encoding, previous: PreviousSegments) -> KMeansModel:
    """Fit again from the centres of previous segments, on their scale: each keeps its name while it moves.

    Raises: ConfigError when they are of other columns.
    """
    if set(previous.columns) != set(encoding.numeric):
        previous_columns, columns = ", ".join(previous.columns), ", ".join(encoding.numeric)
        raise ConfigError(f"baseline.segments.previous has the columns {previous_columns}; the data have {columns}: take it out")
    scalings = [previous.columns[name] for name in encoding.numeric]
    scale = FeatureScaling(
        is_log_F=np.array([one.log for one in scalings]),
        center_F=np.array([one.center for one in scalings]),
        scale_F=np.array([one.scale for one in scalings]),
    )
    start_KF = np.array([[centre[name] for name in encoding.numeric] for centre in previous.centres])
    estimator, z_NF = KMeans(len(start_KF), init=start_KF, n_init=1), scale.z(rows.raw_NF, encoding.median_F)
    return replace(_fit_estimator(encoding, scale, z_NF, estimator), names=previous.names)


def name_segments(model: KMeansModel, rows: Encoded, traits: Sequence[Trait]) -> KMeansModel:
    """Name the segments by their centres, and put them into a readable order."""
    size_K = np.bincount(model.segment(rows), minlength=len(model.centre_KF)).astype(np.float64)
    ordered = model.centre_KF[rank_centres(model.centre_KF, size_K, traits)]
    return replace(model, centre_KF=ordered, names=tuple(propose_names(ordered, traits)))


def split_half_labels(
    rows: Encoded, held_out: Encoded, encoding: Encoding, k: int, *, pairs: Sequence[int], starts: int, seed: int
) -> list[tuple[I64, I64]]:
    """Label held-out rows by two models fitted on disjoint halves of `rows`, for each of `pairs`."""
    labels = []
    for pair in pairs:
        place = np.random.Generator(np.random.PCG64([seed, k, pair])).permutation(len(rows))
        by_half = [
            fit_kmeans(rows.take(half), encoding, k, starts=starts, seed=seed).segment(held_out)
            for half in np.array_split(np.arange(len(rows))[place], 2)
        ]
        labels.append((by_half[0], by_half[1]))
    return labels


def _fit_estimator(encoding: Encoding, scale: FeatureScaling, z_NF: F64, estimator: KMeans) -> KMeansModel:
    with threadpool_limits(limits=1):  # sums of several threads are added in an order that differs from run to run
        fitted = estimator.fit(z_NF)
    centre_KF = fitted.cluster_centers_.astype(np.float64)
    spread = max(float(fitted.inertia_) / z_NF.size, 1e-9)
    numbered = tuple(f"Segment {s + 1}" for s in range(len(centre_KF)))
    return KMeansModel(encoding=encoding, scale=scale, centre_KF=centre_KF, spread=spread, names=numbered)


def _has_less_skewed_log(x_N: F64) -> bool:
    """Whether the log of a number that is never below 0 is less skewed than the number."""
    if x_N.min() < 0 or np.ptp(x_N) == 0:
        return False
    return bool(abs(skew(np.log1p(x_N))) < abs(skew(x_N)))
