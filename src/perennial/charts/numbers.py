"""Number formats: one way to print each kind of figure, for text, tables and axes alike.

Shares and differences of shares are fractions (0.22); what is printed is percent and percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from perennial.errors import PerennialError
from perennial.results.figures import Interval

MINUS = "\u2212"
GAP = "\u202f"  # narrow, and does not break: 22 %
Format = Callable[[float], str]


def count(n: float) -> str:
    return decimal(n, 0)


def decimal(value: float, places: int = 3) -> str:
    """The figure with at most three decimals, thousands set apart by commas and a true minus sign."""
    assert 0 <= places <= 3, "at most three decimals are printed"
    size = f"{abs(_finite(value)):,.{places}f}"
    return f"{_sign(value, size)}{size}"


def ratio(value: float) -> str:
    """A ratio or an index, to two decimals."""
    return decimal(value, 2)


def difference(value: float, places: int = 3) -> str:
    """A difference, its sign always shown; what rounds to nothing has none."""
    return _plus(value, decimal(value, places))


def share(part: float) -> str:
    return f"{decimal(100 * part, 0)}{GAP}%"


def plain(value: float) -> str:
    """A figure that somebody set, as they wrote it: 0.7, 25."""
    return f"{value:g}"


def share_axis(part: float) -> str:
    """A share as it stands at a tick, where 0.5 % must not read 0 %."""
    size = f"{100 * abs(_finite(part)):.3g}"
    return f"{_sign(part, size)}{size}{GAP}%"


def points(change: float) -> str:
    """A difference of two shares in percentage points: 0.113 is +11.3."""
    return difference(100 * change, 1)


def money(amount: float, currency: str = "€") -> str:
    """An amount in three digits: €42,000, −€945, £5.71m."""
    size = abs(_finite(amount))
    rounded = float(f"{size:.3g}")
    printed = f"{rounded / 1e6:.3g}m" if rounded >= 1e6 else f"{rounded:,.0f}"
    return f"{_sign(amount, printed)}{currency}{printed}"


def money_difference(amount: float, currency: str = "€") -> str:
    return _plus(amount, money(amount, currency))


def money_axis(amount: float, currency: str = "€") -> str:
    """An amount as it stands at a tick: €0, €10k, −€2.5k, €1.5m."""
    size = abs(_finite(amount))
    units = ((1e6, "m"), (1e3, "k"))
    printed = next((f"{size / unit:.4g}{name}" for unit, name in units if size >= unit), f"{size:.4g}")
    return f"{_sign(amount, printed)}{currency}{printed}"


def check_drawable(interval: Interval) -> Interval:
    """The interval, if it can stand on an axis.

    Raises: PerennialError when a figure is not finite or the ends stand in the wrong order.
    """
    ends = (interval.value, interval.low, interval.high)
    if not all(map(math.isfinite, ends)) or interval.low > interval.high:
        raise PerennialError(
            f"the interval [{interval.low}, {interval.high}] of the estimate {interval.value} cannot be drawn: "
            "give finite figures with the lower end first, or leave the estimate out"
        )
    return interval


def bracket(interval: Interval, show: Format) -> str:
    """The interval as tables have it: [+0.008, +0.029]."""
    return f"[{show(interval.low)}, {show(interval.high)}]"


def estimate(interval: Interval, show: Format) -> str:
    """The estimate and its interval: +0.019 [+0.008, +0.029]."""
    return f"{show(interval.value)} {bracket(interval, show)}"


def between(interval: Interval, show: Format) -> str:
    """The interval as text has it: between €37,900 and €45,900, between 31 and 35 %."""
    low, high = show(interval.low), show(interval.high)
    percent = f"{GAP}%"
    return f"between {low.removesuffix(percent) if high.endswith(percent) else low} and {high}"


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise PerennialError(f"the figure {value} cannot be printed: leave it out, or say why it is missing")
    return value


def _sign(value: float, size: str) -> str:
    return MINUS if value < 0 and size.strip("0.,km") else ""


def _plus(value: float, printed: str) -> str:
    return f"+{printed}" if value > 0 and any(digit in printed for digit in "123456789") else printed


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


METRIC_NAMES = {
    "auc": "AUC",
    "ap": "AP",
    "ap_sample": "AP in the file",
    "log_loss": "Log loss",
    "brier": "Brier",
    "qini": "Qini",
    "accuracy": "Accuracy",
    "macro_f1": "Mean F1",
    "kappa": "Kappa",
    "gini_norm": "Gini",
    "mae": "Mean abs. error",
    "stability": "Agreement",
    "normalised_entropy": "Norm. entropy",
}
LOWER_IS_BETTER = {"log_loss", "brier", "mae", "normalised_entropy"}
