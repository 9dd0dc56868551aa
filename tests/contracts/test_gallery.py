"""Every use case of the gallery on a few hundred of its own rows: from the raw file to the split, and no leak gets by."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
import yaml

from perennial.contract.load import parse
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.data.names import ENTITY, ROW_ID
from perennial.data.prepare.clean import WHY, clean
from perennial.errors import LeakError
from perennial.files.durable import read_json
from perennial.files.manifest import seal
from perennial.files.tables import read_table, write_table
from perennial.gallery.simulator.simulate import write_population
from tests.conftest import REPO, Toy

pytestmark = [pytest.mark.contracts, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", REPO.parent / "shared" / "data"))
GALLERY = REPO / "src" / "perennial" / "gallery"
STAGES = ("ingest", "validate", "clean", "featurize", "split")
ROWS = 600
MORE = {"email_spend": 4_000}  # one customer in 110 spends
BANK, SHOP = "bank_marketing/bank-additional-full.csv.gz", "online_retail/online_retail.csv.gz"
FILES: dict[str, tuple[str, ...]] = {
    "ad_clicks": ("kdd2012_ad_click/click_prediction_small.csv.gz",),
    "ad_response": (),
    "ad_uplift": (),
    "bank_by_time": (BANK,),
    "bank_response": (BANK,),
    "card_fraud": ("creditcard_fraud_10k/creditcard_fraud_10k.csv.gz",),
    "credit_risk": ("taiwan_credit_default/UCI_Credit_Card.csv.gz",),
    "customer_churn": (SHOP,),
    "customer_segments": (SHOP,),
    "customer_value": (SHOP,),
    "email_spend": ("hillstrom_email/hillstrom.csv.gz",),
    "email_uplift": ("hillstrom_email/hillstrom.csv.gz",),
    "german_risk": ("german_credit/german.csv.gz",),
    "member_segments": ("ifood_campaign/ml_project1_data.csv.gz",),
    "product_images": ("clothing_small/labels.csv", "clothing_small/clothing_small_128.tar"),
    "review_sentiment": ("womens_clothing_reviews/reviews.csv.gz",),
    "shopper_intent": ("online_shoppers/online_shoppers_intention.csv.gz",),
    "visitor_segments": ("online_shoppers/online_shoppers_intention.csv.gz",),
    "wholesale_segments": ("wholesale_customers/wholesale.csv.gz",),
    "sst2": ("sst2_binary/train.tsv.gz", "sst2_binary/dev.tsv.gz", "sst2_binary/test.tsv.gz"),
}
TYPES = {"text": pl.String, "int": pl.Int64, "decimal": pl.Float64, "date": pl.Date, "datetime": pl.Datetime}


def test_every_entry_is_looked_at() -> None:
    assert FILES.keys() == {path.stem for path in GALLERY.glob("*.yaml")} - {"params"}


@pytest.fixture(scope="module", params=sorted(FILES))
def entry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A project with some rows of a use case's own files, run from ingest to split. Shared: read it only."""
    name: str = request.param
    missing = [file for file in FILES[name] if not (DATA / file).exists()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in the folder that PERENNIAL_TEST_DATA names")
    toy = Toy(root=tmp_path_factory.mktemp(name) / "project", name=name)
    toy.project.contract(name).parent.mkdir(parents=True)
    toy.project.contract(name).write_text(small(GALLERY / f"{name}.yaml"))
    shutil.copy(REPO / "versions.yaml", toy.root)
    raw = toy.project.raw(name)
    raw.mkdir(parents=True)
    if not FILES[name]:
        write_population(raw, toy.population)
    for file in FILES[name]:
        sample(DATA / file, raw / Path(file).name, toy.contract, MORE.get(name, ROWS))
    toy.run(*STAGES)
    return toy


def small(path: Path) -> str:
    """A contract of the gallery that asks for fewer rows, and simulates fewer."""
    text = re.sub(r"(kind: row_count, min): [0-9]+", r"\1: 100", path.read_text())
    return text.replace("n: 20000", f"n: {ROWS}")


def sample(source: Path, to: Path, contract: Contract, n: int) -> None:
    """Rows from all over a file in its order; of a log all lines of some people, and its end; a tar as it is."""
    if source.suffix == ".tar":
        to.symlink_to(source)
        return
    rows = read(source, contract.source.delimiter, contract.source.quoting == "none")
    body = rows if contract.source.header else rows[1:]
    if contract.unit.cutoffs is not None:
        owner = rows[0].index(str(contract.entity))
        some = {name for name in {row[owner] for row in body} if name and digit(name) == 0}
        body = [row for i, row in enumerate(body) if row[owner] in some or (i % 300 == 0 and not row[owner])] + body[-20:]
    else:
        body = body[:: max(1, len(body) // n)]
    with gzip.open(to, "wt", encoding="utf-8", newline="") if to.suffix == ".gz" else open(to, "w", newline="") as out:
        if contract.source.quoting == "none":
            out.writelines(contract.source.delimiter.join(row) + "\n" for row in body)
            return
        csv.writer(out, delimiter=contract.source.delimiter).writerows(([] if contract.source.header else rows[:1]) + body)


def digit(name: str) -> int:
    """0 for one name in 64."""
    return hashlib.md5(name.encode(), usedforsecurity=False).digest()[0] % 64


@cache
def read(path: Path, delimiter: str, is_plain: bool) -> list[list[str]]:
    """The records of a file as texts, the header among them."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else open(path, newline="") as file:
        if is_plain:
            return [line.rstrip("\n").split(delimiter) for line in file]
        return list(csv.reader(file, delimiter=delimiter))


def flows(toy: Toy) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stage in STAGES:
        for table, counts in toy.summary(stage)["flow"].items():
            yield stage, table, counts


def test_most_rows_are_read_and_pass_and_the_audit_agrees(entry: Toy) -> None:
    assert entry.contract.tables
    for table in entry.contract.tables:
        read_in, passed = (entry.summary(stage)["flow"][table] for stage in ("ingest", "validate"))
        assert read_in["rows_in"] >= 400
        assert passed["to"]["passed"] >= 0.97 * read_in["rows_in"]
        assert read_json(entry.out("validate", "audit.json"))[table]["success"]


def test_tables_have_the_columns_and_types_of_the_contract(entry: Toy) -> None:
    observed = 0
    for table, (_, columns) in entry.contract.tables.items():
        result = read_table(entry.out("clean", f"{table}.parquet")).schema
        for name, column in columns.items():
            if column.role == "ignore":
                assert name not in result
                continue
            expected = pl.Binary if column.role == "image" else TYPES[column.cell_type]
            assert result[name].base_type() is expected, name
            observed += 1
    assert observed >= 2
    units = read_table(entry.out("featurize", "units.parquet"))
    assert {feature.name for feature in feature_columns(entry.contract)} <= set(units.columns)
    if entry.contract.target is not None:
        assert units[entry.contract.target].null_count() == 0


def test_cleaning_what_is_clean_changes_nothing(entry: Toy) -> None:
    contract = entry.contract
    assert contract.tables
    for table, (_, columns) in contract.tables.items():
        rows = read_table(entry.out("clean", f"{table}.parquet"))
        log = contract.events.get(table)
        derived = rows.drop(log.derive if log else ())
        lazy, drop = nw.from_native(derived.lazy()), contract.drops_duplicates(table)
        again = clean(lazy, columns, log, drop_duplicates=drop).to_native().collect()
        assert again[WHY].null_count() == rows.height > 0
        assert again.drop(WHY).select(rows.columns).equals(rows)


def test_every_row_goes_to_one_place_at_each_stage(entry: Toy) -> None:
    last: dict[str, int] = {}
    for stage, table, counts in flows(entry):
        assert counts["rows_in"] == sum(counts["to"].values()), (stage, table)
        if stage != "split":
            assert counts["rows_in"] == last.get(table, counts["rows_in"]), (stage, table)
            last[table] = next(counts["to"][place] for place in ("passed", "kept", "fed") if place in counts["to"])
    units = read_table(entry.out("featurize", "units.parquet"))
    assert entry.summary("split")["flow"]["units"]["rows_in"] == units.height
    if entry.contract.unit.cutoffs is None:
        assert units.height == last["main"]
        assert set(units[ROW_ID]) <= set(read_table(entry.out("clean", "main.parquet"))[ROW_ID])


def test_each_unit_is_in_one_part_and_so_is_each_person(entry: Toy) -> None:
    units, splits = (read_table(entry.out(*place)) for place in (("featurize", "units.parquet"), ("split", "splits.parquet")))
    assert splits[ROW_ID].n_unique() == splits.height
    assert set(splits[ROW_ID]) == set(units[ROW_ID])
    assert {"train", "val", "test"} <= set(splits["split"])
    split = entry.contract.split
    if split.kind == "hash" and split.by != "row":
        now = splits.filter(pl.col("split") != "lookback")  # of whom it is compared with, not made of
        parts = units.join(now, on=ROW_ID).group_by(ENTITY).agg(pl.col("split").n_unique())
        assert parts["split"].max() == 1
    if split.kind == "time" and split.order != "record":
        moments = (
            units.join(splits, on=ROW_ID)
            .group_by("split")
            .agg(pl.col(split.order).min().alias("first"), pl.col(split.order).max().alias("last"))
        )
        bounds = {row["split"]: row for row in moments.iter_rows(named=True)}
        assert bounds["train"]["last"] < bounds["val"]["first"]
        assert bounds["val"]["last"] < bounds["test"]["first"]


def test_a_copy_of_the_outcome_among_the_columns_is_refused(entry: Toy, tmp_path: Path) -> None:
    """Of pictures, which no column tells: the same one in two parts."""
    toy = Toy(root=tmp_path / "project", name=entry.name)
    shutil.copytree(entry.root, toy.root, symlinks=True)
    path = toy.out("featurize", "units.parquet")
    units, contract = read_table(path), entry.contract
    if contract.target is None:
        pytest.skip("nothing is foretold, so nothing can leak")
    kinds = {feature.kind: feature.name for feature in reversed(feature_columns(contract))}
    plant: Callable[[pl.DataFrame, str], pl.DataFrame] = copied
    kind = next(kind for kind in ("numeric", "categorical", "text", "image") if kind in kinds)
    words = f"column {kinds[kind]!r} alone separates the outcome"
    if kind == "image":
        plant, words = twice, f"1 pictures of {kinds[kind]!r} are in two parts of the split"
    else:
        units = units.with_columns(pl.col(contract.target).alias("_y"))
    write_table(path, plant(units, kinds[kind]).drop("_y", strict=False))
    seal(toy.out("featurize"))
    with pytest.raises(LeakError, match=re.escape(words)) as caught:
        toy.run("split")
    assert caught.value.exit_code == 3


def copied(units: pl.DataFrame, column: str) -> pl.DataFrame:
    """The outcome in place of a column, in its own type."""
    return units.with_columns(pl.col("_y").cast(units[column].dtype).alias(column))


def twice(units: pl.DataFrame, column: str) -> pl.DataFrame:
    """The first train picture in place of the first test one."""
    part = units["split"].to_list()
    pictures = units[column].to_list()
    pictures[part.index("test")] = pictures[part.index("train")]
    return units.with_columns(pl.Series(column, pictures, dtype=units[column].dtype))


@pytest.mark.parametrize("name", ["ad_uplift", "email_spend", "email_uplift"])
def test_what_a_message_did_is_no_feature_of_what_else_it_did(name: str) -> None:
    """Outcomes of one campaign tell each other: a visit who buys. By name, before anything is looked at."""
    document = yaml.safe_load((GALLERY / f"{name}.yaml").read_text())
    siblings = [
        column
        for column, said in document["columns"].items()
        if said["role"] == "outcome" and column != document["task"]["target"]
    ]
    assert len(siblings) == {"ad_uplift": 1}.get(name, 2)
    for column in siblings:
        assert column not in {feature.name for feature in feature_columns(parse(document, name))}
        for role in ("numeric", "categorical"):
            columns = {**document["columns"], column: {**document["columns"][column], "role": role}}
            with pytest.raises(LeakError, match=f"column '{column}' is known only after the outcome") as caught:
                parse({**document, "columns": columns}, name)
            assert caught.value.exit_code == 3


def test_the_params_of_an_entry_name_what_its_columns_need() -> None:
    """Texts need train.words, or the stage would refuse."""
    blocks = yaml.safe_load((GALLERY / "params.yaml").read_text())["use_cases"]
    document = {name: yaml.safe_load((GALLERY / f"{name}.yaml").read_text()) for name in FILES}
    with_texts = {
        name for name, contract in document.items() if any(column["role"] == "text" for column in contract["columns"].values())
    }
    assert with_texts == {name for name in FILES if "words" in blocks[name]["train"]} == {"review_sentiment", "sst2"}
