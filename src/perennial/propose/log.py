"""A log of events in, a contract that asks which of its customers will come again out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from perennial.contract.columns import Column
from perennial.data.io.cast import cast_columns
from perennial.data.io.read import Block
from perennial.errors import InputError
from perennial.propose.confirm import confirm
from perennial.propose.kinds import Keys, Kind, is_key, name_of
from perennial.propose.names import names_rows, names_somebody
from perennial.propose.profile import Looked

_OWNER = re.compile(
    r"(?i)customer|client|user|account|member|person|visitor|subscriber|patient|kunde|device|session_?user"
)
_VISIT = re.compile(r"(?i)session|visit|device")  # of which one somebody has many
_BASKET = re.compile(r"(?i)invoice|order|basket|cart|session|transaction|receipt|visit_?id")
_ITEM = re.compile(r"(?i)stock|sku|item|product|article|description|page|content|category")
_COUNT = re.compile(r"(?i)[a-z]s\Z|type|status|count|age\Z|segment|group|region|state|city|country|lifetime")
_MEASURE = re.compile(r"(?i)revenue|amount|value|price|total|sum|quantity|cost|device|browser|channel")
_FEW = 20  # values of a column that names nobody and nothing
_PIECES = re.compile(r"(?i)\A(?:quantity|qty|units|pieces|count|menge)\Z")
_PRICE = re.compile(r"(?i)(?:unit_?|item_?)?price\Z|unitprice")
_AMOUNT = re.compile(r"(?i)amount|revenue|sales|total|value|spend|payment|betrag|price")
_HORIZONS = (90, 60, 30, 14, 7, 3, 1)
_CUTOFFS = 3
TABLE = "events"
_UNUSED = {"role": "ignore", "why": "no sum or count is made of it"}


def is_log(looked: Looked, kinds: dict[str, Kind]) -> bool:
    """Whether rows are events: a moment in every row, and somebody who comes again and again."""
    return _time(looked, kinds) is not None and _owner(looked, kinds) is not None


def _time(looked: Looked, kinds: dict[str, Kind]) -> str | None:
    found = [name for name, kind in kinds.items() if kind.what == "date" and looked.columns[name].empty == 0]
    return max(found, key=lambda name: looked.columns[name].distinct, default=None)


def _owner(looked: Looked, kinds: dict[str, Kind]) -> str | None:
    """Called so, and there more than once and a half on average; where nobody is, the only keys that come again."""
    columns = looked.columns
    again = [
        name for name, kind in kinds.items() if kind.what in {"categorical", "numeric"}
        and _FEW < columns[name].distinct < columns[name].told / 1.5 and columns[name].empty < 0.5 * columns[name].rows
    ]  # fmt: skip
    found = [name for name in again if _names(name, kinds[name])]
    if not found:
        keys = [name for name in again if is_key(columns[name])]
        return keys[0] if len(keys) == 1 else None
    return max(found, key=lambda name: (not _VISIT.search(name), columns[name].distinct))


def _names(name: str, kind: Kind) -> bool:
    """A number is called the number of somebody, or it may be how many there were: Customers."""
    return _OWNER.search(name) is not None and (
        names_somebody(name) or names_rows(name) or (kind.what == "categorical" and not _COUNT.search(name))
    )


def log_contract(
    name: str, source: Keys, looked: Looked, kinds: dict[str, Kind], blocks: Callable[[], Iterator[Block]]
) -> tuple[Keys, dict[str, dict[str, str]], str]:
    """The contract, the reasons of its guesses, and what they set aside, in words.

    Raises: InputError when the log is too short for an outcome to be known.
    """
    owner, time = _owner(looked, kinds), _time(looked, kinds)
    assert owner is not None
    assert time is not None
    columns, why = _columns(looked, kinds, owner, time)
    confirmed = confirm(columns, why, looked, blocks)
    columns |= {c: dict(_UNUSED) for c, keys in columns.items() if keys["role"] in {"categorical", "text"}}
    first, last = _span(looked.sample, time, kinds[time].keys)
    horizon, cutoffs = _cutoffs(first, last)
    soft = [guess for guess in confirmed.rules if columns[guess.rule["column"]]["role"] != "ignore"]
    why |= {guess.name: guess.why for guess in soft}
    table: Keys = {"columns": columns, "rules": [guess.rule for guess in soft]}
    derive, filters = _derived(looked, columns)
    if derive:
        table["derive"] = derive
    if filters:
        table["filters"] = filters
    target = "comes_again"
    contract: dict[str, Any] = {
        "task": {
            "kind": "binary", "question": f"Who will come again in the next {horizon} days?", "target": target,
            "primary": "auc", "minimum": 0.55,
        },
        "source": source,
        "columns": {},
        "rules": [],
        "events": {TABLE: table},
        "unit": {
            "rows": "entity_by_cutoff",
            "cutoffs": {"train": [str(day) for day in cutoffs[:-1]], "test": [str(cutoffs[-1])]},
            "history": "all",
            "duplicates": "keep",
            "target": {target: {"kind": "any", "from": TABLE, "after_days": horizon, "label": "come again"}},
            "features": _features(columns, derive, horizon),
        },
        "split": {"kind": "cutoff", "val_share_of_entities": 0.2, "salt": f"{name}-1"},
        "sampling": {},
        "leakage_suspects": [],
        "slices": [],
        "money": {},
    }  # fmt: skip
    days = f"the log goes from {first} to {last}, so that {horizon} days after the last cut-off are known"
    return (
        contract,
        {"events": why, "unit": {"cutoffs": days}, "task": {"": "rows are events, and nothing else is asked"}},
        confirmed.lost,
    )


def _columns(looked: Looked, kinds: dict[str, Kind], owner: str, time: str) -> tuple[Keys, dict[str, str]]:
    columns: Keys = {}
    why: dict[str, str] = {}
    basket = next(
        (
            n
            for n in looked.columns
            if _BASKET.search(n)
            and not _MEASURE.search(n)
            and n not in {owner, time}
            and looked.columns[n].twice
            and kinds[n].what in {"categorical", "numeric"}
            and looked.columns[n].distinct > _FEW
        ),
        None,
    )
    item = next(
        (n for n in looked.columns if _ITEM.search(n) and not _MEASURE.search(n) and n not in {owner, time, basket}
         and looked.columns[n].twice and kinds[n].what in {"categorical", "text", "numeric"}), None,
    )  # fmt: skip
    for name, kind in kinds.items():
        if name == owner:
            per = looked.columns[name].told / looked.columns[name].distinct
            columns[name] = name_of("entity", looked.columns[name]) | {"when_missing": "filter"} | _null(kind)
            nobody = looked.columns[name].empty / looked.columns[name].rows
            of_nobody = f"; {nobody:.1%} of the events are nobody's, and left out" if nobody else ""
            why[name] = f"whose event it is: {per:.1f} rows each{of_nobody}"
        elif name == time:
            columns[name], why[name] = kind.keys, "when it was"
        elif name in {basket, item}:
            role = "basket" if name == basket else "item"
            columns[name] = name_of(role, looked.columns[name]) | _null(kind)
            why[name] = "events that belong together" if role == "basket" else "what it was about"
        elif kind.what == "numeric" or kind.what == "contact":
            columns[name], why[name] = kind.keys, kind.because
        else:
            columns[name] = dict(_UNUSED)
            why[name] = kind.because
    return columns, why


def _null(kind: Kind) -> Keys:
    return {"null": list(kind.null)} if kind.null else {}


def _derived(looked: Looked, columns: Keys) -> tuple[Keys, list[Keys]]:
    """What a line costs, where pieces and price are there; lines that take something back are no purchase."""
    numbers = [name for name, keys in columns.items() if keys["role"] == "numeric"]
    pieces = next((name for name in numbers if _PIECES.search(name)), None)
    price = next((name for name in numbers if _PRICE.search(name)), None)
    derive = {"amount_of_line": {"kind": "product", "of": [pieces, price]}} if pieces and price else {}
    below = [name for name in (pieces, price) if name and looked.columns[name].least <= 0]
    return derive, [
        {"kind": "above", "columns": below, "value": 0, "why": "nothing bought, or taken back"}
    ] if below else []


def _features(columns: Keys, derive: Keys, horizon: int) -> Keys:
    basket = next((name for name, keys in columns.items() if keys["role"] == "basket"), None)
    item = next((name for name, keys in columns.items() if keys["role"] == "item"), None)
    numbers = [name for name, keys in columns.items() if keys["role"] == "numeric"]
    amounts = [*derive, *(name for name in numbers if _AMOUNT.search(name))][:1] or numbers[:1]
    near = max(horizon // 3, 1)
    found: Keys = {
        "last": {"kind": "recency", "from": TABLE, "label": "days since the last event"},
        "tenure": {"kind": "tenure", "from": TABLE, "label": "days since the first event"},
        "gap": {"kind": "gap", "from": TABLE, "label": "usual days between events"},
        "overdue": {"kind": "overdue", "from": TABLE, "label": "days since the last event, in usual gaps"},
        "n_events": {"kind": "count", "from": TABLE, "label": "events"},
    }
    for days in (near, horizon):
        found[f"n_events_{days}d"] = {"kind": "count", "from": TABLE, "days": days, "label": f"events in {days} days"}
    for what, column in (("baskets", basket), ("items", item)):
        if column is not None:
            found[f"n_{what}"] = {"kind": "distinct", "of": column, "from": TABLE, "label": f"different {what}"}
    for amount in amounts:
        label = amount.replace("_", " ")
        found["total"] = {"kind": "sum", "of": amount, "from": TABLE, "label": f"sum of {label}"}
        found[f"total_{horizon}d"] = {
            "kind": "sum", "of": amount, "from": TABLE, "days": horizon, "label": f"sum of {label} in {horizon} days",
        }  # fmt: skip
        found["mean"] = {"kind": "mean", "of": amount, "from": TABLE, "label": f"mean {label}"}
    return found


def _span(sample: pl.DataFrame, time: str, keys: Keys) -> tuple[dt.date, dt.date]:
    moments = (
        cast_columns(sample.select(time), {time: Column.model_validate(keys)}).frame[time].drop_nulls().cast(pl.Date)
    )
    first, last = moments.min(), moments.max()
    assert isinstance(first, dt.date)
    assert isinstance(last, dt.date)
    return first, last


def _cutoffs(first: dt.date, last: dt.date) -> tuple[int, list[dt.date]]:
    """The longest horizon for which history, outcomes to train on and outcomes to test on fit into the log."""
    days = (last - first).days + 1
    for horizon in _HORIZONS:
        if days >= 4 * horizon:
            test = last - dt.timedelta(days=horizon)
            room = ((test - first).days - horizon) // horizon
            steps = range(min(_CUTOFFS, max(room, 1)), -1, -1)
            return horizon, [test - dt.timedelta(days=horizon * step) for step in steps]
    raise InputError(f"the log goes from {first} to {last}: too short to see who comes again; give --target")
