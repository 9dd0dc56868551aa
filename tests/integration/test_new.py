"""`perennial new`: files that nobody described become use cases that run, with no line edited and nothing overwritten."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from sklearn import datasets

from perennial.actions import fetch as fetching
from perennial.actions import new as module
from perennial.actions.new import new
from perennial.config.base import section
from perennial.config.train import TrainParams
from perennial.errors import ConfigError, InputError
from perennial.files.tables import read_table
from perennial.propose.draft import Answers
from tests.conftest import LIGHT, REPO, Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
SETS = ("breast_cancer", "wine", "diabetes", "iris")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """An empty project; DVC is not told of raw data, which is tested elsewhere."""
    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text("# mine\nuse_cases: {}\n".replace(" {}", ""))
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copy(REPO / file, root)
    return Toy(root=root, name="mine")


def bundled(name: str, folder: Path) -> Path:
    """One of scikit-learn's data sets as a file, as a user would have it."""
    found = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(found.data, schema=list(found.feature_names)).with_columns(target=pl.Series(found.target))
    path = folder / f"{name}.csv"
    frame.write_csv(path)
    return path


@pytest.mark.parametrize("name", SETS)
def test_a_data_set_of_another_kind_runs_up_to_its_parts_with_no_line_edited(
    name: str, project: Toy, tmp_path: Path
) -> None:
    path = bundled(name, tmp_path)
    new(project.project, "mine", path, Answers(), asks=False)
    assert (project.project.raw("mine") / path.name).read_bytes() == path.read_bytes()
    assert section(project.root / "params.yaml", "mine", "train", TrainParams).batch in {64, 128, 256}
    project.run(*LIGHT)
    n_rows = len(path.read_text().splitlines()) - 1
    assert project.summary("split")["flow"]["units"]["in"] >= 0.99 * n_rows
    text = project.project.contract("mine").read_text()
    columns = yaml.safe_load(text)["columns"]
    assert sum("  # guess: " in line for line in text.splitlines()) >= len(columns)


def test_the_smallest_of_them_trains_every_traditional_family(project: Toy, tmp_path: Path) -> None:
    new(project.project, "mine", bundled("wine", tmp_path), Answers(), asks=False)
    project.edit("params.yaml", "trials: 6", "trials: 1")
    found = project.run(*LIGHT, "baseline")
    assert set(found["families"]) == {"linear", "boosted"}
    assert found["families"]["linear"]["val_loss"] < 0.5, "the classes are far apart"


def test_what_is_there_stays_as_it_is(project: Toy, tmp_path: Path) -> None:
    path = bundled("wine", tmp_path)
    new(project.project, "mine", path, Answers(), asks=False)
    edited = project.project.contract("mine").read_text() + "# by hand\n"
    project.project.contract("mine").write_text(edited)
    params = (project.root / "params.yaml").read_text()
    with pytest.raises(ConfigError, match="mine is there already, and yours"):
        new(project.project, "mine", path, Answers(), asks=False)
    new(project.project, "other", path, Answers(), asks=False)
    assert project.project.contract("mine").read_text() == edited
    assert (project.root / "params.yaml").read_text().startswith(params.rstrip("\n"))


def test_a_file_that_cannot_be_used_leaves_nothing_behind(project: Toy, tmp_path: Path) -> None:
    before = (project.root / "params.yaml").read_text()
    unclear = tmp_path / "unclear.csv"
    unclear.write_text("a,b,c\n" + "".join(f"{i}.5,{i % 7},{i % 11}\n" for i in range(90)))
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    for path, words in ((unclear, "--target"), (empty, "empty"), (tmp_path / "gone.csv", "no such file")):
        with pytest.raises(InputError, match=words):
            new(project.project, "mine", path, Answers(), asks=False)
    assert not project.project.contract("mine").exists()
    assert (project.root / "params.yaml").read_text() == before
    assert not project.project.raw("mine").exists()


def test_files_with_other_columns_are_never_joined_and_equal_ones_are_one_table(project: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    path = bundled("wine", folder)
    rows = path.read_text().splitlines(keepends=True)
    (folder / "more.csv").write_text(rows[0] + "".join(rows[100:]))
    path.write_text("".join(rows[:100]))
    new(project.project, "mine", folder, Answers(), asks=False)
    project.run(*LIGHT)
    assert read_table(project.out("split", "splits.parquet")).height == len(rows) - 1
    (folder / "others.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match=r"the files differ in their columns: .*others.csv \(2 columns\)"):
        new(project.project, "two", folder, Answers(), asks=False)


def test_a_person_is_asked_three_things_at_most(project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "codes.csv"
    frame = pl.DataFrame(
        {
            "x": [i % 97 for i in range(400)],
            "z": [i % 7 for i in range(400)],
            "flag": [1 + (i % 3 == 0) for i in range(400)],
        }
    )
    frame.with_columns(result_days=pl.col("flag") * 20 + pl.col("x") % 40).select(
        "x", "z", "result_days", "flag"
    ).write_csv(path)
    asked: list[str] = []
    answers = iter(["flag", "1", "", "2 40"])

    def said(question: str = "") -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("builtins.input", said)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr(module, "target_of", lambda *_: None)
    new(project.project, "mine", path, Answers(), asks=True)
    contract = project.contract
    assert contract.columns["flag"].values == {"2": 0, "1": 1}
    assert contract.money.value_of_response == 40
    assert contract.money.cost_of_contact == 2
    assert 3 <= len(asked) <= 4


def test_which_of_day_and_month_comes_first_is_asked_where_no_row_tells(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders.csv"
    days = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2023" for i in range(400)]
    pl.DataFrame(
        {"order_date": days, "x": [i % 97 for i in range(400)], "returned": [i % 3 for i in range(400)]}
    ).with_columns(pl.col("returned").replace_strict({0: "yes", 1: "no", 2: "no"})).write_csv(path)
    screen = io.StringIO()
    monkeypatch.setattr("builtins.input", lambda question: "day" if "day or the month" in question else "")
    monkeypatch.setattr("sys.stdout", screen)
    new(project.project, "mine", path, Answers(), asks=True)
    assert project.contract.columns["order_date"].format == "%-d/%-m/%Y"
    assert screen.getvalue().count("row ") == 3


def test_of_unlike_files_the_table_is_asked_for_and_nothing_is_joined(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [f"{i % 97},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(400)]
    (folder / "train.csv").write_text("x,z,churn\n" + "\n".join(rows) + "\n")
    (folder / "submission.csv").write_text("x,p\n1,2\n2,3\n")
    monkeypatch.setattr("builtins.input", lambda question: "train.csv" if "Which file" in question else "")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    new(project.project, "mine", folder, Answers(), asks=True)
    assert [path.name for path in project.project.raw("mine").iterdir()] == ["train.csv"]
