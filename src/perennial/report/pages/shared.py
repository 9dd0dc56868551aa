"""Blocks that every task shows alike: reasons, people, training curve, families."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.contract.serving import build_head
from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, training
from perennial.report.charts.intervals import Line, Row, inline, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import FAMILY_NAMES, LOWER_IS_BETTER, METRIC_NAMES, AnyReport, capital
from perennial.report.page import (
    Block,
    Caution,
    Estimate,
    Figure,
    Grid,
    Heat,
    HeatCell,
    HeatRow,
    People,
    Person,
    Reason,
    Reasons,
    Section,
    Shade,
    Table,
    TableRow,
    heads,
)
from perennial.report.pages import words
from perennial.report.pages.words import MARKS, quotes
from perennial.report.seen import Photo, Photos
from perennial.results.baseline import SplitSensitivity
from perennial.results.decision import RuleName
from perennial.results.evaluation import PairedDifference
from perennial.results.explain import GroupEffect
from perennial.results.families import FAMILIES
from perennial.results.figures import Interval

_GROUPS = 8


def reasons_section(report: AnyReport, *, effect: str, unit: str = "Log odds") -> Section:
    """What the model goes by, for groups and for single customers. `effect` says what a part adds to, in `unit`s."""
    is_a_list = report.verdict == "PROMOTE" and report.contract.task.kind != "multiclass"
    return Section(
        anchor="reasons",
        name="Why these customers" if is_a_list else "What it goes by",
        blurb="What the model goes by, in words.",
        blocks=(*words.blocks(report, unit), *_groups(report, effect, unit), people(report)),
    )


def action_section(report: AnyReport, what: str, own: str, *blocks: Block) -> Section:
    """What to do; without a promotion no plan, but what the model's own one (`own`) earned."""
    name, blurb = "What it would earn", f"No plan: what its own {own} earned on the test customers."
    if report.verdict == "PROMOTE":
        name, blurb = "What to do", what
    return Section(anchor="action", name=name, blurb=blurb, blocks=blocks)


def strongest_caution(report: AnyReport) -> Caution | None:
    """What outweighs whatever a task has to say: a suspect among the columns; that a rejected model makes no plan."""
    suspects = report.split.leakage_suspects
    if suspects:
        more = f" ({len(suspects) - 1} more in the log of the split)" if len(suspects) > 1 else ""
        return Caution(text=f"A suspect is among the columns: {suspects[0]}{more}", strong=suspects[0])
    if report.verdict == "REJECT":
        return Caution(text="Nothing below is a plan: it is shown so that the verdict can be checked.")
    return None


def split_by_chance(report: AnyReport) -> bool:
    """Whether test rows were drawn from the same months as those trained on, and nothing tells which those are."""
    split = report.contract.split
    return split.kind == "hash" and split.by != "entity" and not report.contract.find_columns("time")


def _deep(report: AnyReport) -> PairedDifference:
    """Every task with an outcome has a deep family."""
    assert report.evaluation.deep_minus_traditional is not None
    return report.evaluation.deep_minus_traditional


def deep_words(report: AnyReport) -> str:
    """Whether the deep network beats the best traditional family, in a sentence."""
    deep = _deep(report)
    rival = FAMILIES[deep.traditional].phrase
    if deep.gain.low > 0:
        return f"The deep network ranks better than {rival}"
    if deep.gain.high < 0:
        return f"The deep network ranks worse than {rival}"
    return "Deep or traditional makes no measurable difference"


def difference_figure(report: AnyReport, rows: str) -> Figure:
    """Deep against traditional, and the rule that decided, as intervals of one difference; `rows` names the test rows."""
    deep = _deep(report)
    gains = (rule.interval for rule in report.decision.rules if rule.name == RuleName.IMPROVEMENT and rule.interval)
    gain = next(gains, None)
    shown = [Row(name="New − in use, 99\u202f%", interval=gain, standing="deciding")] if gain else []
    shown.append(Row(name="Deep − traditional, 95\u202f%", interval=deep.gain, standing="reference"))
    finding = deep_words(report)
    drawing = Drawing(wide=interval_rows(shown, [Line(at=0, name="no difference")], n.difference, label=finding))
    name = _DIFFERENCES.get(deep.metric, METRIC_NAMES[deep.metric])
    less = ", less is above 0," if deep.metric in LOWER_IS_BETTER else ""
    described = f"Difference in {name}{less} on the same {n.count(report.evaluation.rows['test'])} {rows}"
    return Figure(finding=finding, described=described, drawing=drawing)


_DIFFERENCES = {
    "auc": "ranking quality (AUC)", "ap": "ranking quality (AP)", "log_loss": "log loss", "gini_norm": "ranking quality (Gini)",
    "accuracy": "accuracy", "macro_f1": "mean F1", "mae": "mean absolute error",
}  # fmt: skip


