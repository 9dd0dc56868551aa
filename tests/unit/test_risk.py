"""What a lender decides by: points, the cut by expected profit, bands, what it earns, and for which group it errs."""

from __future__ import annotations

from html import unescape
from typing import Any

import numpy as np
import pytest

from perennial.evaluation.decisions.risk import LoanPolicy, evaluate_loans, kolmogorov_smirnov, score_points
from perennial.evaluation.statistics.choice import Resampling
from perennial.report.pages.compose import compose
from perennial.results.binary import LoanRisk
from tests.fakes.reports import loans_report, with_evaluation

pytestmark = pytest.mark.unit
LOAN = LoanPolicy(gain=1.0, loss=4.0)


def drawn(n: int = 6000, seed: int = 1, unfair: float = 0.0) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Calibrated chances of default, and a group that is scored too high by `unfair` on the log odds."""
    rng = np.random.default_rng(seed)
    link, group = rng.normal(-1.5, 1.2, n), rng.integers(2, size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-link))).astype(np.float64)
    return y, 1 / (1 + np.exp(-(link + unfair * group))), {"sex": np.where(group == 1, "b", "a")}


def figures(**settings: Any) -> LoanRisk:
    y, p, groups = drawn(**settings)
    return evaluate_loans(y, p, LOAN, groups, Resampling(n=200, seed=1))


def test_600_points_are_odds_of_50_to_1_and_20_more_double_them() -> None:
    assert score_points(np.array([1 / 51, 1 / 101, 1 / 26])) == pytest.approx([600, 620, 580])


def test_ks_is_the_widest_gap_of_two_distributions() -> None:
    y, p = np.array([1, 1, 0, 1, 0, 0.0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert kolmogorov_smirnov(y, p, np.ones(6)) == pytest.approx(2 / 3)
    assert kolmogorov_smirnov(y, np.full(6, 0.5), np.ones(6)) == pytest.approx(0)


def test_the_cut_is_where_a_loan_earns_nothing_and_no_other_cut_earns_more_on_calibrated_chances() -> None:
    assert LOAN.cut == pytest.approx(0.2)
    y, p, _ = drawn()
    loans = figures()
    assert loans.approved == pytest.approx((p <= 0.2).mean())
    earned = {cut: float(np.where(p <= cut, np.where(y == 1, -4.0, 1.0), 0).mean()) for cut in (0.05, 0.2, 0.4, 1.0)}
    assert max(earned, key=lambda cut: earned[cut]) == 0.2
    by_cut, by_all = (plan.per_1000 for plan in loans.plans)
    assert by_cut.value == pytest.approx(1000 * earned[0.2])
    assert by_all.value == pytest.approx(1000 * earned[1.0])
    assert by_cut.low < by_cut.value < by_cut.high
    assert loans.bad_rate is not None
    assert loans.bad_rate.high < loans.bad_rate_overall.low


def test_bands_go_from_the_safest_on_and_hold_everyone_once() -> None:
    bands = figures().bands
    assert sum(band.n for band in bands) == 6000
    assert len(bands) == 10
    assert np.all(np.diff([band.min_points for band in bands]) < 0)
    inside = [band.bad_rate.low <= band.predicted <= band.bad_rate.high for band in bands]
    assert sum(inside) >= 8


def test_the_bad_rate_by_share_approved_is_a_share_with_its_band() -> None:
    curve = figures(n=300).curve
    for low, value, high in zip(curve.low, curve.value, curve.high, strict=True):
        assert 0 <= low <= value <= high <= 1
    assert curve.value[-1] == pytest.approx(figures(n=300).bad_rate_overall.value)


@pytest.mark.parametrize("unfair", [0.0, 0.8])
def test_a_group_that_is_scored_too_high_is_seen_in_approvals_and_in_payers_refused(unfair: float) -> None:
    group = next(group for group in figures(unfair=unfair).groups if group.value == "b")
    approvals, payers, defaulters = group.approval_gap, group.payers_refused_gap, group.defaulters_refused_gap
    assert approvals is not None
    assert payers is not None
    assert defaulters is not None
    assert group.approval_ratio is not None
    if unfair:
        assert group.approval_ratio < 0.8
        assert approvals.high < 0 < payers.low
        assert defaulters.low > 0
    else:
        assert all(gap.low < 0 < gap.high for gap in (approvals, payers, defaulters))
        assert 0.9 < group.approval_ratio < 1.1


def test_a_group_of_few_is_counted_and_not_judged() -> None:
    y, p, groups = drawn(400)
    groups["sex"][:20] = "c"
    by_value = {group.value: group for group in evaluate_loans(y, p, LOAN, groups, Resampling(n=100, seed=1)).groups}
    assert by_value["c"].n == 20
    assert by_value["c"].approval_gap is None


def test_the_report_says_whom_to_approve_and_how_groups_fare() -> None:
    report = loans_report()
    page, what_to_do = compose(report)
    assert "Approve applicants with " in what_to_do
    for words in (
        "Approvals and mistakes by protected group",
        "foreign worker A202",
        "four strongest reasons against",
        "Ten bands",
    ):
        assert words in page
    assert report.evaluation.risk is not None
    without = with_evaluation(report, risk=report.evaluation.risk.model_copy(update={"groups": ()}))
    assert "Approvals and mistakes" not in compose(without)[0]


def test_the_report_says_where_nobody_is_approved() -> None:
    """The bad rate of no loans is not known, so it is not printed."""
    rejected = loans_report("REJECT", stopped_by="minimum")
    loans = rejected.evaluation.risk
    assert loans is not None
    assert (loans.approved, loans.bad_rate) == (0, None)
    why = "no applicant's probability of default is under 17\u202f%"
    assert f"Nobody would be approved: {why}" in unescape(compose(rejected)[0])
    page, what_to_do = compose(with_evaluation(loans_report(), risk=loans))
    assert what_to_do.endswith(f"Approve nobody on this list: {why}.")
    assert "nobody is approved; all applicants" in page
