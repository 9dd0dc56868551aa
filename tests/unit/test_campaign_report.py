"""What a report says of a whole campaign: balance first, what to rank by, whether choosing pays, in the outcome's unit."""

from __future__ import annotations

from typing import Any

import pytest

from perennial.report.context import ReportContext
from perennial.report.pages.campaign import CampaignView
from perennial.report.pages.compose import compose
from perennial.results.uplift import ColumnBalance, PolicyFigures, UpliftEvaluation
from tests.fakes.pages import read_report
from tests.fakes.reports import spend_report, uplift_report, with_choice_of, with_evaluation
from tests.fakes.stages import around

pytestmark = pytest.mark.unit

Report = ReportContext[UpliftEvaluation]


def questions(report: Report) -> list[str]:
    """The findings of a campaign, one a message and one on choosing."""
    return [check.question for check in read_report(report).sections["campaign"].checks]


def with_first_message(report: Report, **figures: Any) -> Report:
    """Other figures of the first message, of all customers."""
    full = report.evaluation.out_of_fold
    first, *others = full.messages
    messages = (first.model_copy(update=figures), *others)
    return with_evaluation(report, out_of_fold=full.model_copy(update={"messages": messages}))


def with_choice(report: Report, gain: float, reach: float) -> Report:
    """What a choice earns more than the second message, sent to everyone, of all customers."""
    full = report.evaluation.out_of_fold
    changes = {"best_single": 2, "against": {**full.policy.against, "best_single": around(gain, reach)}}
    policy: PolicyFigures = full.policy.model_copy(update=changes)
    return with_evaluation(report, out_of_fold=full.model_copy(update={"policy": policy}))


def test_balance_and_sample_ratio_come_before_any_effect() -> None:
    report = uplift_report()
    uneven = ColumnBalance(column="city", p=0.03, gaps=(0.01, -0.04), expected_gap=0.05)
    changes = {"columns": (uneven, *report.evaluation.randomization.columns), "rows": (4050, 7950, 8000), "ratio_p": 0.61}
    check = report.evaluation.randomization.model_copy(update=changes)
    balance = read_report(with_evaluation(report, randomization=check)).sections["campaign"].figures[0]
    assert balance.finding == "The groups are alike in all that was known before"
    assert "Group sizes 4,050 / 7,950 / 8,000, planned 0.2 : 0.4 : 0.4 (chi-square p 0.610)" in balance.described
    assert balance.heads == ["Known before", "Discover", "Reward", "Chance alone, up to", "p"]
    assert balance.rows[0] == ["City", "+0.010", "\u22120.040", "0.050", "0.030"]
    not_random = uplift_report("HOLD", stopped_by="randomization", fair=False)
    differs = read_report(not_random).sections["campaign"].figures[0]
    assert differs.finding.startswith("The groups were probably not assigned at random: the groups differ in ")


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
    findings = questions(with_first_message(uplift_report(), rank_by=rank_by, gain=around(*gain)))
    assert len(findings) == 3
    assert findings[0] == words


@pytest.mark.parametrize(
    ("value", "words"), [(900, "earns more than"), (100, "gains nothing measurable over"), (-900, "earns less than")]
)
def test_choosing_is_compared_with_the_best_single_message(value: float, words: str) -> None:
    report = with_choice(uplift_report(), value, 500)
    assert questions(report)[-1] == f"Choosing a message for each customer {words} reward to everyone"
    assert CampaignView(report).has_no_gain is (value < 500)


def test_where_choosing_gains_nothing_and_all_may_be_written_to_it_is_one_message_for_all() -> None:
    assert read_report(spend_report()).what_to_do == (
        "Send Mens E-Mail to everyone: choosing a message for each customer gains nothing measurable over it."
    )
    nothing_gained = with_choice(uplift_report(clear=False), 100, 500)
    assert CampaignView(nothing_gained).has_no_gain
    assert read_report(nothing_gained).what_to_do.startswith("Send discover to "), "the budget is 40 %"


def test_a_finding_carries_both_figures_and_their_difference() -> None:
    figures = {"by_effect": around(0.012, 0.004), "by_response": around(0.004, 0.005), "gain": around(0.0085, 0.006)}
    first = read_report(with_first_message(uplift_report(), **figures)).sections["campaign"].checks[0]
    assert "Qini by effect 12.0 [8.0, 16.0], by response 4.0 [\u22121.0, 9.0], in responses of 1,000 customers" in first.detail
    assert (first.value, first.interval) == ("+8.5", "[+2.5, +14.5]")


@pytest.mark.parametrize(
    ("report", "unit", "effect", "qini"),
    [(uplift_report, "Extra responses of 100", "+3.0", "12.0"), (spend_report, "Extra spend of 1,000", "+$30", "$12")],
)
def test_amounts_are_in_money_and_responses_in_points(report: Any, unit: str, effect: str, qini: str) -> None:
    figures = {"effect": around(0.03, 0.01), "by_effect": around(0.012, 0.004)}
    section = read_report(with_first_message(report(), **figures)).sections["campaign"]
    table = section.figure("What each message changes")
    assert table.described.startswith(unit)
    assert [cell.split(" [")[0] for cell in table.rows[0][1:3]] == [effect, qini]
    deciles = [figure for figure in section.figures if "top decile" in figure.finding]
    assert len(deciles) == 2
    assert all(figure.described.startswith(unit) for figure in deciles)


def test_the_loss_of_amounts_is_no_log_loss() -> None:
    page, _ = compose(with_choice_of(spend_report(), "deep"))
    assert "Loss of the chosen family" in page
    assert "Log odds" not in page
