"""A draft in, the text of its contract (a comment on each guess) and of its params block out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_WIDE = 100_000_000  # a line is never broken: the comment stands at its end


def contract_text(contract: Mapping[str, Any], head: list[str], why: Mapping[str, Mapping[str, str]]) -> str:
    """YAML with `# guess: … because …` behind each column, `head` as comments above; `why[section][key]` are the reasons."""
    lines = [f"# {one_line(line)}" for line in head]
    for section, value in contract.items():
        reasons = why.get(section, {})
        if section in _OPEN and isinstance(value, Mapping) and value:
            lines.append(f"{section}:")
            lines += _entries(value, reasons, 1, nested=section != "columns")
        elif section == "rules" and value:
            lines += _rules(value, reasons, 0)
        else:
            lines.append(f"{_flow({section: value})}{_guess(reasons.get('', ''))}")
    return "\n".join(lines) + "\n"


_OPEN = {"columns", "events", "unit"}  # sections that have a line an entry


def _entries(value: Mapping[str, Any], why: Mapping[str, str], depth: int, *, nested: bool) -> list[str]:
    lines = []
    for key, held in value.items():
        pad = "  " * depth
        if isinstance(held, Mapping) and held and nested and key != "cutoffs":
            lines.append(f"{pad}{_flow({key: None}).removesuffix(' null')}")
            lines += _entries(held, why, depth + 1, nested=depth == 1 and key not in {"features", "target"})
        elif key == "rules" and held:
            lines += _rules(held, why, depth)
        else:
            lines.append(f"{pad}{_flow({key: held})}{_guess(why.get(key, ''))}")
    return lines


def _rules(rules: Iterable[Mapping[str, Any]], why: Mapping[str, str], depth: int) -> list[str]:
    """One on a line; a reason is found by kind and column, such as `between:age`."""
    pad = "  " * depth
    told = [(_flow({"": rule}).partition(": ")[2], f"{rule['kind']}:{rule['column']}") for rule in rules]
    return [f"{pad}rules:", *(f"{pad}  - {text}{_guess(why.get(name, ''))}" for text, name in told)]


def _flow(entry: Mapping[str, Any]) -> str:
    """`key: {a: 1, b: [x]}` on one line."""
    ((key, value),) = entry.items()
    name = yaml.safe_dump([key], default_flow_style=True, allow_unicode=key.isprintable(), width=_WIDE).strip()[1:-1]
    plain = str(value).isprintable()  # other signs are written as escapes, or they would end the line
    told = yaml.safe_dump(value, default_flow_style=True, allow_unicode=plain, sort_keys=False, width=_WIDE)
    return f"{name}: {told.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"


def _guess(reason: str) -> str:
    return f"  # guess: {one_line(reason)}" if reason else ""


def one_line(text: str) -> str:
    """Nothing of the data may end a comment or a line of the screen: signs that end lines or cannot be seen become spaces."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def params_text(name: str, rows: int, kind: str, *, has_text: bool = False, has_pictures: bool = False) -> str:
    """A block of params that fits the number of rows (settings by rows: see docs/use-cases.md)."""
    batch = 64 if rows < 3_000 else 128 if rows < 8_000 else 256
    net = "members: 8, width: 96, blocks: 2, dropout: 0.1"
    extra, epochs, patience = "", 40, 6
    if kind == "uplift":
        batch, epochs, patience = 512, 14, 3
    if rows > 60_000:
        batch, epochs, patience = 512, 15, 4
    if has_text:
        net, batch = "members: 4, width: 64, blocks: 1, dropout: 0.5", 64 if rows < 40_000 else 256
        epochs, patience = 4, 4
        extra = " warmup: 0.1, average: 0.98,\n       words: {width: 128, word_dropout: 0.1, dropout: 0.3},"
    rate, decay = 0.002, 0.01
    if has_pictures:
        net, batch = "members: 1, width: 96, blocks: 0, dropout: 0.2", 64
        epochs, patience, rate, decay = 30, 30, 0.003, 0.05
        extra = " warmup: 0.15, average: 0.998, smoothing: 0.1,"
    trials = 1 if has_pictures else 2 if has_text or rows > 200_000 else 6
    swap = 0.1 if rows < 5_000 and not (has_text or has_pictures) else 0.0
    explain = "rows: 400, draws: 64, reasons: 3"
    if has_text:
        explain = "rows: 1000, draws: 64, reasons: 3, words: {least: 10, shown: 12}"
    if has_pictures:
        explain = "rows: 80, draws: 16, reasons: 1, photos: {share: 0.2}"
    return f"""  {name}:
    augment: {{kind: none, times: 1}}
    train:
      {{seed: 1, {net}, learning_rate: {rate}, weight_decay: {decay}, batch: {batch},
       epochs: {epochs}, patience: {patience}, swap: {swap},{extra} accelerator: cpu, devices: 1, num_nodes: 1, strategy: single,
       precision: 32-true, threads: 1}}
    baseline: {{seed: 1, trials: {trials}, rounds: 800, learning_rate: 0.05, threads: 1}}
    evaluate: {{seed: 1, bootstrap: 500, placebos: {20 if kind == "uplift" else 0}}}
    explain: {{seed: 1, {explain}}}
    gate: {{seed: 1, bootstrap: 1000}}
"""
