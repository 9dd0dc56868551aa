"""`perennial new`: files that nobody described become use cases that run, with no line edited and nothing overwritten."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from PIL import Image
from sklearn import datasets

from perennial.config.base import read_section
from perennial.config.train import TrainParams
from perennial.data.names import ROW_ID
from perennial.discovery import terminal
from perennial.discovery.draft import Answers
from perennial.errors import ConfigError, InputError
from perennial.files.tables import read_table
from perennial.serving.preparation import prepare_rows
from perennial.sources import fetch as fetching
from perennial.sources.new_use_case import create_use_case
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
    result = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(result.data, schema=list(result.feature_names)).with_columns(target=pl.Series(result.target))
    path = folder / f"{name}.csv"
    frame.write_csv(path)
    return path


@pytest.mark.parametrize("name", SETS)
def test_a_data_set_of_another_kind_runs_up_to_its_parts_with_no_line_edited(name: str, project: Toy, tmp_path: Path) -> None:
    path = bundled(name, tmp_path)
    create_use_case(project.project, "mine", path, Answers())
    assert (project.project.raw("mine") / path.name).read_bytes() == path.read_bytes()
    assert read_section(project.root / "params.yaml", "mine", "train", TrainParams).batch_size in {64, 128, 256}
    project.run(*LIGHT)
    n_rows = len(path.read_text().splitlines()) - 1
    assert project.summary("split")["flow"]["units"]["rows_in"] >= 0.99 * n_rows
    text = project.project.contract("mine").read_text()
    columns = yaml.safe_load(text)["columns"]
    assert sum("  # guess: " in line for line in text.splitlines()) >= len(columns)


def test_the_smallest_of_them_trains_every_traditional_family(project: Toy, tmp_path: Path) -> None:
    create_use_case(project.project, "mine", bundled("wine", tmp_path), Answers())
    project.edit("params.yaml", "trials: 6", "trials: 1")
    summary = project.run(*LIGHT, "baseline")
    assert set(summary["families"]) == {"linear", "boosted"}
    assert summary["families"]["linear"]["val_loss"] < 0.5, "the classes are far apart"


def test_what_is_there_stays_as_it_is(project: Toy, tmp_path: Path) -> None:
    path = bundled("wine", tmp_path)
    create_use_case(project.project, "mine", path, Answers())
    edited = project.project.contract("mine").read_text() + "# by hand\n"
    project.project.contract("mine").write_text(edited)
    params = (project.root / "params.yaml").read_text()
    with pytest.raises(ConfigError, match="mine is there already, and yours"):
        create_use_case(project.project, "mine", path, Answers())
    create_use_case(project.project, "other", path, Answers())
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
            create_use_case(project.project, "mine", path, Answers())
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
    create_use_case(project.project, "mine", folder, Answers())
    project.run(*LIGHT)
    assert read_table(project.out("split", "splits.parquet")).height == len(rows) - 1
    (folder / "others.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match=r"the files differ in their columns: .*others.csv \(2 columns\)"):
        create_use_case(project.project, "two", folder, Answers())


def test_what_a_later_file_holds_for_the_first_time_is_warned_of_and_set_aside_is_nothing(
    project: Toy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [f"{20 + i % 60},{'basic' if i % 3 else 'plus'},{'yes' if i % 7 > 4 else 'no'}" for i in range(400)]
    path = tmp_path / "month.csv"
    path.write_text("age,plan,churn\n" + "\n".join(rows) + "\n")
    create_use_case(project.project, "mine", path, Answers())
    project.run("ingest")
    assert not project.run("validate")["warnings"]
    path.write_text("age,plan,churn\n" + "\n".join([*rows, "4100,basic,no", "50,gold,no", "51,gold,yes"]) + "\n")
    fetching.fetch(project.project, "mine", path)
    project.run("ingest")
    summary = project.run("validate")
    assert [note["message"] for note in summary["warnings"]] == [
        "table main: plan is none of basic, plus in 2 of 403 rows: 'gold'",
        "table main: age lies outside 20 to 80 in 1 of 403 rows",
    ]
    assert {note["code"] for note in summary["warnings"]} == {"unexpected"}
    assert not summary["quarantine"]
    ready = prepare_rows(project.contract, path)
    assert ready.units.height == 403
    assert "plan is none of basic, plus in 2 of 403 rows: 'gold' [unexpected]" in caplog.text


def test_equal_pictures_are_in_one_part(project: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    lines = ["claim_id,photo,condition"]
    with tarfile.open(folder / "photos.tar", "w") as tar:
        for i in range(300):
            shade = 7 if i % 10 == 0 else i % 250  # one in ten is the same placeholder
            file = io.BytesIO()
            Image.new("RGB", (24, 24), (shade, i % 10 and i // 2, 90)).save(file, "PNG")
            member = tarfile.TarInfo(f"images/{i}.png")
            member.size = len(file.getvalue())
            tar.addfile(member, io.BytesIO(file.getvalue()))
            lines.append(f"C{i:05d},images/{i}.png,{'damaged' if i % 3 else 'ok'}")
    (folder / "claims.csv").write_text("\n".join(lines) + "\n")
    create_use_case(project.project, "mine", folder, Answers(target="condition"))
    assert project.contract.split.kind == "hash"
    project.run("ingest", "validate", "clean", "featurize", "split")
    splits = read_table(project.out("split", "splits.parquet"))
    units = read_table(project.out("featurize", "units.parquet")).join(splits, on=ROW_ID)
    parts = units.group_by("picture").agg(pl.col("split").n_unique(), pl.len())
    assert (parts["len"].sum(), parts["len"].max(), parts["split"].max()) == (300, 30, 1)


class Person:
    """Says one reply after the other, then only Enter; `seen` is what stands on the screen whenever it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *replies: str) -> None:
        self.replies, self.seen, self.prompts = list(replies), list[str](), list[str]()
        self.screen = io.StringIO()
        monkeypatch.setattr("sys.stdout", self.screen)
        monkeypatch.setattr(terminal, "read_line", self.says)

    def says(self, prompt: str = "") -> str:
        self.prompts.append(prompt)
        self.seen.append(self.screen.getvalue())
        return self.replies.pop(0) if self.replies else ""


