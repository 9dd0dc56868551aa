"""The report speaks of the list that was scored, and of test customers as evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perennial.report.glossary import find_words
from perennial.report.pages.compose import compose
from tests.fakes.pages import read_report
from tests.fakes.reports import alerts_report, loans_report, response_report, uplift_report, with_list

pytestmark = pytest.mark.unit


def test_what_to_do_is_said_of_the_list_that_was_scored() -> None:
    report = response_report()
    page, headline = compose(with_list(report))
    assert "Contact 400 of the 1,000 customers in may.csv; €1,520 profit is expected of them." in headline
    assert "As evidence: on 3,283 past customers the same rule would have chosen" in headline
    read = read_report(with_list(report))
    assert read.keys[0][:2] == ("Customers to contact", "400")
    assert "may.csv" in read.keys[0][2]
    assert "Profit expected: break-even is 0.05" in page
    assert "1,003 rows came in, 1,000 are in the list, 3 are set aside" in page
    assert "channel in 12 rows" in page
    assert "The list: may.csv." in page, "without its folder"


def test_without_a_list_nothing_is_said_of_one() -> None:
    page, headline = compose(response_report())
    assert 'id="list"' not in page
    assert "Contact the top 40" in headline


def test_a_list_that_another_version_scored_is_told_and_is_no_plan() -> None:
    page, headline = compose(with_list(response_report(), version="2"))
    assert "It was scored by version 2, which is not in use: score it again." in page
    assert "may.csv" not in headline


def test_nobody_to_contact_is_said_with_the_reason() -> None:
    report = with_list(response_report(), chosen=0)
    _, headline = compose(report)
    assert "Contact nobody of the 1,000 customers in may.csv: no profit expected." in headline


@pytest.mark.parametrize("make", [loans_report, alerts_report, uplift_report])
def test_every_decision_says_its_test_figures_are_evidence(make: object) -> None:
    report = with_list(make())  # type: ignore[operator]
    _, headline = compose(report)
    assert "of the 1,000 customers in may.csv" in headline
    assert "As evidence" in headline


def test_a_held_candidate_leaves_the_plan_but_shows_the_list() -> None:
    page, headline = compose(with_list(response_report("HOLD", stopped_by="improvement", champion=True)))
    assert "may.csv" not in headline
    assert 'id="list"' in page


def test_the_marketers_part_has_points_and_no_log_odds() -> None:
    for make in (response_report, loans_report, alerts_report, uplift_report):
        page = compose(make())[0]
        assert "log odds" not in page.lower()
        assert "percentage points, for a customer who is average otherwise" in page


def test_the_chosen_family_is_held_against_the_one_that_does_best_on_test() -> None:
    report = response_report()
    family = report.evaluation.candidate.family
    (rival, *_) = report.evaluation.over_candidate
    clear = report.evaluation.over_candidate[rival].model_copy(update={"value": 0.01, "low": 0.004, "high": 0.016})
    evaluation = report.evaluation.model_copy(update={"over_candidate": {rival: clear}})
    assert family not in report.evaluation.over_candidate
    assert "On test no other family is measurably better" in compose(report)[0]
    page = compose(replace(report, evaluation=evaluation))[0]
    assert "+0.010 [+0.004, +0.016] AUC better than it: the choice is made before test is looked at" in page


def test_params_features_and_time_of_the_chosen_family_are_told() -> None:
    report = replace(response_report(), params={"train.members": "8"}, training_s=41.6)
    page = compose(report)[0]
    assert "train.members" in page
    assert "took 42 CPU seconds here" in page
    assert "columns that a model may read" in page
    assert "CPU seconds" not in compose(response_report())[0]


def test_the_glossary_explains_the_words_of_the_page_only() -> None:
    words = dict(find_words(compose(response_report())[0]))
    assert {"AUC", "Brier", "95 % interval"} <= words.keys()
    assert "Qini" not in words
    assert "Qini" in dict(find_words(compose(uplift_report())[0]))
