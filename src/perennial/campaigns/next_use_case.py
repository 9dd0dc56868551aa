"""Next use case: a finished campaign becomes a contract and raw data, so that a model can learn whom it moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.discovery.campaign import FILE, FinishedCampaign, describe_origin, draft_next_contract, name_columns
from perennial.discovery.render import build_contract_text, build_params_text
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.files.tables import write_table
from perennial.results.campaign import CampaignRecord
from perennial.sources.install import install_use_case


def add_next_use_case(
    project: Project, contract: Contract, record: CampaignRecord, customers: pl.DataFrame, folder: Path, refusal: str | None
) -> str:
    """Install the use case unless there is a `refusal`, and say so; a contract of the user's own is never touched.

    `customers` has group, message, arm, score, y and the features of everyone who counts.
    """
    name = f"{record.use_case}_{record.campaign}"
    if refusal is not None:
        return f"contracts/{name}.yaml is not written: {refusal}"
    table, remembered, path = folder / FILE, project.state(name) / "source.json", project.contract(name)
    is_ours = remembered.exists() and read_json(remembered)["data"] == str(table.resolve())
    if path.exists() and not is_ours:
        return f"contracts/{name}.yaml is there already, and yours: it and its data stay as they are"
    finished = _describe_campaign(contract, record, customers)
    write_table(table, _build_rows(finished, customers))
    draft, head = draft_next_contract(finished, contract), describe_origin(record, customers.height)
    text = build_contract_text(draft, head, {})
    has_text = any(feature.kind == "text" for feature in finished.features)
    block = build_params_text(name, customers.height, "uplift", has_text=has_text)
    is_new = install_use_case(project, name, text, block, table)
    unchanged = "" if is_new else f"contracts/{name}.yaml stays as it is, with the outcomes of this look; "
    return f"{unchanged}to learn from it: perennial run {name}"


def _describe_campaign(contract: Contract, record: CampaignRecord, customers: pl.DataFrame) -> FinishedCampaign:
    """What the next contract is drafted from; a message that was not assigned at random costs what messages cost on average."""
    recorded = [f for f in feature_columns(contract) if f"feature:{f.name}" in customers.columns]
    features = [f for f in recorded if customers[f"feature:{f.name}"].null_count() < customers.height]
    sent = [record.costs[message] for message in customers["message"] if message in record.costs]
    mean = float(np.mean(sent or [0]))
    costs = [0.0, *(round(record.costs.get(arm, mean), 6) for arm in record.arms[1:])]
    return FinishedCampaign(record=record, costs=costs, features=features)


def _build_rows(finished: FinishedCampaign, customers: pl.DataFrame) -> pl.DataFrame:
    """The raw rows of the new use case."""
    columns = [pl.col(column).alias(name) for column, name in name_columns(finished).items()]
    features = [pl.col(f"feature:{f.name}").alias(f.name) for f in finished.features]
    rows = customers.with_columns(pl.col("y").cast(pl.Int64)).select(*columns, *features)
    return rows.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))
