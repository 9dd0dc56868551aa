"""What a column looks like in, what the contract says of it out: its role, how its cells are read, and why so."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from perennial.propose.names import names_called, names_contact, names_home, names_person, names_rows, names_somebody
from perennial.propose.profile import Profile

Keys = dict[str, Any]
_ALL = 0.99  # share of the cells from which they have a shape; the others are quarantined, or stand for nothing
_FEW = 12  # whole numbers up to which a column of codes is one
_CODE = re.compile(
    r"(?i)(?:\A|_|\b)(?:code|type|class|category|cat|kind|region|zone|zip|plz|postcode|postal|branch|store|channel|status|browser|"
    r"operatingsystems?|traffictype|group|agent|agency|company|dealer|vendor|supplier|merchant|seller|id|nr|no)(?:\Z|_|\b)|(?-i:(?:Code|Type|ID|Id|Zip|Region|Category)\Z)"
)
_WAS_NUMBER = r"\A[0-9]+(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)?\z"
_PEOPLE = 20  # different cells from which they may be of people
_LONG = 1_000_000  # from which a number can be dialled
_DAYS = 20  # different numbers such as 20240131 that are days, whatever their column is called
_COUNTED = 10  # different numbers from which a few words among them stand for nothing, and are no value of a code
_SENTINELS = re.compile(r"\A(?:-?9{2,6}|9[678]|99[678]|-[1789])(?:\.0*)?\Z")
_FEWEST = 5  # cells of such a code


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A guess: keys of the contract's column, what it is in a word, and the reason in words."""

    keys: Keys
    what: str  # numeric categorical text date unique contact protected constant empty path unclear
    because: str
    null: tuple[str, ...] = field(default=())
    either: tuple[str, ...] = ()  # day first, and month first, where no cell tells which


def kind_of(column: Profile) -> Kind:
    """The first of a fixed order of looks that fits: nothing told, contact, dates, numbers, codes, words."""
    if not column.told:
        return Kind(
            keys=_ignored("no cell holds a value"), what="empty", because="every cell is empty, a list or an object"
        )
    if column.distinct == 1 and not column.empty and not column.spoken:
        return Kind(keys=_ignored("it is always the same"), what="constant", because="one value in every row")
    if (contact := _contact(column)) is not None:
        return contact
    if column.share("path") > _ALL:
        return Kind(
            keys=_ignored("paths of pictures, which lie elsewhere"), what="path", because="cells end as files do"
        )
    if (dated := _dated(column)) is not None:
        return dated
    null = tuple(sorted(column.nulls))
    if (numeric := _numeric(column, null)) is not None:
        return numeric
    return _worded(column, tuple(sign for sign in null if sign not in column.spoken))


def name_of(role: str, column: Profile) -> Keys:
    """Numbers with an exponent or a point are said to be names, or each would be set aside as a name that lost digits."""
    was_number = not column.texts and column.shapes["int"] < column.told
    return {"role": role, "type": "text"} | ({"pattern": _WAS_NUMBER} if was_number else {})


def is_key(column: Profile) -> bool:
    """Whether cells are long signs without a meaning that come again, as keys of people do."""
    is_signs = column.share("hash") > _ALL and column.words == column.told
    is_name = column.texts > 0 or column.share("long") > _ALL
    return is_signs and is_name and 20 < column.distinct < column.told / 1.2 and not column.dates


def _contact(column: Profile) -> Kind | None:
    if (because := _reaches(column)) is None:
        return None
    return Kind(keys={"role": "contact", "type": "text"}, what="contact", because=because)


def _reaches(column: Profile) -> str | None:
    """Why a cell leads to somebody; None where it does not."""
    if column.share("holds_email") > (0.01 if column.words < 3 * column.told else 0.5):
        return "cells hold e-mail addresses"
    for shape in ("email", "phone", "iban", "card"):
        if column.share(shape) > (0.01 if shape == "email" else 0.5) and not (shape == "phone" and column.dates):
            return f"cells look like {_SAID[shape]}"
    if names_contact(column.name) and _could_reach(column):
        return "the name says so"
    if column.share("decimal") >= 0.5 or column.dates:
        return None
    if names_home(column.name) and column.distinct > _PEOPLE:
        return "the name says where people are"
    few = 2 if names_called(column.name) else _PEOPLE
    is_short = column.words < 4 * column.told or column.share("called") > 0.8
    if names_person(column.name) and column.distinct > few and is_short:
        return "the name says that it names people"
    return None


