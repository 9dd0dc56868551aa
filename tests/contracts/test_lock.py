"""requirements.lock and versions.yaml name versions and nothing of a machine."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
PIN = re.compile(r"\A([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.!]*)\Z")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = [line for line in (REPO / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]
    result = [PIN.match(line) for line in lines]
    assert [line for line, pin in zip(lines, result, strict=True) if pin is None] == [], "a lock holds name==version only"
    by_name = {normal(pin[1]): pin[2] for pin in result if pin}
    assert len(by_name) == len(lines) > 100
    return by_name


def test_a_lock_names_no_build_no_host_and_no_path() -> None:
    text = (REPO / "requirements.lock").read_text()
    assert [sign for sign in ("+", "://", "/", "\\", "@", "--") if sign in text] == []
    assert pins()


def test_versions_are_those_of_the_lock() -> None:
    document = yaml.safe_load((REPO / "versions.yaml").read_text())
    locked = pins()
    assert document == {name: locked[normal(name)] for name in document}
    assert len(document) >= 13
    assert {"torch", "polars", "scikit-learn"} <= document.keys()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    names = [normal(re.split(r"[<>=!~\[; ]", expected)[0]) for expected in project["dependencies"]]
    assert [name for name in names if name not in pins()] == []
    assert len(names) > 15


def test_what_is_installed_is_what_is_locked() -> None:
    document = yaml.safe_load((REPO / "versions.yaml").read_text())
    assert {name: version(name).split("+")[0] for name in document} == document
