"""`perennial init`: a project of a user's own from the templates, its graph from the one that renders this repository's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from perennial.config.base import append_block, read_use_cases
from perennial.errors import ConfigError
from perennial.files.extensions import EXTENSION_KINDS, extension_path
from perennial.pipeline import graph
from perennial.pipeline.new_project import create_project, upgrade_project
from perennial.results.figure_tables import FIGURE_TABLES
from tests.conftest import REPO

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project. Shared: read it only."""
    folder = tmp_path_factory.mktemp("own") / "shop"
    create_project(folder)
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_top_level_is_that_of_a_project_and_nothing_of_ours_is_left_in_it(shop: Path) -> None:
    there = {path.name for path in shop.iterdir()}
    assert {"pyproject.toml", "README.md", "flows", "src", "tests", "dvc.yaml", "params.yaml", "contracts", "infra"} <= there
    for path, content in listing(shop).items():
        assert b"{{ name }}" not in content, path
        assert b"{{ version }}" not in content, path
    assert "perennial-ml==" in (shop / "pyproject.toml").read_text()
    assert read_use_cases(shop / "params.yaml") == {}
    for file in ("training.py", "scoring.py", "serve.py"):
        assert (shop / "flows" / file).read_text() == (REPO / "flows" / file).read_text()


def test_templates_are_what_this_repository_has() -> None:
    starter = REPO / "src" / "perennial" / "starter"
    pairs = {f"{kind}.py.in": extension_path(kind) for kind in EXTENSION_KINDS}
    pairs |= {"gitignore.in": ".gitignore", "dvcignore.in": ".dvcignore", "retrain.sh.in": "infra/retrain.sh"}
    assert len(pairs) == 6
    for template, ours in pairs.items():
        assert (starter / template).read_text() == (REPO / ours).read_text(), f"copy {ours} to {template}"


def test_dvc_plots_draws_without_a_network_there(shop: Path) -> None:
    config = (shop / ".dvc" / "config").read_text()
    assert "html_template = plots/page.html" in config
    folder = shop / ".dvc" / "plots"
    assert {table.template for table in FIGURE_TABLES.values()} <= {path.stem for path in folder.glob("*.json")}
    page = (folder / "page.html").read_text()
    assert "{plot_divs}" in page
    assert "{scripts}" not in page, "DVC would put addresses of the network there"
    assert 'src="http' not in page
    assert "vegaEmbed" in page


def test_its_stages_are_ours_and_depend_on_the_package_instead_of_its_files(shop: Path) -> None:
    own, ours = (yaml.safe_load((root / "dvc.yaml").read_text())["stages"] for root in (shop, REPO))
    assert own.keys() == ours.keys()
    for name, stage in own.items():
        document, here = stage["do"], ours[name]["do"]
        for key in ("cmd", "outs"):
            assert document[key] == here[key]
        assert document["params"][:-1] == here["params"][:-1]
        packages = document["params"][-1]["versions.yaml"]
        assert packages == ["perennial-ml", *here["params"][-1]["versions.yaml"]]
        assert [dep for dep in here["deps"] if not dep.startswith("src/perennial/")] == document["deps"]
    graph.check(shop)
    listing = subprocess.run([sys.executable, "-m", "dvc", "status"], cwd=shop, capture_output=True, text=True, check=False)
    assert listing.returncode == 0, listing.stderr


def test_what_is_there_is_not_touched_and_an_upgrade_renders_two_files(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is there already"):
        create_project(shop)
    folder = tmp_path / "other"
    create_project(folder)
    (folder / "README.md").write_text("mine")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "versions.yaml").write_text("perennial-ml: 0.0.1\n")
    before = listing(folder)
    upgrade_project(folder)
    after = listing(folder)
    assert {path for path in after if after[path] != before.get(path)} == {"dvc.yaml", "versions.yaml"}
    graph.check(folder)
    for wrong in (tmp_path / "nothing", REPO):
        with pytest.raises(ConfigError, match="was not made by perennial init"):
            upgrade_project(wrong)
    with pytest.raises(ConfigError, match="cannot be the name of a project"):
        create_project(tmp_path / "1 shop")


def test_the_first_block_of_params_takes_the_place_of_none() -> None:
    block = "  shop:\n    gate: {seed: 1}\n"
    for text in ("use_cases: {}\n", "# mine\nuse_cases:\n"):
        assert yaml.safe_load(append_block(text, block))["use_cases"] == {"shop": {"gate": {"seed": 1}}}
    two = append_block(append_block("use_cases: {}\n", block), block.replace("shop", "other"))
    assert set(yaml.safe_load(two)["use_cases"]) == {"shop", "other"}
