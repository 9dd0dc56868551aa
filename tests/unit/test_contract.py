"""What a contract may say, and in which words everything else is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from perennial.config.renames import CONTRACT
from perennial.contract.columns import Column, check_pattern
from perennial.contract.load import load, parse
from perennial.contract.model import Contract
from perennial.contract.reference import render_page
from perennial.contract.rules import (
    Before,
    Between,
    InSet,
    Matches,
    NotNull,
    RowRule,
    Unique,
    columns_of_rule,
    derive_rules,
    name_rule,
)
from perennial.contract.serving import build_serving_view, feature_columns, select_scoring_columns
from perennial.errors import ContractError, LeakError
from tests.fakes.contracts import contract, contract_document, contract_of_log, told_of_log

pytestmark = pytest.mark.unit

ORDERS = {"from": "orders"}
TREATED = {
    "columns": {"arm": {"role": "treatment", "control": "none", "arms": {"a": {"cost": 1}, "b": {"cost": 2}}}},
    "task": {"kind": "uplift", "target": "y", "primary": "qini", "minimum": 0},
}


def events(**columns: Any) -> dict[str, Any]:
    table = contract_document()["events"]["orders"]
    merged = {name: column for name, column in {**table["columns"], **columns}.items() if column is not None}
    return {"orders": {**table, "columns": merged}}


REFUSED: list[tuple[dict[str, Any], str]] = [
    # columns
    ({"columns": {"age": {"role": "number"}}}, r"columns\.age\.role: Input should be 'id', 'entity'"),
    ({"columns": {"age": {"role": "numeric", "mni": 3}}}, r"columns\.age\.mni: Extra inputs are not permitted"),
    ({"columns": {"note": {"role": "ignore"}}}, "an ignored column says why"),
    ({"columns": {"arm": {"role": "treatment"}}}, "a treatment names its control value and its arms"),
    ({"columns": {"age": {"role": "numeric", "range": [0, 9], "min": 0}}}, "give range, or min and max, not both"),
    ({"columns": {"age": {"role": "numeric", "range": [9, 0]}}}, "bounds 9 to 0: the lower one is greater"),
    ({"columns": {"age": {"role": "numeric", "max": 2**53 + 1}}}, r"bound 9\.0072e\+15 is not below 2\^53"),
    ({"columns": {"age": {"role": "numeric", "min": float("nan")}}}, r"bound nan is not below 2\^53"),
    ({"columns": {"town": {"role": "categorical", None: ["?"]}}}, r'the key null is read as nothing.*"null": \[unknown\]'),
    ({"columns": {"town": {"role": "categorical", "null": [999]}}}, "999 is read as int: put it in quotes"),
    ({"columns": {"town": {"role": "categorical", "values": ["a", True]}}}, "True is read as bool: put it in quotes"),
    ({"columns": {"town": {"role": "categorical", "values": {"a": 1, "b": "x"}}}}, "whole numbers or to texts, not to both"),
    ({"columns": {"town": {"role": "categorical", "type": "int", "values": ["1"]}}}, "a list of values needs .* text, not int"),
    ({"columns": {"town": {"role": "categorical", "min": 1}}}, "range, min and max needs .* decimal or int, not text"),
    ({"columns": {"town": {"role": "categorical", "before": "as_of"}}}, "before needs .* date or datetime, not text"),
    ({"columns": {"age": {"role": "numeric", "pattern": r"\Aa\z"}}}, "pattern needs a column of type text, not decimal"),
    ({"columns": {"age": {"role": "numeric", "type": "text"}}}, "role numeric needs .* decimal or int, not text"),
    ({"columns": {"joined": {"role": "time", "type": "text"}}}, "role time needs .* date or datetime or .*, not text"),
    ({"columns": {"second": {"role": "time", "type": "int"}}}, "columns.second: a time of type int is for split.kind time"),
    (
        {
            "columns": {"second": {"role": "time", "type": "decimal"}},
            "split": {"kind": "time", "order": "joined", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}},
        },
        "columns.second: a time of type decimal is for split.kind time by it only",
    ),
    ({"events": events(at={"role": "time", "type": "int"})}, r"events\.orders\.columns\.at: an event has a date or datetime"),
    ({"columns": {"joined": {"role": "time", "type": "int", "before": "as_of"}}}, "before needs .* date or datetime, not int"),
    ({"columns": {"joined": {"role": "time", "format": "%d %j %Y"}}}, r"format '%d %j %Y' uses %j; it can use %Y, %y, %m"),
    ({"columns": {"joined": {"role": "time", "tz": "Europe/Berln"}}}, "time zone 'Europe/Berln' is not known"),
    ({"columns": {"town": {"role": "categorical", "pattern": "[a-z]+"}}}, r"begin it with \\A and end it with \\z"),
    ({"columns": {"_town": {"role": "categorical"}}}, "main: the column name '_town' is one of our own"),
    ({"columns": {"face": {"role": "image"}}}, r"columns\.face: an image column says in which attached tar its paths lead"),
    (
        {"columns": {"face": {"role": "image", "in": "faces.tar"}}},
        r"columns\.face: in: faces\.tar is not attached; source\.attach has: none",
    ),
    # roles, task, split
    ({"columns": {"id": {"role": "id"}}}, "only one column can have the role id, not who, id"),
    ({"task": {"kind": "binary", "target": "z", "primary": "auc", "minimum": 0}}, "task.target 'z' has no column .*: y"),
    ({"columns": {"y": {"role": "outcome", "values": {"no": 1, "yes": 2}}}}, "outcome 'y' maps its texts to 0 and 1"),
    ({"columns": {"y": {"role": "outcome", "type": "int"}}}, "outcome 'y' maps its texts to 0 and 1"),
    (
        {**TREATED, "columns": {**TREATED["columns"], "y": {"role": "outcome", "type": "text"}}},
        "outcome 'y' maps its texts to 0 and 1, .*, or is an amount, type: decimal",
    ),
    ({"task": TREATED["task"]}, "an uplift task needs a column of role treatment"),
    ({"split": {"kind": "column"}}, "split.kind column needs a column of role split"),
    (
        {"split": {"kind": "column"}, "columns": {"part": {"role": "split", "values": ["train", "valid"]}}},
        r"columns\.part: values maps its texts to the parts, out_of_time, test, train, val",
    ),
    (
        {"split": {"kind": "time", "order": "age", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}}},
        "split.order 'age' is neither record nor a column of role time; there are: joined",
    ),
    (
        {"split": {"kind": "hash", "by": "row", "salt": "s", "fractions": {"train": 0.6, "val": 0.2, "test": 0.3}}},
        "fractions add up to 1.1, not to 1",
    ),
    ({"columns": {"who": {"role": "contact"}}, "events": {}}, "split.by entity needs a column of role entity or id"),
    ({"sampling": {"sampling_rate": {"no": 0}}}, "sampling_rate says which share of the rows of an outcome is here, above 0"),
    ({"sampling": {"sampling_rate": {"maybe": 0.5}}}, "sampling.sampling_rate names maybe; the outcome's texts are"),
    ({"source": {"kind": "url", "files": "x"}}, "a url source also says url, sha256"),
    ({"source": {"kind": "simulator", "files": "x"}}, "a simulator source also says seed, n, first, month, concept"),
    # names
    ({"leakage_suspects": ["nothing"]}, "leakage_suspects names 'nothing', which is no column that is read"),
    ({"slices": ["note"]}, "slices names 'note', which is no column that is read"),
    ({"unit": {"where": {"age": ["1"]}}}, "unit.where: 'age' is of type int, not text"),
    # rules
    ({"rules": [{"kind": "not_null", "column": "agee"}]}, "rules, not_null names 'agee', which is no column that is read"),
    ({"rules": [{"kind": "between", "column": "town", "min": 1}]}, "between: 'town' is of type text, not decimal or int"),
    ({"rules": [{"kind": "between", "column": "age"}]}, "between says min, max or both of age"),
    ({"rules": [{"kind": "before", "column": "age", "date": "2026-01-01"}]}, "before: 'age' is of type int, not date"),
    ({"rules": [{"kind": "in_set", "column": "age", "values": ["1"]}]}, "in_set: 'age' is of type int, not text"),
    ({"rules": [{"kind": "matches", "column": "town", "pattern": r"\A\d\z"}]}, r"write \[0-9\] for"),
    ({"rules": [{"kind": "implies", "if": "town", "then": "y"}]}, "implies: 'town' is of type text, not int"),
    ({"rules": [{"kind": "ordered", "columns": ["age", "town"]}]}, "ordered: age and town cannot be compared"),
    ({"rules": [{"kind": "row_count", "min": 9, "max": 1}]}, "row_count 9 to 1: the lower one is greater"),
    # features and events
    ({"unit": {"features": {"age": {"kind": "years_since", "of": "age"}}}}, r"unit\.features\.age: a column has this name"),
    ({"unit": {"features": {"f": {"kind": "years_since", "of": "joined"}}}}, r"features\.f: 'joined' is of type date, not int"),
    ({"unit": {"features": {"f": {"kind": "days_since", "of": "age"}}}}, r"features\.f: 'age' is of type int, not date or"),
    ({"unit": {"features": {"f": {"kind": "count", "from": "clicks"}}}}, "no event table 'clicks'; there are: orders"),
    ({"unit": {"features": {"f": {"kind": "sum", "of": "kind", **ORDERS}}}}, r"'kind' is of type text, not decimal or int"),
    ({"unit": {"features": {"f": {"kind": "sum", "of": "cost", **ORDERS}}}}, r"features\.f names 'cost', which is no column"),
    ({"unit": {"features": {"f": {"kind": "count_by", "by": "order", **ORDERS}}}}, "column 'order' must list its values"),
    ({"unit": {"features": {"f": {"kind": "count", "where": {"at": "1"}, **ORDERS}}}}, "'at' is of type datetime, not text"),
    ({"unit": {"as_of": None}}, "unit.as_of is needed by events, by unit.features and by `before: as_of`"),
    ({"events": {"main": events()["orders"]}}, "no event table can be called main"),
    ({"events": events(who=None)}, r"events\.orders: exactly one column has the role entity"),
    ({"events": events(at=None)}, r"events\.orders: exactly one column has the role time"),
    ({"events": events(at={"role": "time"})}, r"events\.orders\.columns\.at: say `before: as_of`, or events of the future"),
    ({"columns": {"who": {"role": "contact"}}}, "events belong to the units by an entity"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=lambda value: value[:40] if isinstance(value, str) else "")
def test_contradictions_are_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words) as caught:
        contract(**changes)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("contracts/people.yaml: ")


LOG = {"from": "orders"}
AGAIN = {"kind": "any", **LOG, "after_days": 10}
OF_A_LOG: list[tuple[dict[str, Any], str]] = [
    # cut-offs and what goes with them
    ({"unit": {"cutoffs": None}}, "unit.rows entity_by_cutoff and unit.cutoffs belong together: give both or none"),
    ({"unit": {"rows": "as_is"}}, "unit.rows entity_by_cutoff and unit.cutoffs belong together: give both or none"),
    ({"unit": {"rows": "as_is", "cutoffs": None}}, "unit.target is made of events after a cut-off: it needs unit.rows"),
    ({"unit": {"rows": "as_is", "cutoffs": None}}, "columns is empty, which only unit.rows entity_by_cutoff can do with"),
    ({"unit": {"rows": "as_is", "cutoffs": None}}, "split.kind cutoff needs unit.cutoffs"),
    ({"columns": {"who": {"role": "id"}}}, "makes its rows of events: describe an event table, and leave columns {}"),
    ({"events": {}}, "makes its rows of events: describe an event table, and leave columns {}"),
    ({"unit": {"as_of": "2026-01-01"}}, "unit.as_of is one date for all, unit.cutoffs one of each unit"),
    ({"unit": {"history": 0}}, "unit.history"),
    (
        {"split": contract_document()["split"]},
        "split.kind hash would mix outcomes of before and after a cut-off: use kind cutoff",
    ),
    (
        {"unit": {"cutoffs": {"train": ["2026-01-22"], "test": ["2026-01-31"]}}},
        "the outcome of 2026-01-22 is known on 2026-02-01, after the first test cut-off 2026-01-31",
    ),
    ({"unit": {"cutoffs": {"train": ["2026-02-01"], "test": ["2026-01-31"]}}}, "2026-02-01 does not lie before the first test"),
    ({"unit": {"cutoffs": {"train": ["2026-01-01", "2026-01-01"], "test": ["2026-01-31"]}}}, "2026-01-01 is given twice"),
    (
        {"unit": {"cutoffs": {"train": ["2026-01-01"], "test": ["2026-01-31"], "lookback_dates": ["2025-12-01"]}}},
        r"unit\.cutoffs\.lookback_dates is of customers split by a hash; where train and test are dates, train is earlier",
    ),
    (
        {"unit": {"cutoffs": {"test": ["2026-01-31"], "lookback_dates": ["2026-01-31"]}}},
        r"unit\.cutoffs\.lookback_dates: 2026-01-31 does not lie before the first test cut-off 2026-01-31",
    ),
    ({"unit": {"cutoffs": {"train": [], "test": ["2026-01-31"]}}}, r"split\.kind cutoff needs a cut-off in unit\.cutoffs\.train"),
    ({"unit": {"history": 30, "features": {"n": {"kind": "count", **LOG, "days": 31}}}}, "31 days are more than unit.history"),
    # the outcome
    ({"task": {**told_of_log()["task"], "target": "y"}}, "task.target 'y' is no key of unit.target; there are: again"),
    ({"unit": {"target": {"again": {**AGAIN, "kind": "sum", "of": "amount"}}}}, "a binary task needs a target of kind any"),
    ({"task": {"kind": "uplift", "target": "again", "primary": "qini", "minimum": 0}}, "an? uplift task needs a main table"),
    ({"unit": {"target": {"again": {"kind": "any", **LOG}}}}, r"unit\.target\.again\.any\.after_days: Field required"),
    ({"unit": {"target": {"again": AGAIN, "price": AGAIN}}}, r"unit\.target\.price: a column or feature has this name already"),
    ({"unit": {"target": {"again": AGAIN, "amount": AGAIN}}}, r"unit\.target\.amount: a column or feature has this name"),
    ({"unit": {"features": {"again": {"kind": "count", **LOG}}}}, r"unit\.target\.again: a column or feature has this name"),
    ({"unit": {"features": {"cutoff": {"kind": "count", **LOG}}}}, "unit: the name 'cutoff' is one of our own"),
    ({"unit": {"target": {"again": {**AGAIN, "from": "visits"}}}}, "no event table 'visits'; there are: orders"),
    ({"unit": {"target": {"again": {**AGAIN, "where": {"n": "1"}}}}}, r"unit\.target\.again: 'n' is of type int, not text"),
    ({"unit": {"target": {"again": {**AGAIN, "kind": "sum", "of": "item"}}}}, "'item' is of type text, not decimal or int"),
    # the log
    ({"log": {"derive": {"price": {"kind": "product", "of": ["n", "n"]}}}}, r"derive\.price: a column has this name already"),
    ({"log": {"derive": {"a": {"kind": "product", "of": ["n", "item"]}}}}, r"derive\.a: 'item' is of type text, not decimal or"),
    ({"log": {"filters": [{"kind": "above", "columns": ["item"], "value": 0}]}}, "above: 'item' is of type text, not decimal"),
    ({"log": {"filters": [{"kind": "above", "columns": ["cost"], "value": 0}]}}, "above names 'cost', which is no column"),
    ({"log": {"filters": [{"kind": "not_match", "column": "n", "pattern": r"\A1"}]}}, "not_match: 'n' is of type int, not text"),
    ({"log": {"filters": [{"kind": "not_match", "column": "item", "pattern": "C"}]}}, r"pattern 'C': begin it with \\A$"),
    ({"log": {"filters": [{"kind": "not_match", "column": "item", "pattern": r"\AC", "why": "kept"}]}}, "why: kept is a word of"),
    (
        {"log": {"columns": {**told_of_log()["events"]["orders"]["columns"], "at": {"role": "time", "before": "as_of"}}}},
        r"events\.orders\.columns\.at: leave `before: as_of` out, events after a cut-off are its outcome",
    ),
    ({"log": {"columns": {"at": {"role": "time"}}}}, r"events\.orders: exactly one column has the role entity"),
    ({"unit": {"features": {"f": {"kind": "distinct", "of": "n", **LOG}}}}, r"features\.f: 'n' is of type int, not text"),
    ({"unit": {"features": {"f": {"kind": "per", "per": "n", **LOG}}}}, r"features\.f: 'n' is of type int, not text"),
    ({"unit": {"features": {"f": {"kind": "per", "of": "item", "per": "basket", **LOG}}}}, "'item' is of type text, not dec"),
]


@pytest.mark.parametrize(("changes", "words"), OF_A_LOG, ids=lambda value: value[:40] if isinstance(value, str) else "")
def test_contradictions_of_a_log_are_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words) as caught:
        contract_of_log(**changes)
    assert "\n" not in str(caught.value)


def test_a_contract_of_a_log_has_one_table_that_reads_the_source() -> None:
    result = contract_of_log()
    assert result.tables == {"orders": ("orders.csv", result.events["orders"].columns)}
    assert result.entity == "who"
    assert list(result.events["orders"].all_columns)[-1] == "amount"
    assert (result.unit.label_days, result.unit.history) == (10, "all")
    two = told_of_log()["events"]["orders"]
    with pytest.raises(ContractError, match=r"files of one table, not of orders, visits: give events their files"):
        contract_of_log(events={"orders": two, "visits": two})
    with pytest.raises(ContractError, match="files of one table, not of columns, orders: give events their files"):
        contract(events={"orders": {**contract_document()["events"]["orders"], "files": None}})


def test_the_contract_that_is_changed_is_itself_right() -> None:
    assert contract().find_columns("numeric", "categorical") == ["age", "town"]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ContractError) as caught:
        contract(slices=["one"], leakage_suspects=["two"], rules=[{"kind": "not_null", "column": "three"}])
    assert [word for word in ("one", "two", "three") if word in str(caught.value)] == ["one", "two", "three"]


@pytest.mark.parametrize("role", ["numeric", "categorical", "text", "image", "protected"])
def test_a_column_known_after_the_outcome_is_no_feature(role: str) -> None:
    column = {"role": role, "known": "after_outcome", "use": True}
    with pytest.raises(LeakError, match=rf"column 'spend' is known only after the outcome .* \(role {role}\)") as caught:
        contract(columns={"spend": column})
    assert caught.value.exit_code == 3


def test_a_column_known_after_the_outcome_may_be_an_outcome_or_ignored() -> None:
    spend = {"role": "outcome", "type": "decimal", "known": "after_outcome"}
    length = {"role": "ignore", "known": "after_outcome", "why": "it is told by the answer"}
    protected = {"role": "protected", "known": "after_outcome"}
    result = contract(columns={"spend": spend, "length": length, "group": protected})
    assert [column.name for column in feature_columns(result)] == ["age", "town"]


def test_files_that_are_no_contract(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with pytest.raises(ContractError, match=r"shop\.yaml is missing: `perennial list` names the use cases"):
        load(path)
    path.write_text("task: [\n")
    with pytest.raises(ContractError, match=r"shop\.yaml is not YAML: while parsing") as caught:
        load(path)
    assert "\n" not in str(caught.value)
    path.write_text("")
    with pytest.raises(ContractError, match=r"shop\.yaml: Input should be a valid dictionary"):
        load(path)
    with pytest.raises(ContractError, match="unit: Field required; split: Field required"):
        parse({key: value for key, value in contract_document().items() if key not in {"unit", "split"}}, "x")


PATTERNS = {
    r"[0-9]": "begin it",
    r"\A[0-9]$": "begin it",
    r"\A\d+\z": "for \\\\d",
    r"\A\W\z": "for \\\\d",
    r"\A^a\z": "no \\^",
    r"\Aa$\z": "no \\^",
    r"\A\bx\z": "for \\\\d",
    r"\A(?=a)a\z": "look-around",
    r"\A(?i)a\z": "look-around",
    r"\A(a)\1\z": "references back",
    r"\A[a\z": "no regular expression",
    r"\A(a\z": "no regular expression",
}


def test_patterns_that_engines_read_differently_are_refused() -> None:
    refused = 0
    for pattern, words in PATTERNS.items():
        with pytest.raises(ValueError, match=words):
            check_pattern(pattern)
        refused += 1
    assert refused == 12
    for pattern in (r"\A[0-9]{9}\z", r"\A[^,]+\z", r"\A(?:a|b)\(c\)\z", r"\A\$[0-9]+\.[0-9]{2}\z", r"\Aa\^b\z"):
        assert check_pattern(pattern) == pattern


def test_rules_come_from_the_columns_and_each_once() -> None:
    written = [{"kind": "between", "column": "age", "min": 0, "max": 120}, {"kind": "row_count", "min": 5}]
    result = contract(rules=[*written, {"kind": "ordered", "columns": ["age", "age"]}])
    assert [name_rule(rule) for rule in result.row_rules("main")] == [
        "not_null:who",
        "not_null:joined",
        "before:joined",
        "between:age",
        "in_set:town",
        "not_null:y",
        "unique:who",
        "ordered:age",
    ]
    assert name_rule(result.rules[1]) == "row_count"


def test_each_attribute_of_a_column_becomes_its_rule() -> None:
    columns = {
        "a": Column(role="categorical", values=("x",), pattern=r"\A.\z", nullable=False, unique=True),
        "b": Column(role="numeric", min=1),
        "c": Column.model_validate({"role": "time", "before": "2026-02-01", "when_missing": "filter"}),
        "d": Column(role="ignore", why="-", min=3, type="int"),
        "e": Column.model_validate({"role": "treatment", "control": "0", "arms": {"1": {}}, "nullable": True}),
    }
    rules = derive_rules(columns, None)
    assert [type(rule) for rule in rules] == [NotNull, InSet, Matches, Between, Before, InSet, Unique]
    assert [columns_of_rule(rule)[0] for rule in rules] == ["a", "a", "a", "b", "c", "e", "a"]
    assert rules[5] == InSet(column="e", values=("0", "1"))


def test_every_kind_of_rule_can_be_written() -> None:
    texts: dict[str, dict[str, Any]] = {
        "not_null": {"column": "age"},
        "in_set": {"column": "town", "values": ["a"]},
        "between": {"column": "age", "max": 3},
        "before": {"column": "joined", "date": "2026-01-01"},
        "matches": {"column": "town", "pattern": r"\A[a-z]\z"},
        "implies": {"if": "y", "then": "y"},
        "ordered": {"columns": ["age", "age"]},
        "custom": {"name": "at_most"},
        "unique": {"column": "age"},
    }
    result = contract(rules=[{"kind": kind, **text} for kind, text in texts.items()])
    assert {type(rule) for rule in result.rules} == set(get_args(RowRule))
    assert len({name_rule(rule) for rule in result.rules}) == len(texts)


def test_the_entity_is_the_person_before_the_row() -> None:
    assert contract().entity == "who"
    assert contract(columns={"house": {"role": "entity"}}).entity == "house"


def test_a_serving_view_knows_no_outcome_and_no_treatment() -> None:
    features = {"gap": {"kind": "recency", **ORDERS}, "n": {"kind": "count_by", "by": "kind", "label": "orders", **ORDERS}}
    result: Contract = contract(**{**TREATED, "unit": {"features": features}, "leakage_suspects": ["town"]})
    view = build_serving_view(result)
    assert [(f.name, f.kind, f.label, f.unit) for f in view.features] == [
        ("age", "numeric", "age", None),
        ("gap", "numeric", "gap", "days"),
        ("n_buy", "numeric", "buy orders", None),
        ("n_look", "numeric", "look orders", None),
    ]
    assert (view.head.outputs, view.costs) == (("none", "a", "b"), (0.0, 1.0, 2.0))
    coming = select_scoring_columns(result)
    assert [name for name, column in coming.items() if not column.required] == ["y", "arm"]
    assert coming["y"].may_be_null


def test_contracts_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        contract().suspects = ("age",)  # type: ignore[misc]


OLD_WORDS = [
    ({"suspects": []}, "suspects is now called leakage_suspects: rename it"),
    (
        {"task": {"floor": 0.7, "event": "buy"}},
        "task.floor is now called minimum: rename it; task.event is now called outcome_verb",
    ),
    ({"sampling": {"kept": "unknown"}}, "sampling.kept is now called sampling_rate: rename it"),
    ({"split": {"fractions": {"later": 0.2}}}, "split.fractions.later is now called out_of_time: rename it"),
    ({"unit": {"cutoffs": {"earlier": []}}}, "unit.cutoffs.earlier is now called lookback_dates: rename it"),
]


@pytest.mark.parametrize(("block", "sentence"), OLD_WORDS)
def test_a_contract_in_an_old_word_gets_one_line_that_says_the_new_one(block: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError, match=re.escape(f"shop.yaml: {sentence}")) as caught:
        parse(block, "shop.yaml")
    assert "\n" not in str(caught.value)


def test_every_new_word_is_a_key_today_and_no_old_one_is() -> None:
    keys = {*Contract.model_fields, *re.findall(r"^\| `(\w+)` \|", render_page(), re.MULTILINE)}
    assert set(CONTRACT.values()) <= keys
    assert not {place.rpartition(".")[2] for place in CONTRACT} & keys
