"""A small contract as YAML gives it, to be changed by a test."""

from __future__ import annotations

from typing import Any

from perennial.contract.load import parse
from perennial.contract.model import Contract


def contract_document(**changes: Any) -> dict[str, Any]:
    """The top level of a contract with an event table; `columns` and `unit` are added to, other keys replaced."""
    base: dict[str, Any] = {
        "task": {"kind": "binary", "target": "y", "primary": "auc", "minimum": 0.7},
        "source": {"kind": "file", "files": "people.csv"},
        "columns": {
            "who": {"role": "id", "type": "text", "unique": True},
            "joined": {"role": "time", "type": "date", "before": "as_of"},
            "age": {"role": "numeric", "type": "int", "range": [0, 120]},
            "town": {"role": "categorical", "values": ["a", "b"]},
            "y": {"role": "outcome", "values": {"no": 0, "yes": 1}},
            "note": {"role": "ignore", "why": "free words"},
        },
        "rules": [],
        "events": {
            "orders": {
                "files": "orders.csv",
                "columns": {
                    "order": {"role": "id", "type": "text", "unique": True},
                    "who": {"role": "entity", "type": "text"},
                    "at": {"role": "time", "type": "datetime", "before": "as_of"},
                    "kind": {"role": "categorical", "values": ["buy", "look"]},
                    "amount": {"role": "numeric", "type": "decimal", "max_null": 1},
                },
            }
        },
        "unit": {"rows": "as_is", "as_of": "2026-01-01", "duplicates": "drop", "features": {}},
        "split": {"kind": "hash", "by": "entity", "salt": "s", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}},
        "sampling": {},
        "leakage_suspects": [],
        "slices": [],
        "money": {},
    }
    for key, value in changes.items():
        base[key] = {**base[key], **value} if key in {"columns", "unit"} else value
    return base


def contract(**changes: Any) -> Contract:
    return parse(contract_document(**changes), "contracts/people.yaml")


def told_of_log(**changes: Any) -> dict[str, Any]:
    """The top level of a contract whose customers are made of a log of orders; `log` and `unit` are added to."""
    base = contract_document() | {
        "task": {"kind": "binary", "target": "again", "primary": "auc", "minimum": 0.5},
        "source": {"kind": "file", "files": "orders.csv"},
        "columns": {},
        "events": {
            "orders": {
                "columns": {
                    "who": {"role": "entity", "type": "text", "when_missing": "filter"},
                    "basket": {"role": "basket", "type": "text"},
                    "at": {"role": "time", "type": "datetime"},
                    "item": {"role": "item", "type": "text"},
                    "n": {"role": "numeric", "type": "int"},
                    "price": {"role": "numeric", "type": "decimal"},
                },
                "derive": {"amount": {"kind": "product", "of": ["n", "price"]}},
                "filters": [
                    {"kind": "not_match", "column": "basket", "pattern": r"\AC", "why": "cancelled"},
                    {"kind": "above", "columns": ["n", "price"], "value": 0},
                ],
            }
        },
        "unit": {
            "rows": "entity_by_cutoff",
            "cutoffs": {"train": ["2026-01-11", "2026-01-21"], "test": ["2026-01-31"]},
            "duplicates": "keep",
            "target": {"again": {"kind": "any", "from": "orders", "after_days": 10}},
            "features": {},
        },
        "split": {"kind": "cutoff", "val_share_of_entities": 0.2, "salt": "s"},
    }
    log = changes.pop("log", {})
    base["events"] = {"orders": {**base["events"]["orders"], **log}}
    for key, value in changes.items():
        base[key] = {**base[key], **value} if key == "unit" else value
    return base


def contract_of_log(**changes: Any) -> Contract:
    return parse(told_of_log(**changes), "contracts/shop.yaml")
