"""Perennial: from a team's customer data to a deep model that they can trust, and keep fresh. Importing this does nothing."""

__version__ = "0.1.0"
_NOTEBOOK = ("evaluate", "gate", "load_contract", "load_features", "load_results", "load_scorer", "load_table")


def __getattr__(name: str) -> object:
    """The names for a notebook, imported when they are asked for."""
    import importlib

    if name not in _NOTEBOOK:
        raise AttributeError(f"module 'perennial' has no attribute {name!r}; it has: {', '.join(_NOTEBOOK)}")
    return getattr(importlib.import_module("perennial.api"), name)


def __dir__() -> list[str]:
    return [*_NOTEBOOK, "__version__"]
