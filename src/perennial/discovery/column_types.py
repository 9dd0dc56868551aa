"""A column's type follows from what all of its cells look like: its role, how cells are read, and the reason.

The looks are taken in a fixed order: empty, constant, contact data, paths, dates, numbers, words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from perennial.contract.columns import Column
from perennial.discovery.contract_draft import ignored_column
from perennial.discovery.names import has_topic, is_contact_name, is_entity_id, is_row_id, may_name_person
from perennial.discovery.profile import DAY_AS_NUMBER, ColumnProfile, TableProfile

ColumnType = Literal["numeric", "categorical", "text", "date", "unique", "contact", "constant", "empty", "path", "unclear"]
_ALL = 0.99  # share of the cells from which they have a shape; the others are quarantined, or stand for nothing
_MAX_ODD = 3  # different cells that may stand for nothing although they are many
_MIN_OTHERS = 12  # different numbers beside which a negative one stands for nothing
_WAS_NUMBER = r"\A[0-9]+(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)?\z"
_MIN_PEOPLE = 20  # different cells from which they may be of people
_MIN_TELEPHONE = 1_000_000  # from which a number can be dialled
_MIN_DAYS = 20  # different numbers such as 20240131 that are days, whatever their column is called
_MIN_NUMBERS = 10  # different numbers from which a few words among them stand for nothing, and are no value of a code
_NULL_CODE = re.compile(r"\A(?:-?9{2,6}|9[678]|99[678]|-[1789])(?:\.0*)?\Z")
_MIN_NULL_CODES = 5  # cells of such a code
_MARK = re.compile(r"[€$£¥%]|EUR|USD|CHF|GBP")
_CONTACT_SHAPES = {"email": "e-mail addresses", "phone": "telephone numbers", "iban": "bank accounts", "card": "card numbers"}


@dataclass(frozen=True, kw_only=True)
class TypedColumn:
    """A guess: the contract's column, its type in a word, and the reason."""

    type: ColumnType
    draft: Column
    reason: str
    date_orders: tuple[str, ...] = ()  # the format with the day first, and with the month first, where no cell tells


TypedColumns = Mapping[str, TypedColumn]


def type_columns(
    table: TableProfile, date_parts: Mapping[str, tuple[str, ...]], first: str | None = None
) -> dict[str, TypedColumn]:
    """The type of each column; a date in parts that reads as none is no column.

    `first` (day or month) is what comes first where no cell tells.
    """
    columns = {name: type_column(profile) for name, profile in table.columns.items()}
    for name, column in columns.items():
        if column.date_orders and first is not None:
            form = column.date_orders[first == "month"]
            nulls = sorted(table.columns[name].nulls)
            columns[name] = _type_as_date(form, nulls, f"you said that the {first} comes first")
    for name, parts in date_parts.items():
        column = columns.pop(name)
        if column.type == "date":
            draft = column.draft.model_copy(update={"source": parts})
            columns[name] = replace(column, draft=draft, reason=f"{', '.join(parts)} make it together")
    return columns


def type_column(profile: ColumnProfile) -> TypedColumn:
    """The first of a fixed order of types that fits."""
    if not profile.filled:
        return _leave_out("empty", "no cell holds a value", "every cell is empty, a list or an object")
    if profile.distinct == 1 and not profile.empty and not profile.spoken_nulls:
        return _leave_out("constant", "it is always the same", "one value in every row")
    if (reason := _find_contact(profile)) is not None:
        return TypedColumn(type="contact", draft=Column(role="contact", type="text"), reason=reason)
    if profile.share("path") > _ALL:
        return _leave_out("path", "paths of pictures, which lie elsewhere", "cells end as files do")
    return _type_dates(profile) or _type_numbers(profile) or _type_words(profile)


def _leave_out(kind: ColumnType, why: str, reason: str, date_orders: tuple[str, ...] = ()) -> TypedColumn:
    return TypedColumn(type=kind, draft=ignored_column(why), reason=reason, date_orders=date_orders)


def draft_name(
    role: Literal["id", "entity", "basket", "item"],
    profile: ColumnProfile,
    null: tuple[str, ...] = (),
    *,
    is_filter: bool = False,
) -> Column:
    """Numbers with an exponent or a point are said to be names, or each would be set aside as a name that lost digits."""
    pattern = _WAS_NUMBER if not profile.texts and profile.shapes["int"] < profile.filled else None
    when_missing: Literal["filter", "quarantine"] = "filter" if is_filter else "quarantine"
    return Column(role=role, type="text", pattern=pattern, null=null, when_missing=when_missing)


def is_key(profile: ColumnProfile) -> bool:
    """Whether cells are long signs without a meaning that come again, as keys of people do."""
    is_signs = profile.share("hash") > _ALL and profile.words == profile.filled
    is_name = profile.texts > 0 or profile.share("long") > _ALL
    return is_signs and is_name and _MIN_PEOPLE < profile.distinct < profile.filled / 1.2 and not profile.dates


