"""A report of an uplift task in, what the whole campaign says out: was it fair, what each message changes, what choosing earns.

Every customer counts, scored by a model that has not seen them; what the candidate itself earns on test is told in `messages`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from perennial.contract.serving import build_head, feature_columns
from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.charts.intervals import Line, against_line, columns
from perennial.report.charts.svg import Drawing
from perennial.report.context import FAMILY_NAMES, ReportContext, capital
from perennial.report.page import Block, Check, Checks, Estimate, Figure, Grid, Pair, Section, Table, TableRow, heads
from perennial.results.uplift import MessageFigures, RandomizationCheck, UpliftEvaluation


def campaign_section(report: ReportContext[UpliftEvaluation]) -> Section:
    """Balance first: without a fair lottery nothing under it is an effect."""
    found = report.evaluation.out_of_fold
    deciles = [_deciles(report, message) for message in found.messages]
    pairs: list[Block] = [Pair(figures=tuple(deciles[i : i + 2])) for i in range(0, len(deciles), 2)]
    family = FAMILY_NAMES[found.family].lower()
    return Section(
        anchor="campaign",
        name="What the whole campaign says",
        blurb=f"All {n.count(found.rows)} customers, each scored by a model that had not seen them: {family}, fitted "
        "five times on the other four fifths.",
        blocks=(_balance(report), findings(report), _messages(report), *pairs, _profit(report)),
    )


def lottery_check(report: ReportContext[UpliftEvaluation]) -> Check:
    """Whether the arms were drawn by lot."""
    check = report.evaluation.randomization
    return Check(
        mark="ok" if is_fair(report) else "stop",
        question="The test was a fair lottery" if is_fair(report) else "The test was hardly a fair lottery",
        detail=f"{_groups(check)}. The p-value of the most uneven column; in 19 of 20 fair lotteries it is above "
        f"{_chance(check.expected_least_p)}.",
        value=f"p {_chance(check.least_p)}",
    )


def is_fair(report: ReportContext[UpliftEvaluation]) -> bool:
    check = report.evaluation.randomization
    return bool(check.problem is None and check.least_p >= check.expected_least_p)


def findings(report: ReportContext[UpliftEvaluation]) -> Checks:
    """What to rank by, message by message, and whether a choice for each customer earns more than one for all."""
    found = report.evaluation.out_of_fold
    return Checks(checks=(*(_race(report, message) for message in found.messages), _choosing(report)))


def gains_nothing(report: ReportContext[UpliftEvaluation]) -> bool:
    """Whether a message for each customer earns no more, as far as can be told, than the best single one for all."""
    return bool(report.evaluation.out_of_fold.policy.against["best_single"].low <= 0)


def _balance(report: ReportContext[UpliftEvaluation]) -> Table:
    check, contract = report.evaluation.randomization, report.contract
    labels = {feature.name: capital(feature.label) for feature in feature_columns(contract)}
    rows = tuple(
        TableRow(
            cells=(
                labels.get(column.column, column.column),
                *(n.difference(gap) for gap in column.gaps),
                n.decimal(column.expected_gap),
                _chance(column.p),
            )
        )
        for column in check.columns
    )
    names = (*(capital(name) for name in report.evaluation.arms[1:]), "Chance alone, up to", "p")
    worst = labels.get(check.columns[0].column, "") if check.columns else ""
    finding = "The groups are alike in all that was known before"
    if not is_fair(report):
        finding = f"The groups were hardly drawn by lot: {check.problem or f'{worst} differs'}"
    return Table(
        anchor="balance",
        finding=finding,
        described=f"{_groups(check)}. Standardised mean difference of each group against {report.evaluation.arms[0]}; "
        "a category by its most uneven value.",
        grid=Grid(columns=heads("Known before", *names), rows=rows),
    )


def _groups(check: RandomizationCheck) -> str:
    """Group sizes, and the check of them against the planned shares."""
    sizes = f"Group sizes {' / '.join(n.count(rows) for rows in check.rows)}"
    if not check.planned:
        return sizes
    planned = " : ".join(f"{share:g}" for share in check.planned)
    return f"{sizes}, planned {planned} (chi-square p {_chance(check.ratio_p or 0.0)})"


def _race(report: ReportContext[UpliftEvaluation], message: MessageFigures) -> Check:
    gain, show = message.gain, _qini(report, n.difference)
    question = f"{capital(message.name)}: {_words(message)}"
    qini = _qini(report, n.decimal)
    effect, response = (n.estimate(getattr(message, key), qini) for key in ("by_effect", "by_response"))
    line = Line(at=0, name="both alike")
    return Check(
        mark="ok" if message.rank_by == "effect" else "info",
        question=question,
        detail=f"Qini by effect {effect}, by response {response}, {_unit(report)}; beside it the first less the second.",
        value=show(gain.value),
        interval=n.bracket(gain, show),
        picture=against_line(gain, line, label=f"{question}: {n.estimate(gain, show)}", standing="reference"),
    )


def _words(message: MessageFigures) -> str:
    is_decided = message.gain.low > 0 or message.gain.high < 0
    match message.rank_by:
        case "effect":
            than = "than chance, and than ranking by response" if is_decided else "than chance"
            return f"ranking by effect finds more {than}"
        case "response":
            return f"ranking by response is {'better' if is_decided else 'as good'}: use it"
        case _:
            return "no ranking finds more than chance: send it to all or to none"


def _choosing(report: ReportContext[UpliftEvaluation]) -> Check:
    policy = report.evaluation.out_of_fold.policy
    found = policy.against["best_single"]
    single = f"{report.evaluation.arms[policy.best_single]} to everyone"
    question = f"Choosing a message for each customer gains nothing measurable over {single}"
    if found.low > 0:
        question = f"Choosing a message for each customer earns more than {single}"
    if found.high < 0:
        question = f"Choosing a message for each customer earns less than {single}"
    show, line = partial(n.money_difference, currency=report.symbol), Line(at=0, name="same profit")
    return Check(
        mark="ok" if found.low > 0 else "info",
        question=question,
        detail="Profit per 1,000 customers, doubly robust, 95\u202f% interval.",
        value=show(found.value),
        interval=n.bracket(found, show),
        picture=against_line(found, line, label=f"{question}: {n.estimate(found, show)}", standing="reference"),
    )


def _messages(report: ReportContext[UpliftEvaluation]) -> Table:
    qini = _qini(report, n.decimal)
    shown = (("effect", _effect(report)), ("by_effect", qini), ("by_response", qini))
    rows = tuple(
        TableRow(
            cells=(
                capital(message.name),
                *(Estimate.of(getattr(message, key), show) for key, show in shown),
                {"effect": "Effect", "response": "Response", "neither": "Neither"}[message.rank_by],
            )
        )
        for message in report.evaluation.out_of_fold.messages
    )
    names = ("Effect", "Qini by effect", "Qini by response", "Rank by")
    return Table(
        finding="What each message changes, and what finds whom it moves",
        described=f"{_of_effect(report)}, Qini {_unit(report)}; 95\u202f% intervals.",
        grid=Grid(columns=heads("Message", *names), rows=rows),
    )


def _deciles(report: ReportContext[UpliftEvaluation], message: MessageFigures) -> Figure:
    show = _effect(report)
    best_first = message.deciles[::-1]  # as the list counts its deciles
    estimates = [(str(i), tenth.observed) for i, tenth in enumerate(best_first, 1)]
    high, low = (best_first[i].observed.value for i in (0, -1))
    points = "" if _is_amount(report) else " points"
    finding = f"{capital(message.name)}: the top tenth gains {show(high)}{points}, the lowest {show(low)}"
    ends = [
        getattr(tenth.observed, end)
        for every in report.evaluation.out_of_fold.messages
        for tenth in every.deciles
        for end in ("low", "high")
    ]
    drawing = columns(
        estimates, [Line(at=0, name="no effect")], show, label=finding,
        axis="Tenth of customers by predicted effect, 1 is the best",
        span=(min(ends), max(ends)),
    )  # fmt: skip
    return Figure(
        finding=finding, described=f"{_of_effect(report)}, 95\u202f% intervals.", drawing=Drawing(wide=drawing)
    )


def _profit(report: ReportContext[UpliftEvaluation]) -> Figure:
    policy = report.evaluation.out_of_fold.policy
    thousands = report.evaluation.out_of_fold.policy.plan("choice").customers / 1000
    curves = []
    for key, name, tone in (("choice", "By effect", "blue"), ("response", "By response", "orange")):
        found = policy.curves[key]
        y, low, high = ([height / thousands for height in getattr(found, end)] for end in ("value", "low", "high"))
        banded = {"low": low, "high": high} if key == "choice" else {}
        flag = Flag(at=policy.depth, says=(f"Its choice: {n.share(policy.depth)}",)) if key == "choice" else None
        curves.append(Curve(name=name, x=found.x, y=y, tone=tone, flag=flag, **banded))  # type: ignore[arg-type]
    finding = _profit_finding(report)
    drawing = by_depth(
        curves, partial(n.money_axis, currency=report.symbol), label=finding, axis="Share of customers contacted, best first",
        budget=Flag(at=policy.budget_share, says=(f"Budget: {n.share(policy.budget_share)}",)),
    )  # fmt: skip
    return Figure(
        finding=finding,
        described="Profit per 1,000 customers above contacting nobody, by effect each contact with its best message; "
        "doubly robust, 95\u202f% band.",
        drawing=drawing,
    )


def _profit_finding(report: ReportContext[UpliftEvaluation]) -> str:
    policy = report.evaluation.out_of_fold.policy
    single, choice = (
        report.evaluation.out_of_fold.policy.plan(name).per_1000.value
        for name in (f"all {policy.best_single}", "choice")
    )
    if single >= choice:
        name = capital(report.evaluation.arms[policy.best_single])
        return f"{name} to everyone earns at least as much as a choice for each"
    against = policy.against["response"]
    if against.low > 0:
        return "Writing to those a message moves earns more than a list of the likeliest responders"
    less = "less than" if against.high < 0 else "about what"
    return f"Writing to those a message moves earns {less} a list of the likeliest responders earns"


def _is_amount(report: ReportContext[UpliftEvaluation]) -> bool:
    return build_head(report.contract).amounts


def _effect(report: ReportContext[UpliftEvaluation]) -> n.Format:
    """Percentage points; of amounts the money of 1,000 customers, for one customer's are cents."""
    if _is_amount(report):
        return lambda change: n.money_difference(1000 * change, report.symbol)
    return n.points


def _of_effect(report: ReportContext[UpliftEvaluation]) -> str:
    if _is_amount(report):
        return f"Extra {report.contract.target} of 1,000 customers"
    return "Extra responses of 100 customers"


def _qini(report: ReportContext[UpliftEvaluation], show: Callable[[float, int], str]) -> n.Format:
    """The Qini figure of 1,000 customers; per customer it has too many zeros to be read."""
    if _is_amount(report):
        amount = n.money if show is n.decimal else n.money_difference
        return lambda figure: amount(1000 * figure, report.symbol)
    return lambda figure: show(1000 * figure, 1)


def _unit(report: ReportContext[UpliftEvaluation]) -> str:
    return f"in {report.contract.target if _is_amount(report) else 'responses'} of 1,000 customers"


def _chance(p: float) -> str:
    return n.decimal(p) if p >= 0.0005 else "under 0.001"
