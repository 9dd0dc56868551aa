"""Renamed keys of params and contracts: an old key is refused in one line that says the new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Renames = Mapping[str, str]  # dotted place of the old key → its new name
PARAMS: Renames = {
    "train.batch": "batch_size",
    "train.swap": "swap_noise",
    "train.average": "ema_decay",
    "train.smoothing": "label_smoothing",
    "baseline.segments.known": "previous",
    "evaluate.tastes": "purchase_clusters",
    "explain.words.least": "min_rows",
    "explain.words.shown": "n_words",
    "audience.at_least": "min_control",
}
CONTRACT: Renames = {
    "suspects": "leakage_suspects",
    "task.floor": "minimum",
    "task.event": "outcome_verb",
    "sampling.kept": "sampling_rate",
    "split.fractions.later": "out_of_time",
    "unit.cutoffs.earlier": "lookback_dates",
}


def find_renamed_keys(value: Any, renames: Renames, prefix: str = "") -> Iterator[str]:
    """Find each renamed key of parsed YAML and say its new name; `prefix` is the place of `value` in the file."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        place = f"{prefix}{key}"
        if place in renames:
            yield f"{place} is now called {renames[place]}: rename it"
        yield from find_renamed_keys(inner, renames, f"{place}.")
