"""The text of params.yaml and new values of one use case in, the text that holds them out; the rest of it stays."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml

from perennial.errors import ConfigError


def edit_params(text: str, name: str, changes: Mapping[str, Mapping[str, Any]]) -> str:
    """`changes` has the new values by section and key; layout and comments are kept.

    Raises: ConfigError where the block is shared with another one, so that it cannot be changed alone.
    """
    spots = [spot for section, values in changes.items() for spot in _spots(text, name, section, values)]
    out = text
    for start, stop, words in sorted(spots, reverse=True):
        out = out[:start] + words + out[stop:]
    wanted = deepcopy(yaml.safe_load(text))
    wanted["use_cases"][name] = {
        section: {**values, **changes[section]} if section in changes else values
        for section, values in wanted["use_cases"][name].items()
    }
    if yaml.safe_load(out) != wanted:
        raise ConfigError(f"params.yaml, use_cases.{name} shares values with another block: write them out first")
    return out


def _spots(text: str, name: str, section: str, values: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """Where in the text (from, to) what is to stand."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in ("use_cases", name, section):
        node = _children(node)[key]
    present, found = _children(node), []
    for key, value in values.items():
        words = _flow(value)
        if key in present:
            start, stop = present[key].start_mark.index, present[key].end_mark.index
            found.append((start, start + len(text[start:stop].rstrip()), words))  # a block ends where the next begins
        else:  # on a line of its own, under the first key
            last, column = node.value[-1][1], node.value[0][0].start_mark.column
            end = last.start_mark.index + len(text[last.start_mark.index : last.end_mark.index].rstrip())
            found.append((end, end, f"{',' if node.flow_style else ''}\n{' ' * column}{key}: {words}"))
    return found


def _children(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value}


def _flow(value: Any) -> str:
    """A value on one line, as YAML reads it back: 0.00001 is 1.0e-05."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()
