"""`perennial audience NAME --input FILE --campaign ID`: rows in, the list that a CRM or ad platform takes out.

Who must not be written to is left out first; of those who would be contacted a control group is held back by lot, and
what that can prove is said before anything is written. The record tells later who was in which group.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import ValidationError

from perennial.campaigns import record as campaigns
from perennial.campaigns.record import Campaign
from perennial.config.audience import AudienceParams
from perennial.config.base import describe_problems, read_use_cases
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.data.hashing import hash_contacts
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError, ContractError, InputError, Refused
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.money import contact_policy, message_policy
from perennial.evaluation.statistics import holdout
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.report.charts.numbers import count, decimal, money
from perennial.scoring.scorer import Scorer
from perennial.serving.champion import load_champion
from perennial.serving.preparation import PreparedRows, prepare_rows
from perennial.serving.score_list import build_score_list, check_output, write_list

log = logging.getLogger("perennial")
CONTACT = "contact"  # the arm of all who were contacted, where messages were not drawn by lot
_CONTROL = 0.1
Rows = NDArray[np.bool_]


def asked(project: Project, name: str, flags: dict[str, Any]) -> AudienceParams:
    """What params.yaml says, where the command line says nothing else.

    Raises: ConfigError listing every wrong value at once.
    """
    block = read_use_cases(project.root / "params.yaml").get(name) or {}
    try:
        return AudienceParams.model_validate({**(block.get("audience") or {}), **flags})
    except ValidationError as error:
        raise ConfigError(f"audience of {name}: {describe_problems(error)}") from error


class Drawn(NamedTuple):
    """Everyone who could be contacted (`frame`, with group, message, score and gain), and what was counted on the way."""

    frame: pl.DataFrame
    counts: dict[str, int]


def audience(
    project: Project, name: str, campaign: str, source: Path, wishes: AudienceParams, *,
    suppress: Path | None = None, output: Path | None = None,
) -> Campaign:  # fmt: skip
    """Write the record and the list; the same call again writes the same list, or the same people with other columns.

    Raises: ConfigError for a campaign that was drawn otherwise before, ContractError for a contract that has nobody to
    contact, InputError for files that cannot be read, Refused when there is no model.
    """
    contract, room = load(project.contract(name)), campaigns.folder(project, name, campaign)
    key, messages = _key(contract), _messages(contract, wishes)
    output = output or room / "list.csv"
    for read in (source, *([suppress] if suppress else [])):
        if not read.exists():
            raise InputError(f"{read}: there is no such file or folder")
        check_output(read, output)
    found, scorer = load_champion(project, name, contract, None)
    if scorer.bundle.serving.money != contract.money:
        raise Refused(f"money is told otherwise than when version {found.number} was trained: perennial run {name}")
    contacts = contract.find_columns("contact")
    prepared = prepare_rows(contract, source, [*contacts, *(c for c in wishes.columns or () if _is_read(contract, c))])
    reaching = [
        c for c in contacts if hash_contacts(prepared.units[c].cast(pl.String)).reaches.any()
    ]  # no names, no IBANs
    columns = wishes.columns or (key, *reaching, *(["message"] if len(messages) > 1 else []))
    left = _left(prepared, contract, reaching, suppress)
    drawn = _drawn(scorer, prepared, contract, left, wishes, messages, campaign)
    record = _record(name, campaign, contract, wishes, messages, drawn).model_copy(
        update={"model_version": found.number, "bundle": found.digest, "columns": columns}
    )
    table = _list(drawn.frame, columns, contacts)
    with file_lock(room.parent.with_suffix(".lock"), what=f"a campaign of {name}"):
        is_new = campaigns.keep(room, record, _people(drawn.frame, scorer, key))
    _say(record)
    write_list(output, table)
    log.info("%s%d contacts → %s", "" if is_new else "the same campaign again: ", table.height, output)
    return record


def _is_read(contract: Contract, column: str) -> bool:
    return column in contract.columns and contract.columns[column].role != "ignore"


def _key(contract: Contract) -> str:
    """The column that names a customer.

    Raises: ContractError where a contract cannot lead to a campaign.
    """
    task, key = contract.task.kind, contract.entity
    if task not in {"binary", "uplift"}:
        raise ContractError(f"an audience is for a binary or an uplift task, not for {task}")
    needed = ("value_of_response", "cost_of_contact") if task == "binary" else ("value_of_response",)
    if absent := [f"money.{name}" for name in needed if getattr(contract.money, name) is None]:
        raise ContractError(f"{' and '.join(absent)} not told: whom a contact pays for is unknown")
    if task == "uplift" and contract.outcome is not None and not contract.outcome.is_coded:
        raise ContractError("an audience is drawn for responses of 0 and 1 so far, not for amounts")
    if contract.sampling.sampling_rate == "unknown":
        raise ContractError(
            "sampling.sampling_rate is unknown: scores only rank, so neither size nor profit can be foretold"
        )
    if key is None:
        raise ContractError("no column has the role id or entity: nobody could tell later who was contacted")
    return key


def _messages(contract: Contract, wishes: AudienceParams) -> tuple[str, ...]:
    """The messages that can be sent.

    Raises: ConfigError for one that the contract does not know, or that is called like no message.
    """
    known = tuple(contract.arms[1:]) if contract.task.kind == "uplift" else ()
    control = contract.arms[0] if known else "none"
    wrong = [m for m in wishes.messages or () if (known and m not in known) or m == control]
    if wrong:
        raise ConfigError(f"--messages {', '.join(wrong)}: choose from {', '.join(known) or f'any but {control}'}")
    return wishes.messages or known or (CONTACT,)


class _Left(NamedTuple):
    """Rows (n,) that may be contacted, and what was counted."""

    rows: Rows
    counts: dict[str, int]


def _left(prepared: PreparedRows, contract: Contract, reaching: list[str], suppress: Path | None) -> _Left:
    """Who is left once opt-outs, recent contacts and those whom no message reaches are taken away.

    Raises: InputError for an id that stands on several rows, and opt-outs of which none, or not all by their zeros, is here.
    """
    key = str(contract.entity)
    keys = prepared.units[key].cast(pl.String)
    if (twice := keys.filter(keys.is_duplicated()).unique(maintain_order=True)).len():
        words = f"{twice.len()} ids of {key} stand on several rows, such as {', '.join(twice.head(3))}"
        raise InputError(f"{words}: give one row a customer")
    listed = pl.Series([], dtype=pl.String)
    if suppress is not None:
        column = campaigns.named_by(suppress, key, contract.columns.get(key))
        listed = campaigns.rows_of(suppress, {key: column}, key)[key].drop_nulls().unique()
        if (why := campaigns.without_zeros(listed, keys)) is not None:
            raise InputError(f"{suppress}: {why}, or these customers are written to")
        if listed.len() and not listed.is_in(keys.to_list()).any():
            raise InputError(
                f"{suppress}: none of its {listed.len():,} ids is a {key} of this input: is it the right file?"
            )
    gone = keys.is_in(listed.to_list()).to_numpy()
    reached = [hash_contacts(prepared.units[column].cast(pl.String)).reaches.to_numpy() for column in reaching]
    reaches = np.any(reached, axis=0) if reached else np.ones(len(keys), dtype=np.bool_)
    counts = {
        "rows": prepared.n_rows, "rejected": prepared.rejected.height, "suppressed": int(gone.sum()),
        "suppression_ids": listed.len(), "suppression_unmatched": listed.len() - int(gone.sum()),
        "unreachable": int((~gone & ~reaches).sum()), "eligible": int((~gone & reaches).sum()),
    }  # fmt: skip
    if not counts["eligible"]:
        raise InputError(f"nobody is left to contact: {counts['suppressed']} of {len(keys)} are suppressed")
    return _Left(~gone & reaches, counts)


def _drawn(
    scorer: Scorer, prepared: PreparedRows, contract: Contract, left: _Left, wishes: AudienceParams,
    messages: tuple[str, ...], campaign: str,
) -> Drawn:  # fmt: skip
    units = prepared.units.filter(left.rows)
    table = build_score_list(scorer, units, contract)
    keys = units[str(contract.entity)].cast(pl.String).to_list()
    chosen = (table["action"] != "none").to_numpy()
    group = holdout.drawn(campaign, keys, chosen, _lottery(wishes))
    score, gain, send = _worth(scorer, units, contract, messages, randomised=wishes.messages is not None)
    if wishes.messages is not None:
        for one in holdout.CONTACTED:
            rows = np.flatnonzero(group == one)
            which = holdout.messages(campaign, [keys[row] for row in rows], len(messages))
            send[rows] = np.array(messages, dtype=object)[which]
    send[~np.isin(group, holdout.CONTACTED)] = contract.arms[0] if contract.task.kind == "uplift" else "none"
    ours = pl.DataFrame(
        {"group": group.tolist(), "message": send.tolist(), "score": score, "gain": gain},
        schema={"group": pl.String, "message": pl.String, "score": pl.Float64, "gain": pl.Float64},
    )
    counts = {name: int((group == name).sum()) for name in holdout.GROUPS if name != "none"}
    return Drawn(_beside(units, table, ours, scorer), {**left.counts, "chosen": int(chosen.sum()), **counts})


def _lottery(wishes: AudienceParams) -> holdout.Lottery:
    share = _CONTROL if wishes.control is None and wishes.min_control is None else wishes.control or 0.0
    return holdout.Lottery(control=share, min_control=wishes.min_control or 0, explore=wishes.explore or 0.0)


def _beside(units: pl.DataFrame, table: pl.DataFrame, ours: pl.DataFrame, scorer: Scorer) -> pl.DataFrame:
    """All columns that a list can have; of equal names ours, then the score's, then the input's; features apart."""
    features = units.select(pl.col(f.name).alias(f"feature:{f.name}") for f in scorer.bundle.serving.features)
    table = table.drop(ours.columns, strict=False)
    rest = units.drop([*ours.columns, *table.columns], strict=False)
    return pl.concat([table, rest, ours, features], how="horizontal")


def _worth(
    scorer: Scorer, units: pl.DataFrame, contract: Contract, messages: tuple[str, ...], *, randomised: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """What the model foretells of each customer (without a message where it tells), money of a contact, its message."""
    scores = scorer.score(units)
    if contract.task.kind == "uplift":
        offer = message_policy(scorer.bundle.serving)
        gain, best = policy.rank_messages(scores, offer)
        if randomised:
            places = [scorer.outputs.index(message) for message in messages]
            gain = policy.expected_gain(scores, offer)[:, places].mean(axis=1)
        return scores[:, 0], gain, np.array(scorer.outputs, dtype=object)[best]
    worth = contact_policy(contract.money)
    assert worth is not None
    p = scores[:, 0]
    return p, worth.value * p - worth.cost, np.full(len(p), CONTACT, dtype=object)


def _record(
    name: str, campaign: str, contract: Contract, wishes: AudienceParams, messages: tuple[str, ...], drawn: Drawn
) -> Campaign:
    """Messages that a model chose were not drawn by lot, so they are one arm."""
    counts, is_uplift = drawn.counts, contract.task.kind == "uplift"
    arms = messages if wishes.messages is not None or len(messages) == 1 else (CONTACT,)
    share = counts["control"] / max(counts["chosen"], 1)
    treatment = contract.columns[str(contract.find_column("treatment"))] if is_uplift else None
    costs = {m: treatment.arms[m].cost if treatment else float(contract.money.cost_of_contact or 0) for m in messages}
    record = Campaign(
        use_case=name, campaign=campaign, model_version="", bundle="", key=str(contract.entity),
        target=str(contract.target), at=campaigns.now(), arms=(contract.arms[0] if is_uplift else "none", *arms),
        shares=(share, *([(1 - share) / len(arms)] * len(arms))) if share else (), costs=costs,
        value=float(contract.money.value_of_response or 0), currency=contract.money.currency or "",
        columns=(), counts=counts, control="",
    )  # fmt: skip
    words = proof(record, drawn.frame.filter(pl.col("group").is_in(["treated", "control"])), is_uplift=is_uplift)
    return record.model_copy(update={"control": words})


def proof(record: Campaign, chosen: pl.DataFrame, *, is_uplift: bool) -> str:
    """What a control group of this size can show, and what it costs not to contact it."""
    treated, control = record.counts["treated"], record.counts["control"]
    if not control:
        return f"nobody is held back of {count(treated)}: what the campaign changes will not be known"
    rate, gain = (float(np.mean(chosen[name].to_numpy())) for name in ("score", "gain"))
    least = holdout.detectable(rate, treated, control)
    arms = len(record.arms) - 1
    by_message = f" ({decimal(100 * holdout.detectable(rate, treated / arms, control), 1)} by message)"
    pays = float(np.mean(list(record.costs.values()))) / record.value
    forgone = f"{money(control * gain, '')} {record.currency}".strip()
    return (
        f"{count(control)} held back of {count(treated + control)} chosen: effects under {decimal(100 * least, 1)} points"
        f"{by_message if arms > 1 else ''} stay invisible (4 of 5 times, at a rate near {decimal(100 * rate, 1)} %); "
        f"costs {'about' if is_uplift else 'at most about'} {forgone} of profit; "
        f"a contact pays from {decimal(100 * pays, 1)} points on"
    )


def _say(record: Campaign) -> None:
    told = record.counts
    of_file = f" ({told['suppression_unmatched']} of {told['suppression_ids']} ids in the file are not here)"
    log.info(
        "%d rows: %d rejected, %d suppressed%s, %d whom no message reaches; %d chosen of %d",
        told["rows"], told["rejected"], told["suppressed"], of_file if told["suppression_ids"] else "",
        told["unreachable"], told["chosen"], told["eligible"],
    )  # fmt: skip
    log.info("%s", record.control)
    if told["explore"]:
        log.info(
            "%d more are contacted from below the cut, by lot; %d like them are held back",
            told["explore"], told["explore_control"],
        )  # fmt: skip


def _list(frame: pl.DataFrame, columns: tuple[str, ...], contacts: list[str]) -> pl.DataFrame:
    """The contacts, never the held back; of a contact column only its digest.

    Raises: ConfigError for a column that is not there.
    """
    there = [name for name in frame.columns if not name.startswith(("_", "feature:"))]
    absent = [name for name in columns if name not in there]
    if absent:
        raise ConfigError(f"--columns {', '.join(absent)}: choose from {', '.join(there)}")
    listed = frame.filter(pl.col("group").is_in(holdout.CONTACTED))
    cells = [
        hash_contacts(listed[name].cast(pl.String)).cells.alias(f"{name}_sha256") if name in contacts else listed[name]
        for name in columns
    ]
    return pl.DataFrame(cells)


def _people(frame: pl.DataFrame, scorer: Scorer, key: str) -> pl.DataFrame:
    """Everyone who was drawn, with what the model saw of them."""
    features = [f"feature:{f.name}" for f in scorer.bundle.serving.features if f.kind != "image"]
    drawn = frame.filter(pl.col("group") != "none")
    return drawn.select(
        pl.col(key).cast(pl.String).alias("key"), ROW_ID, "score", "gain", "decile", "group", "message", *features
    )
