"""`assert_snapshot`: a text that is missing or differs fails; only the environment variable writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshot import FOLDER, assert_snapshot

pytestmark = [pytest.mark.unit]


@pytest.fixture(autouse=True)
def _compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPDATE_SNAPSHOTS", raising=False)


def test_a_text_is_written_on_request_and_then_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPDATE_SNAPSHOTS", "1")
    assert_snapshot("one\ntwo €\n", "room/words", tmp_path)
    monkeypatch.delenv("UPDATE_SNAPSHOTS")
    assert (tmp_path / "room" / "words.txt").read_text(encoding="utf-8") == "one\ntwo €\n"
    assert_snapshot("one\ntwo €\n", "room/words", tmp_path)


def test_a_missing_snapshot_fails_and_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"no snapshot .*words\.txt: UPDATE_SNAPSHOTS=1 writes it"):
        assert_snapshot("one\n", "words", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("now", "diff"), [("one\nthree\n", "-two\n\\+three"), ("one\ntwo", "ends of lines"), ("one\r\ntwo\n", "ends of lines")]
)
def test_a_text_that_differs_fails_with_the_difference(tmp_path: Path, now: str, diff: str) -> None:
    (tmp_path / "words.txt").write_bytes(b"one\ntwo\n")
    with pytest.raises(AssertionError, match=diff):
        assert_snapshot(now, "words", tmp_path)


def test_each_snapshot_is_named_by_a_test() -> None:
    """One that no test names, whole or as f"folder/{case}", was forgotten when its test went."""
    sources = "".join(path.read_text() for path in FOLDER.parent.rglob("*.py"))
    assert FOLDER.is_dir()
    names = [path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.txt")]
    assert [str(name) for name in names if f'"{name}"' not in sources and f'f"{name.parent}/{{' not in sources] == []
