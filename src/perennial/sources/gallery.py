"""Gallery: add one of the use cases that ship with the package to a project."""

from __future__ import annotations

import logging
from importlib import resources
from pathlib import Path

import yaml

from perennial.errors import ConfigError
from perennial.files.project import Project, check_name
from perennial.gallery.entries import list_gallery
from perennial.sources.install import install_use_case

log = logging.getLogger("perennial")


def add_gallery_use_case(project: Project, name: str, data: Path | None) -> None:
    """Raises: ConfigError for a name that is not in the gallery."""
    if check_name(name) not in list_gallery():
        raise ConfigError(f"{name!r} is not in the gallery: {', '.join(list_gallery())}")
    folder = resources.files("perennial.gallery")
    contract, blocks = ((folder / file).read_text(encoding="utf-8") for file in (f"{name}.yaml", "params.yaml"))
    install_use_case(project, name, contract, _extract_block(blocks, name), data)
    log.info("%s is added: perennial run %s", name, name)


def _extract_block(text: str, name: str) -> str:
    """The lines of one use case as they stand in the gallery's params, with comments and layout."""
    lines = text.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.rstrip() == f"  {name}:")
    rest = [i for i in range(start + 1, len(lines)) if lines[i].startswith("  ") and lines[i][2] not in " #\n"]
    block = "".join(lines[start : rest[0] if rest else len(lines)])
    assert name in yaml.safe_load("use_cases:\n" + block)["use_cases"]
    return block
