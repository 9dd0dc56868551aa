"""Bytes reach the disk whole or not at all, and come back as they were or not at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from perennial.errors import Busy, ConfigError, InputError, IntegrityError
from perennial.files.durable import open_replacement, read_json, sha256_file, write_bytes, write_json, write_text
from perennial.files.locks import file_lock
from perennial.files.manifest import folder_digest, seal, verify
from perennial.files.project import Project, check_name
from perennial.files.tables import read_table, write_table

pytestmark = pytest.mark.unit


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_text(path, "old")

    def interrupted() -> None:
        with open_replacement(path) as file:
            file.write(b"half of the n")
            raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_bytes_are_synced_before_they_take_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    observed: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: observed.append(path.exists()))
    write_bytes(path, b"new")
    assert observed == [False, True], "the file before the rename, its folder after"
    assert path.read_bytes() == b"new"
    assert sha256_file(path) == "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"


def test_json_is_the_same_bytes_for_the_same_value(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": 0.1, "a": "é"})
    write_json(tmp_path / "b", {"a": "é", "b": 0.1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == '{\n "a": "é",\n "b": 0.1\n}\n'.encode()
    assert read_json(tmp_path / "a") == {"a": "é", "b": 0.1}
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "c", float("nan"))
    assert not (tmp_path / "c").exists()


def test_json_that_is_missing_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.json is missing: run the stage or action that writes it"):
        read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_bytes(b'{"a": ')
    with pytest.raises(IntegrityError, match=r"x\.json is not JSON .*: delete it and run what writes it again"):
        read_json(tmp_path / "x.json")


def test_a_folder_is_one_digest_and_every_change_of_it_is_named(tmp_path: Path) -> None:
    for name in ("a", "deep/b"):
        write_text(tmp_path / name, name)
    name = seal(tmp_path)
    assert verify(tmp_path) == folder_digest(tmp_path) == name
    changes: dict[str, Callable[[], object]] = {
        "a": lambda: write_text(tmp_path / "a", "A"),
        "deep/b": lambda: (tmp_path / "deep" / "b").unlink(),
        "c": lambda: write_text(tmp_path / "c", ""),
    }
    result = []
    for what, change in changes.items():
        change()
        with pytest.raises(IntegrityError, match=rf"{what}.* differ from manifest\.json; restore with dvc checkout") as caught:
            verify(tmp_path)
        result.append(str(caught.value))
    assert len(result) == 3
    assert "a, c, deep/b differ" in result[-1]
    assert seal(tmp_path) != name


def test_a_folder_without_a_manifest_did_not_finish(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"has no manifest\.json: what writes it did not finish; run it again"):
        verify(tmp_path)


def test_a_lock_is_held_by_one_process_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.lock"
    code = (
        "import sys; from pathlib import Path; from perennial.files.locks import file_lock\n"
        f"with file_lock(Path({str(path)!r}), what='x'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(Busy, match=rf"a run is busy: another process holds {re.escape(str(path))}; wait for it") as caught,
            file_lock(path, what="a run", wait_s=0.1),
        ):
            pass
        assert caught.value.exit_code == 75
        other.kill()
        other.wait()
        with file_lock(path, what="a run", wait_s=5):
            pass
    with file_lock(path, what="a run"):
        pass


def test_a_table_comes_back_as_it_was_and_its_bytes_do_not_change(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, None, 2**62], "t": ["é", None, ""], "raw": [b"\xff", b"", None]}).with_columns(
        at=pl.lit("2025-01-02").str.to_datetime(time_zone="UTC"), day=pl.lit("2025-01-02").str.to_date()
    )
    write_table(tmp_path / "a", frame)
    write_table(tmp_path / "b", frame)
    assert read_table(tmp_path / "a").equals(frame)
    assert read_table(tmp_path / "a").schema == frame.schema
    assert read_table(tmp_path / "a", ["t"]).columns == ["t"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(InputError, match="c is missing: run the stage that writes it"):
        read_table(tmp_path / "c")
    with pytest.raises(InputError, match=r"a has no column u; it has: n, t, raw, at, day"):
        read_table(tmp_path / "a", ["t", "u"])


def test_a_flipped_bit_never_becomes_another_number(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame({"n": range(3000), "x": [i * 0.37 for i in range(3000)], "t": [f"{i:09d}" for i in range(3000)]})
    write_table(path, frame)
    whole, observed = path.read_bytes(), Counter[str]()
    for at in range(6, len(whole) - 8, len(whole) // 150):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        try:
            observed["same" if read_table(path).equals(frame) else "another"] += 1
        except IntegrityError as error:
            assert "is damaged" in str(error)  # noqa: PT017 - one of two good ends
            observed["refused"] += 1
    assert observed["another"] == 0
    assert observed["refused"] > 100
    path.write_bytes(whole[:-100])
    with pytest.raises(IntegrityError, match=r"t\.parquet is damaged .*; restore it with dvc checkout or run its stage again"):
        read_table(path)


def test_a_project_is_found_from_any_folder_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    with pytest.raises(ConfigError, match=r"is not inside a project: no folder above it holds params\.yaml and dvc\.yaml"):
        Project.here()
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).touch()
    result = Project.here()
    assert os.path.samefile(result.root, tmp_path)
    assert result.output("shop", "train") == result.root / "outputs" / "shop" / "train"
    assert result.raw("shop") == result.root / "data" / "shop" / "raw"
    assert (result.state("shop"), result.services) == (result.root / ".perennial" / "shop", result.root / ".perennial")


def test_names_that_are_no_name() -> None:
    refused = 0
    for name in ("", "Shop", "1shop", "a/b", "..", "a b", "a@b", "a\n", "é", "-x"):
        with pytest.raises(ConfigError, match=re.escape(f"use case name {name!r}: use lower-case letters, digits and _")):
            check_name(name)
        refused += 1
    assert refused == 10
    assert check_name("ad_response2") == "ad_response2"


def test_json_is_read_as_utf8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(json.dumps({"a": "é"}, ensure_ascii=False).encode())
    assert read_json(tmp_path / "x") == {"a": "é"}
