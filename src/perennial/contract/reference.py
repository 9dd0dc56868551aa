"""Reference page of the contract: every block, key and kind with its meaning and an example, from the models.

`python -m perennial.contract.reference > docs/contract.md`
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from perennial.contract.model import Contract

_SHOWN = (
    "bank_by_time",
    "ad_uplift",
    "customer_segments",
    "customer_churn",
    "product_images",
    "card_fraud",
    "sst2",
    "credit_risk",
    "email_spend",
    "customer_value",
    "german_risk",
    "shopper_intent",
    "ad_response",
)
KIND_EXAMPLES = {  # of kinds that no shipped contract has
    "not_null": "{kind: not_null, column: plan}",
    "in_set": "{kind: in_set, column: plan, values: [basic, gold], soft: true}",
    "between": "{kind: between, column: age, min: 18, max: 110}",
    "before": '{kind: before, column: joined, date: "2026-01-01"}',
    "matches": "{kind: matches, column: zip, pattern: '\\A[0-9]{5}\\z'}",
    "implies": "{kind: implies, if: bought, then: visited}",
    "ordered": "{kind: ordered, columns: [joined, left]}",
    "unique": "{kind: unique, column: order_id, keep: last}",
    "custom": "{kind: custom, name: plausible_age, settings: {least: 16}}",
    "custom_row": "{kind: custom_row, name: income_per_head, settings: {adults_only: true}}",
    "min_positives": "{kind: min_positives, min: 50}",
    "file": "{kind: file, files: {train.tsv: train, dev.tsv: val, test.tsv: test}}",
    "sql": "{kind: sql, url_env: SHOP_DB, query: SELECT * FROM customers ORDER BY id}",
}


def render_page() -> str:
    """Render docs/contract.md."""
    described: set[type[BaseModel]] = set()
    fields = Contract.model_fields.items()
    blocks = [f"## `{name}`\n\n{_render_block(name, field, described)}" for name, field in fields]
    return "\n".join([_HEAD, *blocks])


_HEAD = """# The contract

`contracts/NAME.yaml` says what the data of one use case are and what a decision is worth. All its blocks are always there, also
when they are empty. Written from the models by `python -m perennial.contract.reference`; the examples are of the contracts that
`perennial add` brings. A key of an older version is refused in one line that says its new name.
"""


def _render_block(name: str, field: FieldInfo, described: set[type[BaseModel]]) -> str:
    models = list(find_models(field.annotation))
    examples = [] if len(models) > 1 else [_block_example(name)]
    parts = [*examples, *(_render_table(model, described) for model in models)]
    return "\n".join(parts) if models else f"{_render_type(field.annotation)}\n\n{_block_example(name)}"


def _render_table(model: type[BaseModel], described: set[type[BaseModel]]) -> str:
    """A model's meaning, its keys, an example of its kind, and the models of its keys, each once on the page."""
    if model in described:
        return ""
    described.add(model)
    kinds = get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
    title = " · ".join(f"`kind: {kind}`" for kind in kinds) or model.__name__
    rows = [_render_row(name, field) for name, field in model.model_fields.items() if name != "kind"]
    table = "\n".join(["| key | what it takes | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""
    example = f"```yaml\n{find_kind_example(str(kinds[0]), model)}\n```" if kinds else ""
    inner = [_render_table(part, described) for field in model.model_fields.values() for part in find_models(field.annotation)]
    parts = (part.strip() for part in (f"### {title}", _model_sentence(model), table, example, *inner))
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _render_default(field)
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{field.alias or name}` | {_render_type(field.annotation)} | {default} | {meaning} |"


def _render_default(field: FieldInfo) -> str:
    value = field.default if field.default is not PydanticUndefined else ""
    if value is None or value in ({}, (), ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _render_type(hint: Any) -> str:
    """A type in YAML terms."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _render_type(inner[0])
    if origin is Literal:
        return " · ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_render_type(option) for option in inner if option is not type(None)))
    if origin is tuple:
        return f"a list of {_render_type(inner[0])}" if inner[-1] is ... else f"[{', '.join(map(_render_type, inner))}]"
    if origin is dict:
        return f"name: {_render_type(inner[1])}"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return f"{hint.__name__}, below"
    return _PLAIN.get(getattr(hint, "__name__", ""), str(hint))


_PLAIN = {"str": "text", "int": "whole number", "float": "number", "bool": "`true` · `false`", "date": '"2026-06-01", in quotes'}


def find_models(hint: Any) -> Iterator[type[BaseModel]]:
    """The models in a type, each once."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    else:
        yield from dict.fromkeys(model for inner in get_args(hint) for model in find_models(inner))


def _model_sentence(model: type[BaseModel]) -> str:
    own = vars(model).get("__doc__")  # an inherited one is about another kind
    return " ".join((own or "").split())


def _block_example(block: str) -> str:
    """The block in the first shipped contract where it is not empty."""
    for name in _SHOWN:
        text = _read_gallery(name)
        match = re.search(rf"^{block}:.*\n((?: .*\n|-.*\n)*)", text, re.MULTILINE)
        if match and yaml.safe_load(match[0])[block]:
            lines = match[0].splitlines()
            return "\n".join(["```yaml", *lines[:14], *(["  # …"] if len(lines) > 14 else []), "```\n"])
    return ""


def find_kind_example(kind: str, model: type[BaseModel]) -> str:
    """Find the first mapping of this kind in a shipped contract that the model accepts."""
    for name in _SHOWN:
        for mapping in _find_mappings(yaml.safe_load(_read_gallery(name))):
            if mapping.get("kind") == kind and _is_valid(mapping, model):
                return str(yaml.safe_dump(mapping, default_flow_style=True, sort_keys=False, width=120)).strip()
    return KIND_EXAMPLES[kind]


def _is_valid(mapping: dict[str, object], model: type[BaseModel]) -> bool:
    """Whether the model accepts a mapping: two blocks may have a kind of one name."""
    try:
        model.model_validate(mapping)
    except ValidationError:
        return False
    return True


def _find_mappings(value: Any) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _find_mappings(inner)


def _read_gallery(name: str) -> str:
    return files("perennial.gallery").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(render_page())
