"""`perennial outcome NAME --campaign ID --data FILE`: what happened in, what the campaign changed and earned out.

Everyone counts in the group that the lottery gave. The campaign then becomes a use case of its own, contract and raw
data, from which the next model can learn.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from perennial.campaigns import record as campaigns
from perennial.campaigns.record import Campaign
from perennial.config.base import append_block, read_use_cases
from perennial.contract.columns import Column
from perennial.contract.load import load, parse
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.discovery.campaign import FILE, FinishedCampaign, build_head, draft_next_contract, name_columns
from perennial.discovery.render import build_contract_text, build_params_text
from perennial.errors import InputError, PerennialError
from perennial.evaluation.statistics import experiment
from perennial.evaluation.statistics.experiment import UNFAIR, Effect
from perennial.evaluation.statistics.randomization import sample_ratio_p
from perennial.files.durable import read_json, sha256_file, write_text
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.files.tables import write_table
from perennial.report.charts.numbers import count, decimal, money_difference, points
from perennial.results.figures import Interval
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")
Missing = Literal["no", "drop"]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The people of a campaign with what came of them: group, message, score, y and whether a row says so (`has_row`)."""

    people: pl.DataFrame
    counts: dict[str, int]

    def of(self, *groups: str) -> pl.DataFrame:
        return self.people.filter(pl.col("group").is_in(groups))


def outcome(
    project: Project, name: str, campaign: str, data: Path, *, column: str | None = None, missing: Missing = "no"
) -> list[str]:
    """The sentences that say what happened; the look is recorded, and the campaign becomes a use case.

    Raises: InputError for an unknown campaign, a file that cannot be read or an id that it tells twice.
    """
    contract, room = load(project.contract(name)), campaigns.folder(project, name, campaign)
    record, people = campaigns.read(room)
    told = _told(record, people, _outcomes(record, contract, data, column), missing)
    lines = [_counted(told, missing), *_judged(record, told)]
    with file_lock(room.parent.with_suffix(".lock"), what=f"a campaign of {name}"):
        before = campaigns.looks(room)
        campaigns.add_look(room, data, {"counts": told.counts, "said": lines, "figures": _figures(record, told)})
        again = [_again(before, sha256_file(data))] if before else []
        return [*again, *lines, _learn_from(project, contract, record, told, room)]


def _again(before: list[dict[str, Any]], digest: str) -> str:
    same = next((look["number"] for look in before if look["file"] == digest), None)
    words = f"at the same file as look {same}" if same else f"the one before was on {before[-1]['at']} UTC"
    return (
        f"this is look number {len(before) + 1}, {words}: who looks until it pays will find that it pays; "
        "decide by the look that was planned"
    )


def _outcomes(record: Campaign, contract: Contract, data: Path, column: str | None) -> pl.DataFrame:
    """Ids and outcomes of the file's rows: key, y.

    Raises: InputError when an id stands there twice, or an outcome is empty.
    """
    known = contract.columns.get(record.target)
    codes = known if known is not None else Column(role="outcome", values={"0": 0, "1": 1})
    update = {"required": True, "source": column or codes.source}
    key = campaigns.named_by(data, record.key, contract.columns.get(record.key))
    columns = {record.key: key, record.target: codes.model_copy(update=update)}
    rows = campaigns.rows_of(data, columns, record.key).rename({record.key: "key", record.target: "y"})
    if empty := rows["y"].null_count() + rows["key"].null_count():
        raise InputError(f"{data}: {empty} ids or outcomes are empty; write what is meant by them")
    twice = rows["key"].filter(rows["key"].is_duplicated()).unique(maintain_order=True)
    if twice.len():
        raise InputError(
            f"{data}: {twice.len()} ids stand on several rows, such as {', '.join(twice.head(3))}; give one row each"
        )
    return rows


def _told(record: Campaign, people: pl.DataFrame, rows: pl.DataFrame, missing: Missing) -> Told:
    matched = people.join(rows, on="key", how="left", maintain_order="left")
    has_row = matched["y"].is_not_null()
    counts = {
        "drawn": people.height, "matched": int(has_row.sum()), "without_row": int((~has_row).sum()),
        "unmatched": rows.height - int(has_row.sum()), "rows": rows.height,
    }  # fmt: skip
    if (why := campaigns.without_zeros(rows["key"], people["key"])) is not None:
        raise InputError(why)
    if not counts["matched"]:
        raise InputError(f"none of {rows.height} ids was in campaign {record.campaign}: is this its file?")
    matched = matched.with_columns(has_row.alias("has_row"), pl.col("y").fill_null(0).cast(pl.Float64))
    return Told(people=matched.filter("has_row") if missing == "drop" else matched, counts=counts)


