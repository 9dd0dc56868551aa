"""dvc.yaml says of each stage exactly what its process loads; the gallery fits contracts and config."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from perennial.config.augment import AugmentParams
from perennial.config.base import ParamsSection, read_section, read_use_cases
from perennial.config.baseline import BaselineParams
from perennial.config.evaluate import EvaluateParams
from perennial.config.explain import ExplainParams
from perennial.config.gate import GateParams
from perennial.config.train import TrainParams
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.errors import ConfigError
from perennial.files.extensions import extension_path
from perennial.pipeline import graph

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
SRC = REPO / "src"
GALLERY = SRC / "perennial" / "gallery"
CONTRACTS = sorted(path for path in GALLERY.glob("*.yaml") if path.name != "params.yaml")
SECTIONS: dict[str, type[ParamsSection]] = {
    "augment": AugmentParams,
    "train": TrainParams,
    "baseline": BaselineParams,
    "evaluate": EvaluateParams,
    "explain": ExplainParams,
    "gate": GateParams,
}
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL"}  # where the import has another name than the package


@cache
def rendered() -> dict[str, Any]:
    stages: dict[str, Any] = yaml.safe_load(graph.render(REPO))["stages"]
    return {name: stage["do"] for name, stage in stages.items()}


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("perennial", include_external_packages=True, cache_dir=None)


def reached(stage: str) -> tuple[set[str], set[str]]:
    """Source files and outside packages that a walk along the imports of a stage meets, packages' __init__ included."""
    own, outside, todo = set[str](), set[str](), [f"perennial.stages.{stage}"]
    while todo:
        module = todo.pop()
        if module.split(".")[0] != "perennial":
            outside.add(module.split(".")[0])
        elif module not in own:
            own.add(module)
            todo += imports().find_modules_directly_imported_by(module)
            todo += [parent for parent in [module.rpartition(".")[0]] if parent]
    return own - {"perennial"}, outside


def source(module: str) -> Path:
    path = SRC.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_the_file_is_what_the_code_asks_for() -> None:
    graph.check(REPO)


def test_a_file_that_differs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "versions.yaml").write_text((REPO / "versions.yaml").read_text())
    graph.write(tmp_path)
    graph.check(tmp_path)
    (tmp_path / "dvc.yaml").write_text((tmp_path / "dvc.yaml").read_text().replace("polars", "pandas", 1))
    with pytest.raises(ConfigError, match="does not fit the imports of the stages: run `perennial graph --write`"):
        graph.check(tmp_path)


def test_each_stage_is_a_module_and_a_stage_of_the_graph() -> None:
    modules = {path.stem for path in (SRC / "perennial" / "stages").glob("*.py")} - {"__init__", "runner"}
    assert rendered().keys() == graph.STAGES.keys() == modules
    assert len(modules) == 10


@pytest.mark.parametrize("stage", graph.STAGES)
def test_a_stage_depends_on_every_source_that_it_loads_and_no_other(stage: str) -> None:
    own, _ = reached(stage)
    expected = {source(module).relative_to(REPO).as_posix() for module in own if source(module).read_text().strip()}
    result = [dep for dep in rendered()[stage]["deps"] if dep.startswith("src/")]
    expected |= {extension_path(kind) for kind in graph.STAGES[stage].extensions}
    assert set(result) == expected
    assert len(result) == len(expected) > 10
    assert f"src/perennial/stages/{stage}.py" in result


@pytest.mark.parametrize("stage", graph.STAGES)
def test_a_stage_names_the_packages_whose_version_changes_its_result(stage: str) -> None:
    versions = yaml.safe_load((REPO / "versions.yaml").read_text())
    _, outside = reached(stage)
    expected = {package for package in versions if MODULES.get(package, package.replace("-", "_")) in outside}
    (listing,) = (param["versions.yaml"] for param in rendered()[stage]["params"] if "versions.yaml" in param)
    assert set(listing) == expected
    assert "polars" in listing
    assert not {"prefect", "dvc", "mlflow"} & outside


@pytest.mark.parametrize("stage", graph.STAGES)
def test_a_stage_reads_what_comes_before_it_and_its_own_part_of_the_params(stage: str) -> None:
    document, entry = graph.STAGES[stage], rendered()[stage]
    inputs = [dep for dep in entry["deps"] if not dep.startswith("src/")]
    assert inputs == ([f"outputs/${{key}}/{before}" for before in document.after] or ["data/${key}/raw"])
    assert entry["outs"] == [f"outputs/${{key}}/{stage}"]
    assert entry["cmd"] == f"python -m perennial.stages.{stage} ${{key}}"
    own = [param for param in entry["params"] if isinstance(param, str)]
    assert own == ([f"use_cases.${{key}}.{stage}"] if document.params else [])
    (keys,) = (param["contracts/${key}.yaml"] for param in entry["params"] if "contracts/${key}.yaml" in param)
    assert set(keys) <= Contract.model_fields.keys()


def test_every_key_of_a_contract_and_every_section_is_read_somewhere() -> None:
    """Else a change of it would silently re-run nothing. Slices and money are for evaluate; gate for an action."""
    assert {key for stage in graph.STAGES.values() for key in stage.contract} == Contract.model_fields.keys()
    assert {name for name, stage in graph.STAGES.items() if stage.params} == SECTIONS.keys() - {"gate"}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_every_contract_of_the_gallery_loads_and_has_all_its_keys(path: Path) -> None:
    loaded = load(path)
    assert yaml.safe_load(path.read_bytes()).keys() == Contract.model_fields.keys()
    money = loaded.money
    assert (money.budget_share is None) == (money.value_of_response is None), "a contact that pays has a budget"
    assert money.currency or (money.value_of_response, money.gain_if_good) == (None, None), "an amount has a currency"
    for table in loaded.tables:
        assert loaded.row_rules(table)


def test_the_gallery_is_whole() -> None:
    params = read_use_cases(GALLERY / "params.yaml")
    assert params.keys() == {path.stem for path in CONTRACTS}
    assert len(CONTRACTS) >= 4


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_every_params_block_of_the_gallery_is_right_and_short(path: Path) -> None:
    block = read_use_cases(GALLERY / "params.yaml")[path.stem]
    assert block.keys() == SECTIONS.keys()
    for key, model in SECTIONS.items():
        result = read_section(GALLERY / "params.yaml", path.stem, key, model)
        assert result.model_dump(exclude_none=True).keys() == block[key].keys()
    lines = (GALLERY / "params.yaml").read_text().split(f"  {path.stem}:\n")[1].splitlines()
    assert sum(1 for line in lines[: next((i for i, line in enumerate(lines) if line[2:3] != " "), len(lines))]) <= 15


def test_this_projects_own_contracts_and_params_are_right() -> None:
    names = read_use_cases(REPO / "params.yaml")
    for name in names:
        load(REPO / "contracts" / f"{name}.yaml")
        for key, model in SECTIONS.items():
            read_section(REPO / "params.yaml", name, key, model)
    assert names