def _could_reach(column: Profile) -> bool:
    """Long numbers or texts, and many of them: not whether there is a telephone."""
    is_long = column.texts > 0.5 * column.told or column.shapes["zero_led"] > 0 or column.most >= _LONG
    return column.distinct > _PEOPLE and is_long


_SAID = {"email": "e-mail addresses", "phone": "telephone numbers", "iban": "bank accounts", "card": "card numbers"}


def _dated(column: Profile) -> Kind | None:
    fitting = [form for form, count in column.dates.items() if count >= _ALL * column.told]
    if not fitting:
        return None
    is_named = re.search(r"(?i)date|day|dat(?:um)?\Z|time|_dt\Z", column.name) is not None
    if "%Y%m%d" in fitting and not is_named and (column.distinct < _DAYS or column.dates["%Y%m%d"] < column.told):
        return None
    null = tuple(sorted(column.nulls))
    exact = [form for form in fitting if column.dates[form] == max(column.dates[f] for f in fitting)]
    swapped = {form for form in exact if form.startswith("%-m")} and {form for form in exact if form.startswith("%-d")}
    if swapped and len({form[3:4] for form in exact}) == 1:
        why = "day first or month first: no row tells, and --dates can say it"
        either = tuple(min((f for f in exact if f.startswith(first)), key=len) for first in ("%-d", "%-m"))
        return Kind(keys=_ignored(why), what="unclear", because="every cell reads both ways", either=either)
    form = min(exact, key=len)
    proof = " (a day above 12 proves the order)" if form[1:3] in {"-d", "-m"} and "%b" not in form else ""
    return dated(form, null, f"cells read as {form}{proof}")


def dated(form: str, null: tuple[str, ...], because: str) -> Kind:
    """Dates or times of one format."""
    keys: Keys = {"role": "time", "type": "datetime" if "%M" in form else "date", "format": form}
    return Kind(keys=keys | _null(null), what="date", because=because, null=null)


def _numeric(column: Profile, null: tuple[str, ...]) -> Kind | None:
    """Numbers, however written; codes that only look like numbers are left to `_worded`."""
    for written, count, because in sorted(_writings(column), key=lambda way: -way[1]):  # of equals the plainest
        odd = tuple(column.odd) if not written else ()
        if count < _ALL * column.told and not (odd and len(odd) <= 3 and count >= 0.5 * column.told):
            continue
        if column.shapes["zero_led"] > 0.01 * column.told or column.share("long") > 0.01:
            return None
        if column.shapes["rounded"] > 0.5 * column.told and (names_rows(column.name) or names_somebody(column.name)):
            return _rounded(column)
        if odd and not column.overflown and len(column.values) - len(odd) < _COUNTED:
            return None
        codes = tuple(
            value for value in odd if column.odd[value] > max(1, 0.001 * column.told) or count < _ALL * column.told
        )
        null = tuple(sorted({*null, *codes, *_sentinels(column)}))
        whole = column.shapes["int"] >= count and not written
        if column.shapes["whole"] >= count and not written and _is_code(column, null):
            return None
        keys = {"role": "numeric", "type": "int" if whole else "decimal"} | written | _null(null)
        return Kind(keys=keys, what="numeric", because=because, null=null)
    return None


def _rounded(column: Profile) -> Kind:
    """Numbers of people keep their rows together even so: who looks alike may be two, but nobody is in two parts."""
    if names_somebody(column.name) and column.twice:
        return Kind(keys={"role": "categorical"}, what="categorical", because="a spreadsheet has rounded these numbers")
    why = "numbers that a spreadsheet has rounded: they no longer name anything"
    return Kind(keys=_ignored(why), what="unclear", because="1.23E+17")


