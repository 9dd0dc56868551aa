"""`perennial add NAME`: copy a gallery use case into the project (contract and params block) and fetch its raw data."""

from __future__ import annotations

import logging
from importlib import resources
from pathlib import Path

import yaml

from perennial.config.base import append_block, read_use_cases
from perennial.errors import ConfigError, PerennialError
from perennial.files.durable import write_bytes, write_text
from perennial.files.project import Project, check_name
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")


def gallery() -> list[str]:
    """The use cases that ship with the package."""
    names = (path.name for path in resources.files("perennial.gallery").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml") and name != "params.yaml")


def add(project: Project, name: str, data: Path | None) -> None:
    """A contract or params block that is there already is kept as it is.

    Raises: ConfigError for a name that is not in the gallery.
    """
    if check_name(name) not in gallery():
        raise ConfigError(f"{name!r} is not in the gallery: {', '.join(gallery())}")
    files = resources.files("perennial.gallery")
    contract = project.contract(name)
    is_new = not contract.exists()
    if is_new:
        write_bytes(contract, (files / f"{name}.yaml").read_bytes())
    try:
        fetch(project, name, data)  # first: a use case in params.yaml without raw data stops `dvc repro` for all
    except PerennialError:
        if is_new:
            contract.unlink()
        raise
    params = project.root / "params.yaml"
    if name not in read_use_cases(params):
        blocks = (files / "params.yaml").read_text(encoding="utf-8")
        write_text(params, append_block(params.read_text(encoding="utf-8"), _block(blocks, name)))
    log.info("%s is added: perennial run %s", name, name)


def _block(text: str, name: str) -> str:
    """The lines of one use case as they stand in the gallery's params, comments and layout kept."""
    lines = text.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.rstrip() == f"  {name}:")
    rest = [i for i in range(start + 1, len(lines)) if lines[i].startswith("  ") and lines[i][2] not in " #\n"]
    block = "".join(lines[start : rest[0] if rest else len(lines)])
    assert name in yaml.safe_load("use_cases:\n" + block)["use_cases"]
    return block
