"""Stage graph: dvc.yaml is rendered from the ten stages, each with the source files that its process imports."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import ConfigError
from perennial.files.durable import write_text
from perennial.files.extensions import ExtensionKind, extension_path
from perennial.results.figure_tables import FIGURE_TABLES, METRICS_FILE

_SOURCE = ("task", "source", "columns", "events")
_TABLES = ("task", "columns", "rules", "events", "unit")
_MODEL = ("task", "columns", "events", "unit", "split", "sampling", "leakage_suspects", "money")
_HEADER = "# Rendered by `perennial graph --write` from src/perennial/pipeline/graph.py and the imports of each stage.\n"


DISTRIBUTION = "perennial-ml"
_PACKAGES = "src/perennial/pipeline/packages.yaml"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a stage reads besides code: outputs of stages, keys of the contract, its params section."""

    after: tuple[str, ...] = ()
    contract: tuple[str, ...]
    params: bool = False
    extensions: tuple[ExtensionKind, ...] = ()  # files with the project's own functions


STAGES: dict[str, Stage] = {
    "ingest": Stage(contract=_SOURCE),
    "validate": Stage(after=("ingest",), contract=_TABLES, extensions=("rules",)),
    "clean": Stage(after=("validate",), contract=("columns", "events", "unit")),
    "featurize": Stage(after=("clean",), contract=("columns", "events", "unit"), extensions=("features",)),
    "split": Stage(after=("featurize",), contract=_MODEL),
    "augment": Stage(after=("featurize", "split"), contract=("task",), params=True),
    "train": Stage(after=("featurize", "split", "augment"), contract=_MODEL, params=True, extensions=("models",)),
    "baseline": Stage(after=("featurize", "split"), contract=_MODEL, params=True),
    "evaluate": Stage(
        after=("clean", "featurize", "split", "train", "baseline"),
        contract=(*_MODEL, "slices"),
        params=True,
        extensions=("models",),
    ),
    "explain": Stage(
        after=("featurize", "split", "train", "baseline", "evaluate"), contract=_MODEL, params=True, extensions=("models",)
    ),
}


def render(root: Path) -> str:
    """The text of dvc.yaml: for the code below `root`, or in a user's project for the package that is installed."""
    sources, packages = _resolve(root) if is_source(root) else (dict[str, list[str]](), read_packages())
    stages = {
        name: {"foreach": "${use_cases}", "do": _build_stage(name, stage, sources.get(name, []), packages[name])}
        for name, stage in STAGES.items()
    }
    return _HEADER + str(yaml.safe_dump({"stages": stages}, sort_keys=False, width=120))


def read_packages() -> dict[str, list[str]]:
    """The packages that change the result of each stage, as they ship with this package."""
    text = resources.files("perennial.pipeline").joinpath("packages.yaml").read_text(encoding="utf-8")
    return {name: [DISTRIBUTION, *packages] for name, packages in yaml.safe_load(text).items()}


def write(root: Path) -> None:
    if is_source(root):
        write_text(root / _PACKAGES, render_packages(root))
    write_text(root / "dvc.yaml", render(root))
    for path, text in _find_templates(root).items():
        write_text(path, text)


def _find_templates(root: Path) -> dict[Path, str]:
    """The Vega-Lite templates of `dvc plots` as they ship with this package, by where DVC looks for them."""
    if not (root / ".dvc").is_dir():
        return {}
    folder = resources.files("perennial.starter").joinpath("plots")
    return {root / ".dvc" / "plots" / path.name: path.read_text() for path in folder.iterdir() if path.name.endswith(".json")}


def is_source(root: Path) -> bool:
    """Whether a project holds the package itself: then stages depend on its files, else on its version."""
    return (root / "src" / "perennial").is_dir()


def render_packages(root: Path) -> str:
    """The packages that change the result of each stage, as YAML: what a project without the sources renders from."""
    return _HEADER + str(yaml.safe_dump(_resolve(root)[1]))


def check(root: Path) -> None:
    """Raises: ConfigError when dvc.yaml, or a template of `dvc plots`, is not what the code asks for."""
    for path, text in _find_templates(root).items():
        if not path.exists() or path.read_text() != text:
            raise ConfigError(f".dvc/plots/{path.name} is not the template of this package: run `perennial graph --write`")
    fits = not is_source(root) or (root / _PACKAGES).read_text() == render_packages(root)
    if not fits or (root / "dvc.yaml").read_text() != render(root):
        raise ConfigError("dvc.yaml does not fit the imports of the stages: run `perennial graph --write`, commit it")


def _resolve(root: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """By stage: the source files of this project that its process loads, and the packages that change its result."""
    import grimp  # only the maintainer's `graph --write` and the test that compares need it

    versions = yaml.safe_load((root / "versions.yaml").read_text())
    graph = grimp.build_graph("perennial", include_external_packages=True, cache_dir=None)
    sources, packages = {}, {}
    for name in STAGES:
        own, outside = find_imports(graph, name)
        sources[name] = sorted(_file(module) for module in own if not _is_empty(module))
        packages[name] = [package for package in versions if _module(package) in outside]
    return sources, packages


def find_imports(graph: Any, stage: str) -> tuple[set[str], set[str]]:  # grimp has no type hints
    """Modules of this project that a stage's process loads, and the outside packages that those import."""
    module = f"perennial.stages.{stage}"
    loaded = {module, *graph.find_upstream_modules(module)}
    own = {name for name in loaded if name.split(".")[0] == "perennial"}
    parents = {name.rsplit(".", depth)[0] for name in own for depth in range(1, name.count(".") + 1)}
    return own | parents, {name.split(".")[0] for name in loaded - own}


def _build_stage(name: str, stage: Stage, sources: list[str], packages: list[str]) -> dict[str, object]:
    """One stage of dvc.yaml, the same wherever its code lies."""
    inputs = [f"outputs/${{key}}/{before}" for before in stage.after] or ["data/${key}/raw"]
    sources = [*sources, *(extension_path(kind) for kind in stage.extensions)]
    params: list[object] = [f"use_cases.${{key}}.{name}"] if stage.params else []
    params += [{"contracts/${key}.yaml": sorted(stage.contract)}, {"versions.yaml": packages}]
    return {
        "cmd": f"python -m perennial.stages.{name} ${{key}}",
        "deps": inputs + sources,
        "params": params,
        "outs": [f"outputs/${{key}}/{name}"],
        **(_declare_figures() if name == "evaluate" else {}),
    }


def _declare_figures() -> dict[str, object]:
    """The files of `dvc metrics` and `dvc plots`, beside the output of evaluate: DVC shows none that lies inside one."""
    plots = [
        {
            f"outputs/${{key}}/{name}.csv": {
                "x": table.x,
                "y": table.y,
                "x_label": table.x_label,
                "y_label": table.y_label,
                "title": f"${{key}}: {table.title}",
                "template": table.template,
            }
        }
        for name, table in FIGURE_TABLES.items()
    ]
    return {"metrics": [f"outputs/${{key}}/{METRICS_FILE}"], "plots": plots}


def _path(module: str) -> Path:
    import perennial

    (package,) = perennial.__path__
    path = Path(package, *module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _file(module: str) -> str:
    parts = module.split(".")
    return "/".join(["src", *parts, *(["__init__"] if _path(module).name == "__init__.py" else [])]) + ".py"


def _is_empty(module: str) -> bool:
    """An empty __init__ changes no result; neither do the package's docstring and version."""
    return module == "perennial" or not _path(module).read_text().strip()


def _module(package: str) -> str:
    return {"scikit-learn": "sklearn", "pillow": "PIL"}.get(package, package.replace("-", "_"))
