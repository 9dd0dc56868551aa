"""What the machine refuses is one line and exit 2; a stage that a signal ended says which."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from perennial import cli
from perennial.errors import describe_os_error
from perennial.files import durable
from perennial.pipeline.run import StageFailed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EDQUOT, "the quota of this user is used up: free some space"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EMFILE, "too many files are open: raise `ulimit -n`"),
    ],
)
def test_what_the_machine_refuses_is_said_in_a_line(number: int, words: str) -> None:
    assert describe_os_error(OSError(number, os.strerror(number))) == words
    assert describe_os_error(OSError(number, os.strerror(number), "a/b")) == f"a/b: {words}"


def test_anything_else_without_a_file_is_a_bug() -> None:
    assert describe_os_error(OSError(errno.EBADF, "bad file descriptor")) is None
    assert describe_os_error(OSError("no number")) is None


def test_a_full_disk_ends_a_command_with_one_line_and_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def is_full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", is_full)
    with pytest.raises(OSError, match="No space left"):
        durable.write_text(tmp_path / "a.txt", "text")
    assert list(tmp_path.iterdir()) == [], "nothing half-written"
    assert cli.run(["init", "shop"]) == 2
    said = capsys.readouterr().err
    assert said.strip().splitlines() == ["perennial: the disk is full: free some space"]


@pytest.mark.parametrize(
    ("code", "words", "exit_code"),
    [
        (-9, r"train@shop was killed by SIGKILL \(out of memory\?\); its last line: epoch 3", 137),
        (-15, r"train@shop was killed by SIGTERM; its last line: epoch 3", 143),
        (2, r"epoch 3 \(train@shop failed with exit code 2\)", 2),
    ],
)
def test_a_stage_that_a_signal_ended_says_which(code: int, words: str, exit_code: int) -> None:
    error = StageFailed("train@shop", code, "epoch 3")
    assert error.exit_code == exit_code
    with pytest.raises(StageFailed, match=words):
        raise error
