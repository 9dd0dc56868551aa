"""New values in the text of params.yaml: they are read back, and nothing else has changed."""

from __future__ import annotations

import pytest
import yaml

from perennial.config.edit import edit_params
from perennial.errors import ConfigError

pytestmark = pytest.mark.unit

FLOW = """# of all
use_cases:
  shop:
    train:
      {seed: 1, learning_rate: 0.002,  # slow
       width: 96}
    baseline: {seed: 1, trials: 6, threads: 1}
  other:
    baseline: {seed: 1, trials: 6, threads: 1}
"""
BLOCK = """use_cases:
  shop:
    train: {seed: 1, learning_rate: 0.002, width: 96}
    baseline:
      boosted:
        leaves: 3
        l2: 1
      seed: 1  # of the trees
    gate: {seed: 1}
"""
TREES = {"boosted": {"leaves": 5, "l2": 0.5}}


@pytest.mark.parametrize("text", [FLOW, BLOCK], ids=["flow", "block"])
def test_values_are_changed_and_added_and_all_else_stays(text: str) -> None:
    out = edit_params(text, "shop", {"train": {"learning_rate": 1e-05, "width": 128}, "baseline": TREES})
    document, before = yaml.safe_load(out)["use_cases"], yaml.safe_load(text)["use_cases"]
    assert document["shop"]["train"] == {"seed": 1, "learning_rate": 1e-05, "width": 128}
    assert document["shop"]["baseline"] == {**before["shop"]["baseline"], **TREES}
    assert {k: v for k, v in document.items() if k != "shop"} == {k: v for k, v in before.items() if k != "shop"}
    assert [line for line in out.splitlines() if "#" in line][-1].rpartition("#")[2] in text
    assert out.count("#") == text.count("#")
    assert edit_params(text, "shop", {}) == text


def test_a_new_key_of_a_block_stands_under_the_others() -> None:
    out = edit_params(BLOCK, "shop", {"baseline": {"rounds": 10}})
    assert yaml.safe_load(out)["use_cases"]["shop"]["baseline"]["rounds"] == 10


def test_a_shared_block_is_refused() -> None:
    shared = "use_cases:\n  a:\n    train: &t {width: 3}\n  b:\n    train: *t\n"
    with pytest.raises(ConfigError, match=r"use_cases\.b shares values with another block"):
        edit_params(shared, "b", {"train": {"width": 4}})
