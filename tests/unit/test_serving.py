"""What a model may know of a contract, and when two models know different features."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from perennial.contract.load import parse
from perennial.contract.model import Contract
from perennial.contract.serving import build_serving_view, find_changed_features, select_scoring_columns
from tests.conftest import REPO
from tests.fakes.contracts import contract_of_log, told_of_log

pytestmark = pytest.mark.unit
TEXT = (REPO / "src" / "perennial" / "gallery" / "ad_response.yaml").read_text()


def contract(old: str = "", new: str = "") -> Contract:
    assert TEXT.count(old) >= 1
    document: Any = yaml.safe_load(TEXT.replace(old, new, 1) if old else TEXT)
    return parse(document, "contract")


def test_no_outcome_and_no_treatment_reaches_a_model() -> None:
    names = {feature.name for feature in build_serving_view(contract()).features}
    assert {"channel", "city", "newsletter", "age", "visited_garden", "bought_by_web"} <= names
    assert not {"responded", "spend_14d", "message", "sent_on", "customer_id", "birth_year"} & names


def test_a_file_to_score_needs_no_outcome() -> None:
    columns = select_scoring_columns(contract())
    assert {name for name, column in columns.items() if not column.required} == {"message", "responded", "spend_14d"}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("days: 30", "days: 31", ["visits_30d"]),
        ("where: {kind: visit}, label: days since the last visit", "where: {kind: purchase}, label: x", ["last_visit"]),
        ("city: {role: categorical", 'city: {role: categorical, "null": [unknown]', ["city"]),
        ("newsletter: {role: numeric, type: int", "newsletter: {role: numeric, type: decimal", ["newsletter"]),
        ("label: visits in 30 days", "label: looked in lately", []),
        ("Wien, Zürich]", "Wien, Zürich, Chur]", []),
    ],
)
def test_another_recipe_is_another_feature(old: str, new: str, changed: list[str]) -> None:
    assert find_changed_features(build_serving_view(contract()), build_serving_view(contract(old, new))) == changed


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"unit": {"history": 60}}, ["gap", "items", "spent"]),
        ({"log": {"filters": []}}, ["gap", "items", "spent"]),
        ({"log": {"derive": {"amount": {"kind": "product", "of": ["n", "n"]}}}}, ["spent"]),
        ({"log": {"filters": [{**rule, "why": "x"} for rule in told_of_log()["events"]["orders"]["filters"]]}}, []),
        ({"split": {"kind": "cutoff", "val_share_of_entities": 0.3, "salt": "t"}}, []),
    ],
)
def test_what_is_made_of_other_rows_is_another_feature(changes: dict[str, Any], changed: list[str]) -> None:
    features = {
        "items": {"kind": "distinct", "of": "item", "from": "orders"},
        "spent": {"kind": "sum", "of": "amount", "from": "orders"},
        "gap": {"kind": "gap", "from": "orders"},
    }
    changes = {**changes, "unit": {"features": features, **changes.get("unit", {})}}
    before, now = (build_serving_view(contract_of_log(**document)) for document in ({"unit": {"features": features}}, changes))
    assert [(f.name, f.unit) for f in before.features] == [("items", None), ("spent", None), ("gap", "days")]
    assert find_changed_features(before, now) == changed
