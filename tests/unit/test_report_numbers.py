"""How figures are printed in the report."""

from __future__ import annotations

import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.charts import numbers as n
from perennial.charts.numbers import GAP, MINUS
from perennial.errors import PerennialError
from perennial.results.figures import Interval

pytestmark = pytest.mark.unit

CASES = [
    (n.count(41188), "41,188"),
    (n.count(0), "0"),
    (n.decimal(0.8124), "0.812"),
    (n.decimal(-0.0004), "0.000"),
    (n.decimal(-1234.5, 1), f"{MINUS}1,234.5"),
    (n.difference(0.019), "+0.019"),
    (n.difference(-0.002), f"{MINUS}0.002"),
    (n.difference(0.0001), "0.000"),
    (n.share(0.2196), f"22{GAP}%"),
    (n.share(-0.004), f"0{GAP}%"),
    (n.share_axis(0.005), f"0.5{GAP}%"),
    (n.share_axis(1), f"100{GAP}%"),
    (n.points(0.1131), "+11.3"),
    (n.points(-0.0004), "0.0"),
    (n.money(42034), "€42,000"),
    (n.money(9996), "€10,000"),
    (n.money(-945.3), f"{MINUS}€945"),
    (n.money(0), "€0"),
    (n.money(-0.2), "€0"),
    (n.money(5_712_345, "£"), "£5.71m"),
    (n.money(999_999, "£"), "£1m"),
    (n.money_difference(2400), "+€2,400"),
    (n.money_difference(-1500), f"{MINUS}€1,500"),
    (n.money_difference(0.1), "€0"),
    (n.money_axis(-2500), f"{MINUS}€2.5k"),
    (n.money_axis(10000), "€10k"),
    (n.money_axis(1.5e6), "€1.5m"),
    (n.money_axis(0), "€0"),
    (n.money_axis(400, "$"), "$400"),
]


@pytest.mark.parametrize(("printed", "wanted"), CASES)
def test_each_kind_of_figure_has_one_form(printed: str, wanted: str) -> None:
    assert printed == wanted


def test_an_estimate_is_printed_with_its_interval() -> None:
    change = Interval(value=0.019, low=0.008, high=0.029)
    assert n.estimate(change, n.difference) == "+0.019 [+0.008, +0.029]"
    assert n.bracket(Interval(value=1, low=-400, high=4900), n.money) == f"[{MINUS}€400, €4,900]"


def test_text_says_between_and_names_percent_once() -> None:
    assert n.between(Interval(value=42000, low=37900, high=45900), n.money) == "between €37,900 and €45,900"
    assert n.between(Interval(value=0.33, low=0.31, high=0.35), n.share) == f"between 31 and 35{GAP}%"


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_a_sign_stands_exactly_where_the_printed_figure_is_not_zero(value: float, places: int) -> None:
    printed = n.difference(value, places)
    shown = float(printed.replace(MINUS, "-").replace(",", ""))
    assert (printed[0] in f"+{MINUS}") == (shown != 0)
    assert "-" not in printed
    assert math.isclose(shown, value, abs_tol=0.5 * 10**-places + 1e-6)


@given(st.floats(-1e12, 1e12))
def test_money_has_at_most_three_digits_that_are_not_zero(amount: float) -> None:
    digits = "".join(c for c in n.money(amount) if c.isdigit()).strip("0")
    assert len(digits) <= 3 or abs(amount) >= 1e9


@pytest.mark.parametrize("show", [n.decimal, n.money, n.money_axis, n.share, n.share_axis, partial(n.difference, places=1)])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_missing_is_not_printed(show: n.Format, value: float) -> None:
    with pytest.raises(PerennialError, match=r"the figure (nan|inf) cannot be printed: leave it out"):
        show(value)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.1), (math.nan, 1.0), (0.0, math.inf)])
def test_an_interval_has_finite_ends_in_order(low: float, high: float) -> None:
    with pytest.raises(PerennialError, match=r"of the estimate 0\.2 cannot be drawn: give finite figures"):
        n.check_drawable(Interval(value=0.2, low=low, high=high))
