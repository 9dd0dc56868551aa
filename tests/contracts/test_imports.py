"""Light stays light: what a process really loads, seen from the outside."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from perennial.pipeline import graph

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
HEAVY = {"torch", "pytorch_lightning", "lightning", "mlflow", "prefect", "dvc", "sklearn", "lightgbm"}
LIGHT = ("ingest", "validate", "clean", "featurize", "split", "augment")
ROOMS = (
    "perennial.cli",
    "perennial.config.base",
    "perennial.contract.load",
    "perennial.files.tables",
    "perennial.data.io.ingest",
    "perennial.models.encoding.encode",
    "perennial.gallery.simulator.simulate",
    "perennial.evaluation.statistics.leaks",
    "perennial.report.page",
)


@cache
def loaded(*modules: str) -> frozenset[str]:
    """The names in sys.modules after a fresh process has imported `modules`."""
    quiet = "import json, sys, warnings; warnings.simplefilter('ignore')"
    code = f"{quiet}\nimport {', '.join(modules)}\njson.dump(list(sys.modules), sys.stdout)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def test_importing_the_package_loads_nothing() -> None:
    bare = loaded("json")
    assert {name for name in loaded("perennial") - bare if not name.startswith("_")} == {"perennial"}


@pytest.mark.parametrize("stage", LIGHT)
def test_a_light_stage_loads_no_heavy_library(stage: str) -> None:
    names = loaded(f"perennial.stages.{stage}")
    assert {name.split(".")[0] for name in names} & HEAVY == set()
    assert "polars" in names


def test_light_rooms_load_no_heavy_library() -> None:
    names = loaded(*ROOMS)
    assert {name.split(".")[0] for name in names} & (HEAVY | {"great_expectations"}) == set()
    assert set(ROOMS) <= names


@pytest.mark.parametrize("stage", LIGHT)
def test_what_a_stage_really_loads_is_among_its_dependencies(stage: str) -> None:
    """The graph is read from the text of the imports; this is the process itself."""
    deps = yaml.safe_load(_rendered())["stages"][stage]["do"]["deps"]
    own = [name for name in loaded(f"perennial.stages.{stage}") if name.startswith("perennial.")]
    files = {f"src/{name.replace('.', '/')}.py" for name in own if not (REPO / "src" / name.replace(".", "/")).is_dir()}
    assert files - set(deps) == set()
    assert len(files) > 10


def test_only_validate_loads_the_audit() -> None:
    who = [stage for stage in LIGHT if "great_expectations" in loaded(f"perennial.stages.{stage}")]
    assert who == ["validate"]


def test_help_answers_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "perennial", "--help"], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert done.stdout.split()[:2] == ["Usage:", "perennial"]
    assert cpu_s <= 0.4


@cache
def _rendered() -> str:
    return graph.render(REPO)
