"""Example reports with invented figures: every block and every chart at least once, for tests and for looking at."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import partial

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Bin, Curve, Flag, by_depth, calibration, gains, training
from perennial.report.charts.flows import row_flow, timeline
from perennial.report.charts.intervals import Line, Row, against_line, columns, inline, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.page import (
    Block,
    Card,
    Cards,
    Caution,
    Check,
    Checks,
    Code,
    Column,
    Estimate,
    Fact,
    Facts,
    Figure,
    Fold,
    Grid,
    Heat,
    HeatCell,
    HeatRow,
    KeyFigure,
    Page,
    Pair,
    People,
    Person,
    Quarantine,
    Reason,
    Reasons,
    Sample,
    Section,
    Table,
    TableRow,
    Text,
    Trait,
    shade,
)
from perennial.results.figures import Interval

NO_DIFFERENCE = Line(at=0, name="no difference")
TEST = 8240
AUC_SPAN = (-0.015, 0.03)


def response_page() -> Page:
    """A promotion: whom to call for a term deposit."""
    return Page(
        title="bank_response: promote version 6",
        use_case="bank_response",
        label="Who will open a term deposit when called? Version 6, 23 Nov 2026, 02:14 UTC",
        verdict="PROMOTE",
        standing="Version 6 replaces version 3",
        headline="Use the new model: it finds more depositors than the current one, by more than chance explains.",
        what_to_do="Call the 1,813 highest-scoring customers, 22\u202f% of this list: within the budget of 2,000.",
        caution=Caution(
            text="These figures mix customers from all months. Trained on early months and tested on later ones, "
            "the same recipe is no better than guessing. Use it only for campaigns like those in the file.",
            strong="no better than guessing",
            see="both-ways",
            see_words="See both ways",
        ),
        picture=_verdict_picture(),
        key_figures=(
            KeyFigure(name="Customers to call", value="1,813", note="of 8,240 on the test list"),
            KeyFigure(name="Expected to earn", value="€42,000", note="between €37,900 and €45,900"),
            KeyFigure(name="Calling everyone earns", value="€10,200", note="between €5,200 and €15,500; nobody: €0"),
            KeyFigure(
                name="Say yes when called", value="33\u202f%", note="between 31 and 35\u202f%; all customers: 11\u202f%"
            ),
        ),
        sections=(
            Section(
                anchor="checks",
                name="Why this verdict",
                blurb="Each rule that could have stopped it. A line is an interval, the dot the estimate.",
                blocks=(_checks(),),
            ),
            Section(
                anchor="action",
                name="What to do",
                blurb="Whom to call, how many, and what it earns.",
                blocks=(_profit(), _plans()),
            ),
            Section(
                anchor="reasons",
                name="Why these customers",
                blurb="What the model goes by, in words.",
                blocks=(_reasons(), _people()),
            ),
            Section(
                anchor="evidence",
                name="Can it be trusted",
                blurb="For data scientists. All on test customers, each used once.",
                blocks=(
                    _families(),
                    Pair(figures=(_calibration(), _gains())),
                    Pair(figures=(_groups(), _training())),
                    _both_ways(),
                ),
            ),
            Section(
                anchor="data",
                name="What went in",
                blurb="For data owners. Nothing is dropped silently.",
                blocks=(_rows(), _rules(), _quarantine()),
            ),
            Section(
                anchor="lineage",
                name="Where it comes from",
                blurb="For engineers. How to get here again.",
                blocks=(_versions(), _facts(), _command()),
            ),
        ),
        footer="Example figures.",
    )


def uplift_page() -> Page:
    """A hold: one message for all is as good as a choice, with effect by depth and by tenth."""
    return Page(
        title="email_uplift: hold version 2",
        use_case="email_uplift",
        label="Which e-mail, if any, makes a customer visit? Version 2, 23 Nov 2026, 02:40 UTC",
        verdict="HOLD",
        standing="No per-customer choice is put to use",
        headline="Send everyone the men’s e-mail: choosing a message per customer gains nothing we can measure.",
        what_to_do="In a randomised test it brought 7.7 more visits per 100 customers than no e-mail.",
        caution=Caution(text="Measured on visits in the two weeks after one mailing. It says nothing about sales."),
        picture=_message_picture(),
        key_figures=(
            KeyFigure(name="E-mails to send", value="64,000", note="everyone, one message"),
            KeyFigure(name="Extra visits", value="4,900", note="between 4,480 and 5,320"),
            KeyFigure(name="Expected to earn", value="$2,340", note="between $1,920 and $2,760; nobody: $0"),
            KeyFigure(name="Women’s e-mail to all", value="$330", note="between −$60 and $730"),
        ),
        sections=(
            Section(
                anchor="action",
                name="What to do",
                blurb="Whom to write to, with which message, and what it earns.",
                blocks=(_messages_by_depth(),),
            ),
            Section(
                anchor="evidence",
                name="Can it be trusted",
                blurb="For data scientists. Five folds, each customer scored by a model that had not seen them.",
                blocks=(Pair(figures=_tenths()), _shuffled()),
            ),
        ),
        footer="Example figures.",
    )


def segments_page() -> Page:
    """A rejection: segments that do not hold, with cards, a matrix and stability by number."""
    return Page(
        title="customer_segments: reject version 5",
        use_case="customer_segments",
        label="Which groups of customers are there? Version 5, 23 Nov 2026, 02:52 UTC",
        verdict="REJECT",
        standing="Version 5 is not put to use; version 4 stays",
        headline="Do not deploy: the segments change when the data change.",
        what_to_do="Send each group the message of last month, by version 4.",
        picture=_stability_picture(),
        key_figures=(
            KeyFigure(name="Customers", value="4,338", note="with at least one order by 9 Dec 2011"),
            KeyFigure(name="Segments", value="3", note="four or more are not stable"),
            KeyFigure(name="Revenue from “Regulars”", value="64\u202f%", note="from 19\u202f% of customers"),
            KeyFigure(name="Changed segment", value="22\u202f%", note="15 by own behaviour, 7 by the new model"),
        ),
        sections=(
            Section(anchor="action", name="What to do", blurb="Whom to write to, and what to say.", blocks=(_cards(),)),
            Section(
                anchor="evidence",
                name="Can it be trusted",
                blurb="For data scientists.",
                blocks=(_stability_by_number(), _moved()),
            ),
        ),
        footer="Example figures.",
    )


def between(value: float, half: float) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


def profit_curve(yeses: Callable[[float], float] | None = None, points: int = 101) -> Curve:
    """Profit in euro by depth, €100 a yes and €10 a call, for 8,240 customers."""
    gained = yeses or (lambda depth: 1 - (1 - depth) * math.exp(-3.7 * depth))
    x = [i / (points - 1) for i in range(points)]
    y = [926 * gained(d) * 100 - TEST * d * 10 + 350 * math.sin(37 * d) * d * (1 - d) * 4 for d in x]
    wide = [5200 * math.sqrt(d) if d < 0.8 else 5200 * math.sqrt(0.8) for d in x]
    return Curve(
        name="Everyone",
        x=x,
        y=y,
        low=[a - b for a, b in zip(y, wide, strict=True)],
        high=[a + b for a, b in zip(y, wide, strict=True)],
        ends=n.money(y[-1]),
        flag=Flag(at=0.22, says=("Chosen: 22\u202f%", f"1,813 calls, {n.money(42000)}")),
    )


def _verdict_picture() -> Figure:
    rows = [
        Row(name="New − in use, 99\u202f%", interval=Interval(value=0.019, low=0.008, high=0.029), standing="deciding"),
        Row(
            name="Deep − traditional, 95\u202f%",
            interval=Interval(value=-0.002, low=-0.008, high=0.003),
            standing="reference",
        ),
    ]
    finding = "Better than the model in use; deep or traditional makes no difference"
    return Figure(
        finding=finding,
        described="Difference in ranking quality (AUC) on the same 8,240 test customers",
        drawing=Drawing(wide=interval_rows(rows, [NO_DIFFERENCE], n.difference, label=finding)),
    )


def _checks() -> Checks:
    auc = Interval(value=0.019, low=0.008, high=0.029)
    deep = Interval(value=-0.002, low=-0.008, high=0.003)
    minimum = Interval(value=0.812, low=0.795, high=0.829)
    profit = Interval(value=2400, low=600, high=4200)
    group = Interval(value=0.003, low=-0.015, high=0.021)
    return Checks(
        checks=(
            Check(
                mark="ok",
                question="New model against the one in use",
                detail="AUC, same 8,240 test customers, 99\u202f% interval. Must lie above 0.",
                value=n.difference(auc.value),
                interval=n.bracket(auc, n.difference),
                picture=against_line(
                    auc, NO_DIFFERENCE, label="+0.019, clear of 0", standing="deciding", span=AUC_SPAN
                ),
            ),
            Check(
                mark="info",
                question="Deep network against the best traditional model",
                detail="AUC, 95\u202f% interval. No measurable difference, so the simpler one was taken.",
                value=n.difference(deep.value),
                interval=n.bracket(deep, n.difference),
                picture=against_line(
                    deep, NO_DIFFERENCE, label="−0.002, not clear of 0", standing="reference", span=AUC_SPAN
                ),
            ),
            Check(
                mark="ok",
                question="New model against the agreed minimum",
                detail="AUC. Lower end must clear 0.70; 0.50 is guessing.",
                value=n.decimal(minimum.value),
                interval=n.bracket(minimum, n.decimal),
                picture=against_line(
                    minimum, Line(at=0.7, name="minimum 0.70"), label="0.812, clear of the agreed minimum"
                ),
            ),
            Check(
                mark="ok",
                question="Profit against the one in use",
                detail="At 22\u202f% depth. May only block, never promote.",
                value=n.money_difference(profit.value),
                interval=n.bracket(profit, n.money_difference),
                picture=against_line(profit, Line(at=0, name="same profit"), label="+€2,400, clear of same profit"),
            ),
            Check(
                mark="ok",
                question="Worst customer group",
                detail="Called by landline. Blocks if clearly worse than today.",
                value=n.difference(group.value),
                interval=n.bracket(group, n.difference),
                picture=against_line(group, NO_DIFFERENCE, label="+0.003, not clear of 0", span=AUC_SPAN),
            ),
        )
    )


def _profit() -> Figure:
    curve = profit_curve()
    drawing = by_depth(
        [curve],
        n.money_axis,
        label="Profit by share of customers called: rises to €42,000 at the chosen 22 %, ends at €10,200 for everyone",
        axis="Share of customers called, best first",
        random="Same number, picked at random",
        budget=Flag(at=2000 / TEST, says=("Budget: 2,000 calls",)),
    )
    rows = tuple(
        TableRow(
            cells=(
                n.share(d),
                n.count(TEST * d),
                n.money(curve.at(d)),
                f"[{n.money(curve.low[round(d * 100)])}, {n.money(curve.high[round(d * 100)])}]",
            )
        )
        for d in (0.05, 0.1, 0.15, 0.22, 0.3, 0.5, 0.75, 1.0)
    )
    head = (
        Column(name="Called"),
        Column(name="Calls", right=True),
        Column(name="Profit", right=True),
        Column(name="95\u202f% interval", right=True),
    )
    return Figure(
        finding="Calling the best 22\u202f% earns 4 times what calling everyone earns",
        described="Profit on 8,240 test customers the model had never seen, 95\u202f% band. A yes is worth €100, "
        "a call costs €10.",
        drawing=drawing,
        foot="The depth was chosen on other customers (validation), then measured here once. The curve is flat between "
        "20 and 35\u202f%: a list somewhat shorter or longer earns about the same.",
        fold=Fold(summary="Figures behind the curve", grid=Grid(columns=head, rows=rows)),
    )


def _plans() -> Table:
    plans = (
        ("Chosen list, best 22\u202f%", 1813, Interval(value=42000, low=37900, high=45900), True),
        ("Whole budget, best 2,000", 2000, Interval(value=42400, low=38200, high=46800), False),
        ("Same number at random", 1813, Interval(value=2200, low=-400, high=4900), False),
        ("Everyone (over budget)", 8240, Interval(value=10200, low=5200, high=15500), False),
        ("Nobody", 0, Interval(value=0, low=0, high=0), False),
    )
    return Table(
        finding="Five ways to spend the same campaign",
        grid=Grid(
            columns=(
                Column(name="Plan"),
                Column(name="Calls", right=True),
                Column(name="Profit", right=True),
                Column(name="95\u202f% interval", right=True),
                Column(name="Profit, €0 at the line"),
            ),
            rows=tuple(
                TableRow(
                    cells=(
                        name,
                        n.count(calls),
                        n.money(profit.value),
                        Estimate(value="", interval=n.bracket(profit, n.money) if calls else "exact"),
                        inline(
                            profit,
                            (-400, 46800),
                            label=f"{name}: {n.estimate(profit, n.money)}",
                            standing="judged" if chosen else "reference",
                        ),
                    ),
                    chosen=chosen,
                )
                for name, calls, profit, chosen in plans
            ),
            hide_last=True,
        ),
    )


def _reasons() -> Reasons:
    told = (
        ("Said yes to an earlier campaign", "rather than never asked", 0.03, between(0.248, 0.038)),
        ("Interest rates are low", "three-month Euribor under 1.5\u202f%", 0.26, between(0.113, 0.017)),
        ("Reached on a mobile phone", "rather than a landline", 0.64, between(0.041, 0.009)),
        ("Age 30 to 45", "rather than other ages", 0.52, between(-0.012, 0.015)),
        ("Called in May", "rather than other months", 0.33, between(-0.039, 0.009)),
        ("Firms are hiring", "employment indicator above 5,190", 0.4, between(-0.068, 0.014)),
    )
    return Reasons(
        finding="An earlier yes and low interest rates raise the chance most",
        described="Average change in the chance of a yes, in percentage points, for the customers it applies to. "
        "Blue raises, orange lowers, grey is undecided; lines are 95\u202f% intervals.",
        unit="Points",
        reasons=tuple(
            Reason(
                when=when,
                rather=rather,
                applies=n.share(part),
                bar=inline(change, (-0.082, 0.286), label=f"{n.estimate(change, n.points)} points", filled=True),
                change=n.points(change.value),
                interval=n.bracket(change, n.points),
            )
            for when, rather, part, change in told
        ),
        foot="These are patterns in past calls, not causes. Changing a reason (say, the month of the call) need not "
        "change the answer.",
    )


def _people() -> People:
    return People(
        finding="Each customer on the list comes with reasons",
        described="Three of the 1,813: row in the file, chance of a yes, what moved it most.",
        people=(
            Person(
                row="row 38,204", score="81\u202f%", reasons="Said yes before; Euribor is 0.9\u202f%; on a mobile phone"
            ),
            Person(row="row 40,117", score="74\u202f%", reasons="Said yes before; retired; called only once so far"),
            Person(
                row="row 12,973",
                score="21\u202f%",
                reasons="Reached on a mobile phone; called only once",
                but="it is May",
            ),
        ),
    )


def _families() -> Table:
    families = (
        ("Linear", "0.800", "[0.782, 0.817]", ("0.454", "0.280", "0.079", "4.4"), False),
        ("Boosted trees (chosen)", "0.812", "[0.795, 0.829]", ("0.472", "0.271", "0.077", "4.6"), True),
        ("Deep network", "0.810", "[0.794, 0.826]", ("0.460", "0.274", "0.077", "4.6"), False),
        ("In use, version 3", "0.794", "[0.777, 0.810]", ("0.446", "0.283", "0.080", "4.3"), False),
    )
    names = ("AUC", "AP", "Log loss", "Brier", "Lift, best 10\u202f%")
    return Table(
        finding="Three families on the same customers: the simplest of the best was taken",
        described="Test set, 8,240 customers. Deep − traditional: −0.002 AUC, 95\u202f% interval [−0.008, +0.003].",
        grid=Grid(
            columns=(Column(name="Family"), *(Column(name=name, right=True) for name in names)),
            rows=tuple(
                TableRow(cells=(name, Estimate(value=auc, interval=ci), *rest), chosen=on)
                for name, auc, ci, rest, on in families
            ),
        ),
    )


def _calibration() -> Figure:
    counts = (3801, 1975, 870, 420, 266, 150, 120, 101, 92, 80, 71, 64, 58, 50, 45, 40, 32)
    gaps = (0, 0.004, -0.006, 0.01, 0.02, 0.03, 0.02, 0.04, -0.07, 0.03, 0.05, 0.08, 0.05, -0.08, 0.0, 0.04, -0.04)
    bins = []
    for i, (many, gap) in enumerate(zip(counts, gaps, strict=True)):
        middle = 0.05 * i + 0.025
        seen = min(0.97, max(0.02, middle + gap))
        half = 1.96 * math.sqrt(seen * (1 - seen) / many)
        seen_interval = Interval(value=seen, low=max(0, seen - half), high=min(1, seen + half))
        bins.append(Bin(left=0.05 * i, right=0.05 * (i + 1), predicted=middle, observed=seen_interval, n=many))
    return Figure(
        finding="Predicted chances can be taken at face value",
        described="Groups of five points, 95\u202f% intervals, counts below. Average gap 1.1 points; a perfect model "
        "would show up to 1.2 here.",
        drawing=Drawing(
            wide=calibration(
                bins,
                label="Reliability in steps of five points; the observed share follows the predicted chance",
                axis="Predicted chance of a yes",
            )
        ),
    )


def _gains() -> Figure:
    x = [i / 100 for i in range(101)]

    def reached(steep: float) -> list[float]:
        return [1 - (1 - d) * math.exp(-steep * d) for d in x]

    best = reached(3.7)
    curves = [
        Curve(
            name="boosted, chosen",
            x=x,
            y=best,
            low=[max(0, y - 0.03 * math.sin(math.pi * d)) for d, y in zip(x, best, strict=True)],
            high=[min(1, y + 0.03 * math.sin(math.pi * d)) for d, y in zip(x, best, strict=True)],
            ends="65\u202f%",
            flag=Flag(at=0.22, says=("65\u202f% of all yeses", "from 22\u202f% of the calls")),
        ),
        Curve(name="deep", x=x, y=reached(3.62), ends="64\u202f%", tone="orange"),
        Curve(name="linear", x=x, y=reached(3.45), ends="62\u202f%", tone="grey"),
    ]
    return Figure(
        finding="22\u202f% of the calls reach 65\u202f% of those who say yes",
        described="Cumulative gains on the test set, 95\u202f% band.",
        drawing=Drawing(
            wide=gains(
                curves,
                label="Cumulative gains: 65 % of all yeses among the best 22 % of customers",
                axis="Share of customers called, best first",
                key="at 22\u202f% of calls",
            )
        ),
    )


def _groups() -> Figure:
    groups = (
        ("Mobile phone", 5214, between(0.017, 0.012)),
        ("Landline", 3026, between(0.003, 0.018)),
        ("Age under 30", 1103, between(0.022, 0.025)),
        ("Age 30 to 60", 6932, between(0.016, 0.010)),
        ("Age over 60", 205, between(0.011, 0.060)),
    )
    rows = [Row(name=name, interval=change, note=f"{n.count(many)} customers") for name, many, change in groups]
    return Figure(
        finding="No customer group is served worse than today",
        described="Blue where the interval is above 0. Five groups, corrected for looking five times.",
        drawing=Drawing(
            wide=interval_rows(
                rows,
                [Line(at=0, name="no difference"), Line(at=-0.01, name="block", dashed=True)],
                n.difference,
                label="AUC, new − in use, by customer group: none is clearly below 0",
                axis="AUC, new − in use",
            )
        ),
    )


def _training() -> Figure:
    x = list(range(1, 21))
    valid = [0.272 + 0.05 * math.exp(-0.6 * (e - 1)) + 0.0004 * max(0, e - 11) + 0.001 * math.sin(3 * e) for e in x]
    train = [0.256 + 0.066 * math.exp(-0.28 * (e - 1)) for e in x]
    curves = [
        Curve(name="validation", x=x, y=valid, tone="orange", flag=Flag(at=11, says=("kept: pass 11",))),
        Curve(name="training", x=x, y=train, tone="grey"),
    ]
    return Figure(
        finding="Training stopped when it no longer helped",
        described="Log loss of the deep network; lower is better.",
        drawing=Drawing(
            wide=training(
                curves,
                n.decimal,
                label="Log loss by pass: validation is lowest at pass 11, training goes on falling",
                axis="Pass over the training data",
            )
        ),
    )


def _both_ways() -> Heat:
    return Heat(
        anchor="both-ways",
        finding="A random split says 0.81; over time it is 0.49",
        described="AUC of one model of the same kind per cell. Orange: worse than reported. Blue: better than is true, "
        "because it uses what is not known in time.",
        columns=("As reported, without duration", "With duration (known only after the call)"),
        rows=(
            HeatRow(
                name="At random",
                note="used in this report",
                cells=(
                    HeatCell(value="0.812", interval="[0.795, 0.829]", note="what is reported", shade="reported"),
                    HeatCell(value="0.947", interval="[0.941, 0.953]", note="+0.135, a leak", shade="flatters"),
                ),
            ),
            HeatRow(
                name="By customer",
                note="nobody in two parts",
                cells=(
                    HeatCell(value="not possible: no customer number", shade="impossible"),
                    HeatCell(value="not possible", shade="impossible"),
                ),
            ),
            HeatRow(
                name="By time",
                note="later months tested",
                cells=(
                    HeatCell(value="0.491", interval="[0.470, 0.512]", note="−0.321, guessing", shade="worse"),
                    HeatCell(value="0.772", interval="[0.755, 0.789]", note="−0.040, a leak", shade="worse"),
                ),
            ),
        ),
    )


def _rows() -> Figure:
    drawing = row_flow(
        Part(name="rows read", rows=41188),
        Part(name="used", rows=41100),
        [
            Part(name="set aside", rows=76, note="0.2\u202f%, each with its rule, line and raw text", tone="orange"),
            Part(name="duplicates", rows=12, note="exact copies, first one kept"),
        ],
        [Part(name="train", rows=24671), Part(name="val", rows=8189), Part(name="test", rows=8240, tone="blue")],
        label="41,188 rows read; 41,100 used, 76 set aside, 12 duplicates; train 24,671, val 8,189, test 8,240",
    )
    return Figure(
        finding="41,188 rows came in; each one is accounted for",
        described="Width of a band is the number of rows.",
        drawing=drawing,
    )


def _rules() -> Table:
    broken = (
        ("“Never contacted before”, yet an earlier campaign has a result", "58", "14,207"),
        ("More than 40 calls in one campaign", "9", "4,108"),
        ("Job is not one of the twelve known: <script>alert(1)</script>", "9", "31,560"),
    )
    rows = (*(TableRow(cells=cells) for cells in broken), TableRow(cells=("Set aside in total", "76", ""), chosen=True))
    head = (Column(name="Rule"), Column(name="Rows", right=True), Column(name="First line", right=True))
    return Table(
        finding="Why 76 rows were set aside",
        described="First rule broken by each row.",
        grid=Grid(columns=head, rows=rows),
    )


def _quarantine() -> Quarantine:
    return Quarantine(
        finding="Three of them, as they stand in the file",
        described="All 76 can be corrected and replayed.",
        samples=(
            Sample(
                reason="“Never contacted before” (999), yet the earlier campaign was a success",
                where="bank-additional-full.csv:14207",
                raw='…"cellular";"jul";"mon";412;1;999;1;"success";1.4;93.918;…',
                marks=((30, 33), (36, 45)),
            ),
            Sample(
                reason="Job is not one of the twelve known",
                where="bank-additional-full.csv:31560",
                raw='44;"<script>alert(1)</script>";"married";"university.degree";"no";"yes";"cellular";"may";"thu"',
                marks=((3, 30),),
            ),
            Sample(
                reason="Age 142 is outside 17 to 100",
                where="bank-additional-full.csv:37994",
                raw='142;"retired";"divorced";"basic.4y";"no";"no";"no";…',
                marks=((0, 3),),
            ),
        ),
    )


def _versions() -> Figure:
    decisions = [
        Decision(version="v1", on=date(2026, 6, 15), verdict="PROMOTE", note="first"),
        Decision(version="v2", on=date(2026, 7, 20), verdict="HOLD", note="+0.001"),
        Decision(version="v3", on=date(2026, 8, 17), verdict="PROMOTE", note="+0.010"),
        Decision(version="v4", on=date(2026, 9, 21), verdict="REJECT", note="a group worse"),
        Decision(version="v5", on=date(2026, 10, 19), verdict="HOLD", note="+0.002"),
        Decision(version="v6", on=date(2026, 11, 23), verdict="PROMOTE", note="+0.019"),
    ]
    rows = tuple(TableRow(cells=(str(made.on), made.version, made.verdict, made.note)) for made in reversed(decisions))
    head = tuple(Column(name=name) for name in ("Date", "Version", "Verdict", "New − in use"))
    return Figure(
        finding="Six candidates in six months, three promoted",
        described="Each decision, with the difference in AUC to the model in use. Circle: promoted, square: held, "
        "octagon: rejected.",
        drawing=timeline(
            decisions,
            date(2026, 12, 4),
            label="Decisions: v1 promoted, v2 held, v3 promoted, v4 rejected, v5 held, v6 promoted and in use",
        ),
        fold=Fold(summary="All decisions with their reasons", grid=Grid(columns=head, rows=rows)),
    )


def _facts() -> Facts:
    return Facts(
        finding="What this model was made from",
        facts=(
            Fact(name="Model", value="bank_response, version 6, boosted trees"),
            Fact(name="Code", value="commit 3f9c1e7, nothing uncommitted", mono=True),
            Fact(
                name="Raw data", value="sha256 74adfc578bf77bc12dd08deb5e0e5f8b1e4d7f0e9d4b92f2, 41,188 rows", mono=True
            ),
            Fact(
                name="Made with", value="Python 3.11, torch 2.13, lightgbm 4.7, polars 2.1; x86-64 with AVX2, 2 threads"
            ),
        ),
    )


def _command() -> Code:
    return Code(
        finding="Build it again, bit for bit",
        described="Says IDENTICAL, or names the first step that differs.",
        text="perennial reproduce bank_response@6",
    )


def _message_picture() -> Figure:
    rows = [
        Row(name="Choice − men’s to all, 99\u202f%", interval=between(-0.06, 0.52), standing="deciding"),
        Row(name="Men’s e-mail − none, 95\u202f%", interval=between(7.66, 0.66)),
        Row(name="Women’s e-mail − none, 95\u202f%", interval=between(4.52, 0.62)),
    ]
    finding = "One message for all is as good as a choice"
    return Figure(
        finding=finding,
        described="Extra visits per 100 customers, randomised test of 64,000",
        drawing=Drawing(
            wide=interval_rows(rows, [Line(at=0, name="no effect")], partial(n.difference, places=2), label=finding)
        ),
    )


def _messages_by_depth() -> Figure:
    x = [i / 20 for i in range(21)]
    men = [366 * d + 160 * d * (1 - d) for d in x]
    women = [52 * d + 500 * d * (1 - d) for d in x]
    dollars = partial(n.money, currency="$")

    def band(y: list[float], sign: int) -> list[float]:
        return [value + sign * 66 * math.sqrt(d) for d, value in zip(x, y, strict=True)]

    curves = [
        Curve(name="Men’s e-mail", x=x, y=men, low=band(men, -1), high=band(men, 1), ends=dollars(366)),
        Curve(
            name="Women’s e-mail",
            x=x,
            y=women,
            low=band(women, -1),
            high=band(women, 1),
            tone="orange",
            ends=dollars(52),
            flag=Flag(at=0.55, says=(f"best at 55\u202f%: {dollars(152)}",)),
        ),
    ]
    return Figure(
        finding="Every tenth of customers gains from the men’s e-mail, so nobody is left out",
        described="Extra profit per 10,000 customers against sending nothing, 95\u202f% bands. A visit is worth $1.00, "
        "an e-mail costs $0.04.",
        drawing=by_depth(
            curves,
            partial(n.money_axis, currency="$"),
            label="Extra profit by depth: the men’s e-mail rises to $366 for everyone, the women’s is best at 55 %",
            axis="Share of customers e-mailed, most moved first",
        ),
    )


def _tenths() -> tuple[Figure, Figure]:
    women = [(str(i + 1), between(9.2 - 0.95 * i, 2.2)) for i in range(10)]
    men = [(str(i + 1), between(9.6 - 0.4 * i, 2.1)) for i in range(10)]

    def drawn(tenths: list[tuple[str, Interval]], average: float, finding: str, described: str) -> Figure:
        lines = [Line(at=0, name=""), Line(at=average, name=f"average {n.difference(average, 1)}", dashed=True)]
        axis = "Tenth of customers, 1 = predicted to be moved most"
        wide = columns(tenths, lines, partial(n.difference, places=0), label=finding, axis=axis, span=(-2, 12))
        return Figure(finding=finding, described=described, drawing=Drawing(wide=wide))

    return (
        drawn(
            women,
            4.5,
            "Women’s e-mail: the ranking finds whom it moves",
            "Extra visits per 100 by tenth of predicted effect; 95\u202f% intervals, out of fold.",
        ),
        drawn(
            men,
            7.7,
            "Men’s e-mail: it moves nearly everyone alike",
            "Same scale. The first and last tenths differ by 3.8 [+0.8, +6.8].",
        ),
    )


def _shuffled() -> Text:
    return Text(
        finding="On shuffled labels the same steps find nothing",
        paragraphs=(
            "Twenty runs with the e-mail labels shuffled: average area 0.01 per 100, largest 0.17. With true labels: "
            "women’s 0.74 [0.55, 0.93], men’s 0.24 [0.03, 0.45].",
        ),
    )


def _stability_picture() -> Figure:
    rows = [
        Row(
            name="Agreement of disjoint halves",
            interval=Interval(value=0.72, low=0.64, high=0.80),
            line=0.85,
            words="0.72, needed 0.85",
        ),
        Row(
            name="Names kept after a month",
            interval=Interval(value=0.93, low=0.91, high=0.95),
            line=0.90,
            words="0.93, needed 0.90",
        ),
        Row(
            name="Least stable segment",
            interval=Interval(value=0.72, low=0.66, high=0.80),
            line=0.70,
            words="0.72, needed 0.70",
        ),
    ]
    finding = "Not stable enough to give names"
    return Figure(
        finding=finding,
        described="1 = identical, 0 = unrelated; upright line: what is needed",
        drawing=Drawing(wide=interval_rows(rows, [], partial(n.decimal, places=1), label=finding)),
    )


def _cards() -> Cards:
    def trait(name: str, ratio: float, value: str) -> Trait:
        of = Interval(value=ratio, low=ratio, high=ratio)
        return Trait(
            name=name,
            bar=inline(
                of,
                (-3, 3),
                label=f"{name}: {value}, {ratio:+.1f} doublings against all",
                standing="reference",
                filled=True,
            ),
            value=value,
        )

    def card(name: str, alias: str, tone: str, shares: tuple[tuple[str, str], ...], traits: tuple[Trait, ...]) -> Card:
        return Card(
            name=name,
            alias=alias,
            tone="blue" if tone == "blue" else "orange" if tone == "orange" else "grey",
            shares=shares,
            traits=traits,
            words=(("What they buy", "Kitchen and lunch bags, 1.6 × as often as others."),),
            message="Thank you, and first look at the spring range.",
        )

    return Cards(
        finding="Three groups: 19\u202f% of customers bring 64\u202f% of revenue",
        described="Medians. Bars show the ratio to the median of all customers, doublings: right is more.",
        cards=(
            card(
                "Regulars",
                "Also called champions",
                "blue",
                (("19\u202f%", "838 customers"), ("64\u202f%", "£5.71m revenue")),
                (trait("Orders", 2.2, "9"), trait("Spent", 2.5, "£3,310"), trait("Last order", -2.0, "10 days ago")),
            ),
            card(
                "Occasional",
                "Also called potential loyalists",
                "orange",
                (("40\u202f%", "1,756 customers"), ("26\u202f%", "£2.29m revenue")),
                (trait("Orders", 0.6, "3"), trait("Spent", 0.4, "£870"), trait("Last order", -0.1, "48 days ago")),
            ),
            card(
                "Lapsed",
                "Also called hibernating",
                "grey",
                (("40\u202f%", "1,744 customers"), ("10\u202f%", "£0.91m revenue")),
                (trait("Orders", -1.0, "1"), trait("Spent", -1.1, "£300"), trait("Last order", 1.9, "190 days ago")),
            ),
        ),
    )


def _stability_by_number() -> Figure:
    agreed = [
        (str(k), Interval(value=v, low=v - h, high=min(1, v + h)))
        for k, v, h in (
            (2, 0.95, 0.02),
            (3, 0.90, 0.04),
            (4, 0.78, 0.1),
            (5, 0.71, 0.11),
            (6, 0.74, 0.2),
            (7, 0.69, 0.18),
        )
    ]
    return Figure(
        finding="Three is the most that holds",
        described="Agreement of models fitted on disjoint halves; line from lowest to highest of six pairs.",
        drawing=Drawing(
            wide=columns(
                agreed,
                [Line(at=0.85, name="needed 0.85")],
                partial(n.decimal, places=1),
                label="Agreement by number of segments: two and three clear 0.85, four and more do not",
                axis="Number of segments",
                bars=False,
            )
        ),
    )


def _moved() -> Block:
    moved = (("Regulars", (0.88, 0.12, 0.0)), ("Occasional", (0.08, 0.68, 0.24)), ("Lapsed", (0.01, 0.15, 0.84)))
    return Heat(
        finding="Most movement is customers changing, not the model",
        described="Share of each row’s customers in this month’s segments. 22\u202f% moved: 15 by their own orders or "
        "silence, 7 by the new model.",
        corner="Last month",
        columns=("Regulars", "Occasional", "Lapsed"),
        rows=tuple(
            HeatRow(name=name, cells=tuple(HeatCell(value=n.share(part), shade=shade(part)) for part in parts))
            for name, parts in moved
        ),
    )
