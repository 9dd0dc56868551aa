"""Campaign section: were the groups randomized, what does each message change, and what does choosing one earn.

Every customer counts, scored by a model that has not seen them; `messages` has what the candidate itself earns on test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Line, plot_columns
from perennial.contract.serving import build_head, feature_columns
from perennial.report.context import FAMILY_NAMES, ReportContext
from perennial.report.page import Check, Checks, Estimate, Figure, PageBlock, Pair, Section, Table, heads
from perennial.results.uplift import MessageFigures, PolicyFigures, RandomizationCheck, UpliftEvaluation

_RANK_BY = {"effect": "Effect", "response": "Response", "neither": "Neither"}
Report = ReportContext[UpliftEvaluation]


@dataclass(frozen=True, kw_only=True)
class Units:
    """How effects and Qini figures are printed, and what they are of."""

    effect: n.Format
    effect_name: str
    points: str = ""
    qini: n.Format
    qini_gain: n.Format
    qini_name: str


def build_campaign_section(report: Report) -> Section:
    """Balance first: unless the groups were assigned at random, nothing below is an effect."""
    full = report.evaluation.out_of_fold
    deciles = [_draw_deciles(report, message) for message in full.messages]
    pairs: list[PageBlock] = [Pair(figures=tuple(deciles[i : i + 2])) for i in range(0, len(deciles), 2)]
    return Section(
        anchor="campaign",
        name="What the whole campaign says",
        blurb=f"All {n.count(full.rows)} customers, each scored by a model that had not seen them: "
        f"{FAMILY_NAMES[full.family].lower()}, fitted five times on the other four fifths.",
        blocks=(_build_balance(report), build_findings(report), _build_messages(report), *pairs, _draw_profit(report)),
    )


def check_randomization(report: Report) -> Check:
    """Whether the arms were assigned at random."""
    check, randomized = report.evaluation.randomization, is_randomized(report)
    return Check(
        mark="ok" if randomized else "stop",
        question="The groups were assigned at random" if randomized else "The groups were probably not assigned at random",
        detail=f"{_describe_sizes(check)}. The p-value of the most uneven column; in 19 of 20 randomized campaigns it is "
        f"above {_format_p(check.expected_least_p)}.",
        value=f"p {_format_p(check.least_p)}",
    )


def is_randomized(report: Report) -> bool:
    check = report.evaluation.randomization
    return bool(check.problem is None and check.least_p >= check.expected_least_p)


def has_no_gain(report: Report) -> bool:
    """Whether the best message for each customer does not measurably earn more than the best single one for all."""
    return bool(report.evaluation.out_of_fold.policy.against["best_single"].low <= 0)


def _build_balance(report: Report) -> Table:
    check, arms = report.evaluation.randomization, report.evaluation.arms
    labels = {feature.name: n.capital(feature.label) for feature in feature_columns(report.contract)}
    finding = "The groups are alike in all that was known before"
    if not is_randomized(report):
        worst = labels.get(check.columns[0].column, "") if check.columns else ""
        finding = f"The groups were probably not assigned at random: {check.problem or f'{worst} differs'}"
    rows = (
        (
            labels.get(column.column, column.column),
            *(n.difference(gap) for gap in column.gaps),
            n.decimal(column.expected_gap),
            _format_p(column.p),
        )
        for column in check.columns
    )
    return Table.of(
        finding,
        heads("Known before", *(n.capital(name) for name in arms[1:]), "Chance alone, up to", "p"),
        rows,
        described=f"{_describe_sizes(check)}. Standardised mean difference of each group against {arms[0]}; "
        "a category by its most uneven value.",
    )


def _describe_sizes(check: RandomizationCheck) -> str:
    """Group sizes, and the check of them against the planned shares."""
    sizes = f"Group sizes {' / '.join(n.count(rows) for rows in check.rows)}"
    if not check.planned:
        return sizes
    planned = " : ".join(f"{share:g}" for share in check.planned)
    return f"{sizes}, planned {planned} (chi-square p {_format_p(check.ratio_p or 0.0)})"


def build_findings(report: Report) -> Checks:
    """What to rank by, message by message, and whether a choice for each customer earns more than one for all."""
    messages = report.evaluation.out_of_fold.messages
    return Checks(checks=(*(_check_ranking(report, message) for message in messages), _check_choice(report)))


def _check_ranking(report: Report, message: MessageFigures) -> Check:
    units = choose_units(report)
    effect, response = (n.estimate(figure, units.qini) for figure in (message.by_effect, message.by_response))
    return Check.of(
        "ok" if message.rank_by == "effect" else "info",
        f"{n.capital(message.name)}: {_describe_ranking(message)}",
        f"Qini by effect {effect}, by response {response}, {units.qini_name}; beside it the first less the second.",
        message.gain,
        units.qini_gain,
        Line(at=0, name="both alike"),
    )


def _describe_ranking(message: MessageFigures) -> str:
    is_decided = message.gain.low > 0 or message.gain.high < 0
    match message.rank_by:
        case "effect":
            than = "than chance, and than ranking by response" if is_decided else "than chance"
            return f"ranking by effect finds more {than}"
        case "response":
            return f"ranking by response is {'better' if is_decided else 'as good'}: use it"
        case _:
            return "no ranking finds more than chance: send it to all or to none"


def _check_choice(report: Report) -> Check:
    policy = report.evaluation.out_of_fold.policy
    gain, does = policy.against["best_single"], "gains nothing measurable over"
    if gain.low > 0 or gain.high < 0:
        does = f"earns {'more' if gain.low > 0 else 'less'} than"
    return Check.of(
        "ok" if gain.low > 0 else "info",
        f"Choosing a message for each customer {does} {report.evaluation.arms[policy.best_single]} to everyone",
        "Profit per 1,000 customers, doubly robust, 95\u202f% interval.",
        gain,
        report.money_difference,
        Line(at=0, name="same profit"),
    )


def _build_messages(report: Report) -> Table:
    units = choose_units(report)
    rows = (
        (
            n.capital(message.name),
            Estimate.of(message.effect, units.effect),
            Estimate.of(message.by_effect, units.qini),
            Estimate.of(message.by_response, units.qini),
            _RANK_BY[message.rank_by],
        )
        for message in report.evaluation.out_of_fold.messages
    )
    return Table.of(
        "What each message changes, and what finds those it persuades",
        heads("Message", "Effect", "Qini by effect", "Qini by response", "Rank by"),
        rows,
        described=f"{units.effect_name}, Qini {units.qini_name}; 95\u202f% intervals.",
    )


def _draw_deciles(report: Report, message: MessageFigures) -> Figure:
    """Effect by decile of prediction, on the axis that all messages share."""
    units = choose_units(report)
    effects = [decile.observed for decile in reversed(message.deciles)]  # best first, as the list counts its deciles
    every = [decile.observed for one in report.evaluation.out_of_fold.messages for decile in one.deciles]
    top, lowest = units.effect(effects[0].value), units.effect(effects[-1].value)
    return Figure.of(
        f"{n.capital(message.name)}: the top decile gains {top}{units.points}, the lowest {lowest}",
        f"{units.effect_name}, 95\u202f% intervals.",
        partial(
            plot_columns,
            [(str(i), effect) for i, effect in enumerate(effects, 1)],
            Line(at=0, name="no effect"),
            units.effect,
            axis="Decile of customers by predicted effect, 1 is the best",
            span=(min(one.low for one in every), max(one.high for one in every)),
        ),
    )


def _draw_profit(report: Report) -> Figure:
    policy = report.evaluation.out_of_fold.policy
    per_1000 = 1000 / policy.plan("choice").customers
    choice, response = (policy.curves[key] for key in ("choice", "response"))
    y, low, high = ([end * per_1000 for end in ends] for ends in (choice.value, choice.low, choice.high))
    flag = Flag(at=policy.depth, text=(f"Its choice: {n.share(policy.depth)}",))
    curves = [
        Curve(name="By effect", x=choice.x, y=y, low=low, high=high, flag=flag),
        Curve(name="By response", x=response.x, y=[end * per_1000 for end in response.value], tone="orange"),
    ]
    return Figure.of(
        _describe_profit(policy, n.capital(report.evaluation.arms[policy.best_single])),
        "Profit per 1,000 customers above contacting nobody, by effect each contact with its best message; "
        "doubly robust, 95\u202f% band.",
        partial(
            plot_by_depth,
            curves,
            report.money_axis,
            axis="Share of customers contacted, best first",
            budget=Flag(at=policy.budget_share, text=(f"Budget: {n.share(policy.budget_share)}",)),
        ),
    )


def _describe_profit(policy: PolicyFigures, single: str) -> str:
    earned = [policy.plan(name).per_1000.value for name in (f"all {policy.best_single}", "choice")]
    if earned[0] >= earned[1]:
        return f"{single} to everyone earns at least as much as a choice for each"
    against, start = policy.against["response"], "Writing to those a message persuades earns"
    if against.low > 0:
        return f"{start} more than a list of the likeliest responders"
    return f"{start} {'less than' if against.high < 0 else 'about what'} a list of the likeliest responders earns"


def choose_units(report: Report) -> Units:
    """Responses in percentage points; amounts in the money of 1,000 customers, for one customer's are cents.

    Qini figures are of 1,000 customers; per customer they have too many zeros to be read.
    """
    if not build_head(report.contract).amounts:
        return Units(
            effect=n.points,
            effect_name="Extra responses of 100 customers",
            points=" points",
            qini=lambda qini: n.decimal(1000 * qini, 1),
            qini_gain=lambda qini: n.difference(1000 * qini, 1),
            qini_name="in responses of 1,000 customers",
        )
    target, symbol = report.contract.target, report.symbol
    return Units(
        effect=lambda change: n.money_difference(1000 * change, symbol),
        effect_name=f"Extra {target} of 1,000 customers",
        qini=lambda qini: n.money(1000 * qini, symbol),
        qini_gain=lambda qini: n.money_difference(1000 * qini, symbol),
        qini_name=f"in {target} of 1,000 customers",
    )


def _format_p(p: float) -> str:
    return n.decimal(p) if p >= 0.0005 else "under 0.001"
