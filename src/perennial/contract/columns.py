"""Column of a contract: its role, its type, and the cells that it may have."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Role = Literal[
    "id",
    "entity",
    "time",
    "basket",
    "item",
    "outcome",
    "treatment",
    "numeric",
    "categorical",
    "text",
    "image",
    "weight",
    "split",
    "protected",
    "contact",
    "ignore",
]
Keep = Literal["first", "last", "none"]
Known = Literal["before_decision", "after_outcome"]
CellType = Literal["text", "int", "decimal", "date", "datetime"]

NUMBER: set[CellType] = {"int", "decimal"}
MOMENT: set[CellType] = {"date", "datetime"}
TEXT: set[CellType] = {"text"}
_TYPE_OF_ROLE: dict[str, CellType] = {"numeric": "decimal", "time": "datetime", "weight": "decimal"}
_DIRECTIVES = ("%Y", "%y", "%m", "%-m", "%b", "%B", "%d", "%-d", "%H", "%-H", "%I", "%-I", "%M", "%S", "%f", "%p", "%z")
_NEVER_NULL = {"id", "entity", "time", "outcome", "treatment", "split"}


def _exact(bound: float) -> float:
    if not abs(bound) < 2**53:
        raise ValueError(f"bound {bound:g} is not below 2^53: the audit would round it")
    return bound


def check_pattern(pattern: str, *, whole: bool = True) -> str:
    r"""Return `pattern` if all engines read it alike: only \A…\z, [0-9] and plain groups; \z is optional if not `whole`.

    Raises: ValueError for `^`, `$`, `\d`, a look-around, a reference back, and what is no pattern at all.
    """
    if not pattern.startswith(r"\A") or (whole and not pattern.endswith(r"\z")):
        end = r" and end it with \z" if whole else ""
        raise ValueError(rf"pattern {pattern!r}: begin it with \A{end}")
    if re.search(r"\\[dDwWsSbB]|(?<![\[\\])\^|(?<!\\)\$", pattern):
        raise ValueError(rf"pattern {pattern!r}: write [0-9] for \d, [A-Za-z0-9_] for \w, and no ^ or $")
    if re.search(r"(?<!\\)\(\?(?!:)|\\[1-9]", pattern):
        raise ValueError(f"pattern {pattern!r}: look-around, flags and references back are not read by all engines")
    try:
        re.compile(pattern.removesuffix(r"\z"))
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from error
    return pattern


def _check_format(form: str) -> str:
    wrong = [part for part in re.findall("%-?.?", form) if part not in _DIRECTIVES]
    if wrong:
        raise ValueError(f"format {form!r} uses {wrong[0]}; it can use {', '.join(_DIRECTIVES)}")
    return form


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone {name!r} is not known; write it as Europe/Berlin") from error
    return name


Bound = Annotated[float, AfterValidator(_exact)]
Pattern = Annotated[str, AfterValidator(check_pattern)]


class ContractPart(BaseModel):
    """An immutable part of a contract that takes no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True)


class Arm(ContractPart):
    """One message of a campaign and its cost."""

    cost: float = Field(0.0, ge=0)


