"""Extensions: functions of the project's own in src/extensions/{features,models,rules}.py.

A function is named in YAML as `{kind: custom, name: …, settings: {…}}`. There is no registry and no dotted path.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from perennial.errors import ConfigError
from perennial.files.project import Project

ExtensionKind = Literal["features", "models", "rules"]
EXTENSION_KINDS: tuple[ExtensionKind, ...] = ("features", "models", "rules")
_loaded: dict[tuple[Path, bytes], ModuleType] = {}  # by content: an edited file is another module


def extension_path(kind: ExtensionKind) -> str:
    """The file of the functions of a kind, relative to a project's root."""
    return f"src/extensions/{kind}.py"


def load_extension(kind: ExtensionKind, name: str, settings: Mapping[str, object]) -> Callable[..., Any]:
    """Load the public function `name` of the current folder's project, to be called with `settings` as keywords.

    Raises: ConfigError when the file or the function is missing, the file fails, or a setting is none of its keywords.
    """
    path = Project.here().root / extension_path(kind)
    module = _load_module(path)
    functions = {key: f for key, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__}
    public = {key: f for key, f in functions.items() if not key.startswith("_")}
    if name not in public:
        raise ConfigError(f"{extension_path(kind)} has no function {name!r}; it has: {', '.join(public) or 'none'}")
    keywords = {key for key, p in inspect.signature(public[name]).parameters.items() if p.kind == inspect.Parameter.KEYWORD_ONLY}
    if unknown := sorted(settings.keys() - keywords):
        raise ConfigError(
            f"{name} in {extension_path(kind)} takes no setting {unknown[0]!r}; it takes: {', '.join(keywords) or 'none'}"
        )
    return public[name]


def _load_module(path: Path) -> ModuleType:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): a function of your own stands there") from error
    if (path, content) not in _loaded:
        spec = importlib.util.spec_from_file_location(f"extensions.{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise ConfigError(f"{path} fails when it is imported: {type(error).__name__}: {error}") from error
        _loaded[path, content] = module
    return _loaded[path, content]
