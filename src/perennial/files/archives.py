"""Archives: safe unpacking of the files of a zip or tar that are asked for; nothing can land outside the folder."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from perennial.errors import InputError

WORKBOOKS = (".xlsx", ".xlsm", ".ods")
_BOMB_RATIO = 200  # of all that is unpacked to the archive; text of customers compresses 3 to 50 times
_BOMB_BYTES = 64 * 1024 * 1024  # below this, any ratio is harmless
_MOST_BYTES = 64 * 1024**3
_MOST_FILES = 100_000
_CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class Member(NamedTuple):
    """A file of an archive: its path in it, its type where it is no regular file, and how to open it."""

    name: str
    other: str | None
    open: Callable[[], IO[bytes] | None]


def is_workbook(path: Path) -> bool:
    """Whether it is a spreadsheet's file by its name: a zip that is read as a whole, never unpacked."""
    return path.suffix.lower() in WORKBOOKS


def is_archive(path: Path) -> bool:
    if is_workbook(path):
        return False
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def check_expansion(path: Path) -> None:
    """Raises: InputError for a zip that is broken, or whose files expand as those of a bomb do."""
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes, size = sum(info.file_size for info in archive.infolist()), path.stat().st_size
    except _BROKEN as error:
        raise InputError(f"{path} is broken ({error}); is it complete?", code="broken_archive") from error
    if n_bytes > _MOST_BYTES or (n_bytes > _BOMB_BYTES and n_bytes > _BOMB_RATIO * size):
        raise InputError(f"{path}: expands to more than {_BOMB_RATIO} times its {size} bytes", code="bomb")


def unpack(path: Path, folder: Path, accepts: Callable[[str], bool]) -> list[str]:
    """Write the members whose file name `accepts` takes into `folder`, and return the names of the others.

    Raises: InputError when the archive is broken, encrypted or a bomb, when a member would land elsewhere or is a
    link or device, when two have one name, or when none is accepted.
    """
    passed_over, n_bytes, n_files, n_taken = [], 0, 0, 0
    try:
        with _open_members(path) as members:
            for member in members:
                n_files += 1
                name = _check_member(path, member)
                if n_files > _MOST_FILES:
                    raise InputError(f"{path}: more than {_MOST_FILES} files; give the ones that are tables", code="bomb")
                if not accepts(name):
                    passed_over.append(member.name)
                    continue
                if (folder / name).exists():
                    raise InputError(f"{path} holds two files called {name}; rename one", code="duplicate_member")
                n_bytes = _write_member(path, member, folder / name, n_bytes)
                n_taken += 1
    except InputError:
        raise
    except RuntimeError as error:  # raised by zipfile for a missing password
        raise InputError(f"{path}: {error}; give it without a password", code="broken_archive") from error
    except _BROKEN as error:
        raise InputError(f"{path}: broken archive ({error}); fetch it again", code="broken_archive") from error
    if not n_taken:
        names = ", ".join(passed_over[:10]) or "nothing"
        raise InputError(f"{path} holds no file that a table asks for; it holds: {names}", code="no_table")
    return passed_over


@contextmanager
def _open_members(path: Path) -> Iterator[Iterator[Member]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            files = (info for info in archive.infolist() if not info.is_dir())
            yield (Member(info.filename, _zip_type(info), partial(archive.open, info)) for info in files)
        return
    with tarfile.open(path, "r:*") as tar:
        infos = (info for info in tar if not info.isdir())
        yield (Member(info.name, _tar_type(info), partial(tar.extractfile, info)) for info in infos)


def _tar_type(info: tarfile.TarInfo) -> str | None:
    return None if info.isfile() else _KINDS.get(info.type, "a device")


_KINDS = {tarfile.SYMTYPE: "a link", tarfile.LNKTYPE: "a link", tarfile.FIFOTYPE: "a pipe"}


def _zip_type(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    if not mode or stat.S_ISREG(mode) or not stat.S_IFMT(mode):
        return None
    return "a link" if stat.S_ISLNK(mode) else "a device"


def _check_member(path: Path, member: Member) -> str:
    """The file name of a member, which must be a file with a path inside the archive."""
    parts = PurePosixPath(member.name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0] or "\0" in member.name:
        raise InputError(f"{path}: its member {member.name!r} would land outside; nothing is unpacked", code="traversal")
    if member.other is not None:
        raise InputError(f"{path}: its member {member.name!r} is {member.other}; give files only", code="link_or_device")
    return parts[-1]


def _write_member(path: Path, member: Member, to: Path, before: int) -> int:
    """Copy a member and return the total of unpacked bytes; the sizes that an archive declares are not trusted."""
    n_bytes, size = before, path.stat().st_size
    source = member.open()
    assert source is not None, "a regular file has content"
    with source, open(to, "wb") as file:
        while chunk := source.read(_CHUNK):
            n_bytes += len(chunk)
            if n_bytes > _MOST_BYTES or (n_bytes > _BOMB_BYTES and n_bytes > _BOMB_RATIO * size):
                message = f"{path}: expands to more than {_BOMB_RATIO} times its {size} bytes, or beyond {_MOST_BYTES}"
                raise InputError(f"{message}; if it is honest, unpack it first", code="bomb")
            file.write(chunk)
    return n_bytes
