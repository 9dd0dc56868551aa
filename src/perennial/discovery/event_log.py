"""A log of events becomes the question which of its customers will come again: cut-offs, features, outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from perennial.contract.columns import Column
from perennial.contract.events import Above, EventTable, Product
from perennial.contract.features import AnyWithin, Feature
from perennial.contract.model import Contract, Cutoffs, Money, Sampling, Unit
from perennial.contract.rules import name_rule
from perennial.contract.source import Source
from perennial.contract.split import CutoffSplit
from perennial.contract.tasks import Binary
from perennial.data.io.cast import cast_columns
from perennial.data.io.read import Block
from perennial.discovery.column_types import TypedColumn, TypedColumns, draft_name, is_key
from perennial.discovery.confirm import confirm_columns
from perennial.discovery.contract_draft import ignored_column
from perennial.discovery.names import has_topic, is_entity_id, is_row_id
from perennial.discovery.profile import ColumnProfile, TableProfile
from perennial.errors import InputError

_MIN_VALUES = 20  # of a column that names somebody or something
_MIN_EVENTS = 1.5  # for each customer, on average
_HORIZONS = (90, 60, 30, 14, 7, 3, 1)  # days
_MAX_TRAIN_CUTOFFS = 3
_EVENTS = "events"  # the table's name
_TARGET = "comes_again"
_FEATURE = TypeAdapter[Feature](Feature)
_UNUSED = ignored_column("no sum or count is made of it")


@dataclass(frozen=True, kw_only=True)
class EventLog:
    """Columns of a log: the entity of each event, and its time."""

    entity: str
    time: str


@dataclass(frozen=True, kw_only=True)
class LogProposal:
    """The contract of a log, the reasons of its guesses, and what they set aside, in words."""

    contract: Contract
    reasons: Mapping[str, Mapping[str, str]]
    warning: str

    @property
    def columns(self) -> Mapping[str, Column]:
        return self.contract.events[_EVENTS].columns


def find_event_log(table: TableProfile, columns: TypedColumns) -> EventLog | None:
    """The log, if rows are events: a moment in every row, and somebody who comes again and again."""
    entity, time = _find_entity(table, columns), _find_time(table, columns)
    return None if entity is None or time is None else EventLog(entity=entity, time=time)


def _find_time(table: TableProfile, columns: TypedColumns) -> str | None:
    times = [name for name, column in columns.items() if column.type == "date" and table.columns[name].empty == 0]
    return max(times, key=lambda name: table.columns[name].distinct, default=None)


def _find_entity(table: TableProfile, columns: TypedColumns) -> str | None:
    """Called so, and there more than once and a half on average; where nobody is, the only keys that come again."""
    profiles = [
        table.columns[name]
        for name, column in columns.items()
        if column.type in {"categorical", "numeric"} and _comes_again(table.columns[name])
    ]
    owners = [profile for profile in profiles if _is_owner(profile.name, columns[profile.name])]
    if owners:  # of visits somebody has many
        return max(owners, key=lambda profile: (not has_topic(profile.name, "visit"), profile.distinct)).name
    keys = [profile.name for profile in profiles if is_key(profile)]
    return keys[0] if len(keys) == 1 else None


def _comes_again(profile: ColumnProfile) -> bool:
    return _MIN_VALUES < profile.distinct < profile.filled / _MIN_EVENTS and profile.empty < 0.5 * profile.rows


def _is_owner(name: str, column: TypedColumn) -> bool:
    """A number is called the number of somebody, or it may be how many there were: Customers."""
    is_word = column.type == "categorical" and not has_topic(name, "count")
    return has_topic(name, "owner") and (is_entity_id(name) or is_row_id(name) or is_word)


def propose_for_log(
    name: str,
    source: Source,
    table: TableProfile,
    columns: TypedColumns,
    log: EventLog,
    read_blocks: Callable[[], Iterator[Block]],
) -> LogProposal:
    """The contract of a log.

    Raises: InputError when the log is too short for an outcome to be known.
    """
    confirmation = confirm_columns(*_draft_columns(table, columns, log), table, read_blocks)
    drafts = {c: _UNUSED if d.role in {"categorical", "text"} else d for c, d in confirmation.columns.items()}
    first, last = _find_span(table, columns, log.time)
    horizon, cutoffs = _choose_cutoffs(first, last)
    expected = [one for one in confirmation.rules if drafts[one.rule.column].role != "ignore"]
    derive, filters = _derive_amounts(table, drafts)
    rules = [one.rule for one in expected]
    events = EventTable(columns=drafts, rules=tuple(rules), derive=derive, filters=filters)
    unit = Unit(
        rows="entity_by_cutoff",
        history="all",
        duplicates="keep",
        features=_draft_features(drafts, derive, horizon),
        cutoffs=Cutoffs(train=tuple(cutoffs[:-1]), test=tuple(cutoffs[-1:])),
        target={_TARGET: AnyWithin(kind="any", events=_EVENTS, after_days=horizon, label="come again")},
    )
    question = f"Who will come again in the next {horizon} days?"
    contract = Contract(
        task=Binary(kind="binary", question=question, target=_TARGET, primary="auc", minimum=0.55),
        source=source,
        columns={},
        rules=(),
        events={_EVENTS: events},
        unit=unit,
        split=CutoffSplit(kind="cutoff", val_share_of_entities=0.2, salt=f"{name}-1"),
        sampling=Sampling(),
        leakage_suspects=(),
        slices=(),
        money=Money(),
    )
    span = f"the log goes from {first} to {last}, so that {horizon} days after the last cut-off are known"
    reasons = {
        "events": confirmation.reasons | {name_rule(one.rule): one.reason for one in expected},
        "unit": {"cutoffs": span},
        "task": {"": "rows are events, and nothing else is asked"},
    }
    return LogProposal(contract=contract, reasons=reasons, warning=confirmation.warning)


def _draft_columns(table: TableProfile, columns: TypedColumns, log: EventLog) -> tuple[dict[str, Column], dict[str, str]]:
    """The columns of the events, and the reasons."""
    free = [name for name in columns if name not in {log.entity, log.time}]
    basket = next((name for name in free if _is_basket(table.columns[name], columns[name])), None)
    item = next((name for name in free if name != basket and _is_item(table.columns[name], columns[name])), None)
    drafts: dict[str, Column] = {}
    reasons: dict[str, str] = {}
    for name, column in columns.items():
        profile, null = table.columns[name], column.draft.null
        draft, reason = _UNUSED, column.reason
        if name == log.entity:
            draft, reason = draft_name("entity", profile, null, is_filter=True), _describe_entity(profile)
        elif name == log.time:
            draft, reason = column.draft, "when it was"
        elif name == basket:
            draft, reason = draft_name("basket", profile, null), "events that belong together"
        elif name == item:
            draft, reason = draft_name("item", profile, null), "what it was about"
        elif column.type in {"numeric", "contact"}:
            draft = column.draft
        drafts[name], reasons[name] = draft, reason
    return drafts, reasons


def _is_basket(profile: ColumnProfile, column: TypedColumn) -> bool:
    is_called_so = has_topic(profile.name, "basket") and not has_topic(profile.name, "measure")
    is_code = column.type in {"categorical", "numeric"} and profile.distinct > _MIN_VALUES
    return is_called_so and is_code and profile.has_repeats


def _is_item(profile: ColumnProfile, column: TypedColumn) -> bool:
    is_called_so = has_topic(profile.name, "item") and not has_topic(profile.name, "measure")
    return is_called_so and column.type in {"categorical", "text", "numeric"} and profile.has_repeats


def _describe_entity(profile: ColumnProfile) -> str:
    reason = f"whose event it is: {profile.rows_per_value:.1f} rows each"
    share = profile.empty / profile.rows
    return f"{reason}; {share:.1%} of the events are nobody's, and left out" if profile.empty else reason


def _find_span(table: TableProfile, columns: TypedColumns, time: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of the sample."""
    cells = cast_columns(table.sample.select(time), {time: columns[time].draft}).frame[time]
    first, last = cells.dt.date().min(), cells.dt.date().max()
    assert isinstance(first, dt.date)
    assert isinstance(last, dt.date)
    return first, last


