"""Segments page: which groups there are, what to say to each, and whether they are stable."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.intervals import Row, plot_intervals
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Cell, Estimate, Figure, KeyFigure, KeyFigures, PageBlock, Pair, Section, Table, heads
from perennial.report.pages import evidence, reasons, verdict
from perennial.report.pages.segment_cards import build_cards, find_top_segment
from perennial.report.pages.stability import NUMBERS, build_agreement, draw_stability_by_k, draw_stability_by_segment
from perennial.report.pages.verdict import TaskSections
from perennial.results.clustering import ClusteringEvaluation, SegmentMoves
from perennial.results.decision import RuleName

_NEEDS = {
    RuleName.STABILITY: "Halves agree",
    RuleName.LABEL_RETENTION: "Names retained",
    RuleName.SEGMENT_RETENTION: "Least retained segment",
}
Report = ReportContext[ClusteringEvaluation]


def build_sections(report: Report) -> TaskSections:
    """Everything between the label line and the section on rows."""
    strong = "they do not show that a message works"
    limits = f"Segments describe customers; {strong}. Test each message against customers who receive none."
    return TaskSections(
        headline=verdict.format_headline(
            report,
            use=f"Use these {report.evaluation.k} segments: other halves of the customers give the same ones.",
            keep="Keep the current segments",
            new="the new segmentation",
            poor="Do not deploy these segments: other halves of the customers give other ones.",
        ),
        what_to_do=_describe_next_step(report),
        caution=verdict.find_strongest_caution(report) or Caution(text=limits, strong=strong),
        picture=_draw_needs(report),
        key_figures=_build_key_figures(report),
        sections=(_build_action(report), _build_reasons(report), _build_evidence(report)),
    )


def _describe_next_step(report: Report) -> str:
    if report.verdict == "REJECT":
        return "Treat customers by what they do one by one; groups that arose by chance would differ next month."
    plan = "Send each group its own message, and keep some of each without one to see what it changes."
    return verdict.describe_next_step(report, plan, reject="", keep="the names that customers have")


def _draw_needs(report: Report) -> Figure:
    """Each need of the verdict as an interval against its own line."""
    measured = [(rule.name, rule.interval, rule.line) for rule in report.decision.rules if rule.interval is not None]
    if not measured:  # a version that was rolled back is not measured again
        index = report.evaluation.agreement(report.evaluation.k).reported.index
        measured = [(RuleName.STABILITY, index, report.contract.task.minimum)]
    rows = [
        Row(name=_NEEDS[name], interval=interval, line=line, note=f"{line:g} is needed", standing="deciding")
        for name, interval, line in measured
    ]
    finding = "Stable enough to give names" if report.verdict == "PROMOTE" else "Not stable enough to give names"
    if report.verdict == "HOLD":
        changes_names = report.decision.stopped_by in {RuleName.LABEL_RETENTION, RuleName.SEGMENT_RETENTION}
        finding = "The groups are stable, the names are not" if changes_names else "The groups are stable"
    described = "1: the same. Upright line: what is needed."
    return Figure.of(finding, described, partial(plot_intervals, rows, None, n.ratio))


def _build_key_figures(report: Report) -> KeyFigures:
    evaluation, k, top = report.evaluation, report.evaluation.k, find_top_segment(report.evaluation.segments)
    index = evaluation.agreement(k).reported.index
    part, of = ("of the money", top.amount_share) if top.amount_share else ("of customers", top.share)
    note = "the most that was tried"
    if more := next((row.reported.index.value for row in evaluation.by_k if row.k == k + 1), None):
        note = f"{k + 1} agree by {n.ratio(more)}{' only' if more < index.value else ''}"
    return (
        KeyFigure(name="Customers", value=n.count(evaluation.customers), note="each in one segment"),
        KeyFigure(name="Segments", value=str(k), note=note),
        KeyFigure(name=f"“{top.name}”", value=n.share(of), note=f"{part}, {n.count(top.n)} customers"),
        KeyFigure.of("Agreement of halves", index, n.ratio),
    )


def _build_action(report: Report) -> Section:
    """A card a segment, their sizes, what customers buy, and who moved."""
    otherwise = "What they are like", "No plan: the segments are shown so that the verdict can be checked."
    blocks: list[PageBlock] = [build_cards(report), _build_sizes(report)]
    if report.evaluation.purchase_clusters:
        blocks.append(_build_purchase_clusters(report))
    if report.evaluation.moves is not None:
        blocks.append(_build_moves(report, report.evaluation.moves))
    return verdict.build_action_section(report, "Whom to write to, and what to say.", otherwise, *blocks)


def _build_sizes(report: Report) -> Table:
    segments = report.evaluation.segments
    amounts = [(one.amount, one.amount_share) for one in segments]
    has_money = all(share is not None for _, share in amounts)
    rows: list[list[Cell]] = []
    for one, (amount, share) in zip(segments, amounts, strict=True):
        mean = report.money((amount or 0.0) / max(one.n, 1))
        money = [n.share(share or 0.0), mean] if has_money else []
        stable = Estimate.of(one.stability, n.share)
        rows.append([one.name, n.count(one.n), n.share(one.share), *money, stable])
    money_names = ["Of the money", "A customer, on average"] if has_money else []
    return Table.of(
        "How large the groups are, and how firmly customers belong to them",
        heads("Segment", "Customers", "Of all", *money_names, "Halves agree"),
        rows,
        described="Last column: test customers of a segment that a model of half the customers puts there too, with range.",
    )


def _build_purchase_clusters(report: Report) -> Table:
    """What customers buy, beside what they are worth: two labels of each."""
    clusters = report.evaluation.purchase_clusters
    rows = (
        (
            "; ".join(item.item for item in one.items) or "a little of everything",
            n.count(one.n),
            n.share(one.share),
            *(n.share(share) for share in one.segment_shares),
        )
        for one in clusters
    )
    number = NUMBERS.get(len(clusters), len(clusters))
    return Table.of(
        f"{number} purchase clusters, a second label: what to offer, not how much to spend on it",
        heads("What they buy", "Customers", "Of all", *(f"Of “{one.name}”" for one in report.evaluation.segments)),
        rows,
        described="Groups of customers who buy alike, named by the items that they buy more often than others.",
    )


def _build_moves(report: Report, moves: SegmentMoves) -> Table:
    """The segments now of customers of an earlier date, by the same model on both days."""
    names = [one.name for one in report.evaluation.segments]
    rows = (
        (name, n.count(sum(counts)), *(n.share(count / max(sum(counts), 1)) for count in counts))
        for name, counts in zip(names, moves.counts, strict=True)
    )
    return Table.of(
        f"{n.share(moves.moved.value)} of customers moved by themselves from {moves.from_date} to {moves.to_date}",
        heads("Then", "Customers", *(f"Now “{name}”" for name in names)),
        rows,
        described=f"By one model on both days, 95\u202f% interval {n.bracket(moves.moved, n.share)}: they bought, or time went "
        "by. “Why this verdict” says what a new version changes beside that.",
    )


def _build_reasons(report: Report) -> Section:
    important = report.explain.importance
    table = Table.of(
        f"What decides most: {important[0].label}",
        heads("Column", "Share"),
        ((n.capital(one.label), n.share(one.share)) for one in important),
        described="Share of each column in being nearer to one's own centre than to the second nearest; test customers.",
        foot="Distances are sums over columns, so these parts are exact.",
    )
    return Section(
        anchor="reasons",
        name="Why a customer is here" if report.verdict == "PROMOTE" else "What it goes by",
        blurb="What the groups go by, in words.",
        blocks=(table, reasons.build_cases(report)),
    )


def _build_evidence(report: Report) -> Section:
    pair = Pair(figures=(draw_stability_by_k(report), draw_stability_by_segment(report)))
    blurb = "On test customers, by models that saw half of the others."
    return evidence.build_section(pair, build_agreement(report), blurb=blurb)
