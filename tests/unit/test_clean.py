"""Which rows clean lets go, and why; it never judges."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.contract.columns import Column
from perennial.data.names import CONTENT, ORDER
from perennial.data.prepare.clean import WHY, clean
from tests.fakes.contracts import contract_of_log

pytestmark = pytest.mark.unit

PLAIN = {"x": Column(role="numeric")}
KEYED = {"x": Column(role="id", unique=True)}
FILTERED = {"x": Column(role="entity", when_missing="filter")}


def why(
    content: list[str], columns: dict[str, Column], *, drop: bool = False, x: list[str | None] | None = None
) -> list[str | None]:
    frame = pl.DataFrame(
        {"x": x or content, CONTENT: content, ORDER: range(len(content))},
        schema={"x": pl.String, CONTENT: pl.String, ORDER: pl.Int64},
    )
    marked = clean(nw.from_native(frame.lazy()), columns, drop_duplicates=drop).to_native().collect()
    assert marked.drop(WHY).equals(frame)
    reasons: list[str | None] = marked[WHY].to_list()
    return reasons


def test_the_first_of_equal_rows_stays_where_duplicates_are_dropped() -> None:
    assert why(["a", "b", "a", "a"], PLAIN, drop=True) == [None, None, "duplicate", "duplicate"]


def test_equal_rows_of_a_table_without_an_id_are_different_rows_unless_declared() -> None:
    assert why(["a", "a"], PLAIN) == [None, None]


def test_equal_rows_of_a_table_with_an_id_always_go() -> None:
    assert why(["a", "a"], KEYED) == [None, "duplicate"]


def test_rows_without_a_filtered_column_are_listed_under_it() -> None:
    assert why(["1", "2", "2"], FILTERED, drop=True, x=["a", None, None]) == [None, "no x", "no x"]


def test_nothing_to_do_and_nothing_there() -> None:
    assert why([], KEYED, drop=True) == []


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_one_row_of_each_content_stays(content: list[str]) -> None:
    remaining = [c for c, reason in zip(content, why(content, PLAIN, drop=True), strict=True) if reason is None]
    assert remaining == list(dict.fromkeys(content))


LOG = contract_of_log().events["orders"]


def orders(*rows: tuple[str | None, str, int | None, float | None]) -> pl.DataFrame:
    """Whose, basket, number, price, as clean marks them."""
    schema = {"who": pl.String, "basket": pl.String, "n": pl.Int64, "price": pl.Float64}
    frame = pl.DataFrame(list(rows), schema=schema, orient="row").with_columns(
        pl.int_range(pl.len()).alias(ORDER), pl.int_range(pl.len()).cast(pl.String).alias(CONTENT)
    )
    return clean(nw.from_native(frame.lazy()), LOG.columns, LOG, drop_duplicates=True).to_native().collect()


def test_a_filtered_event_is_listed_with_its_reason_the_first_that_holds() -> None:
    marked = orders(
        ("a", "1", 2, 1.5),
        (None, "C1", 0, 0.0),
        ("a", "C1", 0, 0.0),
        ("a", "1C", 1, 1.0),
        ("a", "2", 0, 1.0),
        ("a", "2", 1, -1.0),
    )
    assert marked[WHY].to_list() == [None, "no who", "cancelled", None, "n is not above 0", "price is not above 0"]


def test_a_derived_column_is_the_product_and_null_passes_a_filter() -> None:
    marked = orders(("a", "1", 3, 0.25), ("a", "1", None, 1.0), ("a", "1", 1, None), ("a", "1", 10**15, 10.0**9))
    assert marked["amount"].to_list() == [0.75, None, None, 1e24]
    assert marked[WHY].to_list() == [None, None, None, "amount is beyond 2^53"]