def _find_contact(profile: ColumnProfile) -> str | None:
    """Why a cell leads to somebody; None where it does not."""
    if profile.share("holds_email") > (0.01 if profile.words_per_cell < 3 else 0.5):
        return "cells hold e-mail addresses"
    for shape, what in _CONTACT_SHAPES.items():
        is_date_like = shape == "phone" and profile.dates
        if profile.share(shape) > (0.01 if shape == "email" else 0.5) and not is_date_like:
            return f"cells look like {what}"
    if is_contact_name(profile.name) and _could_reach(profile):
        return "the name says so"
    if profile.share("decimal") >= 0.5 or profile.dates:
        return None
    if has_topic(profile.name, "home") and profile.distinct > _MIN_PEOPLE:
        return "the name says where people are"
    few = 2 if has_topic(profile.name, "person_name") else _MIN_PEOPLE
    is_short = profile.words_per_cell < 4 or profile.share("called") > 0.8
    if may_name_person(profile.name) and profile.distinct > few and is_short:
        return "the name says that it names people"
    return None


def _could_reach(profile: ColumnProfile) -> bool:
    """Long numbers or texts, and many of them: not whether there is a telephone."""
    is_text = profile.texts > 0.5 * profile.filled or profile.shapes["zero_led"] > 0
    return profile.distinct > _MIN_PEOPLE and (is_text or profile.maximum >= _MIN_TELEPHONE)


def _type_dates(profile: ColumnProfile) -> TypedColumn | None:
    fitting = [form for form, count in profile.dates.items() if count >= _ALL * profile.filled]
    if not fitting:
        return None
    few = profile.distinct < _MIN_DAYS or profile.dates[DAY_AS_NUMBER] < profile.filled
    if DAY_AS_NUMBER in fitting and few and not has_topic(profile.name, "date"):
        return None
    most = max(profile.dates[form] for form in fitting)
    exact = [form for form in fitting if profile.dates[form] == most]
    orders = [[form for form in exact if form.startswith(first)] for first in ("%-d", "%-m")]
    if all(orders) and len({form[3:4] for form in exact}) == 1:
        why = "day first or month first: no row tells, and --dates can say it"
        date_orders = tuple(min(forms, key=len) for forms in orders)
        return _leave_out("unclear", why, "every cell reads both ways", date_orders)
    form = min(exact, key=len)
    proof = " (a day above 12 proves the order)" if form[1:3] in {"-d", "-m"} and "%b" not in form else ""
    return _type_as_date(form, sorted(profile.nulls), f"cells read as {form}{proof}")


def _type_as_date(form: str, nulls: Sequence[str], reason: str) -> TypedColumn:
    cells: Literal["date", "datetime"] = "datetime" if "%M" in form else "date"
    draft = Column(role="time", type=cells, format=form, null=tuple(nulls))
    return TypedColumn(type="date", draft=draft, reason=reason)


@dataclass(frozen=True, kw_only=True)
class _NumberFormat:
    """A way to write numbers, and how many cells fit it."""

    count: int
    reason: str
    strip: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " "] = ""

    @property
    def is_plain(self) -> bool:
        return not self.strip and self.decimal == "." and not self.thousands


def _type_numbers(profile: ColumnProfile) -> TypedColumn | None:
    """Numbers, however written; codes that only look like numbers are left to `_type_words`."""
    formats = sorted(_find_number_formats(profile), key=lambda way: -way.count)  # of equals the plainest
    way = next((way for way in formats if _fits(profile, way)), None)
    if way is None or profile.shapes["zero_led"] > 0.01 * profile.filled or profile.share("long") > 0.01:
        return None
    if profile.shapes["rounded"] > 0.5 * profile.filled and (is_row_id(profile.name) or is_entity_id(profile.name)):
        return _type_rounded(profile)
    odd = profile.non_numbers if way.is_plain else Counter[str]()
    if odd and not profile.has_many_values and len(profile.values) - len(odd) < _MIN_NUMBERS:
        return None
    enough = max(1, 0.001 * profile.filled)
    codes = [cell for cell, count in odd.items() if count > enough or way.count < _ALL * profile.filled]
    nulls = sorted({*profile.nulls, *codes, *_find_null_codes(profile)})
    if profile.shapes["whole"] >= way.count and way.is_plain and _is_code(profile, nulls):
        return None
    draft = Column(
        role="numeric",
        type="int" if way.is_plain and profile.shapes["int"] >= way.count else "decimal",
        strip=way.strip,
        decimal=way.decimal,
        thousands=way.thousands,
        null=tuple(nulls),
    )
    return TypedColumn(type="numeric", draft=draft, reason=way.reason)


def _fits(profile: ColumnProfile, way: _NumberFormat) -> bool:
    """Nearly all cells, or half of them where few different others stand for nothing."""
    n_odd = len(profile.non_numbers) if way.is_plain else 0
    return way.count >= _ALL * profile.filled or (0 < n_odd <= _MAX_ODD and way.count >= 0.5 * profile.filled)


