"""A campaign's folder: who was chosen, contacted and held back, by which model, and each look at what came of it.

`.perennial/NAME/campaigns/ID/`: people.parquet (all who were drawn, with their features as they were then), campaign.json
(written last, with the digest of the former) and looks.json. No address, name or phone number is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from perennial.config.base import describe_problems
from perennial.contract.columns import Column
from perennial.data.io.csv_header import DELIMITERS, Dialect
from perennial.data.io.ingest import ingest
from perennial.data.io.read import read_header
from perennial.data.io.table_files import TableFormat, read_names
from perennial.errors import ConfigError, InputError, IntegrityError
from perennial.files.durable import read_json, sha256_file, write_json
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table

_FREE = {"at", "columns"}  # a list for another platform is the same campaign
_ID = re.compile(r"[a-z0-9_]{1,40}\Z")


class Campaign(BaseModel):
    """What a campaign was; `arms` are what the lottery drew, control first, `costs` of each message that was sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    use_case: str
    campaign: str
    model_version: str
    bundle: str
    key: str
    target: str
    at: str
    arms: tuple[str, ...]
    shares: tuple[float, ...]  # planned, one an arm; empty without a control group
    costs: dict[str, float]
    value: float
    currency: str
    columns: tuple[str, ...]  # of the first list
    counts: dict[str, int]
    control: str  # what this control group can prove, as it was said
    people: str = ""  # sha256 of people.parquet


def folder(project: Project, name: str, campaign: str) -> Path:
    """Raises: ConfigError unless the campaign's id can be part of a path and of a use case's name."""
    if not _ID.match(campaign):
        raise ConfigError(f"--campaign {campaign!r}: use lower-case letters, digits and _, at most 40")
    return project.state(name) / "campaigns" / campaign


def keep(room: Path, campaign: Campaign, people: pl.DataFrame) -> bool:
    """Write the record; False where the same one is there already.

    Raises: ConfigError when another campaign was drawn under this id.
    """
    path, draft = room / "people.parquet", room / "people.new.parquet"
    write_table(draft, people)
    new = campaign.model_copy(update={"people": sha256_file(draft)})
    if (room / "campaign.json").exists():
        draft.unlink()
        old = _told(room)
        known = old.model_dump()
        differs = [name for name, value in new.model_dump().items() if name not in _FREE and known[name] != value]
        if differs:
            raise ConfigError(
                f"campaign {campaign.campaign} was drawn on {old.at} and differs in {', '.join(differs)}: who is held "
                "back is never drawn again; choose another --campaign"
            )
        return False
    draft.replace(path)
    write_json(room / "campaign.json", new.model_dump(mode="json"))
    return True


def read(room: Path) -> tuple[Campaign, pl.DataFrame]:
    """Raises: InputError when there is no such campaign, IntegrityError when its people are not those it was drawn of."""
    if not (room / "campaign.json").exists():
        there = sorted(path.parent.name for path in room.parent.glob("*/campaign.json"))
        raise InputError(f"{room.name} is no campaign of this use case; there are: {', '.join(there) or 'none'}")
    campaign, path = _told(room), room / "people.parquet"
    if not path.exists() or sha256_file(path) != campaign.people:
        raise IntegrityError(f"{path} is not what campaign {room.name} was drawn of: restore it from a backup")
    return campaign, read_table(path)


def looks(room: Path) -> list[dict[str, Any]]:
    """Every look so far at what came of it, the first one first."""
    path = room / "looks.json"
    found: list[dict[str, Any]] = read_json(path) if path.exists() else []
    return found


def add_look(room: Path, data: Path, result: dict[str, Any]) -> None:
    known = looks(room)
    look = {"number": len(known) + 1, "at": now(), "file": sha256_file(data), "result": result}
    write_json(room / "looks.json", [*known, look])


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _told(room: Path) -> Campaign:
    try:
        return Campaign.model_validate(read_json(room / "campaign.json"))
    except ValidationError as error:
        raise IntegrityError(
            f"{room / 'campaign.json'} is no record of a campaign: {describe_problems(error)}"
        ) from error


def rows_of(path: Path, columns: dict[str, Column], key: str) -> pl.DataFrame:
    """The typed rows of a file about customers, by whichever delimiter its header names the key.

    Raises: InputError when there is no such file, it lacks a column, or one of its cells cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    form = _form(path, (key, *columns[key].sources))
    read = ingest([path], columns, form)
    if read.rejects.height:
        first = read.rejects.row(0, named=True)
        raise InputError(
            f"{path}: {read.rejects.height} of {read.rejects.height + read.rows.height} rows cannot be read, the first "
            f"in line {first['line']}: {first['reason']}; mend them, or nobody knows what came of these customers"
        )
    return read.rows.select(list(columns))


def named_by(path: Path, key: str, column: Column | None) -> Column:
    """How a file names customers: by `key` as the list does, or by the address whose digest the key is (`column`)."""
    plain = Column(role="id", type="text")
    if column is None or not column.hashed or not path.is_file():
        return plain
    if key in read_names(path, _form(path, (key, *column.sources))):
        return plain
    return plain.model_copy(update={"source": column.source or key, "hashed": True})


def without_zeros(ids: pl.Series, known: pl.Series) -> str | None:
    """What to say where some of `ids` would be `known` ones but for their leading zeros: a spreadsheet has cut them."""
    cut = pl.DataFrame({"id": known, "bare": known.str.strip_chars_start("0")}).filter(pl.col("id") != pl.col("bare"))
    lost = ids.filter(~ids.is_in(known.to_list()) & ids.is_in(cut["bare"].to_list()))
    if not lost.len():
        return None
    first = str(lost.min())
    whole = cut.filter(pl.col("bare") == first)["id"][0]
    return f"{lost.len():,} ids have lost their leading zeros, such as {first} for {whole}: export ids as text"


def _form(path: Path, keys: Sequence[str]) -> TableFormat:
    """How a file is written that may name customers by one of `keys`."""
    is_parquet = path.suffix == ".parquet"
    dialect = Dialect() if is_parquet else _dialect(path, keys)
    return TableFormat(
        table=path.name, format="parquet" if is_parquet else "csv", dialect=dialect, entity=None, allow_empty=True
    )


def _dialect(path: Path, keys: Sequence[str]) -> Dialect:
    """The delimiter by which the header has one of `keys`; a comma where none does, and ingest will say what is there."""
    for dialect in (Dialect(delimiter=sign) for sign in DELIMITERS):
        try:
            if not set(keys).isdisjoint(read_header(path, dialect)):
                return dialect
        except InputError:  # parted by another sign
            continue
    return Dialect()
