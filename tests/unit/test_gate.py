"""The gate: how often it promotes what it should and should not, and every rule that can stop it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from perennial.errors import ConfigError, InputError
from perennial.evaluation.statistics.intervals import F64, z_of
from perennial.evaluation.statistics.metrics import measure
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import SliceComparison, compare_slices
from perennial.promotion.gate import LEVEL, Evidence, decide, decide_as_first
from perennial.results.decision import Decision, Rule
from perennial.results.figures import Interval

pytestmark = pytest.mark.unit

TRIALS = 2_000
EQUAL, CLEARLY_WORSE = 0.6, 1.12  # noise of the champion's scores; the candidate's is 0.6


def models(seed: int, n: int = 2_000, champion: float = EQUAL) -> tuple[F64, F64, F64]:
    """Outcomes, and two models' scores: the same truth, each with noise of its own."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(2 - 1.2 * z))).astype(np.float64)
    return y, z + 0.6 * rng.normal(size=n), z + champion * rng.normal(size=n)


def evidence(seed: int = 1, n: int = 2_000, champion: float = EQUAL, *, minimum: float = 0.5) -> Evidence:
    y, new, old = models(seed, n, champion)
    return Evidence(
        comparison=PairedComparison(metric="auc", y=y, resamples=200, seed=1), minimum=minimum, candidate=new, champion=old
    )


def rule(decision: Decision, name: str) -> Rule:
    result = [rule for rule in decision.rules if rule.name == name]
    assert len(result) == 1, decision
    return result[0]


def group(better_by: Interval | None, value: str = "landline") -> SliceComparison:
    figure = None if better_by is None else Interval(value=0.7, low=0.6, high=0.8)
    return SliceComparison(column="contact", value=value, n=400, candidate=figure, reference=figure, better_by=better_by)


def test_equal_models_are_hardly_ever_promoted_and_a_real_gain_mostly_is() -> None:
    promoted: dict[float, float] = {}
    gains: dict[float, float] = {}
    for champion in (EQUAL, CLEARLY_WORSE):
        result = [decide(evidence(seed, champion=champion)) for seed in range(TRIALS)]
        values = [interval.value for d in result if (interval := rule(d, "improvement").interval) is not None]
        assert len(values) == TRIALS
        promoted[champion] = Counter(d.verdict for d in result)["PROMOTE"] / TRIALS
        gains[champion] = float(np.mean(values) / np.std(values))
    rates = f"equal promoted {promoted[EQUAL]:.2%}, gain of {gains[CLEARLY_WORSE]:.2f} standard errors "
    rates += f"promoted {promoted[CLEARLY_WORSE]:.1%}"
    assert abs(gains[EQUAL]) < 0.1, rates
    assert 3.4 <= gains[CLEARLY_WORSE] <= 3.6, rates
    assert promoted[EQUAL] <= 0.01, rates
    assert promoted[CLEARLY_WORSE] >= 0.80, rates


def test_a_gain_that_is_clear_promotes_and_says_so() -> None:
    decision = decide(evidence(n=8_000, champion=2.0, minimum=0.6))
    assert decision.verdict == "PROMOTE"
    assert [r.name for r in decision.reasons] == ["improvement", "minimum"]
    better = rule(decision, "improvement")
    assert better.interval is not None
    assert better.sentence.startswith(f"auc, candidate against the champion: better by {better.interval.value:+.4f} [")
    assert better.sentence.endswith("] at 99 % on the same rows, all above 0")
    assert "its lower end clears the agreed minimum 0.6" in rule(decision, "minimum").sentence


def test_the_same_model_again_is_held() -> None:
    some = evidence()
    decision = decide(replace(some, champion=some.candidate))
    assert decision.verdict == "HOLD"
    assert [r.sentence.split(", ")[-1] for r in decision.reasons] == ["not measurably better"]


def test_a_measurably_worse_candidate_is_rejected() -> None:
    some = evidence(n=8_000, champion=2.0)
    assert some.champion is not None
    decision = decide(replace(some, candidate=some.champion, champion=some.candidate))
    assert (decision.verdict, rule(decision, "improvement").state) == ("REJECT", "reject")
    assert rule(decision, "improvement").sentence.endswith("measurably worse")


def test_the_first_model_needs_nothing_but_the_floor() -> None:
    some = replace(evidence(), champion=None)
    figure = some.comparison.estimate(some.candidate, LEVEL)
    above = decide(replace(some, minimum=figure.low - 1e-6))
    assert (above.verdict, rule(above, "improvement").state) == ("PROMOTE", "info")
    assert "there is no champion yet" in rule(above, "improvement").sentence
    below = decide(replace(some, minimum=figure.low + 1e-6))
    assert figure.low + 1e-6 < figure.value
    assert below.verdict == "REJECT"
    assert [r.name for r in below.reasons] == ["minimum"]
    assert "its lower end does not clear the agreed minimum" in rule(below, "minimum").sentence
    assert (rule(below, "minimum").interval, rule(below, "minimum").line) == (figure, figure.low + 1e-6)