def _counted(told: Told, missing: Missing) -> str:
    n = told.counts
    means = "counted as no response" if missing == "no" else "left out (--missing drop)"
    return (
        f"{count(n['rows'])} rows: {count(n['matched'])} of the {count(n['drawn'])} who were drawn, "
        f"{count(n['unmatched'])} of others; {count(n['without_row'])} have no row and are {means}"
    )


def _arms(record: Campaign, rows: pl.DataFrame) -> NDArray[np.int64]:
    """The arm (n,) of each customer as the lottery drew it: messages that a model chose are one arm."""
    codes = {arm: code for code, arm in enumerate(record.arms)}
    return np.array([codes.get(message, 1) for message in rows["message"]], dtype=np.int64)


def ratio(record: Campaign, told: Told) -> tuple[str, float]:
    """The sizes of the two groups against the plan, in words, and how surely chance explains them.

    Those with a row count where some of them did not respond; else a row is the response itself, and all count.
    """
    rows = told.of("treated", "control")
    tells_all = bool((rows["has_row"] & (rows["y"] == 0)).any())
    arm = _arms(record, rows.filter("has_row") if tells_all else rows)
    p, held_back = sample_ratio_p(arm, record.shares), int((arm == 0).sum())
    planned = f"planned {decimal(100 * record.shares[0], 1)} % held back"
    what = "have a row" if tells_all or rows["has_row"].all() else "were drawn"
    return f"{count(len(arm) - held_back)} contacted and {count(held_back)} held back {what}, {planned} (p {p:.2g})", p


def unfair(record: Campaign, told: Told) -> str | None:
    """Why the groups cannot be compared; 1 in 1,000 sound campaigns is called so."""
    if not record.shares:
        return None
    words, p = ratio(record, told)
    advice = "chance does not explain it; give a file that tells of both groups alike, or of those who responded only"
    return f"{words}: {advice}" if p < UNFAIR else None


def _figures(record: Campaign, told: Told) -> dict[str, Any]:
    """Rates of all groups, and where the lottery allows it effects and profit."""
    figures: dict[str, Any] = {
        group: {"n": rows.height, "rate": experiment.rate(rows["y"].to_numpy()).model_dump()}
        for group in ("treated", "control", "explore", "explore_control")
        if (rows := told.of(group)).height
    }
    if (why := _why_none(record, told)) is not None:
        return {**figures, "no_effect": why}
    found = _effect(record, told)
    return {**figures, "effect": found.model_dump(), "profit": _profit(record, told, found).model_dump()}


def _why_none(record: Campaign, told: Told) -> str | None:
    rows = told.of("treated", "control")
    return unfair(record, told) or experiment.why_none(rows["y"].to_numpy(), _arms(record, rows))


def _effect(record: Campaign, told: Told, *groups: str) -> Effect:
    rows = told.of(*(groups or ("treated", "control")))
    return experiment.changed(rows["y"].to_numpy(), _arms(record, rows), rows["score"].to_numpy())


def _profit(record: Campaign, told: Told, found: Effect) -> Interval:
    """Of those chosen and contacted, by the adjusted effect."""
    sent = told.of("treated")["message"]
    cost = sum(record.costs[message] for message in sent)
    return experiment.earned(found.adjusted, record.value, len(sent), cost)


def _judged(record: Campaign, told: Told) -> list[str]:
    treated, control = told.of("treated"), told.of("control")
    rates = [
        f"{_rate(rows)} of {count(rows.height)} {where}"
        for rows, where in ((treated, "contacted"), (control, "held back"))
        if rows.height
    ]
    lines = [f"sample ratio: {ratio(record, told)[0]}"] if record.shares else []
    lines.append(f"responded: {', '.join(rates)}")
    if (why := _why_none(record, told)) is not None:
        return [*lines, f"no effect is claimed: {why}"]
    found = _effect(record, told)
    return [*lines, f"contacting changed {_told_effect(found)}", *_by_message(record, told), *_below(record, told),
            verdict(record, _profit(record, told, found))]  # fmt: skip


def verdict(record: Campaign, profit: Interval) -> str:
    """Whether the campaign paid, in one sentence."""

    def amount(value: float) -> str:
        return f"{money_difference(value, '')} {record.currency}".strip()

    told = f"{amount(profit.value)}, 95 % between {amount(profit.low)} and {amount(profit.high)}"
    match experiment.verdict(profit):
        case "paid":
            return f"It paid: {told}"
        case "lost":
            return f"It did not pay: {told}"
        case "open":
            return f"Too few to tell whether it paid: {told}"


def _rate(rows: pl.DataFrame) -> str:
    return f"{decimal(100 * float(rows['y'].to_numpy().mean()), 1)} %"


