"""Great Expectations audit: the rules a second time, as expectations over the rows that passed; they must find nothing.

The only GX code.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, assert_never

import narwhals as nw
import pandas as pd
import polars as pl

from perennial.contract import rules as rule_kinds
from perennial.contract.rules import CustomRule, RowRule, Unique, name_rule
from perennial.data.quality.rules import build_expression
from perennial.errors import DataStopped

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read once, when great_expectations is imported
import great_expectations as gx
from great_expectations import expectations as gxe

FRAME_ROWS = 1_000_000


class RuleResult(TypedDict):
    """The result of one expectation, without times, ids and paths."""

    rule: str
    type: str
    kwargs: dict[str, object]
    success: bool
    raised: bool


class Audit(TypedDict):
    """The result of a checkpoint: every `failed` rule, and all results."""

    success: bool
    failed: list[str]
    results: list[RuleResult]


def build_expectation(rule: RowRule) -> Any:
    """Render a row rule as a GX expectation; `unique` is one over the one-row summary (a column `clashes:NAME`)."""
    meta = {"rule": name_rule(rule)}
    match rule:
        case rule_kinds.NotNull():
            return gxe.ExpectColumnValuesToNotBeNull(column=rule.column, meta=meta)
        case rule_kinds.InSet():
            return gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.values), meta=meta)
        case rule_kinds.Between():
            low, high = rule.min, rule.max
            return gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=low, max_value=high, meta=meta)
        case rule_kinds.Before():
            day = pd.Timestamp(rule.date, tz="UTC").isoformat()
            return gxe.ExpectColumnValuesToBeBetween(column=rule.column, max_value=day, strict_max=True, meta=meta)
        case rule_kinds.Matches():
            regex = rule.pattern.replace(r"\z", r"\Z")  # Python's name for the end of the text
            return gxe.ExpectColumnValuesToMatchRegex(column=rule.column, regex=regex, meta=meta)
        case rule_kinds.Implies():
            pairs, both = [(0, 0), (0, 1), (1, 1)], "either_value_is_missing"
            return gxe.ExpectColumnPairValuesToBeInSet(
                column_A=rule.if_, column_B=rule.then, value_pairs_set=pairs, ignore_row_if=both, meta=meta
            )
        case rule_kinds.Ordered():
            (low_name, high_name), both = rule.columns, "either_value_is_missing"
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=high_name, column_B=low_name, or_equal=True, ignore_row_if=both, meta=meta
            )
        case CustomRule():
            return gxe.ExpectColumnValuesToBeInSet(column=name_rule(rule), value_set=[True], meta=meta)
        case Unique():
            return gxe.ExpectColumnValuesToBeBetween(column=f"clashes:{rule.column}", min_value=0, max_value=0, meta=meta)
        case _:
            assert_never(rule)


def audit_rows(rows: pl.DataFrame, summary: pl.DataFrame, columns: Sequence[str], rules: Sequence[RowRule]) -> Audit:
    """Check the rows that passed, and the one-row summary of the whole table, against all rules again.

    Returns the checkpoint's results as plain JSON without times, ids and paths; `success` and every `failed` rule.

    Raises: DataStopped when two rules are equal (a suite silently drops one), or GX evaluated fewer than it was given.
    """
    twice = [name_rule(rule) for at, rule in enumerate(rules) if rule in rules[:at]]
    if twice:
        raise DataStopped(f"rule {twice[0]} is given twice to the audit: merge equal rules first")
    by_row = [build_expectation(rule) for rule in rules if not isinstance(rule, Unique)]
    by_table = [build_expectation(rule) for rule in rules if isinstance(rule, Unique)]
    names = [*columns, *(name_rule(rule) for rule in rules if isinstance(rule, CustomRule))]
    exact = gxe.ExpectTableColumnsToMatchSet(column_set=names, exact_match=True, meta={"rule": "exact_columns"})
    results = _run_checkpoint([_to_pandas(summary)], by_table) if by_table else []
    if rows.height:
        results += _run_checkpoint(_split_frames(_add_custom_columns(rows.select(columns), rules)), [exact, *by_row])
    failed = sorted({result["rule"] for result in results if not result["success"] or result["raised"]})
    return {"success": not failed, "failed": failed, "results": results}


def _add_custom_columns(rows: pl.DataFrame, rules: Sequence[RowRule]) -> pl.DataFrame:
    """Add a column for each custom rule: whether a row satisfies it."""
    own = [build_expression(rule).alias(name_rule(rule)) for rule in rules if isinstance(rule, CustomRule)]
    return nw.from_native(rows).with_columns(*own).to_native() if own else rows


def has_raised(info: Any) -> bool:
    """Whether an exception hides anywhere in a result's `exception_info`, whose nesting GX varies."""
    if isinstance(info, dict):
        return info.get("raised_exception") is True or any(has_raised(value) for value in info.values())
    return isinstance(info, list) and any(has_raised(value) for value in info)


def _run_checkpoint(frames: Iterator[pd.DataFrame] | list[pd.DataFrame], expectations: list[Any]) -> list[Any]:
    for name in ("great_expectations", "great_expectations.data_context.types.base"):  # the latter sets its own level
        logging.getLogger(name).setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = context.suites.add(gx.ExpectationSuite(name="contract", expectations=expectations))
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("rows")
    definition = gx.ValidationDefinition(name="audit", data=batch, suite=suite)
    checkpoint = gx.Checkpoint(
        name="audit",
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format={"result_format": "BOOLEAN_ONLY"},
    )
    out = []
    for frame in frames:
        run = checkpoint.run(batch_parameters={"dataframe": frame})
        results = [result for value in run.run_results.values() for result in value.to_json_dict()["results"]]
        if len(results) != len(expectations):
            raise DataStopped(f"the audit judged {len(results)} rules of {len(expectations)}: it is no second opinion")
        out += [_summarise_result(result) for result in results]
    return out


def _summarise_result(result: dict[str, Any]) -> RuleResult:  # GX gives its results as untyped JSON
    config = result["expectation_config"]
    return {
        "rule": config["meta"]["rule"],
        "type": config["type"],
        "kwargs": {key: value for key, value in config["kwargs"].items() if key != "batch_id"},
        "success": bool(result["success"]),
        "raised": has_raised(result.get("exception_info")),
    }


def _split_frames(rows: pl.DataFrame) -> Iterator[pd.DataFrame]:
    """Arrow-typed frames of at most a million rows: pandas' own types would round whole numbers over 2^53."""
    for start in range(0, rows.height, FRAME_ROWS):
        yield _to_pandas(rows.slice(start, FRAME_ROWS))


def _to_pandas(rows: pl.DataFrame) -> pd.DataFrame:
    timed = rows.with_columns(pl.col(pl.Date).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    frame: pd.DataFrame = timed.to_arrow(compat_level=pl.CompatLevel.oldest()).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
