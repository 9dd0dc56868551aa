"""Customers at cut-offs: what was known before each, what came after, and where every event went."""

from __future__ import annotations

import datetime as dt
import itertools
from statistics import median
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.contract.model import Contract
from perennial.data.names import CUTOFF, ENTITY, LABEL_END, ORDER, ROW_ID, conserve_rows
from perennial.data.prepare.cutoffs import check_windows, find_last_day
from perennial.data.prepare.featurize import featurize
from perennial.errors import DataStopped
from tests.fakes.contracts import contract_of_log

pytestmark = pytest.mark.unit

LOG: dict[str, Any] = {"from": "orders"}
FEATURES: dict[str, Any] = {
    "last": {"kind": "recency", **LOG},
    "tenure": {"kind": "tenure", **LOG},
    "gap": {"kind": "gap", **LOG},
    "overdue": {"kind": "overdue", **LOG},
    "baskets": {"kind": "distinct", "of": "basket", **LOG},
    "baskets_5d": {"kind": "distinct", "of": "basket", "days": 5, **LOG},
    "items": {"kind": "distinct", "of": "item", **LOG},
    "lines": {"kind": "count", **LOG},
    "spent": {"kind": "sum", "of": "amount", **LOG},
    "basket_value": {"kind": "per", "of": "amount", "per": "basket", **LOG},
    "lines_a_basket": {"kind": "per", "per": "basket", **LOG},
}
JANUARY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Order = tuple[str | None, int, str, str, int]  # whose, day of January, basket, item, cents


def contract(**unit: Any) -> Contract:
    return contract_of_log(unit={"features": FEATURES, **unit})


def frame(orders: list[Order]) -> pl.DataFrame:
    """Orders as clean leaves them, each at 23:59 of its day."""
    rows = [
        (f"e{i}", who, who, JANUARY + dt.timedelta(days=day - 1, hours=23, minutes=59), basket, item, 1, cents / 100)
        for i, (who, day, basket, item, cents) in enumerate(orders)
    ]
    schema = {
        ROW_ID: pl.String,
        ENTITY: pl.String,
        "who": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "basket": pl.String,
        "item": pl.String,
        "n": pl.Int64,
        "price": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(amount=pl.col("n") * pl.col("price"))


def made(orders: list[Order], document: Contract) -> tuple[pl.DataFrame, dict[str, str]]:
    """The units in their order, and the reason of each event that feeds none; every event is at one place."""
    log = frame(orders)
    out = featurize({"orders": nw.from_native(log.lazy())}, document)
    unused = pl.concat(part.to_native().collect() for part in out.unused)
    conserve_rows("test", "orders", log[ROW_ID], fed=out.fed["orders"].to_native().collect()[ROW_ID], unused=unused[ROW_ID])
    return out.units.to_native().collect().sort(ORDER), dict(unused.select(ROW_ID, "reason").iter_rows())


ORDERS: list[Order] = [
    ("ann", 1, "b1", "cup", 250),
    ("ann", 1, "b1", "tea", 125),
    ("ann", 4, "b2", "cup", 250),
    ("ann", 10, "b3", "tea", 125),
    ("ann", 11, "b4", "pot", 999),
    ("bob", 20, "b5", "cup", 250),
    ("cid", 31, "b6", "cup", 250),
    (None, 3, "b7", "cup", 1),
    ("bob", 42, "b8", "cup", 250),
]


def test_a_unit_is_a_customer_with_an_order_before_the_cut_off() -> None:
    units, _ = made(ORDERS, contract())
    assert units[ROW_ID].to_list() == ["ann@2026-01-11", "ann@2026-01-21", "bob@2026-01-21", "ann@2026-01-31", "bob@2026-01-31"]
    assert units[ENTITY].to_list() == ["ann", "ann", "bob", "ann", "bob"]
    assert units[ORDER].to_list() == [0, 1, 2, 3, 4]
    assert units[CUTOFF][0] == dt.date(2026, 1, 11)
    assert (units[LABEL_END] - units[CUTOFF]).unique().to_list() == [dt.timedelta(days=10)]


def test_each_kind_of_feature_as_of_the_first_cut_off() -> None:
    ann = made(ORDERS, contract())[0].row(0, named=True)
    assert {name: ann[name] for name in FEATURES} == {
        "last": 1.0,
        "tenure": 10.0,
        "gap": 4.5,
        "overdue": 1 / 4.5,
        "baskets": 3.0,
        "baskets_5d": 1.0,
        "items": 2.0,
        "lines": 4.0,
        "spent": 7.5,
        "basket_value": 2.5,
        "lines_a_basket": 4 / 3,
    }


def test_nobody_has_a_rhythm_with_orders_on_fewer_than_three_days() -> None:
    same_day: list[Order] = [("ann", 1, "b1", "cup", 1), ("ann", 5, "b2", "cup", 1), ("ann", 5, "b3", "cup", 1)]
    units, _ = made(same_day, contract())
    assert units["baskets"][0] == 3.0
    assert (units["gap"][0], units["overdue"][0]) == (None, None)


def test_an_outcome_is_an_order_from_the_cut_off_on_until_its_window_ends() -> None:
    units, _ = made(ORDERS, contract())
    again = dict(units.select(ROW_ID, "again").iter_rows())
    assert again["ann@2026-01-11"] == 1, "an order of the cut-off's own day is outcome, not history"
    assert again["ann@2026-01-21"] == 0
    assert units.schema["again"] == pl.Int64
    edge: list[Order] = [
        ("ann", 1, "b", "cup", 1),
        ("bob", 1, "b", "cup", 1),
        ("ann", 20, "c", "cup", 1),
        ("bob", 21, "c", "cup", 1),
    ]
    first, _ = made(edge, contract())
    assert first.filter(pl.col(CUTOFF) == dt.date(2026, 1, 11))["again"].to_list() == [1, 0], "10 days: 11 to 20"


def test_what_is_spent_afterwards_may_be_the_outcome_too() -> None:
    target = {
        "again": {"kind": "any", **LOG, "after_days": 10},
        "spend": {"kind": "sum", "of": "amount", **LOG, "after_days": 10},
        "tea": {"kind": "any", **LOG, "where": {"item": "tea"}, "after_days": 2},
    }
    units, _ = made(ORDERS, contract(target=target))
    assert units["spend"].to_list() == [9.99, 0.0, 0.0, 0.0, 0.0]
    assert units["tea"].to_list() == [0, 0, 0, 0, 0]


def test_every_order_feeds_a_unit_or_is_listed_with_its_reason() -> None:
    _, unused = made(ORDERS, contract())
    assert unused == {"e6": "no history before the cut-off", "e7": "no entity", "e8": "outside every window"}


def test_a_short_history_forgets() -> None:
    units, unused = made(ORDERS, contract(history=10))
    assert units[ROW_ID].to_list() == ["ann@2026-01-11", "ann@2026-01-21", "bob@2026-01-21"]
    assert units["lines"].to_list() == [4.0, 1.0, 1.0]
    assert unused["e6"] == "no history before the cut-off"


orders_of = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cid", None]),
        st.integers(1, 45),
        st.sampled_from(["b1", "b2", "b3", "b4"]),
        st.sampled_from(["cup", "tea"]),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=25,
)


