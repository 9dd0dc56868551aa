"""Learning curve: the sentences and the page that say what more data, deep learning and more layers are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, measured
from perennial.charts.svg import Tone
from perennial.report.context import FAMILY_NAMES
from perennial.report.page import Estimate, Row, render
from perennial.results.figures import Interval
from perennial.results.study import GROUPS, FitFigures, Group, LearningCurve

_TOO_SMALL = (
    "Too small to tell: a quick run trains for seconds, to show that everything works. Its figures say nothing of deep learning, "
    "more data or more layers; run it without --quick for that."
)
_TONES: Mapping[Group, Tone] = {"deep": "blue", "traditional": "orange"}
_PHRASES: Mapping[Group, str] = {"deep": "the deep network", "traditional": "the traditional model"}


def describe_curve(curve: LearningCurve) -> list[str]:
    """Whether deep learning, more data and more layers are worth it; nothing is claimed within the noise or by a quick run."""
    if curve.is_quick:
        return [_TOO_SMALL]
    sentences = [_describe_deep(curve), _describe_data(curve), _describe_layers(curve)]
    return [sentence for sentence in sentences if sentence is not None]


def build_cells(figures: FitFigures) -> list[Estimate]:
    """The figures of a fit on test, as tables have them."""
    return [
        *(Estimate.of(figures.test[group], n.decimal) for group in GROUPS),
        Estimate.of(figures.deep_minus_traditional, n.difference),
    ]


def build_page(name: str, curve: LearningCurve) -> str:
    """One HTML file: the sentences, the curve by rows of train, beside it by depth, and a table of all fits."""
    return render("sheet.html.j2", sheet=LearningSheet(name, curve))


@dataclass(frozen=True)
class LearningSheet:
    """What sheet.html.j2 shows."""

    name: str
    curve: LearningCurve

    def draw_shares(self, *, label: str) -> Markup:
        """The figure of each share of train, and of each draw of a share that was drawn several times."""
        shares = [list(fits) for _, fits in groupby(self.curve.shares, key=lambda fit: fit.share)]
        x = [math.log10(sum(fit.rows for fit in fits) / len(fits)) for fits in shares]
        curves = [_build_curve(group, x, [[fit.figures.test[group] for fit in fits] for fits in shares]) for group in GROUPS]
        draws = [
            (at, fit.figures.test[group].value, _TONES[group])
            for at, fits in zip(x, shares, strict=True)
            if len(fits) > 1
            for fit in fits
            for group in GROUPS
        ]
        axis = "rows of train, on a log scale"
        return measured(curves, n.decimal, label=label, axis=axis, tick=lambda place: n.count(round(10**place)), beside=draws)

    def draw_depths(self, *, label: str) -> Markup:
        """The figure of each number of blocks."""
        fits = self.curve.depths
        curves = [_build_curve(group, range(len(fits)), [[fit.figures.test[group]] for fit in fits]) for group in GROUPS]
        return measured(curves, n.decimal, label=label, axis="blocks", tick=lambda place: str(fits[round(place)].blocks))

    def fit_rows(self) -> list[Row]:
        shares, rows = self.curve.shares, n.count(self.curve.shares[-1].rows)
        by_share: list[Row] = [(n.share(fit.share) + " of train", n.count(fit.rows), *build_cells(fit.figures)) for fit in shares]
        by_depth: list[Row] = [(f"blocks: {fit.blocks}", rows, *build_cells(fit.figures)) for fit in self.curve.depths]
        return by_share + by_depth


def _describe_deep(curve: LearningCurve) -> str:
    figures = curve.shares[-1].figures
    gain, traditional = figures.deep_minus_traditional, FAMILY_NAMES[figures.families["traditional"]].lower()
    claim = _choose(
        gain, "Deep learning is worth it here", "Deep learning makes no measurable difference here", "Deep learning is worse here"
    )
    return f"{claim}: deep \u2212 {traditional} is {_estimate(gain)} {_metric(curve)} on test, above 0 in favour of deep."


def _describe_data(curve: LearningCurve) -> str | None:
    """About the group that is better on val with all of train; the other is named too, as it may still be learning."""
    if curve.data_gain is None:
        return None
    gain, val = curve.data_gain.gain, curve.shares[-1].figures.val
    order = min if curve.primary in n.LOWER_IS_BETTER else max
    ahead = order(GROUPS, key=lambda group: val[group])
    other: Group = "traditional" if ahead == "deep" else "deep"
    claim = _choose(gain[ahead], "More data would help", "More data would bring no measurable gain", "More data would not help")
    if gain[ahead].low <= 0 < gain[other].low:
        claim += f" for {_PHRASES[ahead]}, which is ahead on val; {_PHRASES[other]} still gains"
    step = f"from {n.share(curve.data_gain.from_share)} to {n.share(curve.data_gain.to_share)} of train"
    gains = ", ".join(f"{group} {_estimate(gain[group])}" for group in (ahead, other))
    return f"{claim}: {step} {gains} {_metric(curve)}, above 0 is better."


def _describe_layers(curve: LearningCurve) -> str:
    best, gain = curve.depth_choice.blocks, curve.depth_choice.better_than_none
    if gain is None:
        return "Layers: none is best on val, straight from the columns to the head."
    blocks = "1 block is" if best == 1 else f"{best} blocks are"
    effect = _choose(gain, "help", "make no measurable difference", "harm")
    return f"Layers: {blocks} best on val; layers {effect}: {_estimate(gain)} {_metric(curve)} against none, on test."


def _choose(gain: Interval, above: str, neither: str, below: str) -> str:
    """Which words hold, by the interval of a difference that is better above 0."""
    return above if gain.low > 0 else below if gain.high < 0 else neither


def _estimate(interval: Interval) -> str:
    return n.estimate(interval, n.difference)


def _metric(curve: LearningCurve) -> str:
    return n.METRIC_NAMES[curve.primary]


def _build_curve(group: Group, x: Sequence[float], intervals: Sequence[Sequence[Interval]]) -> Curve:
    """The mean of the fits at each place; the band holds the intervals of all of them."""
    return Curve(
        name=group,
        tone=_TONES[group],
        x=list(x),
        y=[sum(fit.value for fit in fits) / len(fits) for fits in intervals],
        low=[min(fit.low for fit in fits) for fits in intervals],
        high=[max(fit.high for fit in fits) for fits in intervals],
    )
