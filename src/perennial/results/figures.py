"""Figures that results are made of: an estimate with its interval, a curve of them, a bin of predictions."""

from __future__ import annotations

from perennial.results.base import Result


class Interval(Result):
    """An estimate with the two ends of its interval."""

    value: float
    low: float
    high: float

    def __repr__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"

    __str__ = __repr__

    def __mul__(self, factor: float) -> Interval:
        """In other units, say per 1,000 customers; a negative factor turns the ends round."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Interval(value=self.value * factor, low=low, high=high)


class IntervalCurve(Result):
    """A curve over ascending `x` with the interval of each height; four tuples of one length."""

    x: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Bin(Result):
    """The n customers whose prediction lies from `left` to `right`: its mean, and the share of responses."""

    left: float
    right: float
    predicted: float
    observed: Interval
    n: int
