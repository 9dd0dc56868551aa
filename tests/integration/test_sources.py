"""Raw data in: a file, a folder, an address with its digest, the simulator; and every way it can go wrong."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perennial.errors import InputError, ServiceError
from perennial.sources import fetch as module
from perennial.sources.fetch import fetch

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration
NAME = "ad_response"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whether DVC was told; it is tested elsewhere."""
    calls: list[str] = []
    monkeypatch.setattr(module, "record_raw", lambda _, name: calls.append(name))
    return calls


def listing(toy: Toy) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in toy.project.raw(NAME).iterdir()}


def with_source(toy: Toy, source: str) -> None:
    """Another source in the contract; the simulator's own is one line."""
    path = toy.project.contract(NAME)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(source if line.startswith("source:") else line for line in lines))


def test_the_simulator_fills_raw_and_incoming_and_is_recorded(project: Toy, recorded: list[str]) -> None:
    before = listing(project)
    (project.project.raw(NAME) / "customers.csv").write_bytes(b"edited")
    fetch(project.project, NAME)
    assert listing(project) == before, "the same population is the same bytes"
    assert {path.name for path in (project.project.state(NAME) / "incoming").iterdir()} == {"customers.csv", "events.csv"}
    assert recorded == [NAME]


def test_a_missing_path_is_named(project: Toy) -> None:
    with pytest.raises(InputError, match=r"--data nowhere: there is no such file"):
        fetch(project.project, NAME, Path("nowhere"))


def test_an_address_is_checked_against_its_digest_packed_or_not(project: Toy, tmp_path: Path, recorded: list[str]) -> None:
    content = b"customer_id\n000000001\n"
    packed = tmp_path / "customers.csv.gz"
    packed.write_bytes(gzip.compress(content))
    digest = hashlib.sha256(content).hexdigest()
    with_source(project, f'source: {{kind: url, files: "customers.csv*", url: "{packed.as_uri()}", sha256: {digest}}}')
    fetch(project.project, NAME, any_size=True)
    assert listing(project) == {"customers.csv.gz": packed.read_bytes()}
    packed.write_bytes(gzip.compress(content + b"000000002\n"))
    with pytest.raises(InputError, match=r"is not the file of the contract: its content has sha256"):
        fetch(project.project, NAME, any_size=True)
    packed.write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(InputError, match=r"is a damaged gzip file"):
        fetch(project.project, NAME, any_size=True)
    assert gzip.decompress(listing(project)["customers.csv.gz"]) == content, "a failed fetch changes nothing"
    assert len(recorded) == 1


def test_a_member_of_a_zip_within_a_zip(project: Toy, tmp_path: Path, recorded: list[str]) -> None:
    content = b"customer_id\n000000001\n"
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("folder/customers.csv", content)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(tmp_path / "inner.zip", "inner.zip")
    address, digest = (tmp_path / "outer.zip").as_uri(), hashlib.sha256(content).hexdigest()
    source = 'source: {{kind: url, files: customers.csv, url: "{}", sha256: {}, member: "{}"}}'
    with_source(project, source.format(address, digest, "inner.zip!folder/customers.csv"))
    fetch(project.project, NAME, any_size=True)
    assert listing(project) == {"customers.csv": content}
    with_source(project, source.format(address, digest, "inner.zip!other.csv"))
    with pytest.raises(InputError, match=r"the zip holds no 'other\.csv'; it holds: folder/customers\.csv"):
        fetch(project.project, NAME, any_size=True)


def test_an_address_that_does_not_answer_says_what_to_do(project: Toy) -> None:
    with_source(project, f'source: {{kind: url, files: customers.csv, url: "http://127.0.0.1:9/x", sha256: "{"0" * 64}"}}')
    with pytest.raises(ServiceError, match=r"cannot be fetched .*offline\? .*with --data"):
        fetch(project.project, NAME, any_size=True)