def _coded(path: Path, **more: Any) -> Path:
    """Codes whose event only their rareness hints at, and a suspect."""
    flag = [1 + (i % 3 == 0) for i in range(400)]
    late = [20 * code + i % 97 % 40 for i, code in enumerate(flag)]
    columns = {"x": [i % 97 for i in range(400)], "z": [i % 7 for i in range(400)], **more, "result_days": late}
    pl.DataFrame({**columns, "churn_flag": flag}).write_csv(path)
    return path


def test_three_questions_stand_on_one_screen_before_the_first_is_answered(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch, "1", "result_days", "2 40")
    create_use_case(project.project, "mine", _coded(tmp_path / "codes.csv"), Answers(), terminal.Terminal())
    contract = project.contract
    assert contract.columns["churn_flag"].values == {"2": 0, "1": 1}
    assert not contract.leakage_suspects
    assert (contract.money.value_of_response, contract.money.cost_of_contact) == (40, 2)
    assert len(person.prompts) == 3
    for words in ("1. What do you want to predict", "result_days: ", "3. What does a contact cost", "event = 2, 33.5%"):
        assert words in person.seen[0]


def test_another_outcome_is_asked_about_anew_and_what_fits_nothing_again(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch, "churn_flag = 3", "gone", "bought = yes", "cheap")
    bought = ["yes" if i % 4 else "no" for i in range(400)]
    create_use_case(project.project, "mine", _coded(tmp_path / "codes.csv", bought=bought), Answers(), terminal.Terminal())
    assert project.contract.target == "bought"
    assert project.contract.columns["bought"].values == {"no": 0, "yes": 1}
    assert [prompt[0] for prompt in person.prompts] == ["1", "1", "1", "2", "2"]
    assert "event '3' is no value of churn_flag; there are: 1, 2" in person.seen[1]
    assert "gone: no such column" in person.seen[2]
    assert "say two numbers" in person.seen[4]


def test_without_an_outcome_that_stands_out_the_person_says_it_or_nothing_is_made(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    pl.DataFrame({"a": [i % 7 for i in range(400)], "b": [i % 5 for i in range(400)]}).write_csv(path)
    Person(monkeypatch)
    with pytest.raises(InputError, match="--target"):
        create_use_case(project.project, "mine", path, Answers(), terminal.Terminal())
    person = Person(monkeypatch, "b")
    create_use_case(project.project, "mine", path, Answers(), terminal.Terminal())
    assert project.contract.target == "b"
    assert len(person.prompts) == 1


def test_which_of_day_and_month_comes_first_is_asked_where_no_row_tells_and_takes_one_of_three_questions(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2023" for i in range(400)]
    person = Person(monkeypatch, "first", "day")
    create_use_case(project.project, "mine", _coded(tmp_path / "orders.csv", order_date=days), Answers(), terminal.Terminal())
    assert project.contract.columns["order_date"].format == "%-d/%-m/%Y"
    assert person.screen.getvalue().count("row ") == 3
    assert [prompt[0] for prompt in person.prompts] == ["1", "1", "2", "3"]
    assert "not asked, --cost and --value says it: What does a contact cost" in person.seen[2]


def test_of_unlike_files_the_table_is_asked_for_and_nothing_is_joined(
    project: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [f"{i % 97},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(400)]
    (folder / "train.csv").write_text("x,z,churn\n" + "\n".join(rows) + "\n")
    (folder / "submission.csv").write_text("x,p\n1,2\n2,3\n")
    person = Person(monkeypatch, "tain.csv", "train.csv")
    create_use_case(project.project, "mine", folder, Answers(), terminal.Terminal())
    assert [path.name for path in project.project.raw("mine").iterdir()] == ["train.csv"]
    assert "tain.csv is none of submission.csv, train.csv" in person.seen[1]