def test_the_floor_stands_however_much_better_the_candidate_is() -> None:
    decision = decide(evidence(n=8_000, champion=2.0, minimum=0.95))
    assert (decision.verdict, rule(decision, "improvement").state) == ("REJECT", "pass")


def test_of_a_loss_less_is_better_and_the_floor_is_a_ceiling() -> None:
    y, new, old = models(1, 6_000, 2.0)
    p_new, p_old = (1 / (1 + np.exp(2 - s)) for s in (new, old))
    comparison = PairedComparison(metric="log_loss", y=y, resamples=200, seed=1)
    some = Evidence(comparison=comparison, minimum=0.6, candidate=p_new, champion=p_old)
    decision = decide(some)
    interval = rule(decision, "improvement").interval
    assert interval is not None
    assert interval.value == pytest.approx(measure("log_loss", y, p_old) - measure("log_loss", y, p_new))
    assert (interval.value > 0, decision.verdict) == (True, "PROMOTE")
    high = decide(replace(some, minimum=measure("log_loss", y, p_new)))
    assert (high.verdict, "its upper end does not clear" in rule(high, "minimum").sentence) == ("REJECT", True)
    turned = decide(replace(some, candidate=p_old, champion=p_new))
    assert turned.verdict == "REJECT"


@pytest.mark.parametrize("has_scores", [True, False])
def test_what_cannot_be_compared_is_held_with_the_reason(has_scores: bool) -> None:
    some = evidence(n=8_000, champion=2.0)
    why = "version 3 was trained on 412 of these rows"
    less = Interval(value=-9, low=-10, high=-8)
    case = replace(some, not_comparable=why, profit=less, slices=(group(less),))
    decision = decide(case if has_scores else replace(case, champion=None))
    assert decision.verdict == "HOLD"
    assert [r.sentence for r in decision.reasons] == [f"not comparable: {why}"]
    assert {r.name for r in decision.rules} == {"comparable", "minimum"}
    assert decide(replace(case, minimum=0.95)).verdict == "REJECT"


def test_what_cannot_be_compared_is_judged_as_a_first_model_where_a_person_says_why() -> None:
    some = replace(evidence(n=8_000, champion=2.0), champion=None)
    case = replace(some, not_comparable="the roles of x changed")
    decision = decide_as_first(case, "cheap means below 13")
    assert decision is not None
    assert (decision.verdict, [r.name for r in decision.reasons]) == ("PROMOTE", ["override", "minimum"])
    assert decision.rules[0].sentence == "judged as a first model by hand (cheap means below 13): the roles of x changed"
    low = decide_as_first(replace(case, minimum=0.95), "cheap means below 13")
    assert low is not None
    assert low.verdict == "REJECT", "the agreed minimum stands"
    assert decide_as_first(some, "no reason at all") is None


def test_profit_can_only_stop() -> None:
    clear, equal = evidence(n=8_000, champion=2.0), evidence()
    less = Interval(value=-900, low=-1_700, high=-100)
    stopped = decide(replace(clear, profit=less))
    assert stopped.verdict == "HOLD"
    assert [r.sentence for r in stopped.reasons] == ["profit against the champion -900 [-1,700, -100] at 99 %: measurably less"]
    unsure = Interval(value=-900, low=-1_900, high=100)
    assert decide(replace(clear, profit=unsure)).verdict == "PROMOTE"
    assert decide(replace(equal, profit=Interval(value=900, low=800, high=1_000))).verdict == "HOLD"
    assert decide(replace(clear, champion=None, profit=less)).verdict == "PROMOTE"  # the first model has no rival


def test_a_group_stops_only_when_it_surely_loses_more_than_a_hundredth() -> None:
    clear = evidence(n=8_000, champion=2.0)
    cases = {
        "surely": (Interval(value=-0.03, low=-0.05, high=-0.01), "HOLD"),
        "little": (Interval(value=-0.009, low=-0.012, high=-0.006), "PROMOTE"),
        "unsure": (Interval(value=-0.03, low=-0.07, high=0.01), "PROMOTE"),
        "improvement": (Interval(value=0.03, low=0.01, high=0.05), "PROMOTE"),
    }
    observed = 0
    for name, (interval, verdict) in cases.items():
        decision = decide(replace(clear, slices=(group(None, "few"), group(interval), group(cases["improvement"][0], "web"))))
        assert decision.verdict == verdict, name
        words = rule(decision, "slices").sentence
        assert words.startswith("contact landline (400 rows)" if name != "improvement" else "contact"), words
        observed += 1
    assert observed == 4
    both = decide(replace(clear, slices=(group(cases["surely"][0], "a"), group(cases["surely"][0], "b"))))
    assert [r.sentence.split(" (")[0] for r in both.reasons] == ["contact a", "contact b"]
    none = rule(decide(replace(clear, slices=(group(None),))), "slices")
    assert (none.state, "no customer group has 30 rows of each outcome" in none.sentence) == ("info", True)


