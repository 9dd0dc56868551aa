"""What a report says of a story: the order first, the strongest caution, intervals, and nothing that sounds like a plan."""

from __future__ import annotations

import html
import inspect
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.contract.columns import Column
from perennial.contract.model import Sampling
from perennial.contract.split import TimeSplit
from perennial.promotion import gate, promote
from perennial.report.charts import numbers as n
from perennial.report.charts.axes import Scale, y_grid
from perennial.report.charts.flows import Verdict
from perennial.report.context import Story
from perennial.report.page import Checks, Figure, Pair, Table
from perennial.report.pages import compose as compose_module
from perennial.report.pages import messages, response, segments, shared
from perennial.report.pages.compose import compose
from perennial.report.pages.data import data_section
from perennial.report.task_sections import Told
from tests.fakes.story import BAD, TEST, TRAIN, VAL, about, gallery, response_story, spend_story, uplift_story

pytestmark = pytest.mark.unit

SUSPECT = "column 'duration' alone has AUC 0.870: is it known before the decision?"
STORIES = {
    "response first": response_story(),
    "response better": response_story(champion=True),
    "response without money": response_story(money=False),
    "response with a suspect": response_story(suspects=(SUSPECT,)),
    **{
        f"response HOLD by {rule}": response_story("HOLD", stopped_by=rule, champion=True)
        for rule in ("better", "comparable", "profit", "groups")
    },
    "response REJECT by minimum": response_story("REJECT", stopped_by="minimum"),
    "response REJECT by better": response_story("REJECT", stopped_by="better", champion=True),
    "uplift clear": uplift_story(),
    "uplift not clear": uplift_story(clear=False),
    "uplift better": uplift_story(champion=True),
    "uplift unfair": uplift_story(fair=False),
    "uplift of amounts": spend_story(),
    **{
        f"uplift HOLD by {rule}": uplift_story("HOLD", stopped_by=rule, champion=True)
        for rule in ("better", "comparable", "profit", "groups")
    },
    "uplift REJECT by minimum": uplift_story("REJECT", stopped_by="minimum"),
    "uplift REJECT by better": uplift_story("REJECT", stopped_by="better", champion=True),
}
EVERY = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)


def told(story: Story) -> Told:
    return response.told(story) if story.contract.task.kind == "binary" else messages.told(story)


def words(page: str) -> str:
    """What a reader sees of a page, from the verdict on."""
    shown = re.sub(r"</?b>", "", page.split("</style>")[1])
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


@EVERY
def test_a_headline_is_a_short_order_without_a_metric_or_a_model(story: Story) -> None:
    said = told(story).headline
    orders = {"PROMOTE": ("Use ", "Send "), "HOLD": ("Keep ",), "REJECT": ("Do not deploy: ",)}
    assert said.startswith(orders[story.verdict])
    assert said.endswith(".")
    assert len(said.split()) <= 18
    names = r"auc|ap|qini|log.loss|brier|lift|linear|boosted|trees|deep|network|traditional|perennial|!"
    assert re.search(rf"\b({names})\b|!", said, re.I) is None
    assert compose(story)[1] == f"{said} {told(story).what_to_do}"


def test_each_headline_says_what_decided() -> None:
    said = {name: told(story).headline for name, story in STORIES.items()}
    assert "finds more of those who respond, by more than chance explains" in said["response better"]
    assert "better than agreed, by more than chance explains" in said["response first"]
    assert "not measurably better" in said["response HOLD by better"]
    assert "cannot be held against it" in said["response HOLD by comparable"]
    assert "the new list earns measurably less" in said["response HOLD by profit"]
    assert "serves some customers measurably worse" in said["response HOLD by groups"]
    assert said["response REJECT by minimum"] == "Do not deploy: this model is not measurably better than chance."
    assert said["response REJECT by better"] == "Do not deploy: the new model is measurably worse than the one in use."
    assert said["uplift clear"].startswith("Send each customer the message that moves them")
    assert said["uplift not clear"].startswith("Use the ranking by effect")
    assert "not measurably better" in said["uplift HOLD by better"]
    assert "earns measurably less" in said["uplift HOLD by profit"]
    assert "cannot surely tell whom a message moves" in said["uplift REJECT by minimum"]
    assert "measurably worse than the one in use" in said["uplift REJECT by better"]


