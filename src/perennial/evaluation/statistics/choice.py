"""Choice of a family: the simplest within one standard error of the best on val is the candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial.evaluation.statistics.intervals import F64, LEVEL
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.uplift import Arms
from perennial.results.evaluation import Candidate, EvaluationSummary, FamilyFigures, PairedDifference
from perennial.results.families import TRADITIONAL, Family

_ONE_ERROR = 0.6826894921370859  # the two-sided level whose interval reaches one standard error


@dataclass(frozen=True, kw_only=True)
class Resampling:
    n: int
    seed: int

    @property
    def of_curves(self) -> dict[str, int]:
        """`n` and `seed` of curves, and of figures of all rows: 200 resamples know their spread to a twentieth."""
        return {"n": min(self.n, 200), "seed": self.seed}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Outcomes of one part (n,), each family's scores (n,) or (n, outputs), the simplest family first; weights and arms.

    A weight is how many customers a row stands for; it may depend on the outcome only.
    """

    y: F64
    scores: Mapping[Family, F64]
    weight: F64 | None = None
    arm: Arms | None = None

    def build_comparison(self, metric: str, resampling: Resampling) -> PairedComparison:
        return PairedComparison(
            metric=metric, y=self.y, arm=self.arm, weight=self.weight, resamples=resampling.n, seed=resampling.seed
        )


def compare_families(
    val: Labelled, test: Labelled, primary: str, metrics: Sequence[str], resampling: Resampling
) -> EvaluationSummary:
    """Candidate by `primary`, each family's `metrics` on val and test, and deep − traditional: what all tasks report."""
    on_val, on_test = ({name: part.build_comparison(name, resampling) for name in metrics} for part in (val, test))
    candidate = choose_family(val.scores, on_val[primary])
    return EvaluationSummary(
        rows={"val": len(val.y), "test": len(test.y)},
        primary=primary,
        candidate=candidate,
        families={
            family: FamilyFigures(
                val={name: comparison.value(val.scores[family]) for name, comparison in on_val.items()},
                test={name: comparison.estimate(score, LEVEL) for name, comparison in on_test.items()},
            )
            for family, score in test.scores.items()
        },
        deep_minus_traditional=_compare_deep(candidate, test.scores, on_test[primary]),
        over_candidate={
            family: on_test[primary].better_by(score, test.scores[candidate.family], LEVEL)
            for family, score in test.scores.items()
            if family != candidate.family
        },
    )


def choose_family(scores: Mapping[Family, F64], comparison: PairedComparison) -> Candidate:
    """`scores` on val by family, the simplest first."""
    figures = {family: comparison.value(score) for family, score in scores.items()}
    best = (max if comparison.higher_is_better else min)(figures, key=lambda family: figures[family])
    others = {family: score for family, score in scores.items() if family != best}
    behind = {family: comparison.better_by(scores[best], score, _ONE_ERROR) for family, score in others.items()}
    within = [family for family in scores if family == best or behind[family].low <= 0]
    return Candidate(family=within[0], best=best, val=figures, behind=behind)


def _compare_deep(candidate: Candidate, scores: Mapping[Family, F64], on_test: PairedComparison) -> PairedDifference:
    """The deep family against the traditional one that was better on val, paired, on the rows of test."""
    traditional = (family for family in scores if family in TRADITIONAL)
    best = (max if on_test.higher_is_better else min)(traditional, key=lambda family: candidate.val[family])
    gain = on_test.better_by(scores["deep"], scores[best], LEVEL)
    return PairedDifference(metric=on_test.metric, traditional=best, gain=gain)
