"""Promotion gate: compare candidate with champion and return PROMOTE, HOLD or REJECT with every reason. Pure.

Only the one primary metric can promote: the lower end of its 99 % interval must clear 0 against the champion (of equal
models 1 in 200 does) and the agreed minimum in any case. Profit and customer groups can only stop a promotion. Segments
have no such metric: other halves of the customers must give the same ones, and customers must keep their labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perennial.contract.serving import name_group
from perennial.evaluation.decisions.segments import LabelRetention
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import ENOUGH, SliceComparison, level_of
from perennial.results.clustering import Agreement
from perennial.results.decision import Decision, Rule, RuleName, RuleState, Verdict
from perennial.results.figures import Interval

LEVEL = 0.99
RETAINED, RETAINED_BY_EACH = 0.9, 0.7  # shares of customers that keep their label: all, and of each segment in use


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Scores of both models on the same rows, none of which either has trained on, and what else may stop a promotion.

    `champion` is None where there is none, or where it cannot score these rows; `not_comparable` says why the two
    cannot be compared. `profit` is what the candidate earns more than the champion, at LEVEL.
    """

    comparison: PairedComparison
    minimum: float
    candidate: F64
    champion: F64 | None
    not_comparable: str | None = None
    profit: Interval | None = None
    slices: tuple[SliceComparison, ...] = ()
    randomization_problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class SegmentationEvidence:
    """How far models of halves of the customers agree on new segments, and who keeps a label.

    `retention` is None where there are no segments yet, or where they cannot be compared (`not_comparable`).
    """

    stability: Agreement
    minimum: float
    retention: LabelRetention | None = None
    not_comparable: str | None = None


def decide(evidence: Evidence | SegmentationEvidence) -> Decision:
    """REJECT below the agreed minimum or measurably worse; HOLD where something stops it; PROMOTE otherwise.

    Raises: InputError when scores do not fit the rows.
    """
    rules: tuple[Rule, ...]
    if isinstance(evidence, SegmentationEvidence):
        rules = (_stability(evidence), *_label_retention(evidence))
    else:
        rules = (_improvement(evidence), _minimum(evidence), *_randomization(evidence), *_profit(evidence), *_slices(evidence))
    states = {rule.state for rule in rules}
    verdict: Verdict = "REJECT" if RuleState.REJECT in states else "HOLD" if RuleState.HOLD in states else "PROMOTE"
    return Decision(verdict=verdict, rules=rules)


def decide_as_first(evidence: Evidence | SegmentationEvidence, why: str) -> Decision | None:
    """As a first model is judged, because a person said so; None where the champion can be compared with it."""
    if evidence.not_comparable is None:
        return None
    decision = decide(replace(evidence, not_comparable=None))
    sentence = f"judged as a first model by hand ({why}): {evidence.not_comparable}"
    override = Rule(name=RuleName.OVERRIDE, sentence=sentence, state=RuleState.PASS)
    others = (rule for rule in decision.rules if rule.state != RuleState.INFO)
    return Decision(verdict=decision.verdict, rules=(override, *others))


def _improvement(evidence: Evidence) -> Rule:
    name = RuleName.IMPROVEMENT
    if evidence.not_comparable is not None:
        return _incomparable(evidence.not_comparable)
    if evidence.champion is None:
        return Rule(name=name, sentence="there is no champion yet to be better than", state=RuleState.INFO)
    gain = evidence.comparison.better_by(evidence.candidate, evidence.champion, LEVEL)
    by = f"{evidence.comparison.metric}, candidate against the champion: better by {_estimate(gain, '+.4f')} on the same rows"
    if gain.low > 0:
        state, outcome = RuleState.PASS, "all above 0"
    elif gain.high < 0:
        state, outcome = RuleState.REJECT, "measurably worse"
    else:
        state, outcome = RuleState.HOLD, "not measurably better"
    return Rule(name=name, sentence=f"{by}, {outcome}", state=state, interval=gain, line=0.0)


def _incomparable(why: str) -> Rule:
    return Rule(name=RuleName.COMPARABLE, sentence=f"not comparable: {why}", state=RuleState.HOLD)


def _minimum(evidence: Evidence) -> Rule:
    """The worse end of the interval must clear the agreed minimum (for a loss, a maximum)."""
    comparison, minimum = evidence.comparison, evidence.minimum
    figure = comparison.estimate(evidence.candidate, LEVEL)
    rises = comparison.higher_is_better
    is_clear, end = (figure.low > minimum, "lower") if rises else (figure.high < minimum, "upper")
    sentence = (
        f"{comparison.metric} of the candidate {_estimate(figure, '.4f')}: its {end} end "
        f"{'clears' if is_clear else 'does not clear'} the agreed minimum {minimum:g}"
    )
    state = RuleState.PASS if is_clear else RuleState.REJECT
    return Rule(name=RuleName.MINIMUM, sentence=sentence, state=state, interval=figure, line=minimum)