def _type_rounded(profile: ColumnProfile) -> TypedColumn:
    """Numbers of people keep their rows together even so: who looks alike may be two, but nobody is in two parts."""
    if is_entity_id(profile.name) and profile.has_repeats:
        draft = Column(role="categorical")
        return TypedColumn(type="categorical", draft=draft, reason="a spreadsheet has rounded these numbers")
    why = "numbers that a spreadsheet has rounded: they no longer name anything"
    return _leave_out("unclear", why, "1.23E+17")


def _find_number_formats(profile: ColumnProfile) -> list[_NumberFormat]:
    """Plain, thousands with commas, with a decimal comma, with marks around."""
    shapes = profile.shapes
    plain = f"every cell{' that is not empty' if profile.empty else ''} is a number"
    formats = [_NumberFormat(count=shapes["decimal"], reason=plain)]
    has_commas = shapes["comma_thousands"] > 0 and shapes["comma"] <= shapes["comma_thousands"]
    if has_commas and not shapes["point_thousands"]:
        count = shapes["decimal"] + shapes["comma_thousands"]
        formats.append(_NumberFormat(count=count, reason="thousands are parted by commas", thousands=","))
    if shapes["comma"] or shapes["point_thousands"]:
        count = shapes["int"] + shapes["comma"] + shapes["point_thousands"]
        thousands: Literal[".", ""] = "." if shapes["point_thousands"] else ""
        reason = "decimals begin with a comma"
        formats.append(_NumberFormat(count=count, reason=reason, decimal=",", thousands=thousands))
    marks = sorted({mark for cell in profile.non_numbers for mark in _MARK.findall(cell)})
    is_spaced = any(re.search(r"[0-9][ \u00a0\u202f][0-9]{3}", cell) for cell in profile.non_numbers)
    if (marks or is_spaced) and shapes["marked"]:
        has_comma = any(re.search(r",[0-9]{1,2}\D*\Z", cell) for cell in profile.non_numbers)
        formats.append(
            _NumberFormat(
                count=shapes["marked"],
                strip=tuple(marks),
                decimal="," if has_comma else ".",
                thousands=" " if is_spaced else "." if has_comma else ",",
                reason=f"numbers with {' '.join(marks)} around them" if marks else "thousands are parted by spaces",
            )
        )
    return formats


def _find_null_codes(profile: ColumnProfile) -> list[str]:
    """Numbers that stand for "nothing": such as 999, 96 to 98 or -9 to -7, apart from all others, and not rare."""
    codes = [value for value in profile.values if _NULL_CODE.match(value)]
    others = [number for value in profile.values if value not in codes and (number := _parse(value)) is not None]
    if not codes or len(others) < 5:
        return []
    low, high = min(others), max(others)
    gap = 2 * (high - low)

    def is_apart(value: str) -> bool:
        number, count = float(value), profile.values[value]
        is_far = number > high + gap or number < low - gap
        is_below = number < 0 <= low and len(others) > _MIN_OTHERS
        return (is_far and count >= max(_MIN_NULL_CODES, 0.0005 * profile.filled)) or (
            is_below and count >= max(_MIN_NULL_CODES, 0.005 * profile.filled)
        )

    return [value for value in codes if is_apart(value)]


def _parse(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_code(profile: ColumnProfile, nulls: Sequence[str]) -> bool:
    """Whole numbers that name things: called so, and more than two."""
    values = [value for value in profile.values if value not in nulls]
    return has_topic(profile.name, "code") and (len(values) if values else profile.distinct) > 2


def _type_words(profile: ColumnProfile) -> TypedColumn:
    """Texts: free ones by their words, else values; what is different in every row names it."""
    nulls = tuple(profile.silent_nulls)
    words = profile.words_per_cell
    is_free = words >= 4 and profile.distinct > 0.2 * profile.filled
    if is_free or (words >= 2 and profile.distinct > max(0.5 * profile.filled, 200)):
        return TypedColumn(type="text", draft=Column(role="text", null=nulls), reason=f"{words:.0f} words a cell")
    if profile.share("many") > 0.3 and profile.distinct > 20:
        return TypedColumn(type="text", draft=Column(role="text", null=nulls), reason="several values in a cell")
    if profile.distinct > 0.95 * profile.filled and profile.filled > 50:
        reason = f"{profile.distinct:,} values in {profile.filled:,} cells"
        return _leave_out("unique", "it is different in nearly every row", reason)
    draft = Column(role="categorical", null=nulls)
    return TypedColumn(type="categorical", draft=draft, reason=_describe_values(profile))


def _describe_values(profile: ColumnProfile) -> str:
    if profile.shapes["zero_led"]:
        return "codes with leading zeros"
    if profile.share("long") > 0.5:
        return "numbers of 16 digits or more, which arithmetic would round"
    if profile.share("int") > _ALL:
        return f"{profile.distinct:,} whole numbers that name things"
    return f"{profile.distinct:,} different values"