def test_groups_are_judged_with_a_level_for_each_look_and_never_below_thirty() -> None:
    y, new, old = models(3, 4_000)
    comparison = PairedComparison(metric="auc", y=y, resamples=100, seed=1)
    small = np.zeros(4_000, dtype=bool)
    small[np.flatnonzero(y == 1)[:29]] = True
    small[np.flatnonzero(y == 0)[:500]] = True
    groups = {
        "channel": np.where(small, "fax", np.where(np.arange(4_000) % 2 == 0, "web", "store")),
        "age": np.where(np.arange(4_000) % 3 == 0, "young", "old"),
    }
    result = compare_slices(comparison, groups, new, old)
    assert [(s.column, s.value) for s in result] == [
        ("channel", "fax"),
        ("channel", "store"),
        ("channel", "web"),
        ("age", "old"),
        ("age", "young"),
    ]
    assert sum(s.n for s in result if s.column == "channel") == 4_000
    fax, store = result[0], result[1]
    assert (fax.candidate, fax.reference, fax.better_by) == (None, None, None)
    rows = groups["channel"] == "store"
    assert store.better_by == comparison.only(rows).better_by(new[rows], old[rows], 1 - 0.05 / 4)
    assert store.candidate == comparison.only(rows).estimate(new[rows], 0.95)
    assert z_of(1 - 0.05 / 4) > z_of(0.95)


def test_a_model_that_fails_one_group_is_held_though_better_on_the_whole() -> None:
    y, new, old = models(5, 12_000, 2.0)
    is_landline = np.arange(12_000) % 6 == 0
    spoiled = np.where(is_landline, np.random.default_rng(1).normal(size=12_000), new)
    comparison = PairedComparison(metric="auc", y=y, resamples=100, seed=1)
    slices = compare_slices(comparison, {"contact": np.where(is_landline, "landline", "mobile")}, spoiled, old)
    decision = decide(Evidence(comparison=comparison, minimum=0.5, candidate=spoiled, champion=old, slices=slices))
    assert (decision.verdict, rule(decision, "improvement").state) == ("HOLD", "pass")
    assert [r.sentence.split(":")[0] for r in decision.reasons] == ["contact landline (2,000 rows)"]


def test_scores_of_the_scorer_are_taken_as_they_come() -> None:
    some = evidence()
    assert some.champion is not None
    column = replace(some, candidate=some.candidate[:, None], champion=some.champion[:, None])
    assert decide(column) == decide(some)


def test_a_judge_refuses_what_it_cannot_judge() -> None:
    y, new, _ = models(1, 100)
    with pytest.raises(ConfigError, match="no metric 'AUC'"):
        PairedComparison(metric="AUC", y=y, resamples=100, seed=1)
    with pytest.raises(InputError, match="a Qini needs the arm of every row"):
        PairedComparison(metric="qini", y=y, resamples=100, seed=1)
    comparison = PairedComparison(metric="ap", y=y, resamples=100, seed=1)
    with pytest.raises(InputError, match=r"outcomes \(100,\), scores \(99,\)"):
        decide(Evidence(comparison=comparison, minimum=0, candidate=new[1:], champion=None))


def test_amounts_are_resampled_as_they_are() -> None:
    """Each amount would be a stratum of its own, and no interval would have a width."""
    rng = np.random.default_rng(1)
    y = rng.gamma(1, 100, 1_000)
    comparison = PairedComparison(metric="mae", y=y, resamples=200, seed=1)
    result = comparison.better_by(y + rng.normal(size=1_000), y + 30 * rng.normal(size=1_000), 0.95)
    assert 0 < result.low < result.value - 0.5
    assert result.value + 0.5 < result.high


def test_weights_by_outcome_change_ap_and_not_auc() -> None:
    y, new, old = models(2, 4_000, 1.2)
    weight = np.where(y == 1, 1.0, 30.0)
    result = {}
    for metric in ("auc", "ap"):
        plain = PairedComparison(metric=metric, y=y, resamples=100, seed=1)
        result[metric] = [j.better_by(new, old, 0.95).value for j in (plain, replace(plain, weight=weight))]
    assert result["auc"][0] == result["auc"][1]
    assert result["ap"][0] > 2 * result["ap"][1] > 0
    part = replace(plain, weight=weight).only(y == 1).weight
    assert part is not None
    assert (part == 1).all()