def _randomization(evidence: Evidence) -> list[Rule]:
    """Without random assignment what looks like an effect may be who was in the groups."""
    problem = evidence.randomization_problem
    return [Rule(name=RuleName.RANDOMIZATION, sentence=problem, state=RuleState.HOLD)] if problem else []


def _profit(evidence: Evidence) -> list[Rule]:
    gain = evidence.profit
    if gain is None or evidence.champion is None or evidence.not_comparable is not None:
        return []
    is_worse = gain.high < 0
    sentence = f"profit against the champion {_estimate(gain, '+,.0f')}: {'' if is_worse else 'not '}measurably less"
    state = RuleState.HOLD if is_worse else RuleState.PASS
    return [Rule(name=RuleName.PROFIT, sentence=sentence, state=state, interval=gain, line=0.0)]


def _slices(evidence: Evidence) -> list[Rule]:
    """Each group that is measurably worse; else the one that does worst."""
    if not evidence.slices or evidence.champion is None or evidence.not_comparable is not None:
        return []
    compared = [row for row in evidence.slices if row.better_by is not None]
    if not compared:
        sentence = f"no customer group has {ENOUGH} rows of each outcome, so none is judged"
        return [Rule(name=RuleName.SLICES, sentence=sentence, state=RuleState.INFO)]
    worse = [row for row in compared if row.is_worse]
    worst = min(compared, key=lambda row: row.better_by.value if row.better_by else 0.0)
    return [_slice(row, len(compared)) for row in worse or [worst]]


def _slice(row: SliceComparison, n_compared: int) -> Rule:
    assert row.better_by is not None
    outcome = "measurably worse" if row.is_worse else f"the worst of {n_compared} groups, not measurably worse"
    by = _estimate(row.better_by, "+.4f", level_of(n_compared))
    return Rule(
        name=RuleName.SLICES,
        sentence=f"{name_group(row.column.replace('_', ' '), row.value)} ({row.n:,} rows): better by {by}, {outcome}",
        state=RuleState.HOLD if row.is_worse else RuleState.PASS,
        interval=row.better_by,
        line=0.0,
    )


def _stability(evidence: SegmentationEvidence) -> Rule:
    """The mean agreement must reach the agreed minimum; the interval is the range of the pairs of halves.

    The worst of many pairs grows worse with their number: it has its say where the number of segments is chosen.
    """
    stability, minimum = evidence.stability, evidence.minimum
    index = stability.index
    figures = f"halves of the customers agree by {index.value:.3f} (from {index.low:.3f} to {index.high:.3f})"
    figures += f"; the worst pair gives {stability.same_label:.1%} of them the same segment"
    is_reached = index.value >= minimum
    sentence = f"{figures}: {minimum:g} is reached" if is_reached else f"weak structure: {figures}; {minimum:g} is needed"
    state = RuleState.PASS if is_reached else RuleState.REJECT
    return Rule(name=RuleName.STABILITY, sentence=sentence, state=state, interval=index, line=minimum)


def _label_retention(evidence: SegmentationEvidence) -> list[Rule]:
    """Customers who keep their label: all, then those of the segment that loses most."""
    if evidence.not_comparable is not None:
        return [_incomparable(evidence.not_comparable)]
    retention = evidence.retention
    if retention is None:
        sentence = "there are no segments yet, so there are no labels to keep"
        return [Rule(name=RuleName.LABEL_RETENTION, sentence=sentence, state=RuleState.INFO)]
    name, worst = retention.worst
    advice = f"; {retention.grouped:.1%} if labels went by shared customers: fit on from baseline.segments.previous"
    enough, each = retention.overall.value >= RETAINED, worst.value >= RETAINED_BY_EACH
    overall = f"{retention.overall.value:.1%} of all customers keep their label, {RETAINED:.0%} is needed"
    least = f"{worst.value:.1%} of {name!r} keep it, {RETAINED_BY_EACH:.0%} is needed of each segment"
    return [
        Rule(
            name=RuleName.LABEL_RETENTION,
            sentence=overall if enough else overall + advice,
            state=RuleState.PASS if enough else RuleState.HOLD,
            interval=retention.overall,
            line=RETAINED,
        ),
        Rule(
            name=RuleName.SEGMENT_RETENTION,
            sentence=least,
            state=RuleState.PASS if each else RuleState.HOLD,
            interval=worst,
            line=RETAINED_BY_EACH,
        ),
    ]


def _estimate(interval: Interval, form: str, level: float = LEVEL) -> str:
    ends = f"[{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.value:{form}} {ends} at {100 * level:.3g} %"