def test_a_model_split_by_time_is_refused_for_later_rows() -> None:
    fractions = {"train": 0.5, "val": 0.1, "test": 0.2, "out_of_time": 0.2}
    later = TimeSplit.model_validate({"kind": "time", "order": "record", "fractions": fractions})
    story = response_story("REJECT", stopped_by="minimum")
    story = replace(story, contract=story.contract.model_copy(update={"split": later}))
    assert told(story).headline == "Do not deploy: on later rows this model is not measurably better than chance."


def test_no_better_than_chance_is_what_the_whole_interval_says() -> None:
    said = []
    for value in (0.46, 0.5, 0.55):
        story = response_story("REJECT", stopped_by="minimum")
        for family in story.evaluation["families"].values():
            family["test"]["auc"] = about(value, 0.025)
        said.append(told(story).headline.removeprefix("Do not deploy: this model is "))
    assert said == ["no better than chance.", "not measurably better than chance.", "not as good as agreed."]


def test_the_version_in_use_is_that_of_the_newest_decision() -> None:
    def standing(story: Story, *later: dict[str, object]) -> str:
        return compose_module._standing(replace(story, history=[*story.history, *later]))

    back = {"verdict": "ROLLBACK", "version": "2", "champion": {"version": "3"}}
    onward = {"verdict": "PROMOTE", "version": "5", "champion": {"version": "4"}}
    held = {"verdict": "HOLD", "version": "5", "champion": {"version": "2"}}
    first, new = response_story(), response_story(champion=True)
    hold = response_story("HOLD", stopped_by="better", champion=True)
    reject = response_story("REJECT", stopped_by="minimum")
    assert standing(first) == "Version 4 is the first"
    assert standing(new) == "Version 4 replaces version 3"
    assert standing(new, onward) == "Version 4 replaces version 3; by now version 5 is in use"
    assert standing(hold) == "Version 3 stays in use"
    assert standing(hold, back) == standing(hold, back, held) == "Version 2 stays in use"
    assert standing(reject) == "Version 4 is not put to use; no model is in use"
    assert standing(reject, back) == "Version 4 is not put to use; version 2 stays"
    assert standing(reject, {**back, "version": "4"}) == "Version 4 is in use, put there by hand"


@EVERY
def test_only_a_promotion_says_whom_to_contact(story: Story) -> None:
    said, page = told(story), words(compose(story)[0])
    plan = re.search(r"^(Contact|Send|Rank) ", said.what_to_do)
    assert (plan is not None) == (story.verdict == "PROMOTE")
    for of_a_plan in ("Customers to contact", "Whom to contact", "Whom to write to", "What to do", "Chosen list"):
        assert of_a_plan not in page or story.verdict == "PROMOTE", of_a_plan
    if story.verdict == "HOLD":
        assert re.search(r"\bfail(s|ed)\b", page, re.I) is None
        assert said.what_to_do.startswith("Nothing changes: go on with ")
        assert ("--override-incomparable WHY" in said.what_to_do) == (story.stopped_by == "comparable")
    if story.verdict == "REJECT":
        assert said.what_to_do.startswith("Choose ")
        assert ("by the model in use" in said.what_to_do) == (story.decision["champion"] is not None)


def test_what_to_do_names_numbers_shares_and_messages() -> None:
    assert told(response_story()).what_to_do == (
        "Contact the 1,313 highest-scoring customers, 40\u202f% of the test list; the whole budget."
    )
    assert "no money to choose a depth by" in told(response_story(money=False)).what_to_do
    assert told(uplift_story()).what_to_do == (
        "Send discover to 14\u202f%, reward to 26\u202f% and nothing to 60\u202f% of customers."
    )
    assert "reward did best: between −€1,140 and €449 per 1,000" in told(STORIES["uplift REJECT by minimum"]).what_to_do


def test_where_nothing_is_worth_its_cost_nothing_is_sent() -> None:
    story = uplift_story()
    story.evaluation["policy"]["shares"] = [1.0, 0.0, 0.0]
    assert told(story).what_to_do == "Send nothing: no message is expected to earn what it costs."
    story = response_story()
    story.evaluation["profit"]["plans"][0] |= {"contacted": 0, "profit": about(0, 0)}
    assert told(story).what_to_do.startswith("Contact nobody on this list")
    assert told(story).key_figures[3].name == "Respond in test"


