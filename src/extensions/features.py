"""Features of this project's own: named in a contract as `{kind: custom, name: …, from: EVENTS, settings: {…}}`.

A function is given Narwhals expressions over the events of a customer before the as-of date: how many days each lies
before it, and whether it counts (the contract's `where` and `days`). It gives one number a customer, as an aggregate.
Of a row without events (`kind: custom_row`) it is given settings only, and gives an expression over the row's columns.
"""

from __future__ import annotations

import narwhals as nw


def days_since(days: nw.Expr, inside: nw.Expr) -> nw.Expr:
    """Days since the last event that counts; null without one."""
    return nw.when(inside).then(days).min()
