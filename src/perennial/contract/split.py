"""Split of the units into train, val, test and out_of_time: by hash, time, column, file or cut-off."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from perennial.contract.columns import ContractPart


class Fractions(ContractPart):
    train: float = Field(gt=0, lt=1)
    val: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    out_of_time: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        total = self.train + self.val + self.test + self.out_of_time
        if abs(total - 1) > 1e-9:
            raise ValueError(f"fractions add up to {total:g}, not to 1")
        return self


class HashSplit(ContractPart):
    """By md5 of the salt and the text of the entity, the record or the row."""

    kind: Literal["hash"]
    by: Literal["entity", "record", "row"]
    salt: str = Field(min_length=1)
    fractions: Fractions


class TimeSplit(ContractPart):
    """By time: the oldest rows train; `order` is a time column, or `record` where the file itself is in order."""

    kind: Literal["time"]
    order: str
    fractions: Fractions


class ColumnSplit(ContractPart):
    """By the column of role `split`."""

    kind: Literal["column"]


class FileSplit(ContractPart):
    """By the file of a row: file name patterns and their parts."""

    kind: Literal["file"]
    files: dict[str, Literal["train", "val", "test", "out_of_time"]]


class CutoffSplit(ContractPart):
    """By cut-off: test cut-offs test; of the train cut-offs a share of the entities (by md5) is val, the rest train."""

    kind: Literal["cutoff"]
    val_share_of_entities: float = Field(gt=0, lt=1)
    salt: str = Field(min_length=1)


Split = Annotated[HashSplit | TimeSplit | ColumnSplit | FileSplit | CutoffSplit, Field(discriminator="kind")]
