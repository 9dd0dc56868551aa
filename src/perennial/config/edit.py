"""Editing of params.yaml as text: new values of one use case, with layout and comments kept."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml

from perennial.errors import ConfigError


def edit_params(text: str, name: str, changes: Mapping[str, Mapping[str, object]]) -> str:
    """Set new values, given by section and key; layout and comments are kept.

    Raises: ConfigError where the block is shared with another one, so that it cannot be changed alone.
    """
    spots = [spot for section, values in changes.items() for spot in _find_edits(text, name, section, values)]
    out = text
    for start, stop, value_text in sorted(spots, reverse=True):
        out = out[:start] + value_text + out[stop:]
    expected = deepcopy(yaml.safe_load(text))
    expected["use_cases"][name] = {
        section: {**values, **changes[section]} if section in changes else values
        for section, values in expected["use_cases"][name].items()
    }
    if yaml.safe_load(out) != expected:
        raise ConfigError(f"params.yaml, use_cases.{name} shares values with another block: write them out first")
    return out


def _find_edits(text: str, name: str, section: str, values: Mapping[str, object]) -> list[tuple[int, int, str]]:
    """The edits of the text: (from, to, new text)."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in ("use_cases", name, section):
        node = _child_nodes(node)[key]
    present, spots = _child_nodes(node), []
    for key, value in values.items():
        value_text = _to_flow(value)
        if key in present:
            start = present[key].start_mark.index
            old = text[start : present[key].end_mark.index].rstrip()  # a block ends where the next begins
            spots.append((start, start + len(old), value_text))
        else:  # on a line of its own, under the first key
            last, column = node.value[-1][1], node.value[0][0].start_mark.column
            end = last.start_mark.index + len(text[last.start_mark.index : last.end_mark.index].rstrip())
            spots.append((end, end, f"{',' if node.flow_style else ''}\n{' ' * column}{key}: {value_text}"))
    return spots


def _child_nodes(node: Any) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value}


def _to_flow(value: Any) -> str:
    """A value on one line that YAML reads back unchanged: 0.00001 is 1.0e-05."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()
