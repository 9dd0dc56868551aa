"""Rendering: a drafted contract as YAML with a comment on each guess, its params block, and the first rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

from perennial.contract.model import Contract
from perennial.data.masking import MASK, has_contact, mask_contacts
from perennial.discovery.column_types import TypedColumn, TypedColumns
from perennial.discovery.contract_draft import Yaml, dump_piece
from perennial.discovery.profile import TableProfile

_WIDE = 100_000_000  # a line is never broken: the comment stands at its end
_OPEN_SECTIONS = {"columns", "events", "unit"}  # that have a line an entry
_ROWS, _COLUMNS, _CELL_WIDTH = 3, 12, 24  # of what is shown of a table
Reasons = Mapping[str, str]


def build_contract_text(draft: Contract, head: Iterable[str], reasons: Mapping[str, Reasons]) -> str:
    """YAML with `# guess: …` behind each entry that has a reason, `head` as comments above.

    `reasons[section][key]` are the reasons; the empty key is the section itself.
    """
    lines = [f"# {make_printable(line)}" for line in head]
    for section, value in dump_piece(draft).items():
        section_reasons = reasons.get(section, {})
        if section in _OPEN_SECTIONS and isinstance(value, Mapping) and value:
            lines.append(f"{section}:")
            lines += _build_entries(value, section_reasons, 1, nested=section != "columns")
        elif section == "rules" and value:
            lines += _build_rules(value, section_reasons, 0)
        else:
            lines.append(f"{_build_flow(section, value)}{_build_comment(section_reasons.get('', ''))}")
    return "\n".join(lines) + "\n"


def _build_entries(entries: Mapping[str, Yaml], reasons: Reasons, depth: int, *, nested: bool) -> list[str]:
    lines = []
    pad = "  " * depth
    for key, value in entries.items():
        if isinstance(value, Mapping) and value and nested and key != "cutoffs":
            lines.append(f"{pad}{_build_flow(key, None).removesuffix(' null')}")
            is_deeper = depth == 1 and key not in {"features", "target"}
            lines += _build_entries(value, reasons, depth + 1, nested=is_deeper)
        elif key == "rules" and value:
            lines += _build_rules(value, reasons, depth)
        else:
            lines.append(f"{pad}{_build_flow(key, value)}{_build_comment(reasons.get(key, ''))}")
    return lines


def _build_rules(rules: Yaml, reasons: Reasons, depth: int) -> list[str]:
    """One on a line; a reason is found by kind and column, such as `between:age`."""
    assert isinstance(rules, list)
    pad = "  " * depth
    texts = [(_build_flow("", rule).partition(": ")[2], f"{rule['kind']}:{rule['column']}") for rule in rules]
    return [f"{pad}rules:", *(f"{pad}  - {text}{_build_comment(reasons.get(name, ''))}" for text, name in texts)]


def _build_flow(key: str, value: Yaml) -> str:
    """`key: {a: 1, b: [x]}` on one line."""
    name = yaml.safe_dump([key], default_flow_style=True, allow_unicode=key.isprintable(), width=_WIDE).strip()[1:-1]
    is_plain = str(value).isprintable()  # other signs are written as escapes, or they would end the line
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=is_plain, sort_keys=False, width=_WIDE)
    return f"{name}: {text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"


def _build_comment(reason: str) -> str:
    return f"  # guess: {make_printable(reason)}" if reason else ""


def make_printable(text: str) -> str:
    """Nothing of the data may end a comment or a line of the screen: signs that end lines or cannot be seen become spaces."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def build_params_text(name: str, rows: int, kind: str, *, has_text: bool = False, has_pictures: bool = False) -> str:
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
        extra = " warmup: 0.1, ema_decay: 0.98,\n       words: {width: 128, word_dropout: 0.1, dropout: 0.3},"
    rate, decay = 0.002, 0.01
    if has_pictures:
        net, batch = "members: 1, width: 96, blocks: 0, dropout: 0.2", 64
        epochs, patience, rate, decay = 30, 30, 0.003, 0.05
        extra = " warmup: 0.15, ema_decay: 0.998, label_smoothing: 0.1,"
    trials = 1 if has_pictures else 2 if has_text or rows > 200_000 else 6
    swap = 0.1 if rows < 5_000 and not (has_text or has_pictures) else 0.0
    explain = "rows: 400, draws: 64, reasons: 3"
    if has_text:
        explain = "rows: 1000, draws: 64, reasons: 3, words: {min_rows: 10, n_words: 12}"
    if has_pictures:
        explain = "rows: 80, draws: 16, reasons: 1, photos: {share: 0.2}"
    return f"""  {name}:
    augment: {{kind: none, times: 1}}
    train:
      {{seed: 1, {net}, learning_rate: {rate}, weight_decay: {decay}, batch_size: {batch},
       epochs: {epochs}, patience: {patience}, swap_noise: {swap},{extra}
       accelerator: cpu, devices: 1, num_nodes: 1, strategy: single, precision: 32-true, threads: 1}}
    baseline: {{seed: 1, trials: {trials}, rounds: 800, learning_rate: 0.05, threads: 1}}
    evaluate: {{seed: 1, bootstrap: 500, placebos: {20 if kind == "uplift" else 0}}}
    explain: {{seed: 1, {explain}}}
    gate: {{seed: 1, bootstrap: 1000}}
"""


def build_first_rows(table: TableProfile, columns: TypedColumns) -> list[str]:
    """How the first rows were parsed, as lines for the screen: nobody can be reached or named by them."""
    names = [name for name in table.sample.columns if name in columns]
    more = f" … and {len(names) - _COLUMNS} more columns" if len(names) > _COLUMNS else ""
    lines = []
    for i, row in enumerate(table.sample.head(_ROWS).to_dicts(), start=1):
        cells = (f"{name}={_build_cell(row[name], columns[name])}" for name in names[:_COLUMNS])
        lines.append(f"row {i}: {', '.join(cells)}{more}")
    return lines


def _build_cell(text: str, column: TypedColumn) -> str:
    if column.type == "contact":
        return MASK if text else ""
    is_risky = column.type == "text" or "@" in text or has_contact(text)
    cell = make_printable(mask_contacts(text) if is_risky else text)
    return cell if len(cell) <= _CELL_WIDTH else f"{cell[:_CELL_WIDTH]}…"
