"""What a report says: the order first, the strongest caution, intervals, and nothing that sounds like a plan."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.charts import numbers as n
from perennial.charts.axes import Scale, y_grid
from perennial.contract.columns import Column
from perennial.contract.model import Sampling
from perennial.contract.split import TimeSplit
from perennial.promotion import gate, promote
from perennial.report.context import AnyReport, ReportContext
from perennial.report.page import load_template
from perennial.report.pages.compose import compose
from perennial.results.binary import BinaryEvaluation
from perennial.results.decision import DecisionRecord, RuleName
from perennial.results.families import FAMILIES, Family
from perennial.results.figures import Interval
from perennial.results.summary import RowFlow
from perennial.results.uplift import PolicyFigures, UpliftEvaluation
from tests.fakes.decisions import CHAMPION, decision_record
from tests.fakes.pages import ReadFigure, read_report
from tests.fakes.reports import (
    TEST,
    VAL,
    churn_report,
    gallery,
    response_report,
    segments_report,
    spend_report,
    uplift_report,
    with_choice_of,
    with_contract,
    with_evaluation,
)
from tests.fakes.stages import BAD, TRAIN, around

pytestmark = pytest.mark.unit

SUSPECT = "column 'duration' alone has AUC 0.870: is it known before the decision?"
REPORTS: dict[str, Callable[[], AnyReport]] = {
    "response first": response_report,
    "response better": partial(response_report, champion=True),
    "response without money": partial(response_report, money=False),
    "response with a suspect": partial(response_report, suspects=(SUSPECT,)),
    **{
        f"response HOLD by {rule}": partial(response_report, "HOLD", stopped_by=rule, champion=True)
        for rule in ("improvement", "comparable", "profit", "slices")
    },
    "response REJECT by minimum": partial(response_report, "REJECT", stopped_by="minimum"),
    "response REJECT by improvement": partial(response_report, "REJECT", stopped_by="improvement", champion=True),
    "uplift clear": uplift_report,
    "uplift not clear": partial(uplift_report, clear=False),
    "uplift better": partial(uplift_report, champion=True),
    "uplift not random": partial(uplift_report, "HOLD", stopped_by="randomization", fair=False),
    "uplift of amounts": spend_report,
    **{
        f"uplift HOLD by {rule}": partial(uplift_report, "HOLD", stopped_by=rule, champion=True)
        for rule in ("improvement", "comparable", "profit", "slices")
    },
    "uplift REJECT by minimum": partial(uplift_report, "REJECT", stopped_by="minimum"),
    "uplift REJECT by improvement": partial(uplift_report, "REJECT", stopped_by="improvement", champion=True),
}
EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)


def words(page: str) -> str:
    """What a reader sees of a page, from the verdict on."""
    shown = re.sub(r"</?b>", "", page.split("</style>")[1])
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


@EVERY
def test_a_headline_is_a_short_order_without_a_metric_or_a_model(make: Callable[[], AnyReport]) -> None:
    report = make()
    task = read_report(report)
    orders = {"PROMOTE": ("Use ", "Send "), "HOLD": ("Keep ",), "REJECT": ("Do not deploy: ", "Do not deploy. ")}
    assert task.headline.startswith(orders[report.verdict])
    assert task.headline.endswith(".")
    assert len(task.headline.split()) <= 19
    names = r"auc|ap|qini|log.loss|brier|lift|linear|boosted|trees|deep|network|traditional|perennial|!"
    assert re.search(rf"\b({names})\b|!", task.headline, re.I) is None
    assert compose(report)[1] == f"{task.headline} {task.what_to_do}"


def test_each_headline_says_what_decided() -> None:
    headlines = {name: read_report(make()).headline for name, make in REPORTS.items()}
    worse = "measurably worse than the champion"
    assert "ranks responders clearly better than the current one" in headlines["response better"]
    assert "ranks responders clearly better than the agreed minimum" in headlines["response first"]
    assert "not measurably better" in headlines["response HOLD by improvement"]
    assert "the two cannot be compared" in headlines["response HOLD by comparable"]
    assert "the new model earns measurably less" in headlines["response HOLD by profit"]
    assert "serves some customers measurably worse" in headlines["response HOLD by slices"]
    assert headlines["response REJECT by minimum"] == "Do not deploy: this model is not measurably better than chance."
    assert headlines["response REJECT by improvement"] == f"Do not deploy: the new model is {worse}."
    assert headlines["uplift clear"].startswith("Send each customer the message that persuades them")
    assert headlines["uplift not clear"].startswith("Use the ranking by effect")
    assert "not measurably better" in headlines["uplift HOLD by improvement"]
    assert "earns measurably less" in headlines["uplift HOLD by profit"]
    assert "do not show that this model can pick who is persuaded by a message" in headlines["uplift REJECT by minimum"]
    assert worse in headlines["uplift REJECT by improvement"]


def test_a_model_split_by_time_is_refused_for_later_rows() -> None:
    fractions = {"train": 0.5, "val": 0.1, "test": 0.2, "out_of_time": 0.2}
    by_time = TimeSplit.model_validate({"kind": "time", "order": "record", "fractions": fractions})
    report = with_contract(response_report("REJECT", stopped_by="minimum"), split=by_time)
    assert read_report(report).headline == "Do not deploy: on later rows this model is not measurably better than chance."


def test_no_better_than_chance_is_what_the_whole_interval_says() -> None:
    endings = []
    for value in (0.46, 0.5, 0.55):
        report = response_report("REJECT", stopped_by="minimum")
        figures = report.evaluation.chosen
        figures = figures.model_copy(update={"test": {**figures.test, "auc": around(value, 0.025)}})
        report = with_evaluation(report, families={report.evaluation.candidate.family: figures})
        endings.append(read_report(report).headline.removeprefix("Do not deploy: this model is "))
    assert endings == ["no better than chance.", "not measurably better than chance.", "not as good as agreed."]


def test_the_champion_is_that_of_the_newest_decision() -> None:
    def standing(report: AnyReport, *later: DecisionRecord) -> str:
        return read_report(replace(report, history=(*report.history, *later))).standing

    back = decision_record("ROLLBACK", "2", champion=CHAMPION)
    onward = decision_record("PROMOTE", "5", champion=CHAMPION.model_copy(update={"version": "4"}))
    hold_again = decision_record("HOLD", "5", champion=CHAMPION.model_copy(update={"version": "2"}))
    first, new = response_report(), response_report(champion=True)
    hold = response_report("HOLD", stopped_by="improvement", champion=True)
    reject = response_report("REJECT", stopped_by="minimum")
    assert standing(first) == "Version 4 is the first champion"
    assert standing(new) == "Version 4 replaces version 3"
    assert standing(new, onward) == "Version 4 replaces version 3; version 5 is champion now"
    assert standing(hold) == "Version 3 stays champion"
    assert standing(hold, back) == standing(hold, back, hold_again) == "Version 2 stays champion"
    assert standing(reject) == "Version 4 is not deployed; there is no champion"
    assert standing(reject, back) == "Version 4 is not deployed; version 2 stays champion"
    by_hand = back.model_copy(update={"version": "4"})
    assert standing(reject, by_hand) == "Version 4 is champion, promoted by hand"


@EVERY
def test_only_a_promotion_says_whom_to_contact(make: Callable[[], AnyReport]) -> None:
    report = make()
    task, page = read_report(report), words(compose(report)[0])
    plan = re.search(r"^(Contact|Send|Rank) ", task.what_to_do)
    assert (plan is not None) == (report.verdict == "PROMOTE")
    for of_a_plan in ("Customers to contact", "Whom to contact", "Whom to write to", "What to do", "Chosen list"):
        assert of_a_plan not in page or report.verdict == "PROMOTE", of_a_plan
    if report.verdict == "HOLD":
        assert re.search(r"\bfail(s|ed)\b", page, re.I) is None
        assert task.what_to_do.startswith("Nothing changes: go on with ")
        is_incomparable = report.decision.stopped_by == RuleName.COMPARABLE
        assert ("--override-incomparable WHY" in task.what_to_do) == is_incomparable
    if report.verdict == "REJECT":
        assert task.what_to_do.startswith("Choose ")
        assert ("with the current model" in task.what_to_do) == (report.decision.champion is not None)


def test_what_to_do_names_numbers_shares_and_messages() -> None:
    assert read_report(response_report()).what_to_do == (
        "Contact the top 40\u202f% of your list (your full budget). On 3,283 past customers that would have earned €6,050."
    )
    assert "names no values and no costs" in read_report(response_report(money=False)).what_to_do
    report = uplift_report()
    nobody, *shares = (round(100 * share) for share in report.evaluation.policy.shares)
    assert read_report(report).what_to_do == (
        f"Send discover to {shares[0]}\u202f%, reward to {shares[1]}\u202f% and nothing to {nobody}\u202f% of customers."
    )
    report = with_policy(uplift_report("REJECT", stopped_by="minimum"), best_single=2, plans={"all 2": around(-345.5, 794.5)})
    assert (
        "The best single message, reward to everyone, earned between −€1,140 and €449 per 1,000" in read_report(report).what_to_do
    )


def test_where_nothing_is_worth_its_cost_nothing_is_sent() -> None:
    nothing = with_policy(uplift_report(), shares=(1.0, 0.0, 0.0))
    assert read_report(nothing).what_to_do == "Send nothing: no message is expected to earn what it costs."
    nobody = with_profit(response_report(), chosen={"contacted": 0, "profit": around(0, 0)})
    assert read_report(nobody).what_to_do.startswith("Contact nobody on this list")
    assert read_report(nobody).keys[3][0] == "Respond in test"


@pytest.mark.parametrize(
    ("name", "caution"),
    [
        ("response first", "cannot tell who would respond anyway. Measuring that needs a control group"),
        ("response with a suspect", SUSPECT),
        ("response REJECT by minimum", "Nothing below is a plan"),
        ("uplift clear", "nothing about a second message to the same customer"),
        ("uplift not random", "were probably not assigned at random"),
        ("uplift REJECT by minimum", "Nothing below is a plan"),
    ],
)
def test_the_strongest_caution_stands_beside_the_verdict(name: str, caution: str) -> None:
    verdict = words(compose(REPORTS[name]())[0]).split("Why this verdict")[0]
    assert caution in " ".join(verdict.split())


def test_a_random_split_says_nothing_of_later_months() -> None:
    beginning = "Customers were split at random, so this says nothing about later months. It cannot tell who would respond"
    by_record = gallery("bank_response").split
    report = response_report()
    cautions = {}
    for name, update in {"entity": {}, "record": {"split": by_record}}.items():
        dated = report.contract.model_copy(update=update)
        columns = {key: column for key, column in dated.columns.items() if column.role != "time"}
        for has_dates, contract in ((True, dated), (False, dated.model_copy(update={"columns": columns}))):
            cautions[name, has_dates] = read_report(replace(report, contract=contract)).caution.startswith(beginning)
    assert cautions == {key: key == ("record", False) for key in cautions}
    assert len(cautions) == 4
    rejected = response_report("REJECT", stopped_by="minimum")
    caution = read_report(replace(rejected, contract=gallery("bank_response"))).caution
    assert caution.startswith("Nothing below is a plan")


def figures(report: AnyReport) -> list[ReadFigure]:
    """The drawings of the evidence."""
    return [figure for figure in read_report(report).sections["evidence"].figures if figure.drawings]


def with_profit(report: ReportContext[BinaryEvaluation], **plans: dict[str, Any]) -> ReportContext[BinaryEvaluation]:
    """The same report with other figures of some plans."""
    profit = report.evaluation.profit
    assert profit is not None
    changed = tuple(plan.model_copy(update=plans.get(plan.name, {})) for plan in profit.plans)
    return with_evaluation(report, profit=profit.model_copy(update={"plans": changed}))


def with_policy(report: ReportContext[UpliftEvaluation], **changes: Any) -> ReportContext[UpliftEvaluation]:
    return with_evaluation(report, policy=changed_policy(report.evaluation.policy, **changes))


def changed_policy(policy: PolicyFigures, *, plans: Mapping[str, Interval] | None = None, **changes: Any) -> PolicyFigures:
    """The same policy with other figures; `plans` are money per 1,000 customers."""
    profits = {name: per_1000 * (policy.plans[0].customers / 1000) for name, per_1000 in (plans or {}).items()}
    changed = tuple(plan.model_copy(update={"profit": profits.get(plan.name, plan.profit)}) for plan in policy.plans)
    return policy.model_copy(update={**changes, "plans": changed})


def test_a_group_is_weaker_only_outside_the_noise() -> None:
    report = response_report()
    assert "No group is measurably weaker" in [figure.finding for figure in figures(report)]
    first, store, web = report.evaluation.slices
    weaker = store.model_copy(update={"auc": around(0.70, 0.05)}), web.model_copy(update={"auc": around(0.69, 0.2)})
    report = with_evaluation(report, slices=(first, *weaker))
    assert "It is weaker for buys through store" in [figure.finding for figure in figures(report)]


def test_probabilities_that_are_off_rank_only_where_there_is_a_list() -> None:
    findings = {}
    for verdict, case in {"PROMOTE": {}, "REJECT": {"stopped_by": "minimum"}}.items():
        report = response_report(verdict, **case)
        assert figures(report)[0].finding == "Predicted probabilities can be taken at face value"
        calibration = report.evaluation.calibration.model_copy(update={"value": 0.05})
        findings[verdict] = figures(with_evaluation(report, calibration=calibration))[0].finding
    assert findings == {
        "PROMOTE": "Predicted probabilities are off: rank by them only",
        "REJECT": "Predicted probabilities are off",
    }


def test_what_the_list_reaches_is_said_in_the_verb_of_the_task() -> None:
    reached = re.compile(r"Contacting the best 40\u202f% reaches \d+\u202f% of those who respond")
    assert [figure.finding for figure in figures(response_report()) if reached.fullmatch(figure.finding)]


def test_the_way_back_fetches_what_can_be_fetched() -> None:
    report = response_report()
    from_file = with_contract(report, source=report.contract.source.model_copy(update={"kind": "file"}))
    ways = [words(compose(some)[0]).split("Get here again")[1] for some in (report, from_file)]
    assert "perennial fetch ad_response perennial run" in " ".join(ways[0].split())
    assert "dvc pull perennial run ad_response" in " ".join(ways[1].split())
    assert all("a remote that was pushed to" in way for way in ways)


def test_a_score_of_rows_of_an_unknown_sampling_rate_is_called_a_rank_and_no_probability() -> None:
    report = response_report(money=False)
    unknown = with_contract(report, sampling=Sampling(sampling_rate="unknown"))
    page, plain = (words(compose(some)[0]) for some in (unknown, report))
    for phrase in ("it is not the probability to respond", "Norm. entropy"):
        assert phrase in page
        assert phrase not in plain
    assert f"Predicted over actual: {report.evaluation.calibration.predicted_over_actual.value:.2f}" in plain


def test_a_suspect_outweighs_every_other_caution() -> None:
    for report in (
        response_report("REJECT", stopped_by="minimum", suspects=(SUSPECT,)),
        uplift_report("HOLD", stopped_by="randomization", fair=False, suspects=(SUSPECT,)),
    ):
        assert read_report(report).strong == SUSPECT
    caution = read_report(response_report(suspects=(SUSPECT, "column 'x'"))).caution
    assert "(1 more in the log of the split)" in caution


@EVERY
def test_every_figure_of_the_verdict_has_its_interval(make: Callable[[], AnyReport]) -> None:
    """Counts and observed or agreed shares have none; all that is estimated has."""
    exact = {"Customers to contact", "Agreed minimum", "Respond in train", "Respond in test"}
    estimated = [note for name, _, note in read_report(make()).keys if name not in exact]
    assert estimated
    for note in estimated:
        assert re.search(r"between .+ and ", note), note


def test_the_share_who_respond_has_the_interval_of_what_they_earned() -> None:
    """1,313 contacts at €2 that earn €5,814 ± 1,070 at €40 each: 211 responses ± 27."""
    report = with_profit(response_report(), chosen={"contacted": 1313, "profit": around(5814, 1070)})
    _, value, note = read_report(report).keys[3]
    everyone = round(100 * report.split.rate["test"])
    assert value == "16\u202f%"
    assert note == f"between 14 and 18\u202f%; all customers: {everyone}\u202f%"


@EVERY
def test_each_figure_of_a_family_has_its_interval(make: Callable[[], AnyReport]) -> None:
    report = make()
    families = read_report(report).figure("Model families on the same")
    assert len(families.rows) == 4
    for row in families.rows:
        assert all(re.fullmatch(r"[^ ]+ \[.+, .+\]", cell) for cell in row[1:])
    assert families.chosen == [f"{FAMILIES[report.evaluation.candidate.family].label} (chosen)"]


@EVERY
def test_deep_against_traditional_stands_at_the_verdict(make: Callable[[], AnyReport]) -> None:
    report = make()
    task, deep = read_report(report), report.evaluation.deep_minus_traditional
    assert deep is not None
    if report.contract.task.kind == "binary":
        assert "Deep − traditional, 95\u202f%" in task.picture.drawings[0]
        assert task.picture.finding == "Deep and traditional models show no measurable difference"
        return
    *_, groups, check = task.sections["checks"].checks
    assert groups.question.startswith("The groups were ")
    value, low, high = (f"{end:+.3f}".replace("-", "−") for end in (deep.gain.value, deep.gain.low, deep.gain.high))
    assert check.detail.startswith("Deep − traditional, Qini")
    assert (check.value, check.interval) == tuple(
        text.replace("+0.000", "0.000").replace("−0.000", "0.000") for text in (value, f"[{low}, {high}]")
    )


def test_deep_is_better_or_worse_only_outside_the_noise() -> None:
    report = response_report()
    difference = report.evaluation.deep_minus_traditional
    assert difference is not None
    gains = [around(value, 0.006) for value in (0.02, -0.02, 0.003)]
    differences = [difference.model_copy(update={"traditional": "boosted", "gain": gain}) for gain in gains]
    assert [read_report(with_evaluation(report, deep_minus_traditional=changed)).picture.finding for changed in differences] == [
        "The deep network ranks better than boosted trees",
        "The deep network ranks worse than boosted trees",
        "Deep and traditional models show no measurable difference",
    ]


@pytest.mark.parametrize(
    ("everyone", "chosen", "finding"),
    [
        (3394, 5814, "earns 1.7 times what contacting everyone earns"),
        (-500, 5814, "earns; contacting everyone loses"),
        (5814, 5814, "Contacting everyone earns at least as much as the list"),
        (9000, 5814, "Contacting everyone earns at least as much as the list"),
        (100, 5814, "earns many times what contacting everyone earns"),
        (-500, -10, "Neither the list nor contacting everyone earns anything"),
    ],
)
def test_the_profit_finding_is_true_of_everyone_too(everyone: float, chosen: float, finding: str) -> None:
    earned = {"chosen": {"profit": around(chosen, 500)}, "everyone": {"profit": around(everyone, 1190)}}
    assert finding in read_report(with_profit(response_report(), **earned)).sections["action"].figures[0].finding


@pytest.mark.parametrize(
    ("single", "against", "finding"),
    [
        (-343, 900, "earns more than a list of the likeliest responders"),
        (-343, 100, "earns about what a list of the likeliest responders earns"),
        (-343, -900, "earns less than a list of the likeliest responders earns"),
        (1144, 900, "Reward to everyone earns at least as much as a choice for each"),
    ],
)
def test_the_finding_on_messages_is_true_of_the_best_single_one(single: float, against: float, finding: str) -> None:
    report = uplift_report()
    full = report.evaluation.out_of_fold
    gains = {**full.policy.against, "response": around(against, 500)}
    plans = {"choice": around(1144, 679), "all 2": around(single, 792)}
    policy = changed_policy(full.policy, best_single=2, against=gains, plans=plans)
    report = with_evaluation(report, out_of_fold=full.model_copy(update={"policy": policy}))
    assert finding in read_report(report).sections["campaign"].figures[-1].finding


def test_the_curve_of_messages_is_in_the_unit_of_its_plans() -> None:
    report = uplift_report()
    figure = read_report(report).sections["campaign"].figures[-1]
    full = report.evaluation.out_of_fold
    top = max(full.policy.curves["choice"].high) / (full.rows / 1000)
    ticks = re.findall(r">€(\d+(?:\.\d+)?)(k?)<", figure.drawings[0])
    assert top <= max(float(size) * (1000 if k else 1) for size, k in ticks) < 2 * top


@EVERY
def test_rules_stand_with_their_interval_and_their_line(make: Callable[[], AnyReport]) -> None:
    report = make()
    page = words(compose(report)[0])
    section = page.split("Why this verdict")[-1].split("What ")[0]
    rules = report.decision.rules
    assert len(rules) >= 2
    assert section.count("compared with the agreed minimum") == 1
    assert f"minimum {report.contract.task.minimum:g}" in section
    assert section.count("Can the two be compared?") == sum(rule.name == RuleName.COMPARABLE for rule in rules)
    assert section.count("no difference") >= sum(
        rule.name in {RuleName.IMPROVEMENT, RuleName.SLICES} and rule.interval is not None for rule in rules
    )


def of_a_log(report: ReportContext[BinaryEvaluation]) -> ReportContext[BinaryEvaluation]:
    """Nothing was set aside."""
    flow = {"lines": RowFlow(rows_in=541909, to={"passed": 541909, "quarantined": 0})}
    return replace(
        report,
        quarantined={},
        quarantine=(),
        ingest=report.ingest.model_copy(update={"flow": flow}),
        validate=report.validate.model_copy(update={"flow": flow}),
        featurize=report.featurize.model_copy(update={"cutoffs": {"2011-03-14": TRAIN, "2011-06-12": VAL, "2011-09-10": TEST}}),
    )


def test_a_log_of_events_is_described_in_its_own_words() -> None:
    report = of_a_log(churn_report())
    page, task = words(compose(report)[0]), read_report(report)
    assert task.headline == ("Use this model. It ranks customers clearly better than the agreed minimum.")
    assert [name for name, *_ in task.keys[2:]] == ["Buy again in train", "Buy again in test"]
    assert task.keys[2][2] == "9,569 customers, on 4 dates"
    for phrase in (
        "cannot tell who would buy again anyway",
        "the probability to buy again",
        "of those who buy again",
        "who, the score",
    ):
        assert phrase in page, phrase
    for of_a_campaign in ("respond", "contact", "campaign"):
        assert of_a_campaign not in page.lower(), of_a_campaign
    hold = of_a_log(churn_report("HOLD", stopped_by="improvement", champion=True))
    assert "campaign" not in read_report(hold).what_to_do
    reject = of_a_log(churn_report("REJECT", stopped_by="minimum"))
    assert read_report(reject).headline == "Do not deploy: on later rows this model is not measurably better than chance."


def test_rows_of_events_are_accounted_for_and_their_units_named() -> None:
    rows = read_report(of_a_log(churn_report())).sections["data"].figures[0]
    assert rows.foot == (
        "They describe customers on 3 dates, 2011-03-14 to 2011-09-10, by what was known before each: "
        "9,569 train, 3,298 val, 3,283 test."
    )
    assert len(rows.drawings) == 2
    for drawing in rows.drawings:
        for part in ("541,909 rows read", "356,289 used", "8,905 cancelled or adjusted", "41,595 of later customers"):
            assert part in drawing, part


def test_parts_of_other_dates_are_named_in_plain_words() -> None:
    units = RowFlow(rows_in=16150, to={"out_of_time": 1000, "test": TEST, "train": TRAIN - 1000, "val": VAL})
    report = response_report()
    changed = replace(report, split=report.split.model_copy(update={"flow": {"units": units}}))
    rows, table = read_report(changed).sections["data"].figures[:2]
    assert re.findall(r">(train|val|test|out of time)<", rows.drawings[0]) == ["train", "val", "test", "out of time"]
    assert table.rows[-1][3] == "8,569 train, 3,298 val, 3,283 test, 1,000 out of time"
    log = read_report(segments_report()).sections["data"].figures[0]
    assert log.foot.endswith(": 9,569 train, 430 val, 430 test, 3,900 of an earlier date.")


@EVERY
def test_rows_add_up_and_their_parts_come_in_order(make: Callable[[], AnyReport]) -> None:
    report = make()
    parts, used = report.split.flow["units"].to, report.featurize.flow["main"].to["fed"]
    counts = {"train": TRAIN, "val": report.evaluation.rows["val"], "test": report.evaluation.rows["test"]}
    assert parts == {**counts, "out_of_time": 0}
    rows, table = read_report(report).sections["data"].figures[:2]
    assert len(rows.drawings) == 2
    for drawing in rows.drawings:
        names = re.findall(r">(train|val|test|out of time)<", drawing)
        assert names == ["train", "val", "test"]
        read = report.ingest.flow["main"].rows_in
        assert all(re.search(rf">{count:,}\b", drawing) for count in (read, used, *counts.values()))
    assert [row[0] for row in table.rows] == ["ingest", "validate", "clean", "featurize", "split"]
    for row in table.rows:
        numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", row[3])]
        assert sum(numbers) == int(row[2].replace(",", "")), row
    assert table.rows[-1][3] == ", ".join(f"{count:,} {part}" for part, count in counts.items())


@EVERY
def test_a_page_is_small_and_what_customers_wrote_is_text(make: Callable[[], AnyReport]) -> None:
    report = make()
    page = compose(report)[0]
    assert len(page.encode()) < 300_000
    assert "<script" not in page
    escaped = html.escape(BAD, quote=False)
    parts = {name: re.search(rf'id="{name}".*?</section>', page, re.S) for name in ("reasons", "data")}
    assert all(part is not None and part[0].count(escaped) >= 2 for part in parts.values())
    assert page.count("nothing loaded from elsewhere") == 1


def test_nothing_set_aside_leaves_no_empty_table() -> None:
    report = replace(response_report(), quarantined={}, quarantine=())
    tables = [figure.finding for figure in read_report(report).sections["data"].figures]
    assert len(tables) >= 2
    assert not any("quarantined" in finding or "warnings" in finding for finding in tables)
    assert "quarantined in total" not in compose(report)[0]


def test_what_no_model_saw_is_listed_with_the_reason_and_no_address() -> None:
    report = response_report()
    columns = {
        **report.contract.columns,
        "late": Column(role="ignore", known="after_outcome", why="known after: call 0170 1234567"),
        "mail": Column(role="contact"),
    }
    table = read_report(with_contract(report, columns=columns)).sections["data"].figure("not used")
    reasons = dict(table.rows)
    assert reasons["late"] == "known after: call •••"
    assert reasons["mail"] == "reaches or names a person"
    assert report.contract.target not in reasons


def test_a_name_begins_a_sentence_in_upper_case() -> None:
    task = read_report(with_policy(uplift_report(), best_single=2))
    deciles = [figure.finding for figure in task.sections["campaign"].figures if "top decile" in figure.finding]
    assert [finding.split(":")[0] for finding in deciles] == ["Discover", "Reward"]
    assert task.keys[2][0] == "Reward to everyone"


def test_training_that_still_helped_at_its_end_says_so() -> None:
    report = with_choice_of(response_report(), "deep")
    assert "Training stopped when it no longer helped" in compose(report)[0]
    assert "best: pass 11" in compose(report)[0]
    longer = report.train.families["deep"]
    longer = longer.model_copy(update={"curve": longer.curve[:11]})
    report = replace(report, train=report.train.model_copy(update={"families": {"deep": longer}}))
    assert "The last pass of training still helped" in compose(report)[0]


@pytest.mark.parametrize(("family", "shown"), [("boosted", True), ("linear", False), ("blend", False)])
def test_the_loss_curve_is_that_of_the_chosen_family_or_none(family: Family, *, shown: bool) -> None:
    page = compose(with_choice_of(response_report(), family))[0]
    assert ("best: round 11" in page) is shown
    assert ("of the chosen family, " in page) is shown
    assert "deep network; lower" not in page


def test_a_working_copy_with_changes_promises_no_bytes() -> None:
    report = response_report()
    assert "gives the same bytes" in compose(report)[0]
    changed = replace(report, lineage={**report.lineage, "changed": "true"})
    assert "gives the same bytes" not in compose(changed)[0]
    assert "uncommitted changes" in compose(changed)[0]


def test_a_currency_without_a_sign_is_named() -> None:
    report = with_profit(response_report(), chosen={"profit": around(5814, 1070)})
    report = with_contract(report, money=report.contract.money.model_copy(update={"currency": "CHF"}))
    assert read_report(report).keys[1][1] == "CHF\u202f5,810"


def test_wide_leaks_and_their_note_stand_apart() -> None:
    """Bars of what was lost: none covers another, nor the note below them."""
    report = response_report()
    fed = RowFlow(rows_in=20000, to={"fed": 6150, "not in unit.where": 13850})
    units = RowFlow(rows_in=6150, to={"test": 1150, "train": 4000, "val": 1000, "out_of_time": 0})
    report = replace(
        report,
        featurize=report.featurize.model_copy(update={"flow": {"main": fed}}),
        split=report.split.model_copy(update={"flow": {"units": units}}),
    )
    rows = read_report(report).sections["data"].figures[0]
    assert len(rows.drawings) == 2
    for drawing in rows.drawings:
        place = r'x="([\d.]+)" y="([\d.]+)" width="10" height="([\d.]+)"'
        rects = re.findall(rf'<rect class="fill-(?:orange|grey)" {place}', drawing)
        middle = min(float(x) for x, *_ in rects)
        bars = sorted((float(y), float(y) + float(tall)) for x, y, tall in rects if float(x) == middle)
        note = re.search(r'y="([\d.]+)"[^>]*>Bands too thin', drawing)
        assert note is not None
        assert len(bars) == 3
        assert all(low[1] < high[0] for low, high in pairwise([*bars, (float(note[1]) - 10, 0.0)]))


@given(st.floats(-1, 1), st.floats(1e-4, 1))
def test_ticks_are_printed_as_they_stand(low: float, span: float) -> None:
    """0.0075 would be printed 0.007 or 0.008, so such ticks are not taken."""
    scale = Scale(low=low, high=low + span, start=300, stop=0)
    words = re.findall(r">([^<]+)</text>", "".join(y_grid(scale, 0, 100, n.difference)))
    figures = [float(word.replace("\u2212", "-")) for word in words]
    steps = [after - before for before, after in pairwise(figures)]
    assert len(figures) <= 6
    assert all(step == pytest.approx(steps[0], abs=1e-9) and step > 0 for step in steps)


def test_a_campaign_that_was_not_randomised_stops_in_its_own_words() -> None:
    page, headline = compose(uplift_report("HOLD", stopped_by="randomization", champion=True, fair=False))
    assert "the groups were probably not assigned at random. Nothing changes" in headline
    assert "Were the groups assigned at random?" in page


@pytest.mark.parametrize("make", [response_report, uplift_report])
def test_a_version_that_was_rolled_back_says_so(make: Callable[..., AnyReport]) -> None:
    page, headline = compose(make("HOLD", stopped_by="rolled_back", champion=True))
    assert "this version was rolled back before. Nothing changes" in headline
    assert "This version was rolled back (it sold too much)" in page


def test_every_rule_of_the_gate_has_its_question_and_its_headline() -> None:
    """A rule that the gate or the promotion learns must be described here too."""
    names = {
        RuleName[name] for module in (gate, promote) for name in re.findall(r"\bRuleName\.([A-Z_]+)", inspect.getsource(module))
    }
    never_holds = {RuleName.OVERRIDE, RuleName.MINIMUM, RuleName.STABILITY}
    sentences = vars(load_template("verdict.html.j2").module)
    assert names - never_holds == set(sentences["HOLDS"])
    assert set(sentences["QUESTIONS"]) == set(RuleName)
