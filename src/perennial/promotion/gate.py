"""What is known of a candidate and the model in use in, PROMOTE, HOLD or REJECT with every reason out. Pure.

Only the one primary metric can promote: the lower end of its 99 % interval must clear 0 against the model in use (of
equal models 1 in 200 does) and the agreed minimum in any case. Profit and customer groups can only stop a promotion. Segments
have no such metric: they must come out the same from other halves of the customers, and keep the names in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from perennial.evaluation.decisions.segments import Agreement, Kept
from perennial.evaluation.statistics.intervals import F64, Interval
from perennial.evaluation.statistics.paired import Judge
from perennial.evaluation.statistics.slices import ENOUGH, Slice, level_of

LEVEL = 0.99
KEPT, KEPT_BY_EACH = 0.9, 0.7  # shares of customers that keep their name: all, and of each segment in use
Verdict = Literal["PROMOTE", "HOLD", "REJECT"]
State = Literal["ok", "info", "holds", "rejects"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Scores of both models on the same rows, none of which either has trained on, and what else may stop a promotion.

    `champion` is None where no model is in use, or where it cannot score these rows; `not_comparable` says why the two
    cannot be compared. `profit` is what the candidate earns more than the champion, at LEVEL.
    """

    judge: Judge
    minimum: float
    candidate: F64
    champion: F64 | None
    not_comparable: str | None = None
    profit: Interval | None = None
    slices: tuple[Slice, ...] = ()
    unfair: str | None = None  # why a campaign's groups were hardly drawn by lot


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """How far models of halves of the customers agree on new segments, and whose name they keep.

    `kept` is None where no segments are in use, or where they cannot be held against these (`not_comparable`).
    """

    stability: Agreement
    minimum: float
    kept: Kept | None = None
    not_comparable: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One question asked: its answer in words, the interval and the line that it must pass, and what follows."""

    name: str
    words: str
    state: State
    interval: Interval | None = None
    line: float | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    verdict: Verdict
    rules: tuple[Rule, ...]

    @property
    def reasons(self) -> tuple[Rule, ...]:
        """The rules that stopped it; for a promotion all that it passed."""
        stopped = tuple(rule for rule in self.rules if rule.state in {"holds", "rejects"})
        return stopped or tuple(rule for rule in self.rules if rule.state == "ok")


def decide(evidence: Evidence | Segmentation) -> Decision:
    """REJECT below the agreed minimum or measurably worse; HOLD where something stops it; PROMOTE otherwise.

    Raises: InputError when scores do not fit the rows.
    """
    rules: tuple[Rule, ...]
    if isinstance(evidence, Segmentation):
        rules = (_stability(evidence), *_names(evidence))
    else:
        rules = (_better(evidence), _floor(evidence), *_lottery(evidence), *_money(evidence), *_groups(evidence))
    states = {rule.state for rule in rules}
    verdict: Verdict = "REJECT" if "rejects" in states else "HOLD" if "holds" in states else "PROMOTE"
    return Decision(verdict=verdict, rules=rules)


def anew(evidence: Evidence | Segmentation, why: str) -> Decision | None:
    """As a first model is judged, because a person said so; None where the model in use can be held against it."""
    if evidence.not_comparable is None:
        return None
    found = decide(replace(evidence, not_comparable=None))
    asked = Rule(name="anew", words=f"judged as a first model by hand ({why}): {evidence.not_comparable}", state="ok")
    return Decision(verdict=found.verdict, rules=(asked, *(rule for rule in found.rules if rule.state != "info")))


def _better(evidence: Evidence) -> Rule:
    metric = evidence.judge.metric
    if evidence.not_comparable is not None:
        return Rule(name="comparable", words=f"not comparable: {evidence.not_comparable}", state="holds")
    if evidence.champion is None:
        return Rule(name="better", words="no model is in use, so there is none to be better than", state="info")
    gain = evidence.judge.better_by(evidence.candidate, evidence.champion, LEVEL)
    found = f"{metric}, candidate against the model in use: better by {_told(gain, '+.4f')} on the same rows"
    if gain.low > 0:
        return Rule(name="better", words=f"{found}, all above 0", state="ok", interval=gain, line=0.0)
    if gain.high < 0:
        return Rule(name="better", words=f"{found}, measurably worse", state="rejects", interval=gain, line=0.0)
    return Rule(name="better", words=f"{found}, not measurably better", state="holds", interval=gain, line=0.0)


def _floor(evidence: Evidence) -> Rule:
    """The worse end of the interval must clear the agreed minimum (for a loss, a ceiling)."""
    judge, minimum = evidence.judge, evidence.minimum
    figure = judge.estimate(evidence.candidate, LEVEL)
    clears, end = (figure.low > minimum, "lower") if judge.higher_is_better else (figure.high < minimum, "upper")
    said = "clears" if clears else "does not clear"
    words = (
        f"{judge.metric} of the candidate {_told(figure, '.4f')}: its {end} end {said} the agreed minimum {minimum:g}"
    )
    return Rule(name="minimum", words=words, state="ok" if clears else "rejects", interval=figure, line=minimum)


def _lottery(evidence: Evidence) -> list[Rule]:
    """Without a fair lottery what looks like an effect may be who was in the groups."""
    return [Rule(name="lottery", words=evidence.unfair, state="holds")] if evidence.unfair else []


def _money(evidence: Evidence) -> list[Rule]:
    gain = evidence.profit
    if gain is None or evidence.champion is None or evidence.not_comparable is not None:
        return []
    is_worse = gain.high < 0
    words = f"profit against the model in use {_told(gain, '+,.0f')}: {'' if is_worse else 'not '}measurably less"
    return [Rule(name="profit", words=words, state="holds" if is_worse else "ok", interval=gain, line=0.0)]


def _groups(evidence: Evidence) -> list[Rule]:
    """Each group that is measurably worse; else the one that does worst."""
    if not evidence.slices or evidence.champion is None or evidence.not_comparable is not None:
        return []
    judged = [found for found in evidence.slices if found.better_by is not None]
    if not judged:
        words = f"no customer group has {ENOUGH} rows of each outcome, so none is judged"
        return [Rule(name="groups", words=words, state="info")]
    worse = [found for found in judged if found.is_worse]
    worst = min(judged, key=lambda found: found.better_by.value if found.better_by else 0.0)
    return [_group(found, len(judged)) for found in worse or [worst]]


def _group(found: Slice, judged: int) -> Rule:
    assert found.better_by is not None
    said = "measurably worse" if found.is_worse else f"the worst of {judged} groups, not measurably worse"
    level = level_of(judged)
    words = f"{found.column} {found.value} ({found.n} rows): better by {_told(found.better_by, '+.4f', level)}, {said}"
    state: State = "holds" if found.is_worse else "ok"
    return Rule(name="groups", words=words, state=state, interval=found.better_by, line=0.0)


def _stability(evidence: Segmentation) -> Rule:
    """The mean agreement must reach the agreed minimum; the interval is the range of the pairs of halves.

    The worst of many pairs grows worse with their number: it has its say where the number of segments is chosen.
    """
    found, minimum = evidence.stability, evidence.minimum
    index = found.index
    figures = f"halves of the customers agree by {index.value:.3f} (from {index.low:.3f} to {index.high:.3f})"
    words = f"{figures}; the worst pair names {found.named:.1%} of them alike"
    if index.value >= minimum:
        return Rule(
            name="stability", words=f"{words}: {minimum:g} is reached", state="ok", interval=index, line=minimum
        )
    said = f"weak structure: {words}; {minimum:g} is needed"
    return Rule(name="stability", words=said, state="rejects", interval=index, line=minimum)


def _names(evidence: Segmentation) -> list[Rule]:
    """Customers who keep the name that they have: all, then those of the segment that loses most."""
    if evidence.not_comparable is not None:
        return [Rule(name="comparable", words=f"not comparable: {evidence.not_comparable}", state="holds")]
    kept = evidence.kept
    if kept is None:
        return [Rule(name="names", words="no segments are in use, so there are no names to keep", state="info")]
    name, worst = kept.worst
    advice = f"; {kept.grouped:.1%} if names went by shared customers: fit on from baseline.segments.previous"
    enough, each = kept.overall.value >= KEPT, worst.value >= KEPT_BY_EACH
    words = f"{kept.overall.value:.1%} of all customers keep their name, {KEPT:.0%} is needed"
    least = f"{worst.value:.1%} of {name!r} keep it, {KEPT_BY_EACH:.0%} is needed of each segment"
    return [
        Rule(name="names", words=words + ("" if enough else advice), state="ok" if enough else "holds",
             interval=kept.overall, line=KEPT),
        Rule(name="segment", words=least, state="ok" if each else "holds", interval=worst, line=KEPT_BY_EACH),
    ]  # fmt: skip


def _told(interval: Interval, form: str, level: float = LEVEL) -> str:
    ends = f"[{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.value:{form}} {ends} at {100 * level:.3g} %"
