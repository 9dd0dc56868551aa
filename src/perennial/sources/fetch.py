"""Fetch: fill data/NAME/raw/ from the contract's source and let DVC record it. The only use of the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.contract.source import Source
from perennial.data.io.table_files import is_file_of
from perennial.errors import InputError, ServiceError
from perennial.files.archives import is_archive, unpack
from perennial.files.durable import read_json, sha256_file, write_bytes, write_json
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.files.readable import check_readable, copy_file
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_incoming, write_population
from perennial.pipeline.repo import record_raw
from perennial.sources.delivery_size import check_size
from perennial.sources.query import export_queries

log = logging.getLogger("perennial")
_TIMEOUT_S = 60
_GZIP = b"\x1f\x8b"


def fetch(project: Project, name: str, data: Path | None = None, *, any_size: bool = False) -> None:
    """Make the raw folder hold exactly what the source gives; a failed fetch leaves the old folder as it was.

    Raises: InputError for a source that is missing or has another digest, DataStopped when it has a tenth of the
    earlier records or ten times as many, ServiceError when no server answers.
    """
    contract = load(project.contract(name))
    remembered = project.state(name) / "source.json"
    if data is not None and not data.exists():
        raise InputError(f"--data {data}: there is no such file or folder", code="missing_file")
    path = data or (Path(read_json(remembered)["data"]) if remembered.exists() else None)
    if path is not None and not path.exists():
        raise InputError(f"{path}, from where {name} was fetched last, is gone: perennial fetch {name} --data PATH")
    with file_lock(project.state(name) / "fetch.lock", what=f"fetch {name}"), tempfile.TemporaryDirectory() as temporary:
        new = Path(temporary) / "raw"
        new.mkdir()
        _fill_folder(new, project, name, contract, path)
        if not any_size and (path is not None or contract.source.kind != "simulator"):
            check_size(name, contract, project.raw(name), new)
        _replace_folder(project.raw(name), new)
    if data is not None:
        write_json(remembered, {"data": str(data.resolve())})
    record_raw(project.root, name)
    files = sorted(project.raw(name).iterdir())
    log.info("%s: %s", name, ", ".join(f"{file.name} {file.stat().st_size:,} bytes" for file in files))


def _fill_folder(folder: Path, project: Project, name: str, contract: Contract, path: Path | None) -> None:
    source = contract.source
    if source.kind == "simulator" and path is None:
        population = Population(**source.model_dump(include={"seed", "first", "n", "month", "concept"}))
        write_population(folder, population)
        incoming = project.state(name) / "incoming"
        if not incoming.exists():  # what a user has put there is the user's
            incoming.mkdir(parents=True)
            write_incoming(incoming, population)
    elif path is not None:
        _copy_files(path, folder, contract)
    elif source.kind == "sql":
        export_queries(contract, folder, project.root)
    elif source.kind == "url":
        _download(source, folder)
        for attachment in source.attach:
            _download(source.model_copy(update={"url": attachment.url, "member": None}), folder)
    else:
        raise InputError(f"use case {name} reads a file: name it once: perennial fetch {name} --data PATH")
    for pattern, sha256 in ((source.files, source.sha256), *((a.file, a.sha256) for a in source.attach)):
        if sha256 is not None:
            _check_digest(folder, pattern, sha256)


def _copy_files(path: Path, folder: Path, contract: Contract) -> None:
    """One file, all regular files of a folder, or those of an archive that belong to a table."""
    patterns = [*(pattern for pattern, _ in contract.tables.values()), *contract.attached]
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if not item.name.startswith("."))
    else:
        check_readable(path)
        files = [path]
        if path.name not in contract.attached and is_archive(path):
            _unpack_archive(path, folder, patterns)
            return
    if not files:
        raise InputError(f"--data {path}: the folder is empty", code="missing_file")
    for file in files:
        if file.is_symlink() and path.is_dir():
            raise InputError(f"{file} is a link: give the file itself", code="link_or_device")
        if not file.is_file():
            raise InputError(f"{file} is not a regular file: a raw folder holds files only", code="link_or_device")
        if not _matches_any(file.name, patterns):
            raise InputError(f"{file.name} belongs to no table: the contract knows {', '.join(patterns)}", code="no_table")
        copy_file(file, folder / file.name)


def _unpack_archive(path: Path, folder: Path, patterns: list[str]) -> None:
    others = unpack(path, folder, lambda name: not name.startswith(".") and _matches_any(name, patterns))
    if others:
        log.info("%s: %d other files are left in it, such as %s", path.name, len(others), others[0])


def _matches_any(name: str, patterns: list[str]) -> bool:
    return any(is_file_of(name, pattern) for pattern in patterns)


def _download(source: Source, folder: Path) -> None:
    """Fetch the address; take `member` out of a zip."""
    assert source.url is not None
    try:
        with urllib.request.urlopen(source.url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the contract's address
            content = answer.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        problem = f"{source.url} cannot be fetched ({getattr(error, 'reason', error)})"
        raise ServiceError(f"{problem}: offline? Give a file that you have with --data") from error
    if source.member is None:
        write_bytes(folder / Path(source.url).name, content)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inner = _read_member(archive, source.member)
    except zipfile.BadZipFile as error:
        raise InputError(f"what {source.url} gives is not a zip archive ({error}): is the address right?") from error
    write_bytes(folder / Path(source.member).name, inner)


def _read_member(archive: zipfile.ZipFile, member: str) -> bytes:
    """A member by its path; `OUTER.zip!INNER` is a member of a zip within the zip."""
    outer, _, inner = member.partition("!")
    if outer not in archive.namelist():
        raise InputError(f"the zip holds no {outer!r}; it holds: {', '.join(archive.namelist()[:10])}")
    content = archive.read(outer)
    if not inner:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as nested:
        return _read_member(nested, inner)


def _check_digest(folder: Path, pattern: str, sha256: str) -> None:
    """Raises: InputError unless the content, unpacked, has the contract's sha256."""
    for file in sorted(folder.iterdir()):
        if is_file_of(file.name, pattern) and (digest := _digest_content(file)) != sha256:
            problem = f"{file.name} is not the file of the contract: its content has sha256 {digest[:16]}…"
            raise InputError(f"{problem}, the contract says {sha256[:16]}…", code="checksum")


def _digest_content(file: Path) -> str:
    with open(file, "rb") as raw:
        packed = raw.read(2) == _GZIP
    if not packed:
        return sha256_file(file)
    digest = hashlib.sha256()
    try:
        with gzip.open(file, "rb") as text:
            while chunk := text.read(1 << 20):
                digest.update(chunk)
    except (OSError, EOFError) as error:
        raise InputError(f"{file.name} is a damaged gzip file ({error}): fetch it again", code="broken_archive") from error
    return digest.hexdigest()


def _replace_folder(old: Path, new: Path) -> None:
    """Replace the raw folder unless it holds the same bytes already, so that nothing changes for DVC either."""
    if old.is_dir() and _digest_files(old) == _digest_files(new):
        return
    old.parent.mkdir(parents=True, exist_ok=True)
    beside = old.with_name(".raw.new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(new, beside)
    shutil.rmtree(old, ignore_errors=True)
    beside.rename(old)


def _digest_files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()}