@pytest.mark.parametrize(
    ("name", "caution"),
    [
        ("response first", "does not say whom the contact itself moves; that takes a control group"),
        ("response with a suspect", SUSPECT),
        ("response REJECT by minimum", "Nothing below is a plan"),
        ("uplift clear", "nothing about a second message to the same customer"),
        ("uplift unfair", "were hardly drawn by lot"),
        ("uplift REJECT by minimum", "Nothing below is a plan"),
    ],
)
def test_the_strongest_caution_stands_beside_the_verdict(name: str, caution: str) -> None:
    verdict = words(compose(STORIES[name])[0]).split("Why this verdict")[0]
    assert caution in " ".join(verdict.split())


def test_a_split_by_chance_says_nothing_of_later_months() -> None:
    words = "Customers were split by chance: this says nothing about later months. Nor does it say whom the contact"
    by_record = gallery("bank_response").split
    story = response_story()
    told_of = {}
    for name, update in {"entity": {}, "record": {"split": by_record}}.items():
        contract = story.contract.model_copy(update=update)
        columns = {key: column for key, column in contract.columns.items() if column.role != "time"}
        for timed, made in ((True, contract), (False, contract.model_copy(update={"columns": columns}))):
            caution = told(replace(story, contract=made)).caution
            assert caution is not None
            told_of[name, timed] = caution.text.startswith(words)
    assert told_of == {key: key == ("record", False) for key in told_of}
    assert len(told_of) == 4
    rejected = response_story("REJECT", stopped_by="minimum")
    caution = told(replace(rejected, contract=gallery("bank_response"))).caution
    assert caution is not None
    assert caution.text.startswith("Nothing below is a plan")


def figures(story: Story) -> list[Figure]:
    """The figures of the last section, pairs opened."""
    blocks = told(story).sections[-1].blocks
    return [figure for block in blocks if isinstance(block, Pair) for figure in block.figures]


def test_a_group_is_weaker_only_outside_the_noise() -> None:
    story = response_story()
    assert "No group is measurably weaker" in [figure.finding for figure in figures(story)]
    story.evaluation["slices"][1]["auc"] = about(0.70, 0.05)
    story.evaluation["slices"][2]["auc"] = about(0.69, 0.2)
    assert "It is weaker for channel store" in [figure.finding for figure in figures(story)]


def test_chances_that_are_off_rank_only_where_there_is_a_list() -> None:
    said = {}
    for verdict, rule in (("PROMOTE", ""), ("REJECT", "minimum")):
        story = response_story(verdict, stopped_by=rule)
        fine = figures(story)[0].finding
        assert fine == "Predicted chances can be taken at face value"
        story.evaluation["calibration"]["value"] = 0.05
        said[verdict] = figures(story)[0].finding
    assert said == {"PROMOTE": "Predicted chances are off: rank by them only", "REJECT": "Predicted chances are off"}


def test_what_the_list_reaches_is_said_in_the_verb_of_the_task() -> None:
    reached = re.compile(r"Contacting the best 40\u202f% reaches \d+\u202f% of those who respond")
    assert [figure.finding for figure in figures(response_story()) if reached.fullmatch(figure.finding)]


def test_the_way_back_fetches_what_can_be_fetched() -> None:
    story = response_story()
    file = story.contract.source.model_copy(update={"kind": "file"})
    story_of_a_file = replace(story, contract=story.contract.model_copy(update={"source": file}))
    ways = [words(compose(s)[0]).split("Get here again")[1] for s in (story, story_of_a_file)]
    assert "perennial fetch ad_response perennial run" in " ".join(ways[0].split())
    assert "dvc pull perennial run ad_response" in " ".join(ways[1].split())
    assert all("a remote that was pushed to" in way for way in ways)


def test_a_score_of_rows_kept_by_an_unknown_share_is_called_a_rank_and_no_chance() -> None:
    story = response_story(money=False)
    unknown = story.contract.model_copy(update={"sampling": Sampling(sampling_rate="unknown")})
    page, plain = (words(compose(one)[0]) for one in (replace(story, contract=unknown), story))
    for said in ("it is no chance to respond", "Norm. entropy"):
        assert said in page
        assert said not in plain
    assert "Predicted over actual: 1.02" in plain


def test_a_suspect_outweighs_every_other_caution() -> None:
    for story in (
        response_story("REJECT", stopped_by="minimum", suspects=(SUSPECT,)),
        uplift_story(fair=False, suspects=(SUSPECT,)),
    ):
        caution = told(story).caution
        assert caution is not None
        assert caution.strong == SUSPECT
    caution = told(response_story(suspects=(SUSPECT, "column 'x'"))).caution
    assert caution is not None
    assert "(1 more in the log of the split)" in caution.text


