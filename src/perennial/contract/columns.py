"""What a column is: its role, its type, and what its cells may hold."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Role = Literal[
    "id", "entity", "time", "basket", "item", "outcome", "treatment", "numeric", "categorical",
    "text", "image", "weight", "split", "protected", "contact", "ignore",
]  # fmt: skip
CellType = Literal["text", "int", "decimal", "date", "datetime"]

_TYPE_OF_ROLE: dict[str, CellType] = {"numeric": "decimal", "time": "datetime", "weight": "decimal"}
_NEVER_NULL = {"id", "entity", "time", "outcome", "treatment", "split"}


class Frozen(BaseModel):
    """A closed, immutable piece of a contract."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Arm(Frozen):
    """One message of a campaign and what sending it costs."""

    cost: float = Field(0.0, ge=0)


class Column(Frozen):
    """One column of a table as the data owner describes it."""

    role: Role
    type: CellType | None = None
    known: Literal["before_decision", "after_outcome"] = "before_decision"
    required: bool = True  # a missing optional column is read as all null
    nullable: bool | None = None
    max_null: float = Field(0.99, ge=0, le=1)  # above this share of nulls the file stops
    null: tuple[str, ...] = ()  # tokens that stand for "nothing", beside the empty cell
    map: dict[str, str] = {}
    values: tuple[str, ...] | dict[str, int | str] | None = None
    range: tuple[float, float] | None = None
    min: float | None = None
    max: float | None = None
    before: dt.date | Literal["as_of"] | None = None
    pattern: str | None = None
    format: str | None = None
    tz: str = "UTC"
    unique: bool = False
    when_missing: Literal["quarantine", "filter"] = "quarantine"
    control: str | None = None
    arms: dict[str, Arm] = {}
    assignment: Literal["randomised", "observed"] | None = None
    label: str | None = None  # how the report calls it
    unit: str | None = None
    use: bool | None = None  # whether a model sees it; by default the feature roles yes, protected no
    source: str | None = Field(None, alias="from")
    why: str | None = None

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
        if self.role == "treatment" and not (self.control and self.arms):
            raise ValueError("a treatment names its control value and its arms")
        if self.range and (self.min is not None or self.max is not None):
            raise ValueError("give range, or min and max, not both")
        for bound in self.bounds:
            if bound is not None and abs(bound) > 2**53:
                raise ValueError(f"bound {bound} is over 2^53 and would be rounded by the audit")
        return self

    @property
    def cell_type(self) -> CellType:
        if self.type is not None:
            return self.type
        return "int" if self.is_coded else _TYPE_OF_ROLE.get(self.role, "text")

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
