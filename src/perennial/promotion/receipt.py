"""Receipt of a run: .perennial/NAME/last.json, by which "nothing to do" is answered at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from perennial.config.base import read_use_cases
from perennial.errors import PerennialError
from perennial.files.durable import read_json, write_json
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.pipeline.graph import STAGES as GRAPH
from perennial.pipeline.lineage import read_raw_md5
from perennial.results.decision import DecisionRecord
from perennial.results.receipt import ActionResults, Receipt
from perennial.tracking.store import store_exists, tracking_uri

STAGES = tuple(GRAPH)


def receipt_path(project: Project, name: str) -> Path:
    return project.state(name) / "last.json"


def read_receipt(project: Project, name: str) -> Receipt | None:
    """The last receipt; None where there is none that this version can read."""
    try:
        return Receipt.model_validate(read_json(receipt_path(project, name)))
    except (PerennialError, ValidationError):
        return None


def write_receipt(project: Project, name: str, stages: dict[str, str], results: ActionResults) -> None:
    """After a run: what it did, and the inputs that its answers belong to."""
    _write(project, name, Receipt(state=current_state(project, name), stages=stages, results=results))


def write_failure(project: Project, name: str, stages: dict[str, str]) -> None:
    """Say which stage failed; results of earlier runs stay, but belong to no state any more."""
    last = read_receipt(project, name)
    _write(project, name, Receipt(state={}, stages=stages, results=last.results if last else ActionResults()))


def note_decision(project: Project, name: str, record: DecisionRecord) -> None:
    """Note a decision that a person brought about; the next run looks again."""
    if (last := read_receipt(project, name)) is not None:
        results = last.results.model_copy(update={"promote": record})
        _write(project, name, last.model_copy(update={"state": {}, "results": results}))


def current_receipt(project: Project, name: str) -> Receipt | None:
    """The receipt of the last run if it still describes this project, its registry and its report; else None."""
    if not store_exists(project):
        return None
    last = read_receipt(project, name)
    if last is None or last.results.promote is None or last.results.report is None:
        return None
    try:
        is_same = last.state == current_state(project, name)
    except (PerennialError, OSError):
        return None
    return last if is_same and (project.root / last.results.report.path).exists() else None


def current_state(project: Project, name: str) -> dict[str, str]:
    """Everything that a run's answer depends on: contract, its own params, raw data, stage outputs, incoming rows, registry."""
    block = read_use_cases(project.root / "params.yaml").get(name)
    incoming = sorted(p for p in (project.state(name) / "incoming").glob("*") if p.is_file())
    return {
        "contract": _sha256(project.contract(name).read_bytes()),
        "params": _sha256(json.dumps(block, sort_keys=True, default=str).encode()),
        "raw": read_raw_md5(project, name),
        "outputs": _sha256("".join(folder_digest(project.output(name, stage)) for stage in STAGES).encode()),
        "incoming": _sha256(b"".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns};".encode() for p in incoming)),
        "registry": tracking_uri(project),
    }


def _write(project: Project, name: str, receipt: Receipt) -> None:
    write_json(receipt_path(project, name), receipt.model_dump(mode="json"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