def split_sensitivity(report: AnyReport) -> list[Block]:
    """What other splits and suspect columns would have told, one boosted fit a cell; empty where nothing else is possible."""
    table = report.baseline.split_sensitivity
    if table is None or (reported := table.reported_cell) is None:
        return []
    rows = []
    for i, (line, cells) in enumerate(zip(table.rows, table.cells, strict=True)):
        shown = [
            _cell_of(cell, reported, table.metric, is_reported=(i, j) == table.reported) for j, cell in enumerate(cells)
        ]
        rows.append(
            HeatRow(
                name=_SPLITS[line], cells=tuple(shown), note="used in this report" if i == table.reported[0] else ""
            )
        )
    names = tuple("As reported" if not column else f"With {', '.join(column)}" for column in table.columns)
    finding = _split_sensitivity_finding(table, reported)
    metric = METRIC_NAMES[table.metric]
    described = (
        f"{metric} of one boosted model a cell, made for this table alone, 95\u202f% intervals. "
        "Orange: worse than as reported. Blue: better."
    )
    return [
        Heat(anchor="both-ways", finding=finding, described=described, columns=names, rows=tuple(rows), corner="Split")
    ]


_SPLITS = {
    "random": "At random",
    "entity": "By customer",
    "time": "By time",
    "given": "As given",
    "file": "In file order",
}


def _split_sensitivity_finding(table: SplitSensitivity, reported: Interval) -> str:
    """The cell that differs most from what is reported, among those whose interval does not reach it."""
    others = [
        (abs(cell.value - reported.value), _SPLITS[line], column, cell.value)
        for line, cells in zip(table.rows, table.cells, strict=True)
        for column, cell in zip(table.columns, cells, strict=True)
        if cell is not None and _differs(cell, reported)
    ]
    if not others:
        return "Another split would have told the same"
    _, line, column, value = max(others, key=lambda other: other[0])
    with_words = f", with {', '.join(column)}," if column else ""
    return f"{line}{with_words} it would be {n.decimal(value, 2)}; as reported {n.decimal(reported.value, 2)}"


def _differs(cell: Interval, reported: Interval) -> bool:
    return not cell.low <= reported.value <= cell.high


def _cell_of(cell: Interval | None, reported: Interval, metric: str, *, is_reported: bool) -> HeatCell:
    if cell is None:
        return HeatCell(value="too few of an outcome", shade="impossible")
    gap = cell.value - reported.value
    is_better = gap < 0 if metric in LOWER_IS_BETTER else gap > 0
    look: Shade = (
        "reported" if is_reported else "plain" if not _differs(cell, reported) else "flatters" if is_better else "worse"
    )
    note = "what is reported" if is_reported else n.difference(gap)
    return HeatCell(value=n.decimal(cell.value), interval=n.bracket(cell, n.decimal), note=note, shade=look)


HOLDS = {
    RuleName.IMPROVEMENT: "the new one is not measurably better",
    RuleName.COMPARABLE: "the new one cannot be compared with it",
    RuleName.ROLLED_BACK: "the new one was taken out of use before",
    RuleName.PROFIT: "the new list earns measurably less",
    RuleName.SLICES: "the new one serves some customers measurably worse",
}


def model_headline(report: AnyReport, *, better: str, first: str, poor: str) -> str:
    """The verdict on a model as an order: how a `better` one, the `first` one and a `poor` one are told of."""
    match report.verdict:
        case "PROMOTE":
            use = f"Use this model: it {first}" if report.is_first else f"Use the new model: it {better}"
            return f"{use}, by more than chance explains."
        case "HOLD":
            return f"Keep the current model: {HOLDS[report.decision.stopped_by or RuleName.IMPROVEMENT]}."
        case _ if report.decision.stopped_by == RuleName.IMPROVEMENT:
            return "Do not deploy: the new model is measurably worse than the one in use."
        case _:
            return f"Do not deploy: {poor}."


def go_on(report: AnyReport, with_what: str = "the model in use") -> str:
    """What a HOLD leaves to do, and the way out where only a person can say that another question was meant."""
    way_out = (
        f" If the change is meant: perennial promote {report.name} --override-incomparable WHY."
        if report.decision.stopped_by == RuleName.COMPARABLE
        else ""
    )
    return f"Nothing changes: go on with {with_what}.{way_out}"


def training_figure(report: AnyReport) -> Figure:
    curve, best = report.train.curve, report.train.best_epoch
    head = build_head(report.contract)
    loss = "Loss" if head.amounts or head.task == "regression" else "Log loss"
    helped = best == curve[-1].epoch
    x = [row.epoch for row in curve]
    curves = [
        Curve(name="validation", x=x, y=[row.val_loss for row in curve], tone="orange",
              flag=Flag(at=best, says=(f"kept: pass {best}",))),
        Curve(name="training", x=x, y=[row.train_loss for row in curve], tone="grey"),
    ]  # fmt: skip
    return Figure(
        finding="The last pass of training still helped" if helped else "Training stopped when it no longer helped",
        described=f"{loss} of the deep network; lower is better.",
        drawing=Drawing(
            wide=training(
                curves, n.decimal, label=f"{loss} by pass; kept pass {best}", axis="Pass over the training data"
            )
        ),
    )


