"""What a report says of a whole campaign: balance first, what to rank by, whether choosing pays, in the outcome's unit."""

from __future__ import annotations

from typing import Any

import pytest

from perennial.report.context import Story
from perennial.report.page import Checks, Figure, Pair, Table
from perennial.report.pages.campaign import campaign_section, gains_nothing
from perennial.report.pages.compose import compose
from perennial.report.pages.messages import told
from tests.fakes.story import about, spend_story, uplift_story

pytestmark = pytest.mark.unit


def said(story: Story) -> list[str]:
    """The findings of a campaign, one a message and one on choosing."""
    checks = campaign_section(story).blocks[1]
    assert isinstance(checks, Checks)
    return [check.question for check in checks.checks]


def raced(story: Story, **figures: Any) -> Story:
    story.evaluation["out_of_fold"]["messages"][0].update(figures)
    return story


def test_balance_and_sample_ratio_come_before_any_effect() -> None:
    sections = told(uplift_story()).sections
    balance = sections[0].blocks[0]
    assert isinstance(balance, Table)
    assert balance.finding == "The groups are alike in all that was known before"
    assert "Group sizes 4,050 / 7,950 / 8,000, planned 0.2 : 0.4 : 0.4 (chi-square p 0.610)" in balance.described
    assert [column.name for column in balance.grid.columns] == [
        "Known before",
        "Discover",
        "Reward",
        "Chance alone, up to",
        "p",
    ]
    assert balance.grid.rows[0].cells == ("City", "+0.010", "\u22120.040", "0.050", "0.030")
    unfair = told(uplift_story(fair=False)).sections[0].blocks[0]
    assert isinstance(unfair, Table)
    assert unfair.finding.startswith("The groups were hardly drawn by lot: the groups differ in ")


@pytest.mark.parametrize(
    ("rank_by", "gain", "words"),
    [
        ("effect", (0.003, 0.002), "Discover: ranking by effect finds more than chance, and than ranking by response"),
        ("effect", (0.001, 0.002), "Discover: ranking by effect finds more than chance"),
        ("response", (-0.003, 0.002), "Discover: ranking by response is better: use it"),
        ("response", (0.001, 0.002), "Discover: ranking by response is as good: use it"),
        ("neither", (0.001, 0.002), "Discover: no ranking finds more than chance: send it to all or to none"),
    ],
)
def test_each_message_says_what_to_rank_by(rank_by: str, gain: tuple[float, float], words: str) -> None:
    found = said(raced(uplift_story(), rank_by=rank_by, gain=about(*gain)))
    assert len(found) == 3
    assert found[0] == words


@pytest.mark.parametrize(
    ("value", "words"), [(900, "earns more than"), (100, "gains nothing measurable over"), (-900, "earns less than")]
)
def test_choosing_is_held_against_the_best_single_message(value: float, words: str) -> None:
    story = uplift_story()
    story.evaluation["out_of_fold"]["policy"]["against"]["best_single"] = about(value, 500)
    assert said(story)[-1] == f"Choosing a message for each customer {words} reward to everyone"
    assert gains_nothing(story) is (value < 500)


def test_where_choosing_gains_nothing_and_all_may_be_written_to_it_is_one_message_for_all() -> None:
    assert told(spend_story()).what_to_do == (
        "Send reward to everyone: choosing a message for each customer gains nothing measurable over it."
    )
    assert told(uplift_story(clear=False)).what_to_do.startswith("Send discover to 14"), "the budget is 40 %"


def test_a_finding_carries_both_figures_and_their_difference() -> None:
    checks = campaign_section(uplift_story()).blocks[1]
    assert isinstance(checks, Checks)
    first = checks.checks[0]
    assert (
        "Qini by effect 12.0 [8.0, 16.0], by response 4.0 [\u22121.0, 9.0], in responses of 1,000 customers"
        in first.detail
    )
    assert (first.value, first.interval) == ("+8.5", "[+2.5, +14.5]")


def test_amounts_are_told_in_money_and_responses_in_points() -> None:
    sections = [campaign_section(story) for story in (uplift_story(), spend_story())]
    for section, unit, effect, qini in zip(
        sections, ("Extra responses of 100", "Extra spend of 1,000"), ("+3.0", "+$30"), ("12.0", "$1"), strict=True
    ):
        table = section.blocks[2]
        assert isinstance(table, Table)
        assert table.described.startswith(unit)
        assert [cell.value for cell in table.grid.rows[0].cells[1:3]] == [effect, qini]  # type: ignore[union-attr]
        tenths = [block for block in section.blocks if isinstance(block, Pair)]
        assert len(tenths) == 1
        assert all(figure.described.startswith(unit) for figure in tenths[0].figures)
        assert isinstance(section.blocks[-1], Figure)
    page, _ = compose(spend_story())
    assert "Loss of the deep network" in page
    assert "Log odds" not in page
