"""Photo explanations: heat maps by occlusion, and the deletion check that they point at what matters.

Suffixes: N photos, C channels, S side, M changed photos.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from perennial.evaluation.statistics.intervals import LEVEL, mean_interval
from perennial.results.explain import DeletionCheck

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
# photo numbers (m,), their changed pixels (m, C, S, S) -> the probability of the predicted class of each (m,)
ProbabilityOf = Callable[[I64, U8], F64]
_PATCHES, _OVERLAP = 5, 2  # a patch is a fifth of the side, and moves by half of itself
_MASSES = 8  # photos whose patches are scored together


def build_heat_maps(pixels_NCSS: U8, probability: ProbabilityOf) -> F64:
    """Build heat maps (n, S, S): the fall in the log probability when a patch is blurred, mean over the patches of a pixel."""
    parts = [
        _map_block(np.arange(start, min(start + _MASSES, len(pixels_NCSS))), pixels_NCSS, probability)
        for start in range(0, len(pixels_NCSS), _MASSES)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, *pixels_NCSS.shape[2:]))


def check_deletion(pixels_NCSS: U8, heat_NSS: F64, probability: ProbabilityOf, *, share: float, seed: int) -> DeletionCheck:
    """Check by deletion: the hottest pixels of each photo are filled with its mean colour, not blurred as for the maps."""
    rng, n = np.random.Generator(np.random.PCG64(seed)), len(pixels_NCSS)
    hot_NSS = mask_hottest(heat_NSS, share)
    by = rng.integers(pixels_NCSS.shape[2], size=(n, 2))
    moved_NSS = np.array([np.roll(hot, tuple(step), axis=(0, 1)) for hot, step in zip(hot_NSS, by, strict=True)])
    order = rng.permutation(n)
    other_NSS = np.empty_like(hot_NSS)
    other_NSS[order] = hot_NSS[np.roll(order, 1)]
    every = np.arange(n)
    whole = probability(every, pixels_NCSS)
    own, moved, other = (whole - probability(every, _fill_mask(pixels_NCSS, m)) for m in (hot_NSS, moved_NSS, other_NSS))
    return DeletionCheck(
        n=n,
        share=share,
        drop=mean_interval(own, LEVEL),
        elsewhere=mean_interval(own - moved, LEVEL),
        another=mean_interval(own - other, LEVEL),
    )


def mask_hottest(heat_NSS: F64, share: float) -> NDArray[np.bool_]:
    """The hottest share of the pixels of each map, (n, S, S)."""
    flat = heat_NSS.reshape(len(heat_NSS), -1)
    hot = np.zeros(flat.shape, np.bool_)
    most = np.argsort(-flat, axis=1, kind="stable")[:, : round(share * flat.shape[1])]
    np.put_along_axis(hot, most, True, axis=1)
    return hot.reshape(heat_NSS.shape)


def draw_overlay(pixels_CSS: U8, heat_SS: F64) -> U8:
    """Draw the photo faded and grey, and bluer the more hiding a place lowers the probability."""
    grey = 255 - _FADED * (255 - pixels_CSS.mean(axis=0, keepdims=True))
    strength = np.clip(heat_SS / max(float(heat_SS.max()), 1e-9), 0, 1)[None] * _BLUEST
    out: U8 = (grey * (1 - strength) + _BLUE[:, None, None] * strength).round().astype(np.uint8)
    return out


_BLUE, _BLUEST, _FADED = np.array([31.0, 95.0, 191.0]), 0.85, 0.6


def _map_block(which: I64, pixels_NCSS: U8, probability: ProbabilityOf) -> F64:
    side = pixels_NCSS.shape[2]
    wide = side // _PATCHES
    starts = [(y, x) for y in _patch_starts(side, wide) for x in _patch_starts(side, wide)]
    mine = pixels_NCSS[which]
    blurred = uniform_filter(mine.astype(np.float64), size=(1, 1, wide, wide), mode="nearest").round().astype(np.uint8)
    changed = np.repeat(mine[:, None], len(starts), axis=1)
    for k, (y, x) in enumerate(starts):
        changed[:, k, :, y : y + wide, x : x + wide] = blurred[:, :, y : y + wide, x : x + wide]
    after = probability(np.repeat(which, len(starts)), changed.reshape(-1, *mine.shape[1:])).reshape(len(which), -1)
    fall = np.log(np.maximum(probability(which, mine), _TINY))[:, None] - np.log(np.maximum(after, _TINY))
    total, times = np.zeros((len(which), side, side)), np.zeros((side, side))
    for k, (y, x) in enumerate(starts):
        total[:, y : y + wide, x : x + wide] += fall[:, k, None, None]
        times[y : y + wide, x : x + wide] += 1
    return np.asarray(uniform_filter(total / times, size=(1, wide // 2, wide // 2), mode="nearest"))


_TINY = 1e-9


def _patch_starts(side: int, wide: int) -> list[int]:
    """Where patches start along a side; the last one ends with it."""
    return sorted({*range(0, side - wide, wide // _OVERLAP), side - wide})


def _fill_mask(pixels_NCSS: U8, mask_NSS: NDArray[np.bool_]) -> U8:
    mean_NC11 = pixels_NCSS.mean(axis=(2, 3), keepdims=True).round().astype(np.uint8)
    return np.where(mask_NSS[:, None], mean_NC11, pixels_NCSS)
