"""How a report names a row: by its id, unless that reaches a person; else by its record in the file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import polars as pl
import pytest

from perennial.contract.load import load_contract
from perennial.contract.model import Contract
from perennial.files.project import Project
from perennial.files.tables import write_table
from perennial.promotion.reporting import read_row_names

pytestmark = pytest.mark.unit


def gallery(name: str) -> Contract:
    with resources.as_file(resources.files("perennial.gallery") / f"{name}.yaml") as path:
        return load_contract(path)


def test_a_row_is_named_by_its_id(tmp_path: Path) -> None:
    project, contract = Project(root=tmp_path), gallery("ad_response")
    rows = pl.DataFrame({"row_id": ["ab-1", "ab-2"], "customer_id": ["000000007", "anna@example.org"]})
    write_table(project.output("shop", "clean") / "main.parquet", rows)
    name = read_row_names(project, "shop", contract)
    assert name("ab-1") == "000000007"
    assert name("ab-2") == "row 2", "an address of mail is contact data"
    assert name("ab-3") == "row 3"


def test_without_an_id_it_is_the_record_in_the_file(tmp_path: Path) -> None:
    name = read_row_names(Project(root=tmp_path), "bank", gallery("bank_response"))
    assert name("ab-17") == "row 17"


def test_a_unit_made_of_events_is_its_entity(tmp_path: Path) -> None:
    name = read_row_names(Project(root=tmp_path), "churn", gallery("customer_churn"))
    assert name("12345@2011-06-01").split()[0] == "12345"