def _chosen(report: AnyReport) -> str:
    """On which rows the choice was made: those of test have no say in it, or their figures would flatter."""
    candidate = report.evaluation.candidate
    family, best = (FAMILY_NAMES[name].lower() for name in (candidate.family, candidate.best))
    within = "was the best" if family == best else f"was within one standard error of the best, {best}"
    return f"Chosen on the validation part, where {family} {within}."


def families_table(report: AnyReport, columns: Sequence[tuple[str, str, n.Format]], finding: str) -> Table:
    """All families on the same test rows; `columns` has a metric's key, its name and its form, the primary first."""
    families = report.evaluation.families
    candidate = report.evaluation.candidate.family
    deep = _deep(report)
    rows = report.evaluation.rows["test"]
    difference = n.estimate(deep.gain, n.difference)
    return Table(
        finding=finding,
        described=f"Test set, {n.count(rows)} customers. {_chosen(report)} Deep − {FAMILY_NAMES[deep.traditional].lower()}: "
        f"{difference} {METRIC_NAMES[deep.metric]}.",
        grid=Grid(
            columns=heads("Family", *(name for _, name, _ in columns)),
            rows=tuple(
                TableRow(
                    cells=(
                        FAMILY_NAMES[family] + (" (chosen)" if family == candidate else ""),
                        *(Estimate.of(figures.test[key], show) for key, _, show in columns),
                    ),
                    chosen=family == candidate,
                )
                for family, figures in sorted(families.items(), key=lambda item: list(FAMILY_NAMES).index(item[0]))
            ),
        ),
    )


def _groups(report: AnyReport, effect: str, unit: str) -> list[Reasons]:
    """The strongest groups, at most two a column, as changes of the link score; none where there are but texts and photos."""
    taken: list[GroupEffect] = []
    for group in report.explain.groups:
        if sum(other.column == group.column for other in taken) < 2 and len(taken) < _GROUPS:
            taken.append(group)
    if not taken:
        return []
    width = max((abs(group.effect) for group in taken), default=1.0)
    most = report.explain.importance
    finding = f"{capital(most[0].label)} and {most[1].label} matter most" if len(most) > 1 else "What matters"
    error, spread = report.explain.completeness_error, report.explain.spread
    exact = (
        "Parts are exact."
        if error == 0
        else f"Parts add up to the score but for {error:.2f} of {spread:.2f} on average."
    )
    return [Reasons(
        finding=finding,
        described=f"Average change in {effect} ({unit[:1].lower()}{unit[1:]}) against the average. Blue raises, orange lowers.",
        unit=unit,
        reasons=tuple(
            Reason(
                when=capital(group.words),
                rather="",
                applies=n.share(group.share),
                bar=inline(
                    Interval(value=group.effect, low=group.effect, high=group.effect), (-width, width),
                    label=f"{n.difference(group.effect, 2)} {unit}", filled=True,
                ),
                change=n.difference(group.effect, 2),
                interval=f"{n.count(group.n)} customers",
            )
            for group in taken
        ),
        foot=f"These are patterns in past data, not causes. {exact}",
    )]  # fmt: skip


def people(report: AnyReport) -> People | Photos:
    """Some customers with their scores and reasons, or some photos with what was gone by."""
    if report.customers and all(row.heat for row in report.customers):
        return _photos(report)
    found = []
    for row in report.customers:
        raises, _, lowers = row.reasons.partition("; but ")
        person = Person(row=row.row, score=row.score, reasons=capital(raises), but=lowers, quotes=quotes(row.quotes))
        found.append(person)
    which = "the record in the file" if report.contract.columns else "who"
    listed = "Each customer on the list comes with reasons"
    if report.contract.money.gain_if_good is not None:
        listed = "Each refused applicant comes with the four strongest reasons against"
    return People(
        finding=listed if report.verdict == "PROMOTE" else "Each score comes with reasons",
        described=f"{len(found)} of the test customers: {which}, the score, what moved it most."
        + (f" {MARKS}" if any(person.quotes for person in found) else ""),
        people=tuple(found),
    )


def _photos(report: AnyReport) -> Photos:
    shown = [
        Photo(row=row.row, title=row.score, note="", photo=row.photo or b"", heat=row.heat) for row in report.customers
    ]
    return Photos(
        finding="Each photo comes with what it went by",
        described="Right, in blue: where hiding lowers the chance of what is said. The record in the file stands below.",
        photos=tuple(shown),
    )
