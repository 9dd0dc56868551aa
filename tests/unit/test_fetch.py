"""Raw folders are filled with exactly what a source gives, or left as they were."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.errors import ConfigError, DataStopped, InputError, ServiceError
from perennial.files.project import Project
from perennial.gallery.entries import list_gallery
from perennial.sources import fetch as module
from perennial.sources.fetch import fetch
from perennial.sources.gallery import add_gallery_use_case
from tests.fakes.contracts import contract_document
from tests.fakes.workbooks import write_xlsx

pytestmark = pytest.mark.unit

TEXT = b"a,b\n1,2\n"


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(module, "record_raw", lambda _, name: names.append(name))
    return names


def shop(root: Path, **source: Any) -> Project:
    (root / "contracts").mkdir(parents=True, exist_ok=True)
    built = contract_document(source={"kind": "file", "files": "*.csv*", **source}, events={}, unit={"features": {}})
    (root / "contracts" / "shop.yaml").write_text(yaml.safe_dump(built))
    (root / "params.yaml").write_text("use_cases:\n  shop: {}\n")
    return Project(root=root)


def raw(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.raw("shop").iterdir()}


def test_a_file_is_taken_and_remembered(tmp_path: Path, recorded: list[str]) -> None:
    project, data = shop(tmp_path / "p"), tmp_path / "people.csv"
    data.write_bytes(TEXT)
    fetch(project, "shop", data)
    assert raw(project) == {"people.csv": TEXT}
    data.write_bytes(TEXT * 2)
    fetch(project, "shop")
    assert raw(project) == {"people.csv": TEXT * 2}
    assert recorded == ["shop", "shop"]
    data.unlink()
    with pytest.raises(InputError, match=r"people\.csv, from where shop was fetched last, is gone: perennial fetch shop --data"):
        fetch(project, "shop")
    assert raw(project) == {"people.csv": TEXT * 2}


def test_a_workbook_is_kept_as_it_is_also_where_the_contract_names_a_text_file(tmp_path: Path) -> None:
    project, data = shop(tmp_path / "p", files="people.csv"), tmp_path / "people.xlsx"
    write_xlsx(data, {"May": [["a", "b"], *[[i, i] for i in range(200)]]})
    fetch(project, "shop", data)
    assert raw(project) == {"people.xlsx": data.read_bytes()}, "a workbook is a zip, and never unpacked"
    write_xlsx(data, {"May": [["a", "b"], *[[i, i] for i in range(3_000)]]})
    with pytest.raises(DataStopped, match="3001 records arrive, where 201 were before"):
        fetch(project, "shop", data)
    with pytest.raises(InputError, match=r"animals\.xlsx belongs to no table: the contract knows people\.csv"):
        fetch(project, "shop", write_xlsx(tmp_path / "animals.xlsx", {"May": [["a"], [1]]}))


def test_a_workbook_is_held_to_the_digest_of_the_contract(tmp_path: Path) -> None:
    project = shop(tmp_path / "p", files="people.csv", sha256=hashlib.sha256(TEXT).hexdigest())
    with pytest.raises(InputError, match=r"people\.xlsx is not the file of the contract"):
        fetch(project, "shop", write_xlsx(tmp_path / "people.xlsx", {"May": [["a"], [1]]}))


def test_a_folder_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    project, folder = shop(tmp_path / "p"), tmp_path / "delivery"
    folder.mkdir()
    for name in ("a.csv", "b.csv.gz", ".hidden"):
        (folder / name).write_bytes(name.encode())
    fetch(project, "shop", folder)
    assert raw(project).keys() == {"a.csv", "b.csv.gz"}
    (folder / "a.csv").unlink()
    fetch(project, "shop")
    assert raw(project).keys() == {"b.csv.gz"}


def test_what_cannot_be_taken_leaves_the_old_folder_and_is_not_remembered(tmp_path: Path) -> None:
    project, good = shop(tmp_path / "p"), tmp_path / "people.csv"
    good.write_bytes(TEXT)
    fetch(project, "shop", good)
    folder, other = tmp_path / "delivery", tmp_path / "notes.txt"
    folder.mkdir()
    other.touch()
    refused = 0
    for data, words in (
        (tmp_path / "nowhere", "--data .*nowhere: there is no such file or folder"),
        (folder, "--data .*delivery: the folder is empty"),
        (other, r"notes\.txt belongs to no table: the contract knows \*\.csv\*"),
    ):
        with pytest.raises(InputError, match=words):
            fetch(project, "shop", data)
        refused += 1
    (folder / "link.csv").symlink_to(good)
    with pytest.raises(InputError, match=r"link\.csv is a link: give the file itself"):
        fetch(project, "shop", folder)
    (folder / "link.csv").unlink()
    (folder / "deep.csv").mkdir()
    with pytest.raises(InputError, match=r"deep\.csv is not a regular file: a raw folder holds files only"):
        fetch(project, "shop", folder)
    assert refused == 3
    assert raw(project) == {"people.csv": TEXT}
    fetch(project, "shop")
    assert raw(project) == {"people.csv": TEXT}


def test_a_file_source_asks_for_its_file_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="use case shop reads a file: name it once: perennial fetch shop --data PATH"):
        fetch(shop(tmp_path), "shop")


def test_an_address_is_checked_against_the_contract(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.zip", tmp_path / "outer.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x/people.csv", TEXT)
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "inner.zip")
    source = {"kind": "url", "url": outer.as_uri(), "sha256": hashlib.sha256(TEXT).hexdigest()}
    project = shop(tmp_path / "p", **source, member="inner.zip!x/people.csv")
    fetch(project, "shop")
    assert raw(project) == {"people.csv": TEXT}
    cases = {
        "the zip holds no 'other.zip'; it holds: inner.zip": {"member": "other.zip!x"},
        "people.csv is not the file of the contract: its content has sha256 .*, the contract says 000": {
            "member": "inner.zip!x/people.csv",
            "sha256": "0" * 64,
        },
        "gives is not a zip archive .*: is the address right": {"member": "x", "url": (tmp_path / "p/params.yaml").as_uri()},
    }
    for words, change in cases.items():
        with pytest.raises(InputError, match=words):
            fetch(shop(tmp_path / "p", **{**source, **change}), "shop")
    assert len(cases) == 3
    assert raw(project) == {"people.csv": TEXT}
    gone = {**source, "url": (tmp_path / "gone.zip").as_uri()}
    with pytest.raises(ServiceError, match=r"gone\.zip cannot be fetched .*: offline\? Give a file that you have") as caught:
        fetch(shop(tmp_path / "p", **gone), "shop")
    assert caught.value.exit_code == 1


def test_a_use_case_of_the_gallery_is_added_and_what_is_there_is_kept(tmp_path: Path, recorded: list[str]) -> None:
    project = shop(tmp_path)
    text = (tmp_path / "params.yaml").read_text()
    add_gallery_use_case(project, "ad_response", None)
    assert (tmp_path / "params.yaml").read_text().startswith(text)
    assert yaml.safe_load((tmp_path / "params.yaml").read_text())["use_cases"].keys() == {"shop", "ad_response"}
    assert {path.name for path in project.raw("ad_response").iterdir()} == {"customers.csv", "events.csv"}
    assert (project.state("ad_response") / "incoming" / "customers.csv").exists()
    contract = project.contract("ad_response")
    contract.write_text(contract.read_text().replace("n: 20000", "n: 80"))
    params = (tmp_path / "params.yaml").read_bytes()
    add_gallery_use_case(project, "ad_response", None)
    assert (tmp_path / "params.yaml").read_bytes() == params
    assert "n: 80" in contract.read_text()
    assert recorded == ["ad_response", "ad_response"]


def test_a_use_case_that_is_not_in_the_gallery(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'shoes' is not in the gallery: ad_clicks, ad_response, ad_uplift, bank_by"):
        add_gallery_use_case(shop(tmp_path), "shoes", None)
    assert "params" not in list_gallery()
