"""Meaning of a list: what its columns say, and the facts that it rests on, in words for whoever opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from perennial.contract.model import Contract, Money
from perennial.evaluation.decisions.actions import LEAVE, REFUSE, budget_size, name_purpose
from perennial.evaluation.decisions.profit import contact_policy
from perennial.evaluation.decisions.risk import loan_policy
from perennial.results.receipt import ScoredList
from perennial.serving.preparation import find_keys

_COLUMNS = {
    "rank": "1 is best.",
    "probability": "By the model, from 0 to 1: of 100 rows with 0.2, it is expected of 20.",
    "points": "600 points are odds of 50 to 1 of paying back; 20 more double them.",
    "message": "The message that is expected to earn most with this customer.",
    "uplift": "What that message adds, compared with no message.",
    "amount": "The amount that is expected.",
    "class": "The likeliest class.",
    "segment": "The likeliest segment.",
    "expected_profit": "The money expected of acting on this row, whether it is done or not.",
    "decile": "1 is the best tenth of this list.",
    "action": "What to do.",
    "action_reason": "Why: whether a profit is expected, and whether the budget reaches so far.",
    "reasons": "The strongest reasons of the score; those against it come after “but” or “against”.",
    "row_id": "The row of the input: digest of its file, and record number.",
    "model_version": "The version of the model that scored it.",
}


@dataclass(frozen=True, kw_only=True)
class ListFacts:
    """What a list was made of; `money` is what the model's version decides by."""

    use_case: str
    contract: Contract
    money: Money
    result: ScoredList
    date: dt.date


def describe_list(table: pl.DataFrame, facts: ListFacts) -> list[tuple[str, str]]:
    """The facts of a list, and after an empty line an entry for each of its columns: (name, explanation)."""
    keys = find_keys(facts.contract)
    columns = {**dict.fromkeys(keys, "Whose row it is. Stored as text, so that leading zeros stay."), **_COLUMNS}
    score = f"The score of this {facts.contract.task.kind} model."
    return [
        *_describe_facts(facts),
        *_describe_money(table, facts),
        ("", ""),
        *((n, columns.get(n, score)) for n in table.columns),
    ]


def _describe_facts(facts: ListFacts) -> Iterator[tuple[str, str]]:
    result, question = facts.result, facts.contract.task.question
    yield "Use case", f"{facts.use_case}: {question}" if question else facts.use_case
    yield "Scored on", facts.date.isoformat()
    yield "Model version", result.model_version
    if result.as_of is not None:
        yield "Customers as of", result.as_of
    yield "Rows", f"{result.rows:,} in the input: {result.scored:,} in the list, {result.rejected:,} rejected"


def _describe_money(table: pl.DataFrame, facts: ListFacts) -> Iterator[tuple[str, str]]:
    """Break-even, budget, and what to do with how many; nothing where the contract names no money."""
    if "action" not in table.columns:
        return
    money, n = facts.money, table.height
    contacts, loan, currency = contact_policy(money), loan_policy(money), f" {money.currency}" if money.currency else ""
    if loan is not None:
        earns = f"a loan paid back earns {loan.gain:g}{currency}, one not paid back loses {loan.loss:g}{currency}"
        yield "Break-even", f"a probability of default of {loan.cut:.3g}: {earns}"
    elif money.alerts_per_1000 is not None:
        alerts = f"{budget_size(money.alerts_per_1000 / 1000, n):,} alerts"
        yield "Budget", f"{money.alerts_per_1000:g} in 1,000 rows: {alerts}"
    else:
        earns = f"a response earns {money.value_of_response or 0:g}{currency}"
        if contacts is not None and facts.contract.task.kind == "binary":
            costs = f"a contact costs {contacts.cost:g}{currency}"
            yield "Break-even", f"a probability of {contacts.cost / contacts.value:.3g}: {costs}, {earns}"
        else:
            yield "Break-even", f"{earns}; a message is sent where it is expected to add more than its cost"
        share = money.budget_share or 1.0
        yield "Budget", f"{100 * share:g} % of the list: {budget_size(share, n):,} contacts at most" if share < 1 else "no limit"
    chosen = table.filter(~pl.col("action").is_in([LEAVE, REFUSE]))
    has_profit = "expected_profit" in table.columns
    profit = f", expected profit {chosen['expected_profit'].sum():,.0f}{currency}" if has_profit else ""
    yield f"To {name_purpose(money)}", f"{chosen.height:,} of {n:,}{profit}"
