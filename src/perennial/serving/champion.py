"""Champion: the model that scores, unless another version is asked for."""

from __future__ import annotations

from perennial.contract.model import Contract
from perennial.contract.serving import build_serving_view, find_changed_features
from perennial.errors import Refused
from perennial.files.project import Project
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import open_store


def load_champion(project: Project, name: str, contract: Contract, number: str | None) -> tuple[registry.Version, Scorer]:
    """The champion, or the version asked for, and its scorer.

    Raises: Refused when there is none, or when the contract makes its features otherwise than when it was trained.
    """
    store = open_store(project)
    version = registry.get_version(store, name, number) if number else registry.find_champion(store, name)
    if version is None:
        raise Refused(f"{name} has no champion yet: perennial run {name}, or choose with --version")
    scorer = registry.load_scorer(store, version)
    changed = find_changed_features(scorer.bundle.serving, build_serving_view(contract))
    if changed:
        message = f"the contract makes {', '.join(changed)} otherwise than when version {version.number} was trained"
        raise Refused(f"{message}: perennial run {name}")
    return version, scorer
