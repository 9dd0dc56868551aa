"""Response page: whom to contact, what that earns, and how far to trust it."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.calibration import plot_calibration
from perennial.charts.curves import Curve, Flag
from perennial.charts.gains import plot_gains
from perennial.charts.svg import Tone
from perennial.report.context import FAMILY_NAMES, ReportContext
from perennial.report.page import Caution, Figure, KeyFigure, KeyFigures, Pair, Section
from perennial.report.pages import alerts, evidence, mistakes, profit, reasons, risk, slices, verdict
from perennial.report.pages.verdict import Action, TaskSections
from perennial.results.binary import BinaryEvaluation
from perennial.results.figures import Interval, IntervalCurve
from perennial.results.multiclass import Confusion

_TONES: tuple[Tone, ...] = ("grey", "ink", "orange")  # of the families that were not chosen, the simplest first
_PRIMARY_NAMES = {"auc": "Ranking quality (AUC)", "ap": "Ranking quality (AP)"}
Report = ReportContext[BinaryEvaluation]


def build_sections(report: Report) -> TaskSections:
    """Everything between the label line and the section on rows."""
    actions, confusion = _build_actions(report), report.evaluation.confusion
    action = actions[0] if actions else None
    ranks = "responders" if report.outcome_verb == "respond" else "customers"
    plan = "Rank customers by the score; the contract gives no money to choose a depth by."
    figures = action.key_figures if action and report.verdict == "PROMOTE" else None
    return TaskSections(
        headline=verdict.format_model_headline(report, f"ranks {ranks}", _format_rejection(report)),
        what_to_do=verdict.describe_next_step(report, action.plan if action else plan, reject="Choose customers"),
        caution=verdict.find_strongest_caution(report) or (action.caution if action else _describe_limits(report)),
        picture=verdict.draw_differences(report, "test customers"),
        key_figures=figures or _build_key_figures(report),
        sections=(
            *(one.section for one in actions),
            *([_build_mistakes_section(report, confusion)] if confusion else []),
            reasons.build_section(report, effect=f"the probability to {report.outcome_verb}"),
            _build_evidence(report),
        ),
    )


def _build_actions(report: Report) -> list[Action]:
    """What the contract asks to be decided by the score."""
    evaluation, actions = report.evaluation, []
    if evaluation.risk is not None:
        actions.append(risk.build_action(report, evaluation.risk))
    if evaluation.alerts is not None:
        actions.append(alerts.build_action(report, evaluation.alerts))
    if evaluation.profit is not None:
        actions.append(profit.build_action(report, evaluation.profit, _describe_limits(report)))
    return actions


def _format_rejection(report: Report) -> str:
    """The headline of a model that is below the agreed minimum, by what its interval allows to say."""
    auc, later = report.figure("auc"), ""
    if report.contract.split.kind in {"time", "cutoff"}:
        later = "on later rows "
    if auc.high <= 0.5:
        return f"Do not deploy: {later}this model is no better than chance."
    weakness = "not measurably better than chance" if auc.low <= 0.5 else "not as good as agreed"
    return f"Do not deploy: {later}this model is {weakness}."


def _describe_limits(report: Report) -> Caution:
    """That a score is no probability, else that a random split knows nothing of later, else that no effect is measured."""
    if _only_ranks(report):
        strong = f"it is not the probability to {report.outcome_verb}"
        text = f"The sampling rate of the rows in the file is unknown: the score ranks, {strong}."
        return Caution(text=text, strong=strong)
    strong = f"cannot tell who would {report.outcome_verb} anyway"
    effect = f"It {strong}. Measuring that needs a control group."
    split = report.contract.split
    if split.kind == "hash" and split.by != "entity" and not report.contract.find_columns("time"):
        strong = "says nothing about later months"
        return Caution(text=f"Customers were split at random, so this {strong}. {effect}", strong=strong)
    return Caution(text=f"This list finds those who {report.outcome_verb}. {effect}", strong=strong)


def _only_ranks(report: Report) -> bool:
    """Whether the share of rows that were sampled is unknown, so that no score is the probability it looks like."""
    return report.contract.sampling.sampling_rate == "unknown"


def _build_key_figures(report: Report) -> KeyFigures:
    """Four figures that a verdict without a plan rests on."""
    task = report.contract.task
    name, guessing = _PRIMARY_NAMES.get(task.primary, "Log loss"), "guessing: 0.5" if task.primary == "auc" else ""
    return (
        KeyFigure.of(name, report.figure(task.primary), n.decimal, guessing),
        KeyFigure(name="Agreed minimum", value=n.ratio(task.minimum), note="set in the contract"),
        _build_rate(report, "train"),
        _build_rate(report, "test"),
    )


def _build_rate(report: Report, part: str) -> KeyFigure:
    """The share of events among the customers of a part, and on how many dates they were looked at."""
    cutoffs = report.contract.unit.cutoffs
    dates = 1 if cutoffs is None else len(cutoffs.train if part == "train" else cutoffs.test)
    customers = f"{n.count(report.split.flow['units'].to[part])} customers"
    name, note = f"{n.capital(report.outcome_verb)} in {part}", f", on {dates} dates" if dates > 1 else ""
    return KeyFigure(name=name, value=n.share(report.split.rate[part]), note=customers + note)


def _build_mistakes_section(report: Report, confusion: Confusion) -> Section:
    """Of rows that can be read or looked at: the two answers, a probability above one half being a yes."""
    shares = slices.draw_shares_by_group(report)
    names = ("the others", f"those who {report.outcome_verb}")
    return Section(
        anchor="mistakes",
        name="What it tells apart",
        blurb="Who is taken for whom when the likelier answer is given.",
        blocks=(*([shares] if shares else []), *mistakes.build_mistakes(report, confusion, names)),
    )


def _build_evidence(report: Report) -> Section:
    evaluation, primary = report.evaluation, report.contract.task.primary
    measured = next(iter(evaluation.families.values())).test
    last = "normalised_entropy" if _only_ranks(report) else "brier"
    others = [key for key in ("auc", "ap", "ap_sample", "log_loss", last) if key != primary and key in measured]
    groups = [(f"{row.column} {row.value}", row.n, row.auc) for row in evaluation.slices if row.auc is not None]
    return evidence.build_section(
        evidence.build_families(report, [(key, n.METRIC_NAMES[key], n.decimal) for key in (primary, *others)]),
        *evidence.build_split_sensitivity(report),
        Pair(figures=(_draw_calibration(report), _draw_gains(report))),
        *slices.pair_figures(
            report,
            slices.draw_metric_by_group(report, groups, "auc", "AUC"),
            None if evaluation.confusion else slices.draw_shares_by_group(report),
        ),
    )


def _draw_calibration(report: Report) -> Figure:
    measured = report.evaluation.calibration
    finding = "Predicted probabilities can be taken at face value"
    if measured.value > measured.perfect:
        finding = "Predicted probabilities are off" + ("" if report.verdict == "REJECT" else ": rank by them only")
    if _only_ranks(report):
        finding = f"Rank by the score: it is not the probability to {report.outcome_verb}"
    gap, perfect = (n.points(figure).removeprefix("+") for figure in (measured.value, measured.perfect))
    return Figure.of(
        finding,
        f"Steps of {100 * measured.width:.0f} points, counts below, 95\u202f% intervals. Average gap {gap} points; a perfect "
        f"model would show up to {perfect} here. Predicted over actual: {n.estimate(measured.predicted_over_actual, n.ratio)}.",
        partial(plot_calibration, measured.bins, axis=f"Predicted probability to {report.outcome_verb}"),
    )


def _draw_gains(report: Report) -> Figure:
    """The share of all events among the best share of customers, of each family; the chosen one first, with its band."""
    evaluation, chosen = report.evaluation, report.evaluation.candidate.family
    depth = evaluation.profit.depth if evaluation.profit else 0.2
    others = [family for family in FAMILY_NAMES if family in evaluation.gains and family != chosen]
    best, contacted = evaluation.gains[chosen], " contacted" if evaluation.profit else ""
    reached = _format_reached(best, depth)
    flag = Flag(at=depth, text=(f"{reached} of them", f"in {n.share(depth)}"))
    curves = [Curve.of(f"{FAMILY_NAMES[chosen].lower()}, chosen", best, ends=reached, flag=flag)]
    for family, tone in zip(others, _TONES, strict=False):
        curve = evaluation.gains[family]
        ends = _format_reached(curve, depth)
        curves.append(Curve(name=FAMILY_NAMES[family].lower(), x=curve.x, y=curve.value, ends=ends, tone=tone))
    top = Interval(value=best.value[10], low=max(best.low[10], 0.0), high=min(best.high[10], 1.0))
    does = f"Contacting the best {n.share(depth)} reaches" if contacted else f"The best {n.share(depth)} hold"
    return Figure.of(
        f"{does} {reached} of those who {report.outcome_verb}",
        f"Cumulative gains on the test set. The top {n.share(0.1)} of customers hold {n.estimate(top, n.share)} of them.",
        partial(plot_gains, curves, axis=f"Share of customers{contacted}, best first", key=f"at {n.share(depth)}"),
    )


def _format_reached(curve: IntervalCurve, depth: float) -> str:
    return n.share(curve.value[round(depth * 100)])
