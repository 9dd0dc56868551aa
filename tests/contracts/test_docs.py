"""What the documents name is there: files, commands, options and make targets, and the layers as they are drawn."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
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
    """The words of every line of a document that calls `perennial`, up to a comment, a pipe or another command."""
    lines = re.findall(r"(?:^ {4}|`|&& |; )(?:\.venv/bin/)?perennial ([^`\n]+)", text, re.MULTILINE)
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


@pytest.mark.parametrize("document", DOCUMENTS[:3], ids=lambda path: path.stem)
def test_files_that_a_document_names_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    paths = [path for path in re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|md|yaml|sh))`", text) if "NAME" not in path]
    links = [link for link in re.findall(r"\]\(([\w./-]+)\)", text) if not link.startswith("http")]
    missing = [path for path in paths if not any((folder / path).exists() for folder in (REPO, REPO / "src" / "perennial"))]
    missing += [link for link in links if not (document.parent / link).exists()]
    assert missing == []
    assert len(paths) + len(links) >= 4


def test_the_layers_are_drawn_as_they_are_held() -> None:
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawing = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1].strip().splitlines()
    rooms = [re.findall(r"\w+", line[:40]) for line in drawing if not line.startswith("flows")]
    assert [sorted(room) for room in rooms] == [sorted(re.findall(r"\w+", layer)) for layer in layers]


def test_the_first_commands_of_the_readme_run(tmp_path: Path) -> None:
    """`make run` and `make test` are targets (a fresh clone runs both); what needs no trained model is run here as it stands."""
    text = (REPO / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", text))
    assert {"run", "test", "ui", "test-gallery"} <= named <= targets
    program = [sys.executable, "-m", "perennial"]
    outputs = []
    for words, folder in (
        (["init", "shop"], tmp_path),
        (["list"], tmp_path / "shop"),
        (["graph", "--check"], tmp_path / "shop"),
        (["list"], REPO),
        (["show", "ad_response", "--json"], REPO),
    ):
        assert f"perennial {words[0]}" in text or words[0] == "graph"
        done = subprocess.run([*program, *words], cwd=folder, text=True, capture_output=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
        outputs.append(done.stdout)
    assert "german_risk" in outputs[1]
    assert '"use_case": "ad_response"' in outputs[4]