def _choose_cutoffs(first: dt.date, last: dt.date) -> tuple[int, list[dt.date]]:
    """The longest horizon for which history, outcomes to train on and outcomes to test on fit into the log."""
    days = (last - first).days + 1
    horizon = next((horizon for horizon in _HORIZONS if days >= 4 * horizon), None)
    if horizon is None:
        raise InputError(f"the log goes from {first} to {last}: too short to see who comes again; give --target")
    test = last - dt.timedelta(days=horizon)
    n_before = ((test - first).days - horizon) // horizon
    steps = range(min(_MAX_TRAIN_CUTOFFS, max(n_before, 1)), -1, -1)
    return horizon, [test - dt.timedelta(days=horizon * step) for step in steps]


def _derive_amounts(table: TableProfile, drafts: Mapping[str, Column]) -> tuple[dict[str, Product], tuple[Above, ...]]:
    """What a line costs, where pieces and price are there; lines that take something back are no purchase."""
    numbers = [name for name, draft in drafts.items() if draft.role == "numeric"]
    pieces = next((name for name in numbers if has_topic(name, "pieces")), None)
    price = next((name for name in numbers if has_topic(name, "price")), None)
    derive = {"amount_of_line": Product(kind="product", of=(pieces, price))} if pieces and price else {}
    returned = [name for name in (pieces, price) if name and table.columns[name].minimum <= 0]
    why = "nothing bought, or taken back"
    return derive, (Above(kind="above", columns=tuple(returned), value=0, why=why),) if returned else ()


def _draft_features(drafts: Mapping[str, Column], derive: Mapping[str, Product], horizon: int) -> dict[str, Feature]:
    """What a model sees of a customer: how long ago, how often, how much."""

    def over_events(kind: str, label: str, **more: object) -> Feature:
        feature: Feature = _FEATURE.validate_python({"kind": kind, "from": _EVENTS, "label": label, **more})
        return feature

    features = {
        "last": over_events("recency", "days since the last event"),
        "tenure": over_events("tenure", "days since the first event"),
        "gap": over_events("gap", "usual days between events"),
        "overdue": over_events("overdue", "days since the last event, in usual gaps"),
        "n_events": over_events("count", "events"),
    }
    for days in (max(horizon // 3, 1), horizon):
        features[f"n_events_{days}d"] = over_events("count", f"events in {days} days", days=days)
    for role, what in (("basket", "baskets"), ("item", "items")):
        for name in [name for name, draft in drafts.items() if draft.role == role][:1]:
            features[f"n_{what}"] = over_events("distinct", f"different {what}", of=name)
    numbers = [name for name, draft in drafts.items() if draft.role == "numeric"]
    amounts = [*derive, *(name for name in numbers if has_topic(name, "amount"))] or numbers
    for amount in amounts[:1]:
        label = amount.replace("_", " ")
        features["total"] = over_events("sum", f"sum of {label}", of=amount)
        features[f"total_{horizon}d"] = over_events("sum", f"sum of {label} in {horizon} days", of=amount, days=horizon)
        features["mean"] = over_events("mean", f"mean {label}", of=amount)
    return features