class Column(ContractPart):
    """One column of a table as the data owner describes it."""

    role: Role
    """The purpose of the column."""
    type: CellType | None = None
    """The type of its cells; by default the one that the role needs."""
    known: Known = "before_decision"
    """Whether it is known before the decision; a column known only after the outcome is never a feature."""
    required: bool = True
    """A missing optional column is read as all null."""
    nullable: bool | None = None
    """Whether a cell may be empty; by default not for ids, entities, times, outcomes, treatments and splits."""
    max_null: float = Field(0.99, ge=0, le=1)
    """Above this share of nulls the file stops."""
    null: tuple[str, ...] = ()
    """Codes for a missing value, beside the empty cell."""
    map: dict[str, str] = {}
    """Spellings that stand for another value."""
    values: tuple[str, ...] | dict[str, int | str] | None = None
    """The texts that it may have, or a code for each."""
    range: tuple[Bound, Bound] | None = None
    """The smallest and the largest number that it may have."""
    min: Bound | None = None
    """The smallest number that it may have."""
    max: Bound | None = None
    """The largest number that it may have."""
    before: dt.date | Literal["as_of"] | None = None
    """The day before which its dates must lie; as_of is that of the unit."""
    pattern: Pattern | None = None
    """A regular expression for the whole cell, in the syntax that all engines read alike."""
    format: Annotated[str, AfterValidator(_check_format)] | None = None
    """Of a date or time; %-d, %-m, %-H have one digit or two, %f parts of a second, %z an offset."""
    decimal: Literal[".", ","] = "."
    """The decimal separator."""
    thousands: Literal["", ",", ".", " ", "'"] = ""
    """The thousands separator."""
    strip: tuple[str, ...] = ()
    """Symbols around a number, such as € or %."""
    tz: Annotated[str, AfterValidator(_check_zone)] = "UTC"
    """The time zone of its times."""
    unique: bool = False
    """A value with two different contents goes to quarantine."""
    hashed: bool = False
    """Of an id or entity: it is replaced by its SHA-256, so that an e-mail address can identify the entity."""
    keep: Keep = "first"
    """Of a unique column: which of several rows with one value but different contents stays."""
    dated: str | None = None
    """Of an outcome: the column of role time that dates it."""
    when_missing: Literal["quarantine", "filter"] = "quarantine"
    """Whether rows without it go to quarantine or are filtered."""
    control: str | None = None
    """Of a treatment: the value of the control group."""
    arms: dict[str, Arm] = {}
    """Of a treatment: each message and its cost."""
    shares: tuple[float, ...] = ()
    """The planned probabilities of the control and each arm."""
    assignment: Literal["randomised", "observed"] | None = None
    """Whether the treatment was drawn at random."""
    label: str | None = None
    """Its name in the report."""
    unit: str | None = None
    """The unit of its numbers."""
    use: bool | None = None
    """Whether it is a feature; by default the feature roles yes, protected no."""
    source: str | tuple[str, ...] | None = Field(None, alias="from")
    """The raw columns that it is made from; several are joined by -, such as year, month and day."""
    archive: str | None = Field(None, alias="in")
    """The attached tar that holds the pictures, for an image or for an entity that is a picture."""
    min_side: int = Field(16, ge=1)
    """Minimum pixels of the shorter side of a picture."""
    max_pixels: int = Field(40_000_000, ge=1)
    """Maximum pixels of a picture."""
    why: str | None = None
    """Why the column is ignored."""

    @model_validator(mode="before")
    @classmethod
    def _null_key(cls, keys: Any) -> Any:
        if isinstance(keys, dict) and None in keys:
            raise ValueError('the key null is read as nothing, by DVC too: write it in quotes, "null": [unknown]')
        return keys

    @field_validator("null", "values", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, list):
            wrong = [item for item in value if not isinstance(item, str)]
            if wrong:
                raise ValueError(f"{wrong[0]!r} is read as {type(wrong[0]).__name__}: put it in quotes")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.role == "ignore" and not self.why:
            raise ValueError("an ignored column says why")
        if self.shares and len(self.shares) != 1 + len(self.arms):
            raise ValueError(f"{len(self.shares)} shares for the control and {len(self.arms)} arms: give one each")
        if self.hashed and self.role not in {"id", "entity"}:
            raise ValueError(f"hashed is of an id or entity, not of the role {self.role}")
        if self.archive and self.role not in {"image", "entity"}:
            raise ValueError(f"in is of an image, or of an entity that a picture is, not of the role {self.role}")
        if self.role == "image" and not self.archive:
            raise ValueError("an image column says in which attached tar its paths lead: in: photos.tar")
        if self.role == "treatment" and not (self.control and self.arms):
            raise ValueError("a treatment names its control value and its arms")
        if self.decimal == self.thousands:
            raise ValueError(f"{self.decimal!r} cannot both part thousands and begin the decimals")
        if self.range and (self.min is not None or self.max is not None):
            raise ValueError("give range, or min and max, not both")
        low, high = self.bounds
        if low is not None and high is not None and low > high:
            raise ValueError(f"bounds {low:g} to {high:g}: the lower one is greater")
        if isinstance(self.values, dict) and len({type(code) for code in self.values.values()}) > 1:
            raise ValueError("values maps texts to whole numbers or to texts, not to both")
        return self._check_types()

    def _check_types(self) -> Self:
        """Check that what a column asks of its cells fits their type, before any data are read."""
        requirements = (
            ("role numeric", self.role == "numeric", NUMBER),
            ("role time", self.role == "time", MOMENT | NUMBER),
            ("range, min and max", self.bounds != (None, None), NUMBER),
            ("before", self.before is not None, MOMENT),
            ("pattern", self.pattern is not None, TEXT),
            ("hashed", self.hashed, TEXT),
            ("a list of values", isinstance(self.values, tuple), TEXT),
            ("decimal, thousands or strip", self.is_written, NUMBER),
        )
        for what, applies, types in requirements:
            if applies and self.cell_type not in types:
                raise ValueError(f"{what} needs a column of type {' or '.join(sorted(types))}, not {self.cell_type}")
        return self

    @property
    def cell_type(self) -> CellType:
        if self.type is not None:
            return self.type
        return "int" if self.is_coded else _TYPE_OF_ROLE.get(self.role, "text")

    @property
    def is_written(self) -> bool:
        """Whether its numbers have another notation than 1234.5."""
        return self.decimal != "." or bool(self.thousands or self.strip)

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw columns that its cells are made from; empty where it has the name of its only one."""
        return (self.source,) if isinstance(self.source, str) else self.source or ()

    @property
    def value_names(self) -> list[str]:
        """The values that its cells can have, in the order of `values`."""
        return [str(value) for value in (self.values.values() if isinstance(self.values, dict) else self.values or ())]

    @property
    def is_coded(self) -> bool:
        """Whether `values` maps each text to an integer code, as for a 0/1 outcome."""
        return isinstance(self.values, dict) and all(isinstance(code, int) for code in self.values.values())

    @property
    def may_be_null(self) -> bool:
        return self.role not in _NEVER_NULL if self.nullable is None else self.nullable

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        return self.range if self.range is not None else (self.min, self.max)

    @property
    def is_feature(self) -> bool:
        could = self.role in {"numeric", "categorical", "text", "image", "protected"}
        return could and (self.role != "protected" if self.use is None else self.use)


Columns = dict[str, Column]


def check_column(place: str, columns: Columns, name: str, types: set[CellType] | None) -> Iterator[str]:
    """Yield a problem unless `name` is a column that is read and has one of `types`."""
    if name not in columns or columns[name].role == "ignore":
        yield f"{place} names {name!r}, which is no column that is read"
    elif types is not None and columns[name].cell_type not in types:
        yield f"{place}: {name!r} is of type {columns[name].cell_type}, not {' or '.join(sorted(types))}"
