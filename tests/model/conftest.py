"""Bundles of every family, fitted once a session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.scoring.bundle import Family, save
from perennial.scoring.scorer import golden_rows
from tests.model import builders
from tests.model.builders import Saved


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family, int], Saved]:
    """The bundle of a family with one output or three arms."""
    made: dict[tuple[Family, int], Saved] = {}

    def give(family: Family, outputs: int) -> Saved:
        if (family, outputs) not in made:
            room = tmp_path_factory.mktemp(f"{family}-{outputs}")
            bundle = builders.bundle(family, outputs, room)
            golden = golden_rows(bundle, builders.customers(64, seed=5))
            folder = room / "bundle"
            made[family, outputs] = Saved(bundle=bundle, folder=folder, digest=save(bundle, folder, golden))
        return made[family, outputs]

    return give
