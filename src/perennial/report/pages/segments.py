"""A report of segments in, its words and charts out: which groups there are, what to say to each, whether they hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from perennial.contract.serving import feature_columns
from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Row, inline, interval_rows
from perennial.report.charts.svg import Drawing, Tone
from perennial.report.context import ReportContext, capital
from perennial.report.page import (
    Block,
    Card,
    Cards,
    Caution,
    Column,
    Estimate,
    Figure,
    Grid,
    KeyFigure,
    Pair,
    Section,
    Table,
    TableRow,
    Trait,
    heads,
)
from perennial.report.pages.halves import WORDS, agreement, by_k, steady, two
from perennial.report.pages.shared import go_on, people, strongest_caution
from perennial.report.task_sections import TaskSections
from perennial.results.clustering import (
    CategoryProfile,
    ClusteringEvaluation,
    ItemProfile,
    NumberProfile,
    SegmentProfile,
)
from perennial.results.decision import RuleName
from perennial.results.figures import Interval

_TONES: tuple[Tone, ...] = ("blue", "orange", "grey", "ink")
_TRAITS, _DOUBLINGS = 6, 3.0  # columns of a card; as far as its bars reach, in doublings
_MESSAGES = {
    "Champions": "Thank you, and a first look at what is new: you see it before everyone else.",
    "Loyal customers": "Thank you for coming back: here is what goes with what you bought last.",
    "Big spenders": "Something of your own: a person who knows your orders, and delivery on your day.",
    "Promising customers": "A second order within the month: what others took next after yours.",
    "New or rare customers": "Welcome: three things that others came back for.",
    "Occasional customers": "Your last order was a while ago: here is what would match it.",
    "At risk": "We have not seen you lately: is there something we should do better?",
    "Lost customers": "Shall we stay in touch? One idea a season, or none: you choose.",
}


def build_sections(report: ReportContext[ClusteringEvaluation]) -> TaskSections:
    """Everything between the label line and the section on rows."""
    return TaskSections(
        verdict=report.verdict,
        headline=_headline(report),
        what_to_do=_what_to_do(report),
        caution=strongest_caution(report) or _CAUTION,
        picture=_picture(report),
        key_figures=_key_figures(report),
        why=(),
        sections=(_action(report), _reasons(report), _trust(report)),
    )


_HOLDS = {
    RuleName.COMPARABLE: "the new ones cannot be compared with them",
    RuleName.ROLLED_BACK: "the new ones were taken out of use before",
    RuleName.LABEL_RETENTION: "too many customers would change their name",
    RuleName.SEGMENT_RETENTION: "one group would lose too many of its customers",
}


def _headline(report: ReportContext[ClusteringEvaluation]) -> str:
    match report.verdict:
        case "PROMOTE":
            return (
                f"Use these {report.evaluation.k} segments: they come out the same from other halves of the customers."
            )
        case "HOLD":
            rule = report.decision.stopped_by or RuleName.COMPARABLE
            return f"Keep the segments in use: {_HOLDS.get(rule, _HOLDS[RuleName.COMPARABLE])}."
        case _:
            return "Do not build on these segments: other halves of the customers make other ones."


def _what_to_do(report: ReportContext[ClusteringEvaluation]) -> str:
    match report.verdict:
        case "PROMOTE":
            return "Send each group its own message, and keep some of each without one to see what it changes."
        case "HOLD":
            return go_on(report, "the names that customers have")
        case _:
            return "Treat customers by what they do one by one; groups that chance drew would be others next month."


_CAUTION = Caution(
    text="Segments describe customers; they do not show that a message works. Test each message against customers who "
    "receive none.",
    strong="they do not show that a message works",
)


def _picture(report: ReportContext[ClusteringEvaluation]) -> Figure:
    """Each need of the verdict as an interval against its own line."""
    rows = [
        Row(
            name=_NEEDS[rule.name], interval=rule.interval, line=rule.line, note=f"{rule.line:g} is needed",
            standing="deciding",
        )
        for rule in report.decision.rules
        if rule.interval is not None
    ]  # fmt: skip
    if not rows:  # a version that was rolled back is not measured again
        minimum = report.contract.task.minimum
        index = report.evaluation.agreement(report.evaluation.k).reported.index
        name, note = _NEEDS[RuleName.STABILITY], f"{minimum:g} is needed"
        rows = [Row(name=name, interval=index, line=minimum, note=note, standing="deciding")]
    finding = "Stable enough to give names" if report.verdict == "PROMOTE" else "Not stable enough to give names"
    if report.verdict == "HOLD":
        finding = (
            "The groups hold, the names do not"
            if report.decision.stopped_by in {RuleName.LABEL_RETENTION, RuleName.SEGMENT_RETENTION}
            else "They hold"
        )
    drawing = interval_rows(rows, [], partial(n.decimal, places=2), label=finding)
    return Figure(
        finding=finding, described="1: the same. Upright line: what is needed.", drawing=Drawing(wide=drawing)
    )


_NEEDS = {
    RuleName.STABILITY: "Halves agree",
    RuleName.LABEL_RETENTION: "Names kept",
    RuleName.SEGMENT_RETENTION: "Least kept segment",
}


def _key_figures(report: ReportContext[ClusteringEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    found, k = report.evaluation.segments, report.evaluation.k
    index = report.evaluation.agreement(k).reported.index
    top = max(found, key=lambda one: one.amount_share or one.share)
    part, of = ("of the money", top.amount_share) if top.amount_share else ("of customers", top.share)
    more = next((row for row in report.evaluation.by_k if row.k == k + 1), None)
    note = f"{k + 1} agree by {n.decimal(more.reported.index.value, 2)} only" if more else "the most that was tried"
    if more and more.reported.index.value >= index.value:
        note = f"{k + 1} agree by {n.decimal(more.reported.index.value, 2)}"
    return (
        KeyFigure(name="Customers", value=n.count(report.evaluation.customers), note="each in one segment"),
        KeyFigure(name="Segments", value=str(k), note=note),
        KeyFigure(name=f"“{top.name}”", value=n.share(of), note=f"{part}, {n.count(top.n)} customers"),
        KeyFigure(name="Agreement of halves", value=n.decimal(index.value, 2), note=n.between(index, two)),
    )


def _action(report: ReportContext[ClusteringEvaluation]) -> Section:
    """A card a segment, and their sizes."""
    name, blurb = "What they are like", "No plan: the segments are shown so that the verdict can be checked."
    if report.verdict == "PROMOTE":
        name, blurb = "What to do", "Whom to write to, and what to say."
    cards = Cards(
        finding=_finding(report),
        described="Bars show the mean against that of all customers on a doubling scale: right of the line is more.",
        cards=tuple(_card(report, one, _TONES[i % len(_TONES)]) for i, one in enumerate(report.evaluation.segments)),
    )
    blocks: list[Block] = [cards, _sizes(report)]
    if report.evaluation.purchase_clusters:
        blocks.append(_tastes(report))
    if report.evaluation.moves is not None:
        blocks.append(_moves(report))
    return Section(anchor="action", name=name, blurb=blurb, blocks=tuple(blocks))


def _finding(report: ReportContext[ClusteringEvaluation]) -> str:
    found = report.evaluation.segments
    top = max(found, key=lambda one: one.amount_share or one.share)
    if top.amount_share:
        return f"{n.share(top.share)} of customers, “{top.name}”, bring {n.share(top.amount_share)} of the money"
    return f"The greatest of {len(found)} groups, “{top.name}”, has {n.share(top.share)} of customers"


def _card(report: ReportContext[ClusteringEvaluation], one: SegmentProfile, tone: Tone) -> Card:
    shares = [(n.share(one.share), f"{n.count(one.n)} customers")]
    if one.amount_share is not None and one.amount is not None:
        shares.append((n.share(one.amount_share), f"{n.money(one.amount, report.symbol)} in all"))
    words = [("Typical customer", _typical(report, one.numbers))]
    if one.categories:
        words.append(("More often than others", _often(report, one.categories)))
    if one.items:
        words.append(("What they buy", _bought(one.items)))
    return Card(
        name=one.name, alias="", tone=tone, shares=tuple(shares), words=tuple(words),
        traits=tuple(_trait(report, *pair) for pair in _strongest(one.numbers)),
        message=_message(one.name) if report.verdict == "PROMOTE" else "",
    )  # fmt: skip


def _strongest(numbers: Sequence[NumberProfile]) -> list[tuple[NumberProfile, float]]:
    """The columns whose mean is farthest from that of all, with its ratio to it, in the order of the contract."""
    ratios = [(number, number.index) for number in numbers if number.index]
    far = sorted(ratios, key=lambda pair: -abs(math.log2(pair[1])))[:_TRAITS]
    return [pair for pair in ratios if pair in far]


def _trait(report: ReportContext[ClusteringEvaluation], number: NumberProfile, index: float) -> Trait:
    reach = min(max(math.log2(index), -_DOUBLINGS), _DOUBLINGS)
    label, value = _labels(report)[number.column], f"{n.decimal(index, 2 if index < 10 else 0)} ×"
    bar = inline(
        Interval(value=reach, low=reach, high=reach), (-_DOUBLINGS, _DOUBLINGS), label=f"{label}: {value}", filled=True
    )
    return Trait(name=capital(label), bar=bar, value=value)


def _typical(report: ReportContext[ClusteringEvaluation], numbers: Sequence[NumberProfile]) -> str:
    """The medians, with the span of the middle half."""
    labels = _labels(report)
    medians = [
        f"{labels[number.column]} {_figure(number.median)} ({_figure(number.low)} to {_figure(number.high)})"
        for number, _ in _strongest(numbers)
        if number.median is not None and number.low is not None and number.high is not None
    ]
    return capital("; ".join(medians)) + ". Median, and the middle half."


def _often(report: ReportContext[ClusteringEvaluation], categories: Sequence[CategoryProfile]) -> str:
    labels = _labels(report)
    told = sorted(categories, key=lambda one: -one.lift)[:3]
    words = [
        f"{labels[one.column]} {one.value} ({n.share(one.share)}, {n.decimal(one.lift, 1)} × as often)" for one in told
    ]
    return capital("; ".join(words)) + "."


def _bought(items: Sequence[ItemProfile]) -> str:
    return "; ".join(f"{item.item} ({n.decimal(item.lift, 1)} × as often)" for item in items) + "."


def _message(name: str) -> str:
    usual = next((text for start, text in _MESSAGES.items() if name.startswith(start)), None)
    return usual or f"Begin with what sets them apart: {name[:1].lower()}{name[1:]}."


def _sizes(report: ReportContext[ClusteringEvaluation]) -> Table:
    with_money = all(one.amount_share is not None for one in report.evaluation.segments)
    names = ["Customers", "Of all", *(["Of the money", "A customer, on average"] if with_money else []), "Halves agree"]
    rows = []
    for one in report.evaluation.segments:
        firm = one.stability
        money = (
            [n.share(one.amount_share or 0.0), n.money((one.amount or 0.0) / max(one.n, 1), report.symbol)]
            if with_money
            else []
        )
        cells = (n.count(one.n), n.share(one.share), *money)
        rows.append(TableRow(cells=(one.name, *cells, Estimate(value=n.share(firm.value), interval=_ends(firm)))))
    return Table(
        finding="How large the groups are, and how firmly customers belong to them",
        described="Last column: test customers of a segment whom a model of half the customers puts there too, with range.",
        grid=Grid(columns=heads("Segment", *names), rows=tuple(rows)),
    )


def _tastes(report: ReportContext[ClusteringEvaluation]) -> Table:
    """What customers buy, beside what they are worth: two labels of each."""
    names = [one.name for one in report.evaluation.segments]
    rows = tuple(
        TableRow(
            cells=(
                "; ".join(item.item for item in taste.items) or "a little of everything",
                n.count(taste.n),
                n.share(taste.share),
                *(n.share(share) for share in taste.segment_shares),
            )
        )
        for taste in report.evaluation.purchase_clusters
    )
    return Table(
        finding=f"{WORDS.get(len(rows), len(rows))} tastes, a second label: what to offer, not how much to spend on it",
        described="Groups of customers who buy alike, named by the items that they buy more often than others.",
        grid=Grid(
            columns=heads("What they buy", "Customers", "Of all", *(f"Of “{name}”" for name in names)), rows=rows
        ),
    )


def _moves(report: ReportContext[ClusteringEvaluation]) -> Table:
    """Where customers of an earlier date are now: of their own, since the model is the same."""
    moves, names = report.evaluation.moves, [one.name for one in report.evaluation.segments]
    assert moves is not None
    moved = moves.moved
    rows = tuple(
        TableRow(cells=(name, n.count(sum(counts)), *(n.share(c / max(sum(counts), 1)) for c in counts)), chosen=False)
        for name, counts in zip(names, moves.counts, strict=True)
    )
    return Table(
        finding=f"{n.share(moved.value)} of customers moved by themselves from {moves.from_date} to {moves.to_date}",
        described=f"By one model on both days, 95\u202f% interval {n.bracket(moved, n.share)}: they bought, or time went "
        "by. What a new version changes beside that is told under “Why this verdict”.",
        grid=Grid(columns=heads("Then", "Customers", *(f"Now “{name}”" for name in names)), rows=rows),
    )


def _reasons(report: ReportContext[ClusteringEvaluation]) -> Section:
    important = report.explain.importance
    rows = [TableRow(cells=(capital(one.label), n.share(one.share))) for one in important]
    table = Table(
        finding=f"What decides most: {important[0].label}",
        described="Share of each column in being nearer to one's own centre than to the second nearest; test customers.",
        grid=Grid(columns=(Column(name="Column"), Column(name="Share", right=True)), rows=tuple(rows)),
        foot="Distances are sums over columns, so these parts are exact.",
    )
    return Section(
        anchor="reasons",
        name="Why a customer is here" if report.verdict == "PROMOTE" else "What it goes by",
        blurb="What the groups go by, in words.",
        blocks=(table, people(report)),
    )


def _trust(report: ReportContext[ClusteringEvaluation]) -> Section:
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb="For data scientists. On test customers, by models that saw half of the others.",
        blocks=(Pair(figures=(by_k(report), steady(report))), agreement(report)),
    )


def _figure(value: float) -> str:
    return n.count(value) if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def _ends(found: Interval) -> str:
    return n.bracket(found, n.share)


def _labels(report: ReportContext[ClusteringEvaluation]) -> dict[str, str]:
    return {feature.name: feature.label for feature in feature_columns(report.contract)}
