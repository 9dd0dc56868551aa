"""Events become columns of a unit as of a date, exactly; an event feeds a unit or is listed with its reason."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.contract.model import Contract
from perennial.data.names import ENTITY, ORDER, ROW_ID
from perennial.data.prepare.featurize import featurize
from tests.fakes.contracts import contract, contract_document

pytestmark = pytest.mark.unit

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BUY: dict[str, Any] = {"from": "orders", "where": {"kind": "buy"}}
FEATURES = {
    "tenure": {"kind": "days_since", "of": "joined"},
    "years": {"kind": "years_since", "of": "age"},
    "n": {"kind": "count", **BUY},
    "n_30d": {"kind": "count", **BUY, "days": 30},
    "spent": {"kind": "sum", "of": "amount", **BUY},
    "basket": {"kind": "mean", "of": "amount", **BUY},
    "last": {"kind": "recency", **BUY},
    "by": {"kind": "count_by", "by": "kind", "from": "orders"},
}
PEOPLE = ("ann", "bob", "cid")
Event = tuple[str, int, str, Decimal | None]  # whose, days before the as-of date, kind, amount


def made(happened: list[Event], **changes: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units by order, and the rows that feed none."""
    made_of: Contract = contract(**{"unit": {"features": FEATURES}, **changes})
    main = pl.DataFrame(
        {
            "who": PEOPLE,
            "joined": [dt.date(2025, 12, 31), dt.date(2025, 1, 1), None],
            "age": [2000, 1990, None],
            "town": ["a", "b", None],
            "y": [0, 1, 0],
            ROW_ID: ["m0", "m1", "m2"],
            ORDER: [0, 1, 2],
            ENTITY: PEOPLE,
        }
    )
    orders = pl.DataFrame(
        [
            (f"e{i}", who, AS_OF - dt.timedelta(days=days) + dt.timedelta(hours=1), kind, None if a is None else float(a))
            for i, (who, days, kind, a) in enumerate(happened)
        ],
        schema={ROW_ID: pl.String, "who": pl.String, "at": pl.Datetime("us", "UTC"), "kind": pl.String, "amount": pl.Float64},
        orient="row",
    ).with_columns(order=pl.col(ROW_ID))
    tables = {"main": nw.from_native(main.lazy()), "orders": nw.from_native(orders.lazy())}
    out = featurize(tables, made_of)
    unused = [part.to_native().collect() for part in out.unused]
    return out.units.to_native().collect().sort(ORDER), pl.concat(unused)


def test_each_kind_of_feature() -> None:
    units, unused = made(
        [
            ("ann", 1, "buy", Decimal("0.10")),
            ("ann", 30, "buy", Decimal("0.20")),
            ("ann", 31, "buy", None),
            ("ann", 9, "look", Decimal("99")),
            ("bob", 400, "look", None),
            ("zoe", 1, "buy", Decimal("1")),
        ]
    )
    assert units.select(*FEATURES.keys() - {"by"}, "by_buy", "by_look", ROW_ID).to_dicts() == [
        {
            "tenure": 1.0,
            "years": 26.0,
            "n": 3.0,
            "n_30d": 2.0,
            "spent": 0.3,
            "basket": 0.15,
            "last": 1.0,
            "by_buy": 3.0,
            "by_look": 1.0,
            ROW_ID: "m0",
        },
        {
            "tenure": 365.0,
            "years": 36.0,
            "n": 0.0,
            "n_30d": 0.0,
            "spent": 0.0,
            "basket": None,
            "last": None,
            "by_buy": 0.0,
            "by_look": 1.0,
            ROW_ID: "m1",
        },
        {
            "tenure": None,
            "years": None,
            "n": 0.0,
            "n_30d": 0.0,
            "spent": 0.0,
            "basket": None,
            "last": None,
            "by_buy": 0.0,
            "by_look": 0.0,
            ROW_ID: "m2",
        },
    ]
    assert unused.rows() == [("e5", "orders", "no entity")]


def test_only_chosen_rows_are_units_and_the_others_are_listed() -> None:
    events: list[Event] = [("ann", 1, "buy", None), ("bob", 1, "buy", None), ("zoe", 1, "buy", None)]
    units, unused = made(events, unit={"features": FEATURES, "where": {"town": ["a"]}})
    assert units[ENTITY].to_list() == ["ann"]
    assert sorted(unused.rows()) == [
        ("e1", "orders", "entity not in unit.where"),
        ("e2", "orders", "no entity"),
        ("m1", "main", "not in unit.where"),
        ("m2", "main", "not in unit.where"),
    ]


def test_a_contract_without_events_passes_its_rows_through() -> None:
    plain = contract(events={}, unit={"features": {}})
    main = pl.DataFrame(
        {
            "who": ["ann"],
            "joined": [dt.date(2025, 1, 1)],
            "age": [3],
            "town": ["a"],
            "y": [1],
            ROW_ID: ["m"],
            ORDER: [0],
            ENTITY: ["ann"],
            "_content": ["c"],
        }
    )
    out = featurize({"main": nw.from_native(main.lazy())}, plain)
    assert out.unused == []
    assert out.units.to_native().collect().to_dicts() == [
        {ROW_ID: "m", ENTITY: "ann", ORDER: 0, "joined": dt.date(2025, 1, 1), "age": 3, "town": "a", "y": 1}
    ]


def test_whole_numbers_are_summed_too() -> None:
    table = contract_document()["events"]["orders"]
    columns = {**table["columns"], "amount": {"role": "numeric", "type": "int"}}
    events: list[Event] = [("ann", 1, "buy", Decimal(7)), ("ann", 2, "buy", Decimal(-2))]
    units, _ = made(events, events={"orders": {**table, "columns": columns}})
    assert units["spent"].to_list() == [5.0, 0.0, 0.0]


events_of = st.lists(
    st.tuples(
        st.sampled_from([*PEOPLE, "zoe"]),
        st.integers(1, 400),
        st.sampled_from(["buy", "look"]),
        st.one_of(st.none(), st.decimals(0, 10**6, places=2)),
    ),
    max_size=25,
)


@given(events_of, st.randoms())
@settings(max_examples=20, deadline=None)
def test_features_are_what_a_plain_loop_gives_in_any_order(events: list[Event], chance: Any) -> None:
    units, unused = made(events)
    for unit, who in zip(units.to_dicts(), PEOPLE, strict=True):
        mine = [(days, amount) for whose, days, kind, amount in events if (whose, kind) == (who, "buy")]
        paid = [amount for _, amount in mine if amount is not None]
        assert unit["n"] == len(mine)
        assert unit["n_30d"] == sum(days <= 30 for days, _ in mine)
        assert unit["spent"] == pytest.approx(float(sum(paid, Decimal())), rel=1e-15)  # Polars multiplies by 1/100
        assert unit["basket"] == (pytest.approx(float(sum(paid, Decimal())) / len(paid), rel=1e-15) if paid else None)
        assert unit["last"] == min((days for days, _ in mine), default=None)
    assert unused.height == sum(whose == "zoe" for whose, *_ in events)
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert made(shuffled)[0].equals(units)


def test_a_long_list_of_cents_is_summed_without_a_rounding() -> None:
    events: list[Event] = [("ann", 1, "buy", Decimal("0.01")) for _ in itertools.repeat(None, 3000)]
    assert made(events)[0]["spent"][0] == 30.0
