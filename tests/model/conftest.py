"""Bundles of every family, fitted once a session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.results.families import Family
from perennial.scoring.blend import blend_bundles
from perennial.scoring.bundle import save_bundle
from perennial.scoring.scorer import golden_rows
from tests.model import builders
from tests.model.builders import Saved, Task
from tests.model.reviews import Read, reader


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family, Task], Saved]:
    """The bundle of a family for a task."""
    built: dict[tuple[Family, Task], Saved] = {}

    def give(family: Family, task: Task) -> Saved:
        if (family, task) not in built:
            room = tmp_path_factory.mktemp(f"{family}-{task}")
            if family == "blend":
                val = builders.customers(300, seed=7)
                members = give("boosted", task).bundle, give("deep", task).bundle
                bundle = blend_bundles(*members, val, *builders.answers(val, task, seed=7))
            else:
                bundle = builders.bundle(family, task, room)
            golden = golden_rows(bundle, builders.customers(64, seed=5))
            folder = room / "bundle"
            built[family, task] = Saved(bundle=bundle, folder=folder, digest=save_bundle(bundle, folder, golden))
        return built[family, task]

    return give


@pytest.fixture(scope="session")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The bundle of a family that has read 500 reviews."""
    return reader(tmp_path_factory.mktemp)