def _writings(column: Profile) -> list[tuple[Keys, int, str]]:
    """Ways to write numbers, with how many cells fit each: plain, with a decimal comma, parted, with signs around."""
    shapes = column.shapes
    signs = sorted({sign for cell in column.odd for sign in re.findall(r"[€$£¥%]|EUR|USD|CHF|GBP", cell)})
    found: list[tuple[Keys, int, str]] = [
        ({}, shapes["decimal"], f"every cell{' that is not empty' if column.empty else ''} is a number")
    ]
    has_comma = shapes["comma"] or shapes["point_thousands"]
    if (
        shapes["comma_thousands"]
        and not shapes["point_thousands"]
        and not (shapes["comma"] > shapes["comma_thousands"])
    ):
        found.append(
            ({"thousands": ","}, shapes["decimal"] + shapes["comma_thousands"], "thousands are parted by commas")
        )
    if has_comma:
        keys: Keys = {"decimal": ","} | ({"thousands": "."} if shapes["point_thousands"] else {})
        plain = shapes["int"] + shapes["comma"] + shapes["point_thousands"]
        found.append((keys, plain, "decimals begin with a comma"))
    spaced = any(re.search(r"[0-9][ \u00a0\u202f][0-9]{3}", cell) for cell in column.odd)
    if (signs or spaced) and shapes["marked"]:
        tail = any(re.search(r",[0-9]{1,2}\D*\Z", cell) for cell in column.odd)
        thousands = " " if spaced else "." if tail else ","
        keys = ({"strip": signs} if signs else {}) | ({"decimal": ","} if tail else {}) | {"thousands": thousands}
        because = f"numbers with {' '.join(signs)} around them" if signs else "thousands are parted by spaces"
        found.append((keys, shapes["marked"], because))
    return found


def _sentinels(column: Profile) -> list[str]:
    """Codes that stand for "nothing": numbers such as 999, 96 to 98 or -9 to -7, apart from all others, and not rare."""
    codes = [value for value in ([] if column.overflown else column.values) if _SENTINELS.match(value)]
    others = [number for value in column.values if value not in codes and (number := _float(value)) is not None]
    if not codes or len(others) < 5:
        return []
    low, high = min(others), max(others)
    room = 2 * (high - low)
    found = []
    for value in codes:
        number, count = float(value), column.values[value]
        is_far = (number > high + room or number < low - room) and count >= max(_FEWEST, 0.0005 * column.told)
        is_below = number < 0 <= low and len(others) > _FEW and count >= max(_FEWEST, 0.005 * column.told)
        if is_far or is_below:
            found.append(value)
    return found


def _is_code(column: Profile, null: tuple[str, ...]) -> bool:
    """Whole numbers that name things: few, or called so, and not counted from 0 on."""
    values = [value for value in column.values if value not in null]
    if not values or column.overflown:
        return bool(_CODE.search(column.name)) and column.distinct > 2
    return len(values) > 2 and bool(_CODE.search(column.name))


def _worded(column: Profile, null: tuple[str, ...]) -> Kind:
    """Texts: free ones by their words, else values; what is different in every row names it."""
    long_words = column.words / column.told
    is_free = long_words >= 4 and column.distinct > 0.2 * column.told
    if is_free or (long_words >= 2 and column.distinct > max(0.5 * column.told, 200)):
        return Kind(
            keys={"role": "text"} | _null(null), what="text", because=f"{long_words:.0f} words a cell", null=null
        )
    if column.share("many") > 0.3 and column.distinct > 20:
        return Kind(keys={"role": "text"} | _null(null), what="text", because="several values in a cell", null=null)
    if column.distinct > 0.95 * column.told and column.told > 50:
        return Kind(
            keys=_ignored("it is different in nearly every row"),
            what="unique",
            because=f"{column.distinct:,} values in {column.told:,} cells",
        )
    because = f"{column.distinct:,} different values"
    if column.shapes["zero_led"]:
        because = "codes with leading zeros"
    elif column.share("long") > 0.5:
        because = "numbers of 16 digits or more, which arithmetic would round"
    elif column.share("int") > _ALL:
        because = f"{column.distinct:,} whole numbers that name things"
    return Kind(keys={"role": "categorical"} | _null(null), what="categorical", because=because, null=null)


def _ignored(why: str) -> Keys:
    return {"role": "ignore", "why": why}


def _null(tokens: tuple[str, ...]) -> Keys:
    return {"null": list(tokens)} if tokens else {}


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def commonest(values: Counter[str]) -> list[str]:
    """Values from the commonest on; ties in the order of their texts."""
    return [value for value, _ in sorted(values.items(), key=lambda item: (-item[1], item[0]))]
