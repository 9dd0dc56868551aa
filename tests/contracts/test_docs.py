"""What the documents name is there: files, commands, options and make targets, and the layers as they are drawn."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
import warnings
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from perennial import cli
from tests.conftest import REPO

pytestmark = pytest.mark.contracts

HOW_TO = sorted((REPO / "docs" / "how-to").glob("*.md"))
DOCUMENTS = [REPO / "README.md", REPO / "CONTRIBUTING.md", REPO / "docs" / "architecture.md", *HOW_TO]
EVERYWHERE = {"--help", "--debug", "--version", "--install-completion"}


def find_commands(text: str) -> list[list[str]]:
    """The words of every line of a document that calls `perennial`, up to a comment, a pipe or another command.

    The second command in a row of a table goes without `perennial`.
    """
    second = rf"· `(?=(?:{'|'.join(cli.PURPOSES)}) )"
    lines = re.findall(rf"(?:(?:^ {{4}}|`|&& |; )(?:\.venv/bin/)?perennial |{second})([^`\n]+)", text, re.MULTILINE)
    return [shlex.split(re.split(r" #| \||&&|;|…", line)[0].replace("'", '"').replace('"', "")) for line in lines]


def read_options(name: str) -> set[str]:
    """The options of a command, as its signature says them."""
    with warnings.catch_warnings():  # libraries that import what Python has deprecated
        warnings.simplefilter("ignore")
        main = importlib.import_module(f"perennial.commands.{name.replace('-', '_')}").main
    hints: dict[str, Any] = get_type_hints(main, include_extras=True)
    options = [(key, hint.__metadata__[0]) for key, hint in hints.items() if hasattr(hint, "__metadata__")]
    names = [(f"--{key.replace('_', '-')}", str(info.default), *(info.param_decls or ())) for key, info in options]
    return {name for several in names for name in several if name.startswith("--")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_commands_and_options_that_a_document_names_are_there(document: Path) -> None:
    wrong = []
    for words in find_commands(document.read_text(encoding="utf-8")):
        if words[0].startswith("-"):
            wrong += [option for option in words if option.startswith("--") and option not in EVERYWHERE]
            continue
        known = read_options(words[0]) if words[0] in cli.PURPOSES else set()
        wrong += [] if words[0] in cli.PURPOSES or words[0].isupper() else [words[0]]
        options = {word.split("=")[0] for word in words if word.startswith("--") and len(word) > 2}
        wrong += [f"{words[0]} {option}" for option in options - known - EVERYWHERE]
    assert wrong == []


def test_the_documents_name_commands_at_all() -> None:
    counts = {path.stem: len(find_commands(path.read_text(encoding="utf-8"))) for path in DOCUMENTS}
    assert counts["README"] >= 15
    assert sum(counts.values()) >= 40
    assert find_commands("    perennial rnu shop --fast  # so") == [["rnu", "shop", "--fast"]]
    assert find_commands("| `perennial list` · `tune NAME --trials N` |") == [["list"], ["tune", "NAME", "--trials", "N"]]


def find_paths(text: str) -> list[str]:
    """Files and folders in backticks; the bare name of a file stands in the folder of the path before it on its line."""
    found = []
    for line in text.splitlines():
        folder = ""
        for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|yaml|yml|sh|toml)))`", line):
            found.append(path if "/" in path else f"{folder}{path}")
            folder = f"{path.rpartition('/')[0]}/" if "/" in path else folder
    return [path for path in found if "NAME" not in path]


def is_there(path: str) -> bool:
    return any((folder / path).exists() for folder in (REPO, REPO / "src" / "perennial"))


@pytest.mark.parametrize(("document", "least"), [("README.md", 9), ("CONTRIBUTING.md", 50), ("docs/architecture.md", 20)])
def test_files_that_a_document_names_are_there(document: str, least: int) -> None:
    text = (REPO / document).read_text(encoding="utf-8")
    paths = find_paths(text)
    links = [link for link in re.findall(r"\]\(([\w./-]+)\)", text) if not link.startswith("http")]
    missing = [path for path in paths if not is_there(path)]
    missing += [link for link in links if not ((REPO / document).parent / link).exists()]
    assert missing == []
    assert len(paths) + len(links) >= least


def test_a_bare_name_is_looked_for_beside_the_path_before_it() -> None:
    assert find_paths("`src/a/b.py` → `c.py`, `docs/`, `--json` and `NAME.yaml`") == ["src/a/b.py", "src/a/c.py", "docs/"]


def test_modules_on_the_walks_are_there() -> None:
    walks = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8").partition("walks, always downward")[2]
    modules = set(re.findall(r"\b[a-z_]+(?:\.[a-z_]+)+\b", walks))
    files = {name: name.replace(".", "/") for name in modules}
    missing = [n for n, path in files.items() if not any(is_there(p) for p in (path, f"{path}.py"))]
    assert missing == []
    assert len(modules) >= 20


def test_the_layers_are_drawn_as_they_are_held() -> None:
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawing = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1].strip().splitlines()
    rooms = [re.findall(r"\w+", line[:40]) for line in drawing if not line.startswith("flows")]
    assert [sorted(room) for room in rooms] == [sorted(re.findall(r"\w+", layer)) for layer in layers]