@EVERY
def test_every_figure_of_the_verdict_has_its_interval(story: Story) -> None:
    """Counts and observed or agreed shares have none; all that is estimated has."""
    told_as_they_are = {"Customers to contact", "Agreed minimum", "Respond in train", "Respond in test"}
    seen = 0
    for figure in told(story).key_figures:
        if figure.name not in told_as_they_are:
            assert re.search(r"between .+ and ", figure.note), figure
            seen += 1
    assert seen >= 1


def test_the_share_who_respond_has_the_interval_of_what_they_earned() -> None:
    """1,313 contacts at €2 that earn €5,814 ± 1,070 at €40 each: 211 responses ± 27."""
    hit = told(response_story()).key_figures[3]
    assert hit.value == "16\u202f%"
    assert hit.note == "between 14 and 18\u202f%; all customers: 8\u202f%"


@EVERY
def test_each_figure_of_a_family_has_its_interval(story: Story) -> None:
    tables = [block for section in told(story).sections for block in section.blocks if isinstance(block, Table)]
    families = next(table for table in tables if table.finding.startswith("Families on the same"))
    assert len(families.grid.rows) == 3
    for row in families.grid.rows:
        assert all(hasattr(cell, "interval") and re.fullmatch(r"\[.+, .+\]", cell.interval) for cell in row.cells[1:])
    assert [row.cells[0] for row in families.grid.rows if row.chosen] == ["Linear (chosen)"]


@EVERY
def test_deep_against_traditional_is_told_at_the_verdict(story: Story) -> None:
    said, deep = told(story), story.evaluation["deep_minus_traditional"]
    if story.contract.task.kind == "binary":
        assert "Deep − traditional, 95\u202f%" in said.picture.drawing.wide
        assert said.picture.finding == "Deep or traditional makes no measurable difference"
        return
    checks = said.why[0]
    assert isinstance(checks, Checks)
    assert checks.checks[0].question.startswith("The test was")
    first = checks.checks[1]
    assert first.detail.startswith("Deep − traditional, Qini")
    assert first.value == f"+{deep['value']:.3f}"
    assert first.interval == "[−0.001, +0.006]"


