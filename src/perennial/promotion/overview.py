"""`perennial show NAME [--json]`: what is known of a use case, from summaries and the receipt; no MLflow is loaded."""

from __future__ import annotations

from typing import Any

from perennial.contract.load import load
from perennial.contract.model import MAIN
from perennial.errors import PerennialError
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.promotion.receipt import STAGES, path

_METRICS = (
    "auc", "ap", "log_loss", "brier", "nll", "accuracy", "macro_f1", "gini_norm", "mae", "qini", "policy_value", "stability",
)  # fmt: skip
_ENDS = {"Ran": "ran", "Cached": "cached"}


def show(project: Project, name: str) -> dict[str, Any]:
    """The object that scripts read; what is not known yet is null, a stage without output is `missing`."""
    contract = load(project.contract(name))
    found = {stage: _summary(project, name, stage) for stage in STAGES}
    receipt = read_json(path(project, name)) if path(project, name).exists() else {"results": {}, "stages": {}}
    results, evaluation = receipt["results"], found["evaluate"]
    champion = results.get("promote")
    return {
        "use_case": name,
        "task": contract.task.kind,
        "rows": _rows(found),
        "quarantine": _added(found["ingest"], found["validate"]),
        "families": _families(evaluation),
        "candidate": evaluation["candidate"]["family"] if evaluation else None,
        "deep_minus_traditional": _difference(evaluation),
        "profit": _profit(evaluation),
        "decision": {key: champion[key] for key in ("verdict", "reasons")} if champion else None,
        "champion": _champion(champion),
        "stages": {stage: _end(found[stage], receipt["stages"].get(f"{stage}@{name}")) for stage in STAGES},
        "report": (results.get("report") or {}).get("path"),
    }


def _summary(project: Project, name: str, stage: str) -> Any:
    try:
        return read_json(project.output(name, stage) / "summary.json")
    except PerennialError:
        return None


def _end(summary: Any, outcome: str | None) -> str:
    if outcome and outcome not in _ENDS:
        return "failed" if outcome.startswith(("Exit", "Crashed", "Failed")) else "missing"
    if summary is None:
        return "missing"
    return _ENDS.get(outcome or "", "cached")


def _rows(found: dict[str, Any]) -> dict[str, int | None]:
    flows = (found["ingest"] or {}).get("flow", {})
    first = MAIN if MAIN in flows else next(iter(flows), MAIN)  # where there is no main table, the first of the events

    def at(stage: str, place: str, table: str = first) -> int | None:
        flow = (found[stage] or {}).get("flow", {}).get(table)
        return None if flow is None else int(flow["to"].get(place, 0))

    raw = flows.get(first)
    lost = [at(stage, "quarantined") for stage in ("ingest", "validate")]
    return {
        "raw": None if raw is None else int(raw["in"]),
        "quarantined": sum(count or 0 for count in lost) if lost[0] is not None else None,
        "duplicates": at("clean", "duplicate"),
        **{part: at("split", part, "units") for part in ("train", "val", "test", "out_of_time")},
    }


def _added(*summaries: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for summary in summaries:
        for rule, count in (summary or {}).get("quarantine", {}).items():
            counts[rule] = counts.get(rule, 0) + int(count)
    return counts


def _families(evaluation: Any) -> dict[str, Any] | None:
    if evaluation is None:
        return None
    return {
        family: {metric: _interval(found) for metric, found in parts["test"].items() if metric in _METRICS}
        for family, parts in evaluation["families"].items()
    }


def _difference(evaluation: Any) -> dict[str, float] | None:
    """None where there is no deep family."""
    found = evaluation["deep_minus_traditional"] if evaluation else None
    return _interval(found) if found else None


def _profit(evaluation: Any) -> dict[str, Any] | None:
    """Depth, what the chosen list earned on test, and what everyone would have; per 1,000 customers for uplift."""
    if evaluation is None:
        return None
    if "policy" in evaluation:
        policy = evaluation["policy"]
        plans = {plan["name"]: plan for plan in policy["plans"]}
        everyone = plans[f"all {policy['best_single']}"]["per_1000"]["value"]
        return {"depth": policy["depth"], "value": plans["choice"]["per_1000"]["value"], "everyone": everyone}
    if "profit" not in evaluation:
        return None
    plans = {plan["name"]: plan for plan in evaluation["profit"]["plans"]}
    return {
        "depth": evaluation["profit"]["depth"],
        "value": plans["chosen"]["profit"]["value"],
        "everyone": plans["everyone"]["profit"]["value"],
    }


def _champion(record: Any) -> dict[str, Any] | None:
    if record is None:
        return None
    if record["verdict"] in {"PROMOTE", "ROLLBACK"}:
        return {"version": record["version"], "family": record["family"]}
    before = record["champion"]
    return {"version": before["version"], "family": before.get("family")} if before else None


def _interval(found: Any) -> dict[str, float]:
    return {key: found[key] for key in ("value", "low", "high")}