def _told_effect(found: Effect) -> str:
    a, raw = found.adjusted, found.raw
    ends, raw_ends = (f"{points(one.low)} to {points(one.high)}" for one in (a, raw))
    return (
        f"{points(a.value)} points (95 %: {ends}), adjusted by the model's score; without that "
        f"{points(raw.value)} ({raw_ends})"
    )


def _by_message(record: Campaign, told: Told) -> list[str]:
    """Messages that were drawn by lot, each against the held back and against the first."""
    if len(record.arms) < 3:
        return []
    rows = told.of("treated", "control")
    y, arm, score = rows["y"].to_numpy(), _arms(record, rows), rows["score"].to_numpy()
    lines = []
    for k, name in enumerate(record.arms[1:], start=1):
        one = experiment.between(y, arm, score, k, 0).adjusted
        words = f"{name}: {points(one.value)} points ({points(one.low)} to {points(one.high)})"
        if k > 1:
            more = experiment.between(y, arm, score, k, 1).adjusted
            ends = f"{points(more.low)} to {points(more.high)}"
            words += f", {points(more.value)} ({ends}) against {record.arms[1]}"
        lines.append(words)
    return lines


def _below(record: Campaign, told: Told) -> list[str]:
    """What a contact changes below the cut, where some were drawn in."""
    rows = told.of("explore", "explore_control")
    if not rows.height:
        return []
    if (why := experiment.why_none(rows["y"].to_numpy(), _arms(record, rows))) is not None:
        return [f"below the cut no effect is claimed: {why}"]
    return [f"below the cut it changed {_told_effect(_effect(record, told, 'explore', 'explore_control'))}"]


def _learn_from(project: Project, contract: Contract, record: Campaign, told: Told, room: Path) -> str:
    """Make the campaign a use case, and say so; what is there already and not ours stays as it is."""
    name = f"{record.use_case}_{record.campaign}"
    if not record.shares or (why := unfair(record, told)) is not None:
        return f"contracts/{name}.yaml is not written: {'without a control group' if not record.shares else why}"
    table, raw = room / FILE, project.state(name) / "source.json"
    finished = _finished(contract, record, told.people)
    is_new = not project.contract(name).exists()
    is_ours = raw.exists() and read_json(raw)["data"] == str(table.resolve())
    if not is_new and not is_ours:
        return f"contracts/{name}.yaml is there already, and yours: it and its data stay as they are"
    write_table(table, _rows(finished, record, told.people))
    if is_new:
        _write_contract(project, name, finished, contract, told.people.height)
    try:
        fetch(project, name, table)
    except PerennialError:
        if is_new:
            project.contract(name).unlink()
        raise
    params = project.root / "params.yaml"
    if name not in read_use_cases(params):
        has_text = any(feature.kind == "text" for feature in finished.features)
        block = build_params_text(name, told.people.height, "uplift", has_text=has_text)
        write_text(params, append_block(params.read_text(encoding="utf-8"), block))
    kept = "" if is_new else f"contracts/{name}.yaml stays as it is, with the outcomes of this look; "
    return f"{kept}to learn from it: perennial run {name}"


def _finished(contract: Contract, record: Campaign, people: pl.DataFrame) -> FinishedCampaign:
    there = [f for f in feature_columns(contract) if f"feature:{f.name}" in people.columns]
    features = [f for f in there if people[f"feature:{f.name}"].null_count() < people.height]
    mean = float(np.mean([record.costs[message] for message in people["message"] if message in record.costs] or [0]))
    return FinishedCampaign(
        name=record.use_case, campaign=record.campaign, model_version=record.model_version, key=record.key,
        target=record.target, arms=record.arms, shares=record.shares, value=record.value, features=features,
        costs=[0.0, *(round(record.costs.get(arm, mean), 6) for arm in record.arms[1:])],
    )  # fmt: skip


def _write_contract(project: Project, name: str, finished: FinishedCampaign, contract: Contract, rows: int) -> None:
    text = build_contract_text(draft_next_contract(finished, contract), build_head(finished, rows), {})
    parse(yaml.safe_load(text), project.contract(name).name)
    write_text(project.contract(name), text)


def _rows(finished: FinishedCampaign, record: Campaign, people: pl.DataFrame) -> pl.DataFrame:
    """The raw rows of the new use case."""
    arms = [record.arms[code] for code in _arms(record, people)]
    named = name_columns(finished)
    told = people.with_columns(pl.Series("arm", arms, dtype=pl.String), pl.col("y").cast(pl.Int64))
    features = [pl.col(f"feature:{f.name}").alias(f.name) for f in finished.features]
    rows = told.select(*(pl.col(own).alias(name) for own, name in named.items()), *features)
    return rows.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))
