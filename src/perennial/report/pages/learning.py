"""Fits of shares of train and of depths in, the sentences and the page that tell what they mean out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, measured
from perennial.report.charts.svg import Drawing, Tone
from perennial.report.context import FAMILY_NAMES, LOWER_IS_BETTER, METRIC_NAMES, capital
from perennial.report.page import Estimate, Figure, Grid, Pair, Sheet, Table, TableRow, heads, render
from perennial.results.figures import Interval

FIGURES = ("deep", "traditional", "deep_minus_traditional")
Fit = Mapping[str, Any]
_TONES: Mapping[str, Tone] = {"deep": "blue", "traditional": "orange"}
_CALLED = {"deep": "the deep network", "traditional": "the traditional model"}
_OF_A_SHARE = ("share", "draw", "rows")


def told(shares: Sequence[Fit], depths: Sequence[Fit], primary: str, rise: Fit | None, layers: Fit) -> dict[str, Any]:
    """What stays on disk: a row a fit (without its place on this machine), both comparisons, and the sentences."""
    found: dict[str, Any] = {
        "primary": primary,
        "shares": [_plain(fit) for fit in shares],
        "depths": [{key: value for key, value in _plain(fit).items() if key not in _OF_A_SHARE} for fit in depths],
        "rise": rise,
        "layers": layers,
    }
    return {**found, "sentences": sentences(found)}


def _plain(fit: Fit) -> dict[str, Any]:
    return {key: value for key, value in fit.items() if key != "room"}


def sentences(found: Fit) -> list[str]:
    """Whether deep learning is worth it, whether more data would help, and whether layers do; never beyond the noise."""
    words = [_worth(found)]
    if found["rise"] is not None:
        words.append(_more(found))
    return [*words, _layers(found)]


def cells(fit: Fit) -> list[Estimate]:
    """The figures of a fit on test, as tables have them."""
    shows = (n.decimal, n.decimal, n.difference)
    found = [Interval(**fit[key]) for key in FIGURES]
    return [Estimate.of(f, show) for f, show in zip(found, shows, strict=True)]


def _worth(found: Fit) -> str:
    whole = found["shares"][-1]
    figure, rival = whole["deep_minus_traditional"], FAMILY_NAMES[whole["families"]["traditional"]].lower()
    says = _side(
        figure, "Deep learning is worth it here", "Deep learning makes no measurable difference here",
        "Deep learning is worse here",
    )  # fmt: skip
    return f"{says}: deep \u2212 {rival} is {_estimate(figure)} {_metric(found)} on test, above 0 in favour of deep."


def _more(found: Fit) -> str:
    """Of the group that is better on val when it has all of train; the other may still be learning, so it is told too."""
    rise, whole = found["rise"], found["shares"][-1]
    order = min if found["primary"] in LOWER_IS_BETTER else max
    ahead = order(("deep", "traditional"), key=lambda group: float(whole["val"][group]))
    says = _side(
        rise[ahead], "More data would help", "More data would bring no measurable gain", "More data would not help"
    )
    other = "traditional" if ahead == "deep" else "deep"
    if not rise[ahead]["low"] > 0 and rise[other]["low"] > 0:
        says += f" for {_CALLED[ahead]}, which is ahead on val; {_CALLED[other]} still gains"
    step = f"from {n.share(rise['from'])} to {n.share(rise['to'])} of train"
    gained = [f"{group} {_estimate(rise[group])}" for group in (ahead, other)]
    return f"{says}: {step} {', '.join(gained)} {_metric(found)}, above 0 is better."


def _layers(found: Fit) -> str:
    best, better = found["layers"]["best"], found["layers"]["better_than_none"]
    if better is None:
        return "Layers: none is best on val, straight from the columns to the head."
    blocks = "1 block is" if best == 1 else f"{best} blocks are"
    does = _side(better, "help", "make no measurable difference", "harm")
    return f"Layers: {blocks} best on val; layers {does}: {_estimate(better)} {_metric(found)} against none, on test."


def _side(figure: Mapping[str, float], above: str, neither: str, below: str) -> str:
    """Which words hold, by the interval of a difference that is better above 0."""
    return above if figure["low"] > 0 else below if figure["high"] < 0 else neither


def _estimate(figure: Mapping[str, float]) -> str:
    return n.estimate(Interval(**figure), n.difference)


def _metric(found: Fit) -> str:
    return METRIC_NAMES[found["primary"]]


def page(name: str, found: Fit) -> str:
    """One HTML file: the sentences, the curve by rows of train, beside it by depth, and a table of all fits."""
    first, *others = found["sentences"]
    headline, _, why = first.partition(": ")
    return render(
        Sheet(
            title=f"{name}: learning curve", use_case=name, label="learning curve, a side run", headline=headline,
            sentences=(capital(why), *others), pictures=Pair(figures=(_by_rows(found), _by_blocks(found))), table=_table(found),
            footer="Each fit is chosen and calibrated on the same val and told on the same test. Intervals are 95\u202f% of "
            "the test rows; the luck of which rows were drawn shows where a share was drawn several times.",
        )
    )  # fmt: skip


def _by_rows(found: Fit) -> Figure:
    shares = [list(fits) for _, fits in groupby(found["shares"], key=lambda fit: fit["share"])]
    x = [math.log10(sum(fit["rows"] for fit in fits) / len(fits)) for fits in shares]
    curves = [_curve(group, x, [[fit[group] for fit in fits] for fits in shares]) for group in _TONES]
    drawn = [(at, fit[group]["value"], _TONES[group]) for at, fits in zip(x, shares, strict=True) if len(fits) > 1 for fit in fits
             for group in _TONES]  # fmt: skip
    finding = f"{_metric(found)} by rows of train"
    drawing = measured(
        curves, n.decimal, label=finding, axis="rows of train, on a log scale",
        tick=lambda place: n.count(round(10**place)), beside=drawn,
    )  # fmt: skip
    described = "Val and test stay the same. Where a share was drawn several times: their mean, small dots each one."
    return _figure(finding, described, drawing)


def _by_blocks(found: Fit) -> Figure:
    fits = found["depths"]
    curves = [_curve(group, range(len(fits)), [[fit[group]] for fit in fits]) for group in _TONES]
    finding = f"{_metric(found)} by depth of the network"
    drawing = measured(
        curves, n.decimal, label=finding, axis="blocks", tick=lambda place: str(fits[round(place)]["blocks"])
    )
    return _figure(finding, "All of train. The traditional family knows no depth.", drawing)


def _figure(finding: str, described: str, drawing: Markup) -> Figure:
    return Figure(finding=finding, described=described, drawing=Drawing(wide=drawing))


def _curve(group: str, x: Sequence[float], figures: Sequence[Sequence[Mapping[str, float]]]) -> Curve:
    """The mean of the fits at each place; the band holds the intervals of all of them."""
    return Curve(
        name=group, tone=_TONES[group], x=list(x),
        y=[sum(f["value"] for f in some) / len(some) for some in figures],
        low=[min(f["low"] for f in some) for some in figures], high=[max(f["high"] for f in some) for some in figures],
    )  # fmt: skip


def _table(found: Fit) -> Table:
    rows = [(n.share(fit["share"]) + " of train", n.count(fit["rows"]), fit) for fit in found["shares"]]
    rows += [(f"blocks: {fit['blocks']}", n.count(found["shares"][-1]["rows"]), fit) for fit in found["depths"]]
    names = ("rows", "Deep", "Traditional", "Deep \u2212 traditional, better above 0")
    return Table(
        finding=f"{_metric(found)} of every fit on test",
        grid=Grid(
            columns=heads("", *names),
            rows=tuple(TableRow(cells=(title, size, *cells(fit))) for title, size, fit in rows),
        ),
    )
