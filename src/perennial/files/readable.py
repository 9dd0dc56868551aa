"""Readable files: checks that a user's file is regular, readable and complete before anything is read."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from pathlib import Path

from perennial.errors import InputError

_UNFINISHED = {".part", ".partial", ".tmp", ".crdownload", ".filepart", ".download", ".swp"}
_RECENT_S = 600.0  # a file last written longer ago is open for writing, but not being written


def check_readable(path: Path) -> None:
    """Check a file (raises InputError when it is not regular, may not be read, or is still being written)."""
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", code="unreadable_file") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is no regular file: give the file itself, or a folder of files", code="not_a_file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read by this user; change its permissions", code="unreadable_file")
    if path.suffix.lower() in _UNFINISHED:
        raise InputError(f"{path} is not complete, by its name; wait until it is renamed", code="not_complete")
    if _is_being_written(path) and time.time() - status.st_mtime < _RECENT_S:
        raise InputError(f"{path} is not complete: a process is writing it; wait until it has ended", code="not_complete")


def copy_file(path: Path, to: Path) -> None:
    """Copy a file that does not change meanwhile.

    Raises: InputError as `check_readable`, and when it has changed while it was read.
    """
    check_readable(path)
    before = path.stat()
    with open(path, "rb") as source, open(to, "wb") as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or to.stat().st_size != after.st_size:
        raise InputError(f"{path} is not complete: it changed while it was read; wait and fetch again", code="not_complete")


def _is_being_written(path: Path) -> bool:
    """Whether a process has it open for writing: then the kernel grants no lease to read (Linux, fcntl(2) F_SETLEASE)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    with open(path, "rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
    return False