@given(orders_of, st.randoms())
@settings(max_examples=25, deadline=None)
def test_units_are_what_a_plain_loop_gives_in_any_order(orders: list[Order], chance: Any) -> None:
    result = contract()
    units, _ = made(orders, result)
    for unit in units.to_dicts():
        day = unit[CUTOFF].day
        mine = [order for order in orders if order[0] == unit[ENTITY] and order[1] < day]
        days = sorted({order[1] for order in mine})
        steps = [later - sooner for sooner, later in itertools.pairwise(days)]
        assert mine
        assert unit["lines"] == len(mine)
        assert (unit["last"], unit["tenure"]) == (day - days[-1], day - days[0])
        assert unit["baskets"] == len({order[2] for order in mine})
        assert unit["spent"] == pytest.approx(sum(order[4] for order in mine) / 100, rel=1e-15)
        assert unit["gap"] == (median(steps) if len(days) >= 3 else None)
        assert unit["overdue"] == (pytest.approx((day - days[-1]) / median(steps)) if len(days) >= 3 else None)
        assert unit["again"] == any(o[0] == unit[ENTITY] and day <= o[1] < day + 10 for o in orders)
    shuffled = list(orders)
    chance.shuffle(shuffled)
    assert made(shuffled, result)[0].equals(units)


@given(orders_of, orders_of)
@settings(max_examples=25, deadline=None)
def test_an_order_on_or_after_the_cut_off_changes_no_feature(orders: list[Order], more: list[Order]) -> None:
    result = contract(cutoffs={"train": ["2026-01-11"], "test": ["2026-01-31"]})
    first = dt.date(2026, 1, 11)
    later = [(who, max(day, 11), basket, item, cents) for who, day, basket, item, cents in more]
    before, after = (made(log, result)[0].filter(pl.col(CUTOFF) == first).drop("again") for log in (orders, orders + later))
    assert after.equals(before)


def test_an_outcome_that_is_not_known_yet_stops() -> None:
    document, log = contract(), {"orders": nw.from_native(frame(ORDERS[:7]).lazy())}
    words = r"again of cut-off 2026-01-31 is known on 2026-02-10, the last row of orders is of 2026-01-31: choose an earlier"
    with pytest.raises(DataStopped, match=words):
        check_windows(log, document, dt.date(2026, 1, 31))
    check_windows(log, document, dt.date(2026, 1, 21))
    assert find_last_day(log, document, ["orders"]) == dt.date(2026, 1, 31)
    nothing = {"orders": nw.from_native(frame([]).lazy())}
    assert find_last_day(nothing, document, ["orders"]) is None
    with pytest.raises(DataStopped, match="the last row of orders is of None"):
        check_windows(nothing, document, dt.date(2026, 1, 21))
