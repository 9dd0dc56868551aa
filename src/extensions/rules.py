"""Rules of this project's own, named in a contract as `{kind: custom, name: …, settings: {…}}`.

A rule is (*, settings) → a Narwhals expression over the table's columns: whether a row keeps it. A row that does not goes
to quarantine; a null keeps it. See `Features, rules, encoders and losses of your own` in the docs of perennial-ml.
"""

from __future__ import annotations

import narwhals as nw


def at_most(*, column: str, other: str, times: float) -> nw.Expr:
    """`column` is at most so many times `other`."""
    return nw.col(column) <= times * nw.col(other)