def test_deep_is_better_or_worse_only_outside_the_noise() -> None:
    found = [told(response_story(deep=about(d, 0.006))).picture.finding for d in (0.02, -0.02, 0.003)]
    assert found == [
        "The deep network ranks better than boosted trees",
        "The deep network ranks worse than boosted trees",
        "Deep or traditional makes no measurable difference",
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
    story = response_story(everyone=everyone)
    story.evaluation["profit"]["plans"][0]["profit"] = about(chosen, 500)
    figure = told(story).sections[0].blocks[0]
    assert isinstance(figure, Figure)
    assert finding in figure.finding


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
    story = uplift_story(single=single)
    story.evaluation["policy"]["against"]["response"] = about(against, 500)
    figure = told(story).sections[0].blocks[-1]
    assert isinstance(figure, Figure)
    assert finding in figure.finding


def test_the_curve_of_messages_is_in_the_unit_of_its_plans() -> None:
    story = uplift_story()
    figure = told(story).sections[0].blocks[-1]
    assert isinstance(figure, Figure)
    top = max(story.evaluation["policy"]["curves"]["choice"]["high"]) / 4.066
    ticks = re.findall(r">€(\d+(?:\.\d+)?)(k?)<", figure.drawing.wide)
    assert top <= max(float(size) * (1000 if k else 1) for size, k in ticks) < 2 * top


@EVERY
def test_rules_stand_with_their_interval_and_their_line(story: Story) -> None:
    page = words(compose(story)[0])
    section = page.split("Why this verdict")[-1].split("What ")[0]
    rules = story.decision["rules"]
    assert len(rules) >= 2
    assert section.count("against the agreed minimum") == 1
    assert f"minimum {story.contract.task.minimum:g}" in section
    assert section.count("Can the two be compared?") == sum(rule["name"] == "comparable" for rule in rules)
    assert section.count("no difference") >= sum(
        rule["name"] in {"better", "groups"} and bool(rule["interval"]) for rule in rules
    )


def of_a_log(verdict: Verdict = "PROMOTE", stopped_by: str = "") -> Story:
    """Customers at cut-offs instead of rows of a table, and no money."""
    story = response_story(verdict, stopped_by=stopped_by, champion=verdict == "HOLD", money=False)
    flow = {
        "ingest": {"in": 541909, "to": {"passed": 541909, "quarantined": 0}},
        "validate": {"in": 541909, "to": {"passed": 541909, "quarantined": 0}},
        "clean": {"in": 541909, "to": {"cancelled or adjusted": 8905, "kept": 397884, "no CustomerID": 135120}},
        "featurize": {"in": 397884, "to": {"fed": 356289, "no history before the cut-off": 41595}},
    }
    made = {stage: {"flow": {"lines": counts}} for stage, counts in flow.items()}
    made["featurize"]["cutoffs"] = {"2011-03-14": TRAIN, "2011-06-12": VAL, "2011-09-10": TEST}
    return replace(
        story, contract=gallery("customer_churn"), summaries={**story.summaries, **made}, quarantined={}, quarantine=[]
    )


def test_a_log_of_events_is_told_in_its_own_words() -> None:
    story = of_a_log()
    page = words(compose(story)[0])
    assert told(story).headline == (
        "Use this model: it finds those who buy again better than agreed, by more than chance explains."
    )
    assert [figure.name for figure in told(story).key_figures[2:]] == ["Buy again in train", "Buy again in test"]
    assert told(story).key_figures[2].note == "9,569 customers, on 4 dates"
    for said in (
        "does not say whom a message moves",
        "the chance to buy again",
        "of those who buy again",
        "who, the score",
    ):
        assert said in page, said
    for of_a_campaign in ("respond", "contact", "campaign"):
        assert of_a_campaign not in page.lower(), of_a_campaign
    assert "campaign" not in told(of_a_log("HOLD", "better")).what_to_do
    assert (
        told(of_a_log("REJECT", "minimum")).headline
        == "Do not deploy: on later rows this model is not measurably better than chance."
    )


def test_rows_of_events_are_accounted_for_and_their_units_named() -> None:
    rows = data_section(of_a_log()).blocks[0]
    assert isinstance(rows, Figure)
    assert rows.foot == (
        "They tell of customers on 3 dates, 2011-03-14 to 2011-09-10, by what was known before each: "
        "9,569 train, 3,298 val, 3,283 test."
    )
    for drawing in (rows.drawing.wide, rows.drawing.narrow):
        assert drawing is not None
        for part in ("541,909 rows read", "356,289 used", "8,905 cancelled or adjusted", "41,595 of later customers"):
            assert part in drawing, part


@EVERY
def test_rows_add_up_and_their_parts_come_in_order(story: Story) -> None:
    rows, table = data_section(story).blocks[:2]
    assert isinstance(rows, Figure)
    assert isinstance(table, Table)
    for drawing in (rows.drawing.wide, rows.drawing.narrow):
        assert drawing is not None
        named = re.findall(r">(train|val|test|later)<", drawing)
        assert named == ["train", "val", "test"]
        assert all(re.search(rf">{count:,}\b", drawing) for count in (20100, 16150, TRAIN, VAL, TEST))
    assert [row.cells[0] for row in table.grid.rows] == ["ingest", "validate", "clean", "featurize", "split"]
    for row in table.grid.rows:
        counts = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", str(row.cells[3]))]
        assert sum(counts) == int(str(row.cells[2]).replace(",", "")), row
    assert table.grid.rows[-1].cells[3] == "9,569 train, 3,298 val, 3,283 test"


@EVERY
def test_a_page_is_small_and_what_customers_wrote_is_text(story: Story) -> None:
    page = compose(story)[0]
    assert len(page.encode()) < 300_000
    assert "<script" not in page
    escaped = html.escape(BAD, quote=False)
    parts = {name: re.search(rf'id="{name}".*?</section>', page, re.S) for name in ("reasons", "data")}
    assert all(part is not None and part[0].count(escaped) >= 2 for part in parts.values())
    assert page.count("nothing loaded from elsewhere") == 1


def test_nothing_set_aside_leaves_no_empty_table() -> None:
    story = replace(response_story(), quarantined={}, quarantine=[])
    tables = [block.finding for block in data_section(story).blocks]
    assert not any("set aside" in finding or "warnings" in finding for finding in tables)
    assert "set aside in total" not in compose(story)[0]


def test_what_no_model_saw_is_listed_with_the_reason_and_no_address() -> None:
    story = response_story()
    columns = {
        **story.contract.columns,
        "late": Column(role="ignore", known="after_outcome", why="known after: call 0170 1234567"),
        "mail": Column(role="contact"),
    }
    contract = story.contract.model_copy(update={"columns": columns})
    table = next(b for b in data_section(replace(story, contract=contract)).blocks if "not used" in b.finding)
    assert isinstance(table, Table)
    told = {row.cells[0]: row.cells[1] for row in table.grid.rows}
    assert told["late"] == "known after: call •••"
    assert told["mail"] == "reaches or names a person"
    assert story.contract.target not in told


def test_a_name_begins_a_sentence_in_upper_case() -> None:
    said = told(uplift_story())
    figures = [f for block in said.sections[0].blocks if isinstance(block, Pair) for f in block.figures]
    assert [figure.finding.split(":")[0] for figure in figures[:2]] == ["Discover", "Reward"]
    assert said.key_figures[2].name == "Reward to everyone"
    assert len(figures) == 2


def test_training_that_still_helped_at_its_end_says_so() -> None:
    story = response_story()
    assert "Training stopped when it no longer helped" in compose(story)[0]
    story.summaries["train"]["best_epoch"] = 17  # type: ignore[index]
    assert "The last pass of training still helped" in compose(story)[0]


def test_a_working_copy_with_changes_promises_no_bytes() -> None:
    story = response_story()
    assert "gives the same bytes" in compose(story)[0]
    changed = replace(story, lineage={**story.lineage, "changed": "true"})
    assert "gives the same bytes" not in compose(changed)[0]
    assert "changes that are in no commit" in compose(changed)[0]


def test_a_currency_without_a_sign_is_named() -> None:
    story = response_story()
    money = story.contract.money.model_copy(update={"currency": "CHF"})
    story = replace(story, contract=story.contract.model_copy(update={"money": money}))
    assert told(story).key_figures[1].value == "CHF\u202f5,810"


def test_wide_leaks_and_their_note_stand_apart() -> None:
    """Bars of what was lost: none covers another, nor the note below them."""
    story = response_story()
    story.summaries["featurize"]["flow"]["main"]["to"] = {"fed": 6150, "not in unit.where": 13850}
    story.summaries["split"]["flow"]["units"]["to"] = {"test": 1150, "train": 4000, "val": 1000, "out_of_time": 0}
    rows = data_section(story).blocks[0]
    assert isinstance(rows, Figure)
    assert rows.drawing.narrow is not None
    for drawing in (rows.drawing.wide, rows.drawing.narrow):
        place = r'x="([\d.]+)" y="([\d.]+)" width="10" height="([\d.]+)"'
        found = re.findall(rf'<rect class="fill-(?:orange|grey)" {place}', drawing)
        middle = min(float(x) for x, *_ in found)
        bars = sorted((float(y), float(y) + float(tall)) for x, y, tall in found if float(x) == middle)
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


def test_a_lottery_that_was_not_fair_stops_in_its_own_words() -> None:
    page, headline = compose(uplift_story("HOLD", stopped_by="lottery", champion=True, fair=False))
    assert "the groups were hardly drawn by lot. Nothing changes" in headline
    assert "Were the groups drawn by lot?" in page


def test_a_version_that_was_taken_out_of_use_says_so() -> None:
    for make in (response_story, uplift_story):
        story = make("HOLD", stopped_by="rolled back", champion=True)
        page, headline = compose(story)
        assert "was taken out of use before. Nothing changes" in headline
        assert "This version was rolled back (it sold too much)" in page


def test_every_rule_of_the_gate_has_its_question_and_its_headline() -> None:
    """A rule that the gate or the promotion learns must be told in words here too."""
    names: set[str] = set()
    for module in (gate, promote):
        names |= set(re.findall(r'\bRule\(\s*name="([\w ]+)"', inspect.getsource(module)))
    of_segments = {"stability", "names", "segment"}
    of_scores = {"anew", "better", "comparable", "minimum", "groups", "lottery", "profit", "rolled back"}
    assert names == of_scores | of_segments
    assert names == set(compose_module._NAMES)
    of_scores -= {"anew"}  # it stops nothing
    assert of_scores - {"minimum"} == set(messages._HELD)
    assert of_scores - {"minimum", "lottery"} == set(shared.HELD), "only a test of messages has a lottery"
    assert {"comparable", "rolled back", "names", "segment"} == set(segments._HELD), "without stability it is no HOLD"
