"""Picture descriptors without training: outlines and colours.

Suffixes: N pictures, C channels, S side, D descriptors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_CELLS, _BINS, _PATCHES, _ROWS = 8, 9, 4, 512


def describe_pictures(pixels_NCSS: NDArray[np.uint8]) -> F64:
    """Describe pictures (n, D) by histograms of oriented gradients of 8 × 8 cells in blocks of 2 × 2 (Dalal, Triggs 2005),
    and mean colours of a 4 × 4 grid.
    """
    parts = []
    for start in range(0, len(pixels_NCSS), _ROWS):
        x_NCSS = pixels_NCSS[start : start + _ROWS].astype(np.float64) / 255
        parts.append(np.hstack([_describe_outlines(x_NCSS.mean(axis=1)), _describe_colours(x_NCSS)]))
    return np.concatenate(parts) if parts else np.zeros((0, (_CELLS - 1) ** 2 * 4 * _BINS + 3 * _PATCHES**2))


def _describe_outlines(grey_NSS: F64) -> F64:
    down, across = np.gradient(grey_NSS, axis=(1, 2))
    size, angle = np.hypot(across, down), np.arctan2(down, across) % np.pi
    place = angle / np.pi * _BINS
    low = np.floor(place).astype(np.int64) % _BINS
    share = place - np.floor(place)
    cells = sum(
        _sum_cells(size * weight * (which == b), _CELLS)[..., None] * (np.arange(_BINS) == b)
        for b in range(_BINS)
        for which, weight in ((low, 1 - share), ((low + 1) % _BINS, share))
    )
    blocks = [cells[:, i : i + _CELLS - 1, j : j + _CELLS - 1] for i in (0, 1) for j in (0, 1)]
    out = np.concatenate(blocks, axis=3)
    out = out / np.sqrt((out**2).sum(axis=3, keepdims=True) + 1e-6)
    out = np.minimum(out, 0.2)
    out = out / np.sqrt((out**2).sum(axis=3, keepdims=True) + 1e-6)
    return np.asarray(out.reshape(len(out), -1))


def _describe_colours(x_NCSS: F64) -> F64:
    per_cell = (x_NCSS.shape[2] // _PATCHES) ** 2
    patches = [_sum_cells(x_NCSS[:, c], _PATCHES) / per_cell for c in range(x_NCSS.shape[1])]
    return np.stack(patches, axis=1).reshape(len(x_NCSS), -1)


def _sum_cells(x_NSS: F64, cells: int) -> F64:
    """Sums over a grid of cells, (n, cells, cells)."""
    n, side = x_NSS.shape[0], x_NSS.shape[1] // cells
    return np.asarray(x_NSS[:, : side * cells, : side * cells].reshape(n, cells, side, cells, side).sum(axis=(2, 4)))
