"""Campaign record: who was chosen, contacted and held out, by which model, and each look at the outcome.

`.perennial/NAME/campaigns/ID/` holds population.parquet (everyone who was drawn, with their features at that time),
campaign.json (written last, with the digest of the former) and looks.json. No address, name or phone number is stored.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import TypeAdapter, ValidationError

from perennial.config.base import describe_problems
from perennial.errors import ConfigError, InputError, IntegrityError
from perennial.files.durable import read_json, sha256_file, write_json
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table
from perennial.results.campaign import CampaignLook, CampaignOutcome, CampaignRecord
from perennial.results.decision import utc_now

_MAY_DIFFER = {"at", "columns"}  # a list for another platform is the same campaign
_ID = re.compile(r"[a-z0-9_]{1,40}\Z")
_RECORD, _LOOKS = TypeAdapter(CampaignRecord), TypeAdapter(list[CampaignLook])
T = TypeVar("T")


def campaign_folder(project: Project, name: str, campaign: str) -> Path:
    """Raises: ConfigError unless the campaign's id can be part of a path and of a use case's name."""
    if not _ID.match(campaign):
        raise ConfigError(f"--campaign {campaign!r}: use lower-case letters, digits and _, at most 40")
    return project.state(name) / "campaigns" / campaign


def save_campaign(folder: Path, campaign: CampaignRecord, population: pl.DataFrame) -> bool:
    """Write the record; False if the same one is there already.

    Raises: ConfigError when another campaign was drawn under this id.
    """
    path, draft = folder / "population.parquet", folder / "population.new.parquet"
    write_table(draft, population)
    new = campaign.model_copy(update={"population_sha256": sha256_file(draft)})
    if (folder / "campaign.json").exists():
        draft.unlink()
        old = _read(folder / "campaign.json", _RECORD)
        differs = [key for key, value in new if key not in _MAY_DIFFER and getattr(old, key) != value]
        if differs:
            raise ConfigError(
                f"campaign {campaign.campaign} was drawn on {old.at} and differs in {', '.join(differs)}: its control "
                "group is never drawn again; choose another --campaign"
            )
        return False
    draft.replace(path)
    write_json(folder / "campaign.json", new.model_dump(mode="json"))
    return True


def load_campaign(folder: Path) -> tuple[CampaignRecord, pl.DataFrame]:
    """The record and everyone who was drawn.

    Raises: InputError when there is no such campaign, IntegrityError when its files are not those that were written.
    """
    if not (folder / "campaign.json").exists():
        others = sorted(path.parent.name for path in folder.parent.glob("*/campaign.json"))
        raise InputError(f"{folder.name} is not a campaign of this use case; there are: {', '.join(others) or 'none'}")
    campaign, path = _read(folder / "campaign.json", _RECORD), folder / "population.parquet"
    if not path.exists() or sha256_file(path) != campaign.population_sha256:
        raise IntegrityError(f"{path} is not the file that campaign {folder.name} wrote: restore it from a backup")
    return campaign, read_table(path)


def read_looks(folder: Path) -> list[CampaignLook]:
    """Every look at the outcome so far, the first one first."""
    path = folder / "looks.json"
    return _read(path, _LOOKS) if path.exists() else []


def add_look(folder: Path, data: Path, outcome: CampaignOutcome, sentences: list[str]) -> list[CampaignLook]:
    """Record a look at the outcome file `data`; returns all looks, this one last."""
    earlier = read_looks(folder)
    look = CampaignLook(
        number=len(earlier) + 1, at=utc_now(), file_sha256=sha256_file(data), outcome=outcome, sentences=tuple(sentences)
    )
    looks = [*earlier, look]
    write_json(folder / "looks.json", _LOOKS.dump_python(looks, mode="json"))
    return looks


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_python(read_json(path))
    except ValidationError as error:
        raise IntegrityError(f"{path} is not a campaign record: {describe_problems(error)}") from error
