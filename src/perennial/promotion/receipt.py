"""What a run did, on disk: .perennial/NAME/last.json, by which "nothing to do" is answered at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.config.base import read_use_cases
from perennial.errors import PerennialError
from perennial.files.durable import read_json, write_json
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.pipeline.graph import STAGES as GRAPH
from perennial.pipeline.lineage import raw_md5
from perennial.tracking.store import address, exists

STAGES = tuple(GRAPH)


@dataclass(kw_only=True)
class Receipt:
    """Filled while a run goes on; written when it closes. Its state says which inputs it belongs to."""

    project: Project
    name: str
    outcomes: dict[str, str] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    def add(self, action: str, result: Any) -> None:
        self.results[action] = result

    def close(self) -> None:
        state = state_of(self.project, self.name)
        write_json(path(self.project, self.name), {"state": state, "stages": self.outcomes, "results": self.results})

    def fail(self) -> None:
        """Say which stage failed; results of earlier runs stay, but belong to no state any more."""
        told = {"state": {}, "stages": self.outcomes, "results": _known(self.project, self.name).get("results", {})}
        write_json(path(self.project, self.name), told)

    def row_flow(self) -> list[dict[str, Any]]:
        """Where every row went, a line a stage and table."""
        lines = []
        for stage in STAGES:
            summary = read_json(self.project.output(self.name, stage) / "summary.json")
            for table, counts in summary.get("flow", {}).items():
                to = ", ".join(f"{n:,} {place}" for place, n in counts["to"].items() if n)
                lines.append({"stage": stage, "table": table, "rows in": counts["in"], "rows out": to})
        return lines

    def figures(self) -> list[dict[str, Any]]:
        """The test figures of each family, with their intervals."""
        summary = read_json(self.project.output(self.name, "evaluate") / "summary.json")
        return [
            {"family": family, "metric": metric, **{key: round(found[key], 4) for key in ("value", "low", "high")}}
            for family, parts in summary["families"].items()
            for metric, found in parts["test"].items()
            if isinstance(found, dict)
        ]


def path(project: Project, name: str) -> Path:
    return project.state(name) / "last.json"


def decided(project: Project, name: str, record: dict[str, Any]) -> None:
    """Note a decision that a person brought about; the next run looks again."""
    if known := _known(project, name):
        write_json(path(project, name), {**known, "state": {}, "results": {**known["results"], "promote": record}})


def _known(project: Project, name: str) -> dict[str, Any]:
    """The last receipt, or nothing where there is none that can be read."""
    try:
        told: dict[str, Any] = read_json(path(project, name))
    except PerennialError:
        return {}
    return told


def state_of(project: Project, name: str) -> dict[str, str]:
    """Everything that a run's answer depends on: contract, its own params, raw data, stage outputs, incoming rows, registry."""
    block = read_use_cases(project.root / "params.yaml").get(name)
    incoming = sorted(p for p in (project.state(name) / "incoming").glob("*") if p.is_file())
    return {
        "contract": _sha256(project.contract(name).read_bytes()),
        "params": _sha256(json.dumps(block, sort_keys=True, default=str).encode()),
        "raw": raw_md5(project, name),
        "outputs": _sha256("".join(folder_digest(project.output(name, stage)) for stage in STAGES).encode()),
        "incoming": _sha256(
            b"".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns};".encode() for p in incoming)
        ),
        "registry": address(project),
    }


def current(project: Project, name: str) -> dict[str, Any] | None:
    """The receipt of the last run if it still describes this project, its registry and its report; else None."""
    if not path(project, name).exists() or not exists(project):
        return None
    try:
        told: dict[str, Any] = read_json(path(project, name))
        same = told["state"] == state_of(project, name)
        page = project.root / told["results"]["report"]["path"]
    except (PerennialError, KeyError, TypeError, OSError):
        return None
    return told if same and page.exists() else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
