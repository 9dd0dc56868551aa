"""Image encoder: a small residual network, and the random distortions of its training pictures.

Suffixes: B batch, C channels, S side, D width.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, interpolate

_WIDTHS = (24, 48, 96, 192)
_SIDES = ((0.4, 0.6), (0.8, 0.8), (1.0, 1.0))  # up to this share of training, pictures of this share of the full side
_MEAN, _SPREAD = 0.5, 0.25


class ImageEncoder(nn.Module):
    """Nine convolutions in a stem and three stages with a residual block each; mean and maximum over the picture.

    Trains on small pictures first, on full ones last; each is distorted (`distort_pictures`). Evaluates the mean of the
    picture and its mirror image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv_block(3, _WIDTHS[0], stride=2)
        self.stages = nn.Sequential(*(_Stage(narrow, wide) for narrow, wide in pairwise(_WIDTHS)))
        self.d_out = 2 * _WIDTHS[-1]
        self.progress = 0.0  # share of training that is over
        nn.Module.to(self, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, photo_BCSS: Tensor) -> Tensor:
        """photo_BCSS (bytes) → (B, D)"""
        x = (photo_BCSS.float() / 255 - _MEAN) / _SPREAD
        if not self.training:
            return (self._extract(x) + self._extract(x.flip(3))) / 2
        share = next(share for until, share in _SIDES if self.progress < until or until == 1.0)
        return self._extract(distort_pictures(x, round(share * x.shape[3] / 8) * 8))

    def _extract(self, x_BCSS: Tensor) -> Tensor:
        out = self.stages(self.stem(x_BCSS.contiguous(memory_format=torch.channels_last)))
        return torch.cat([out.mean(dim=(2, 3)), out.amax(dim=(2, 3))], dim=1)


class _Stage(nn.Module):
    """Halves the side, then adds one residual block (zero at first)."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.smaller = _conv_block(narrow, wide, stride=2)
        last = nn.BatchNorm2d(wide)
        nn.init.zeros_(last.weight)
        self.more = nn.Sequential(_conv_block(wide, wide, stride=1), nn.Conv2d(wide, wide, 3, padding=1, bias=False), last)

    def forward(self, x: Tensor) -> Tensor:
        x = self.smaller(x)
        return torch.relu(x + self.more(x))


def _conv_block(narrow: int, wide: int, *, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(narrow, wide, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(wide), nn.ReLU())


def distort_pictures(x_BCSS: Tensor, side: int) -> Tensor:
    """Crop (area .4 to 1, sides 3:4 to 4:3), rotate up to 10 degrees, mirror, jitter light and colours, hide a rectangle
    of one in four; to `side` px. All in one resampling, by torch's own random numbers.
    """
    n = len(x_BCSS)
    area, ratio = _draw_between(n, 0.4, 1.0), torch.exp(_draw_between(n, -math.log(4 / 3), math.log(4 / 3)))
    width, height = ((area * ratio) ** 0.5).clamp_max(1), ((area / ratio) ** 0.5).clamp_max(1)
    angle = _draw_between(n, -math.pi / 18, math.pi / 18)
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    across, down = _draw_between(n, -1, 1) * (1 - width), _draw_between(n, -1, 1) * (1 - height)
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = [cos * width * mirror, -sin * height, across, sin * width * mirror, cos * height, down]
    theta_B23 = torch.stack(rows, dim=1).reshape(n, 2, 3).to(x_BCSS.device)
    small = interpolate(x_BCSS, scale_factor=0.5, mode="area") if side * 2 <= x_BCSS.shape[3] else x_BCSS
    grid = affine_grid(theta_B23, [n, 3, side, side], align_corners=False)
    out = grid_sample(small, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _hide_rectangle(_jitter_colours(out))


def _jitter_colours(x_BCSS: Tensor) -> Tensor:
    """Brightness, contrast and saturation up to 30 % more or less."""
    n, device = len(x_BCSS), x_BCSS.device
    bright, contrast, colour = (_draw_between(n, 0.7, 1.3)[:, None, None, None].to(device) for _ in range(3))
    x = (x_BCSS + _MEAN / _SPREAD) * bright - _MEAN / _SPREAD
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * contrast
    grey = x.mean(dim=1, keepdim=True)
    return grey + (x - grey) * colour


def _hide_rectangle(x_BCSS: Tensor) -> Tensor:
    """A grey rectangle over one picture in four."""
    n, side = len(x_BCSS), x_BCSS.shape[3]
    share = _draw_between(n, 0.15, 0.45) * (torch.rand(n) < 0.25)
    left, top = (torch.rand(n) * (1 - share) for _ in range(2))
    at = (torch.arange(side) + 0.5) / side
    inside = [(at >= start[:, None]) & (at < (start + share)[:, None]) for start in (left, top)]
    mask = inside[1][:, None, :, None] & inside[0][:, None, None, :]
    return x_BCSS.masked_fill(mask.to(x_BCSS.device), 0.0)


def _draw_between(n: int, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(n)
