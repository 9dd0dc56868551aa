"""Table checks: problems that make a whole table unfit to train on, and warnings about the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.rules import MinPositives, RowCount, Rule
from perennial.data.io.cell_checks import has_open_categories
from perennial.errors import LeakError
from perennial.results.summary import DataWarning

_FEW = 50  # rows of the rarer answer below which nothing is learned for certain
_MANY = 100_000  # different values that are hashed instead of learned one by one
_LIKE_NULL = ("NULL", "null", "N/A", "n/a", "#N/A", "NaN", "nan", "None", "<NA>", "\\N")


def find_problems(
    table: str, rows: pl.DataFrame, columns: dict[str, Column], rules: Sequence[Rule], target: str
) -> list[DataWarning]:
    """Find what stops the run: row count, null shares, an outcome that is constant or has too few of one answer."""
    return [
        *_check_row_count(table, rows, rules),
        *_check_nulls(table, rows, columns),
        *(_check_outcome(table, rows, columns[target], target, rules) if target in columns and rows.height else ()),
    ]


def find_warnings(table: str, rows: pl.DataFrame, columns: dict[str, Column], target: str) -> list[DataWarning]:
    """Find what does not stop the run: constant, empty or high-cardinality columns, undeclared null codes, few positives."""
    if not rows.height:
        return []
    warnings = [note for name, c in columns.items() for note in _warn_of_column(table, rows, name, c, target)]
    if target in columns and columns[target].is_coded:
        counts = [(int(count), value) for value, count in rows[target].drop_nulls().value_counts().rows()]
        n, value = min(counts, default=(_FEW, 0))
        if n < _FEW:
            warnings.append(_note(table, "few_positives", f"{target} is {value} in only {n} of {rows.height} rows"))
    return warnings


def refuse_early_labels(table: str, rows: pl.DataFrame, columns: dict[str, Column]) -> None:
    """Refuse an outcome that is dated before its features, because it may be part of them.

    Raises: LeakError naming the column and how many rows.
    """
    times = [name for name, c in columns.items() if c.role == "time" and c.known == "before_decision"]
    for name, dated in ((n, c.dated) for n, c in columns.items() if c.dated is not None):
        known_at = pl.col(dated).cast(pl.Datetime("us"), strict=False)
        for other in (time for time in times if time != dated and rows.height):
            early = rows.select((known_at < pl.col(other).cast(pl.Datetime("us"), strict=False)).sum()).item()
            if early:
                message = f"table {table}: {name} is dated ({dated}) before {other} in {early} of {rows.height} rows"
                raise LeakError(f"{message}: its features are later than the answer; mend the dates", code="early_label")


def _check_row_count(table: str, rows: pl.DataFrame, rules: Sequence[Rule]) -> Iterator[DataWarning]:
    for rule in [rule for rule in rules if isinstance(rule, RowCount)] or [RowCount()]:
        most = rows.height if rule.max is None else rule.max
        if not rule.min <= rows.height <= most:
            range_text = f"at least {rule.min}" if rule.max is None else f"{rule.min} to {rule.max}"
            yield _note(table, "row_count", f"{rows.height} rows passed, the contract asks for {range_text}")


def _check_nulls(table: str, rows: pl.DataFrame, columns: dict[str, Column]) -> Iterator[DataWarning]:
    """Columns with too large a share of nulls; an optional column may be all null."""
    for name, column in columns.items():
        if column.role == "ignore" or not rows.height:
            continue
        share = rows[name].null_count() / rows.height
        if share > column.max_null and not (share == 1 and not column.required):
            message = f"{share:.1%} of {name} is empty, the contract allows {column.max_null:.1%}"
            yield _note(table, "null_share", message)


def _check_outcome(table: str, rows: pl.DataFrame, column: Column, target: str, rules: Sequence[Rule]) -> Iterator[DataWarning]:
    counts = rows[target].drop_nulls().value_counts().sort(target).rows()
    if len(counts) < 2:
        value = counts[0][0] if counts else "empty"
        yield _note(table, "constant_outcome", f"the outcome {target} is always {value}")
        return
    least = max((rule.min for rule in rules if isinstance(rule, MinPositives)), default=0)
    value, n = min(counts, key=lambda pair: int(pair[1]))
    if column.is_coded and n < least:
        message = f"{target} is {value} in only {n} of {rows.height} rows, the contract asks for {least}"
        yield _note(table, "min_positives", message)


def _warn_of_column(table: str, rows: pl.DataFrame, name: str, column: Column, target: str) -> Iterator[DataWarning]:
    if column.role == "ignore":
        return
    cells = rows[name].drop_nulls()
    if not len(cells):
        yield _note(table, "all_null_column", f"{name} is empty in every row")
        return
    if column.is_feature and name != target and column.role != "image" and rows[name].n_unique() == 1:
        yield _note(table, "constant_column", f"{name} is the same in every row and tells nothing; it is dropped")
    if not has_open_categories(column):
        return
    if (n := cells.n_unique()) >= _MANY:
        yield _note(table, "many_categories", f"{name} has {n} different values; they are hashed")
    like_null = cells.filter(cells.is_in(_LIKE_NULL))
    if len(like_null):
        message = f"{len(like_null)} cells of {name} say {like_null[0]!r}; if that means nothing, declare it under null"
        yield _note(table, "like_null", message)


def _note(table: str, code: str, message: str) -> DataWarning:
    return DataWarning(code=code, message=f"table {table}: {message}")
