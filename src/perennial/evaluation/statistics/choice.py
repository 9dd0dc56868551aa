"""Choice of a family: the simplest within one standard error of the best on val is the candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.results.evaluation import Candidate, FamilyFigures, PairedDifference
from perennial.results.families import TRADITIONAL, Family

_ONE_ERROR = 0.6826894921370859  # the two-sided level whose interval reaches one standard error


def choose_family(scores: Mapping[Family, F64], comparison: PairedComparison) -> Candidate:
    """`scores` on val by family, the simplest first."""
    figures = {family: comparison.value(score) for family, score in scores.items()}
    best = (max if comparison.higher_is_better else min)(figures, key=lambda family: figures[family])
    behind = {
        family: comparison.better_by(scores[best], score, _ONE_ERROR)
        for family, score in scores.items()
        if family != best
    }
    within = [family for family in scores if family == best or behind[family].low <= 0]
    return Candidate(family=within[0], best=best, val=figures, behind=behind)


def family_figures(
    val: Mapping[Family, F64],
    test: Mapping[Family, F64],
    comparisons: Sequence[Mapping[str, PairedComparison]],
    level: float,
) -> dict[Family, FamilyFigures]:
    """Each family's metrics on val, and on test with their intervals; `comparisons` by metric, of val and of test."""
    on_val, on_test = comparisons
    return {
        family: FamilyFigures(
            val={name: comparison.value(val[family]) for name, comparison in on_val.items()},
            test={name: comparison.estimate(score, level) for name, comparison in on_test.items()},
        )
        for family, score in test.items()
    }


def deep_minus_traditional(
    candidate: Candidate, scores: Mapping[Family, F64], comparison: PairedComparison, level: float
) -> PairedDifference:
    """The deep family against the traditional one that was better on val, paired, on the rows of `comparison` (test)."""
    order = max if comparison.higher_is_better else min
    best_traditional = order(
        (family for family in scores if family in TRADITIONAL), key=lambda family: candidate.val[family]
    )
    gain = comparison.better_by(scores["deep"], scores[best_traditional], level)
    return PairedDifference(metric=comparison.metric, traditional=best_traditional, gain=gain)
