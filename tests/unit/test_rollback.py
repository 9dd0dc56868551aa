"""Which version a rollback goes to."""

from __future__ import annotations

import pytest

from perennial.errors import Refused
from perennial.promotion.rollback import find_earlier_champion, refuse_never_champion
from perennial.results.decision import DecisionRecord
from perennial.tracking.registry import Version
from tests.fakes.decisions import decision_record

pytestmark = pytest.mark.unit


def version(number: str) -> Version:
    return Version(name="shop", number=number, run_id="", digest=number, family="linear", source="")


def records(*document: str) -> list[DecisionRecord]:
    """`P1` promotes version 1, `H2` holds version 2, `R1` rolls back to version 1."""
    verdicts = {"P": "PROMOTE", "H": "HOLD", "X": "REJECT", "R": "ROLLBACK"}
    return [decision_record(verdicts[text[0]], text[1:], digest=text[1:]) for text in document]


@pytest.mark.parametrize(
    ("told", "now", "goes_to"),
    [
        (("P1", "P2"), "2", "1"),
        (("P1", "H2", "X3", "P4"), "4", "1"),
        (("P1", "P2", "P3"), "3", "2"),
        (("P1", "P2", "P3", "R2"), "2", "1"),  # again: further back, not to the one that was just taken out
        (("P1", "P2", "R1", "P3"), "3", "1"),
    ],
)
def test_it_goes_back_and_never_forward(told: tuple[str, ...], now: str, goes_to: str) -> None:
    assert find_earlier_champion(records(*told), version(now), "shop") == goes_to


def test_there_is_an_end() -> None:
    with pytest.raises(Refused, match=r"shop has no earlier champion to go back to: `perennial history shop`"):
        find_earlier_champion(records("P1", "P2", "R1"), version("1"), "shop")


def test_there_is_a_way_back_only_to_what_refuse_never_champion() -> None:
    chain = records("P1", "H2", "X3", "P4", "R1")
    for number in ("1", "4"):
        refuse_never_champion(chain, "shop", version(number))
    for number in ("2", "3"):
        words = rf"shop version {number} was never in use, so there is no way back to it; in use were: 1, 4\. "
        with pytest.raises(Refused, match=words + rf"To have it judged: perennial promote shop --version {number}"):
            refuse_never_champion(chain, "shop", version(number))
