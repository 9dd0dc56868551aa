"""params.yaml becomes typed sections; what is wrong in it is told at once, by place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from perennial.config.audience import AudienceParams
from perennial.config.augment import AugmentParams
from perennial.config.base import ParamsSection, read_section, read_use_cases
from perennial.config.baseline import BaselineParams
from perennial.config.evaluate import EvaluateParams
from perennial.config.explain import ExplainParams
from perennial.config.gate import GateParams
from perennial.config.renames import PARAMS
from perennial.config.train import TrainParams
from perennial.errors import ConfigError

pytestmark = pytest.mark.unit

SECTIONS: list[type[ParamsSection]] = [
    AudienceParams,
    AugmentParams,
    BaselineParams,
    EvaluateParams,
    ExplainParams,
    GateParams,
    TrainParams,
]


def written(folder: Path, value: Any) -> Path:
    path = folder / "params.yaml"
    path.write_text(value if isinstance(value, str) else yaml.safe_dump(value))
    return path


def test_a_section_is_typed_and_does_not_change(tmp_path: Path) -> None:
    path = written(tmp_path, {"use_cases": {"shop": {"augment": {"kind": "oversample", "times": 3}}}})
    result = read_section(path, "shop", "augment", AugmentParams)
    assert result == AugmentParams(kind="oversample", times=3)
    with pytest.raises(ValidationError, match="frozen"):
        result.times = 4  # type: ignore[misc]


def test_no_number_that_changes_a_result_has_a_default_in_code() -> None:
    """What may be left out is off, and nothing else."""
    checked = 0
    for model in SECTIONS:
        for name, field in model.model_fields.items():
            assert field.is_required() or field.get_default() is None, f"{model.__name__}.{name}"
            checked += 1
    assert checked > 25


def test_every_wrong_field_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, {"use_cases": {"shop": {"augment": {"kind": "often", "tims": 3}}}})
    with pytest.raises(ConfigError) as caught:
        read_section(path, "shop", "augment", AugmentParams)
    words = str(caught.value)
    assert words.startswith(f"{path}, use_cases.shop.augment: kind: Input should be 'none' or 'oversample', not 'often'; ")
    assert "times: Field required" in words
    assert "tims: Extra inputs are not permitted" in words
    assert "\n" not in words
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"use_cases": {"a": {}, "b": {}}}, r"params\.yaml has no use case 'shop'; it has: a, b"),
        ({"use_cases": None}, r"has no use case 'shop'; it has: none"),
        ("", r"has no use case 'shop'; it has: none"),
        ({"use_cases": ["shop"]}, r"use_cases must be a mapping from name to block, not list"),
        ("- 1", r"params\.yaml cannot be read: "),
        ("a: [", r"params\.yaml cannot be read: "),
        ({"use_cases": {"shop": None}}, r"use_cases\.shop has no section 'augment'"),
        ({"use_cases": {"shop": 3}}, r"use_cases\.shop has no section 'augment'"),
        ({"use_cases": {"shop": {"train": {}}}}, r"use_cases\.shop has no section 'augment'"),
        ({"use_cases": {"shop": {"augment": 3}}}, r"use_cases\.shop\.augment: \(all\): Input should be .*, not '3'"),
    ],
)
def test_params_that_hold_no_such_section(tmp_path: Path, value: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_section(written(tmp_path, value), "shop", "augment", AugmentParams)
    assert "\n" not in str(caught.value)


def test_params_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml cannot be read: .*No such file"):
        read_use_cases(tmp_path / "params.yaml")


def test_messages_to_randomise_are_different_ones() -> None:
    assert AudienceParams(messages=("a", "b")).control is None, "what is left out is off"
    for messages in (("a",), ("a", "a")):
        with pytest.raises(ValidationError, match="messages to randomise are two or more different ones"):
            AudienceParams(messages=messages)


def test_params_in_an_old_word_get_one_line_that_says_the_new_one(tmp_path: Path) -> None:
    path = written(tmp_path, {"use_cases": {"shop": {"train": {"batch": 64, "swap": 0.1}, "explain": {"words": {"least": 2}}}}})
    with pytest.raises(ConfigError) as caught:
        read_section(path, "shop", "train", TrainParams)
    assert str(caught.value) == (
        f"{path}, use_cases.shop: train.batch is now called batch_size: rename it; train.swap is now called swap_noise: rename it"
    )
    with pytest.raises(ConfigError, match=r"explain\.words\.least is now called min_rows: rename it"):
        read_section(path, "shop", "explain", ExplainParams)


def test_every_new_word_is_a_param_and_no_old_one_is() -> None:
    models = {model.__name__.removesuffix("Params").lower(): model for model in SECTIONS}
    for place, name in PARAMS.items():
        fields = models[place.partition(".")[0]].model_fields
        for key in place.split(".")[1:-1]:
            inner = [part for part in get_args(fields[key].annotation) if part is not type(None)]
            fields = inner[0].model_fields
        assert name in fields, place
        assert place.rpartition(".")[2] not in fields, place
    assert len(PARAMS) == 9
