"""A gift shop's invoice lines: every one is accounted for, customers and rates are those that are known of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from perennial.files.tables import read_table
from perennial.serving.preparation import prepare_rows
from tests.conftest import LIGHT, REPO, Toy, lay_out

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", REPO.parent / "shared" / "data")) / "online_retail"
FILE = DATA / "online_retail.csv.gz"
NAME = "customer_churn"

if not FILE.exists():
    pytest.skip(f"no online_retail.csv.gz in {DATA.name} of PERENNIAL_TEST_DATA", allow_module_level=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The gallery's contract over the real file up to the figures, with a quick deep model."""
    train = {"epochs": 2, "members": 2, "width": 32}
    params = {"train": train, "baseline": {"trials": 1}, "evaluate": {"bootstrap": 100}}
    toy = lay_out(tmp_path_factory.mktemp("shop") / "project", NAME, params)
    shutil.copy(FILE, toy.project.raw(NAME))
    toy.run(*LIGHT, "train", "baseline", "evaluate")
    return toy


def test_every_line_is_kept_filtered_or_outside_every_window(shop: Toy) -> None:
    assert shop.summary("validate")["flow"]["lines"] == {"rows_in": 541_909, "to": {"passed": 541_909, "quarantined": 0}}
    assert shop.summary("clean")["flow"]["lines"]["to"] == {
        "kept": 397_884,
        "no CustomerID": 135_080,
        "cancelled or adjusted": 8_905,
        "without quantity or price": 40,
    }
    clean = read_table(shop.out("clean", "lines.parquet"))
    assert clean["CustomerID"].n_unique() == 4_338
    assert clean["amount"].sum() == pytest.approx(8_911_407.90, abs=0.01)
    assert sum(shop.summary("featurize")["flow"]["lines"]["to"].values()) == 397_884


def test_customers_and_their_return_are_those_that_are_known(shop: Toy) -> None:
    assert shop.summary("featurize")["cutoffs"]["2011-09-10"] == 3_370
    assert shop.summary("split")["rate"]["test"] == pytest.approx(0.570, abs=0.001)
    units = read_table(shop.out("featurize", "units.parquet"))
    assert units.filter(pl.col("gap").is_null() != pl.col("overdue").is_null()).height == 0
    assert units["last"].min() == 1.0


def test_past_cut_offs_know_who_will_buy_again(shop: Toy) -> None:
    families = shop.summary("evaluate")["families"]
    assert 0.725 < families["linear"]["test"]["auc"]["value"] < 0.76
    assert 0.725 < families["boosted"]["test"]["auc"]["value"] < 0.76


def test_all_customers_are_scored_as_of_the_day_after_the_log(shop: Toy) -> None:
    prepared = prepare_rows(shop.contract, FILE)
    assert (prepared.n_rows, prepared.units.height, prepared.rejected.height) == (541_909, 4_338, 541_909 - 397_884)
    assert str(prepared.as_of) == "2011-12-10"
