"""What tests of the registry share: an evaluated project with an empty store, and a copy of it for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perennial.files.durable import write_text
from perennial.tracking.store import open_store

if TYPE_CHECKING:
    from tests.conftest import Toy


@pytest.fixture(scope="module")
def evaluated(prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """2,000 customers up to evaluate, with an empty store that is migrated. Shared: copy it."""
    toy = type(prepared_toy)(root=tmp_path_factory.mktemp("evaluated") / "project")
    shutil.copytree(prepared_toy.root, toy.root)
    toy.edit("params.yaml", "epochs: 40", "epochs: 3")
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.edit("params.yaml", "bootstrap: 500", "bootstrap: 100")
    toy.edit("params.yaml", "bootstrap: 1000", "bootstrap: 100")
    toy.edit_contract("minimum: 0.70", "minimum: 0.0")
    toy.run("train", "baseline", "evaluate")
    write_text(toy.project.raw(toy.name).with_suffix(".dvc"), "outs:\n- md5: 0123.dir\n  path: raw\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store(toy.project)
    return toy


@pytest.fixture
def shop(evaluated: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A copy of one's own: nothing is registered in it."""
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    toy = type(evaluated)(root=tmp_path / "shop")
    shutil.copytree(evaluated.root, toy.root)
    yield toy
    mlflow.set_tracking_uri(None)
