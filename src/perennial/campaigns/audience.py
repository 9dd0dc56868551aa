"""Audience: choose whom to contact, draw a control group and write the list.

What the control group can show is logged before the list is written. The record says later who was in which group.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import polars as pl

from perennial.campaigns.plan import CONTACT, CampaignPlan, plan_campaign
from perennial.campaigns.record import campaign_folder, save_campaign
from perennial.campaigns.selection import Selection, find_contact_columns, select_customers
from perennial.charts.numbers import count, decimal, money
from perennial.config.audience import AudienceParams
from perennial.contract.load import load
from perennial.data.hashing import hash_contacts
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError, InputError, Refused
from perennial.evaluation.statistics import holdout
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.results.campaign import AudienceCounts, CampaignRecord
from perennial.results.decision import utc_now
from perennial.scoring.scorer import Scorer
from perennial.serving.champion import load_champion
from perennial.serving.list_files import check_output, write_list
from perennial.serving.preparation import prepare_rows
from perennial.tracking.registry import Version

log = logging.getLogger("perennial")


def build_audience(
    project: Project,
    name: str,
    campaign: str,
    source: Path,
    options: AudienceParams,
    *,
    suppress: Path | None = None,
    output: Path | None = None,
) -> CampaignRecord:
    """Write the record and the list; the same call again writes the same list, or the same customers with other columns.

    Raises: ConfigError for a campaign that was drawn with other options, ContractError for a contract that allows no
    campaign, InputError for files that cannot be read, Refused when there is no model.
    """
    contract, folder = load(project.contract(name)), campaign_folder(project, name, campaign)
    plan = plan_campaign(name, campaign, contract, options)
    output = output or folder / "list.csv"
    for path in (source, *([suppress] if suppress else [])):
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
        check_output(path, output)
    version, scorer = load_champion(project, name, contract, None)
    if scorer.bundle.serving.money != contract.money:
        raise Refused(f"money has changed since version {version.number} was trained: perennial run {name}")
    contacts = contract.find_columns("contact")
    readable = [column for column, spec in contract.columns.items() if spec.role != "ignore"]
    prepared = prepare_rows(contract, source, [*contacts, *(c for c in options.columns or () if c in readable)])
    message_column = ["message"] if len(plan.messages) > 1 else []
    usable = find_contact_columns(prepared, plan)
    columns = options.columns or (plan.key, *usable, *message_column)
    selection = select_customers(scorer, prepared, plan, usable, suppress)
    record = _build_record(plan, selection, version, columns)
    table = _build_list(selection.customers, columns, contacts)
    with file_lock(folder.parent.with_suffix(".lock"), what=f"a campaign of {name}"):
        is_new = save_campaign(folder, record, _select_population(selection.customers, scorer, plan.key))
    _log_counts(record.counts)
    log.info("%s", record.control_summary)
    write_list(output, table)
    log.info("%s%d contacts → %s", "" if is_new else "the same campaign again: ", table.height, output)
    return record


def _build_record(plan: CampaignPlan, selection: Selection, version: Version, columns: tuple[str, ...]) -> CampaignRecord:
    """Messages that a model chose were not assigned at random, so they are one arm."""
    counts, money_of = selection.counts, plan.contract.money
    arms = plan.messages if plan.is_randomized or len(plan.messages) == 1 else (CONTACT,)
    share = counts.control / max(counts.chosen, 1)
    costs = {message: plan.cost(message) for message in plan.messages}
    value, currency = float(money_of.value_of_response or 0), money_of.currency or ""
    return CampaignRecord(
        use_case=plan.use_case,
        campaign=plan.campaign,
        model_version=version.number,
        digest=version.digest,
        key=plan.key,
        target=str(plan.contract.target),
        at=utc_now(),
        arms=(plan.no_contact, *arms),
        shares=(share, *([(1 - share) / len(arms)] * len(arms))) if share else (),
        costs=costs,
        value=value,
        currency=currency,
        columns=columns,
        counts=counts,
        control_summary=_describe_control_group(plan, selection, len(arms), float(np.mean(list(costs.values()))) / value),
    )


def _describe_control_group(plan: CampaignPlan, selection: Selection, n_messages: int, break_even: float) -> str:
    """What a control group of this size can show, and the profit that is forgone by not contacting it."""
    treated, control = selection.counts.treated, selection.counts.control
    if not control:
        return f"no control group, {count(treated)} are contacted: what the campaign changes will not be known"
    chosen = selection.customers.filter(pl.col("group").is_in(["treated", "control"]))
    rate, gain = (float(np.mean(chosen[name].to_numpy())) for name in ("score", "gain"))
    least = holdout.least_detectable_effect(rate, treated, control)
    least_by_message = decimal(100 * holdout.least_detectable_effect(rate, treated / n_messages, control), 1)
    forgone = f"{money(control * gain, '')} {plan.contract.money.currency or ''}".strip()
    return (
        f"control group: {count(control)} of {count(treated + control)} chosen; it can show effects from "
        f"{decimal(100 * least, 1)} points on{f' ({least_by_message} by message)' if n_messages > 1 else ''} "
        f"(in 4 of 5 campaigns, at a rate near {decimal(100 * rate, 1)} %); it forgoes "
        f"{'about' if plan.is_uplift else 'at most about'} {forgone} of profit; "
        f"a contact pays from {decimal(100 * break_even, 1)} points on"
    )


def _log_counts(counts: AudienceCounts) -> None:
    unmatched = f" ({counts.suppression_unmatched} of {counts.suppression_ids} ids in the file are not here)"
    log.info(
        "%d rows: %d rejected, %d suppressed%s, %d unreachable; %d chosen of %d",
        counts.rows,
        counts.rejected,
        counts.suppressed,
        unmatched if counts.suppression_ids else "",
        counts.unreachable,
        counts.chosen,
        counts.eligible,
    )
    if counts.explore:
        log.info(
            "%d more, drawn at random from below the cut, are contacted; %d like them are their control group",
            counts.explore,
            counts.explore_control,
        )


def _build_list(customers: pl.DataFrame, columns: tuple[str, ...], contacts: list[str]) -> pl.DataFrame:
    """Whoever is contacted, never the control group; of a contact column only its digest.

    Raises: ConfigError for a column that is not there.
    """
    available = [name for name in customers.columns if not name.startswith(("_", "feature:"))]
    absent = [name for name in columns if name not in available]
    if absent:
        raise ConfigError(f"--columns {', '.join(absent)}: choose from {', '.join(available)}")
    rows = customers.filter(pl.col("group").is_in(holdout.CONTACTED))
    cells = [
        hash_contacts(rows[name].cast(pl.String)).cells.alias(f"{name}_sha256") if name in contacts else rows[name]
        for name in columns
    ]
    return pl.DataFrame(cells)


def _select_population(customers: pl.DataFrame, scorer: Scorer, key: str) -> pl.DataFrame:
    """Everyone who was drawn, with what the model saw of them."""
    features = [f"feature:{f.name}" for f in scorer.bundle.serving.features if f.kind != "image"]
    return customers.filter(pl.col("group") != "none").select(
        pl.col(key).cast(pl.String).alias("key"), ROW_ID, "score", "gain", "decile", "group", "message", *features
    )
