"""Source of raw rows: where they come from, and the format of their files."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from perennial.contract.columns import ContractPart

Format = Literal["csv", "parquet", "jsonl", "workbook"]
QUERIED = ".jsonl.gz"  # suffix of a table filled by a query: JSON distinguishes null from an empty text
_PASSWORD = re.compile(r"://[^/@:]*:[^/@]+@")
_NEEDS: dict[str, tuple[str, ...]] = {
    "url": ("url", "sha256"),
    "simulator": ("seed", "n", "first", "month", "concept"),
    "sql": ("query",),
}


class Attachment(ContractPart):
    """A file beside the tables, such as a tar of pictures."""

    file: str
    sha256: str | None = None
    url: str | None = None


class Source(ContractPart):
    """Where raw rows come from. `files` is the pattern of the main table's files in data/NAME/raw/.

    Of kind sql: the address of a database, in `url` or, where it holds a password, in the environment variable that
    `url_env` names; and a query, or one for each table.
    """

    kind: Literal["file", "url", "simulator", "sql"]
    files: str
    """The pattern of the main table's files."""
    format: Format = "csv"
    """The format of the files; workbook: .xlsx or .ods."""
    sheet: str | None = None
    """The sheet of a workbook; by default the only one with rows."""
    delimiter: str = Field(",", min_length=1, max_length=2)
    """The separator of the cells of a line."""
    encoding: str = "utf-8"
    """The encoding of the text."""
    quoting: Literal["double", "none"] = "double"
    """double: a quote begins a text; none: it is a character like any other."""
    header: tuple[str, ...] | None = None
    """The names of the columns, where the files have no header."""
    skip: int = Field(0, ge=0)
    """Lines before the header, such as a title."""
    trim: bool = False
    """Whether spaces around a cell are removed."""
    allow_empty: bool = False
    """Whether a file may have no row."""
    url: str | None = None
    """The address of the file or the database."""
    url_env: str | None = Field(None, pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\z")
    """The environment variable that holds the address of a database."""
    query: str | dict[str, str] | None = None
    """A query, or one for each table."""
    attach: tuple[Attachment, ...] = ()
    """Files beside the tables."""
    member: str | None = None
    """The file inside a zip at `url`."""
    sha256: str | None = None
    """Of the uncompressed content."""
    seed: int | None = None
    """Of the simulator."""
    n: int | None = None
    """Customers of the simulator."""
    first: int | None = None
    """The simulator's first customer."""
    month: int | None = None
    """The simulator's month."""
    concept: int | None = None
    """Which behaviour the simulator's customers have."""

    @model_validator(mode="before")
    @classmethod
    def _queried(cls, keys: Any) -> Any:
        if isinstance(keys, dict) and keys.get("kind") == "sql":
            return {"files": f"*{QUERIED}", "format": "jsonl", **keys}
        return keys

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDS.get(self.kind, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a {self.kind} source also says {', '.join(missing)}")
        if self.sheet is not None and self.format != "workbook":
            raise ValueError(f"sheet is for format: workbook, not for format: {self.format}")
        if self.kind != "sql":
            if self.query is not None or self.url_env is not None:
                raise ValueError(f"query and url_env are for kind: sql, not for kind: {self.kind}")
            return self
        if (self.url is None) == (self.url_env is None):
            raise ValueError("a sql source says its address once: url, or url_env with the name of a variable")
        if self.url is not None and _PASSWORD.search(self.url):
            raise ValueError("source.url holds a password: put the address into a variable and name it, url_env: SHOP_DB")
        if self.format != "jsonl":
            raise ValueError(f"a sql source is kept as jsonl, not as {self.format}: leave format out")
        return self
