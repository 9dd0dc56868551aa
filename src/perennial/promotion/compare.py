"""Comparison of two checkouts: their candidates on the test rows of this one, as the comment that a pull request gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from perennial.charts.curves import Curve, plot_by_depth
from perennial.charts.numbers import money_axis, share_axis
from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.data.prepare.parts import select_part
from perennial.files.durable import write_bytes, write_text
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.evidence import gather_evidence, not_comparable
from perennial.promotion.gate import decide
from perennial.promotion.reporting import gather_report
from perennial.promotion.run_plan import describe_cost, find_runs, note_run
from perennial.promotion.run_views import bundle_folder
from perennial.report.figures import Figure
from perennial.report.pages.compose import compose
from perennial.results.binary import BinaryEvaluation
from perennial.results.costs import RunPlan
from perennial.results.decision import Decision, DecisionRecord, ModelReference, utc_now
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.figures import Interval, IntervalCurve
from perennial.scoring.scorer import Scorer
from perennial.tasks.lookup import supervised_task

_CHART_STEPS = 20  # points of the chart in the comment
_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The candidate of one checkout against that of another."""

    here: Project
    other: Project
    name: str

    @cached_property
    def contract(self) -> Contract:
        return load(self.here.contract(self.name))

    @cached_property
    def evaluations(self) -> tuple[Evaluation, Evaluation]:
        """Of this one and of the other, each on its own test rows."""
        return read_evaluation(self.here, self.name), read_evaluation(self.other, self.name)

    @cached_property
    def scorers(self) -> tuple[Scorer, Scorer]:
        return load_candidate(self.here, self.name), load_candidate(self.other, self.name)

    @cached_property
    def decision(self) -> Decision:
        """What the gate would say if the other were in use."""
        return decide(gather_evidence(self.here, self.name, self.contract, *self.scorers, self._gate))

    @property
    def _gate(self) -> GateParams:
        return read_section(self.here.root / "params.yaml", self.name, "gate", GateParams)

    def write(self, folder: Path, plan: RunPlan | None, link: str) -> None:
        """Write comment.md, report.html and, where there is a curve, its picture into a folder."""
        if plan is not None:
            note_run(self.here, self.name, plan)
        write_text(folder / "comment.md", self.describe(plan, link))
        record = self._record()
        write_text(folder / "report.html", compose(gather_report(self.here, self.name, [record]))[0])
        if (drawn := self.draw()) is not None:
            write_bytes(folder / f"{drawn.name}.png", drawn.png)
            write_text(folder / f"{drawn.name}.svg", drawn.svg)

    def describe(self, plan: RunPlan | None = None, link: str = "") -> str:
        """The comment as Markdown."""
        return "\n".join(self._lines(plan, link)) + "\n"

    def _lines(self, plan: RunPlan | None, link: str) -> Iterator[str]:
        mine, others = self.evaluations
        yield f"<!-- perennial {self.name} -->\n## {self.name}: {self.decision.verdict} (against the other branch)\n"
        yield f"This branch: {mine.candidate.family}. The other: {others.candidate.family}."
        yield "\n**Both candidates on the test rows of this branch**\n"
        yield from self._tabulate()
        yield ""
        yield from (f"- {rule.state}: {rule.sentence}" for rule in self.decision.rules)
        yield f"\nRows: {', '.join(f'{count} {part}' for part, count in mine.rows.items())}."
        yield from self._chart()
        if plan is not None:
            yield from self._describe_stages(plan)
            yield "\n**Cost**\n"
            yield from (f"- {sentence}" for sentence in describe_cost(self.here, self.name, plan))
        if link:
            yield f"\n[Report, curves and this comment]({link})"

    def _tabulate(self) -> Iterator[str]:
        """Each metric of both, and the paired difference with its 95 % interval; why not, where they cannot be compared."""
        new, old = self.scorers
        if self.contract.target is None:
            yield f"Agreement of halves, this branch: {_format(self.evaluations[0].chosen.test['stability'])}."
            return
        folder, task = self.here.output(self.name, "featurize"), supervised_task(self.contract.task.kind)
        splits = read_table(self.here.output(self.name, "split") / "splits.parquet")
        test = select_part(read_table(folder / "units.parquet"), splits, "test", self.contract)
        if (reason := not_comparable(new, old, test.frame)) is not None:
            yield f"They cannot be compared: {reason}."
            return
        scores = [scorer.score(test.frame) for scorer in (new, old)]
        yield "| metric | this branch | the other | better by, 95 % interval |\n|---|---|---|---|"
        for metric in task.metrics:
            paired = task.compare(self.contract, test, metric, resamples=self._gate.bootstrap, seed=self._gate.seed)
            mine, others = (score if metric == "qini" or score.shape[1] > 1 else score[:, 0] for score in scores)
            figures = (_format(paired.estimate(score, _LEVEL)) for score in (mine, others))
            yield f"| {metric} | {' | '.join(figures)} | {_format(paired.better_by(mine, others, _LEVEL))} |"

    def _describe_stages(self, plan: RunPlan) -> Iterator[str]:
        ran = find_runs(self.here, self.name, plan)
        yield "\n**Stages**\n\n| stage | what happened | CPU seconds |\n|---|---|---|"
        for stage in plan.stale:
            outcome = (f"ran | {ran[stage].cpu_s:.1f}") if stage in ran else "restored from the cache | "
            yield f"| {stage} | {outcome} |"
        yield "\nAll other stages were up to date."

    @property
    def curves(self) -> tuple[str, IntervalCurve, IntervalCurve] | None:
        """What both are compared by at every depth: profit, else gains; None for a task that has neither."""
        mine, others = self.evaluations
        if not isinstance(mine, BinaryEvaluation) or not isinstance(others, BinaryEvaluation):
            return None
        if mine.profit is not None and others.profit is not None:
            return "profit", mine.profit.curve, others.profit.curve
        return "gains", mine.gains[mine.candidate.family], others.gains[others.candidate.family]

    def draw(self) -> Figure | None:
        """The curves of both with their bands."""
        if self.curves is None:
            return None
        name, mine, others = self.curves
        lines = [Curve.of("this branch", mine), replace(Curve.of("the other", others), tone="orange")]
        title = f"{name.capitalize()} by depth, each branch on its own test rows"
        show = money_axis if name == "profit" else share_axis
        drawing = plot_by_depth(lines, show, label=title, axis="Share of customers, best first", random=None)
        return Figure(name, title, drawing.wide)

    def _chart(self) -> Iterator[str]:
        """The same as text that GitHub and GitLab draw."""
        if self.curves is None:
            return
        name, mine, others = self.curves
        yield f"\n**{name.capitalize()} by depth** (first line: this branch, second: the other; each on its own test rows)\n"
        yield '```mermaid\nxychart-beta\n  x-axis "share of customers, best first, %" 0 --> 100'
        for curve in (mine, others):
            yield f"  line [{', '.join(f'{value:.4g}' for value in _thin(curve))}]"
        yield "```"

    def _record(self) -> DecisionRecord:
        """The decision as a report needs it; nothing is recorded."""
        new, old = (
            ModelReference(version=version, digest=folder_digest(_candidate_folder(project, self.name)))
            for version, project in (("of this branch", self.here), ("of the other branch", self.other))
        )
        return DecisionRecord(
            use_case=self.name,
            verdict=self.decision.verdict,
            version=new.version,
            digest=new.digest,
            champion=old,
            reasons=tuple(rule.sentence for rule in self.decision.reasons),
            rules=self.decision.rules,
            at=utc_now(),
            number=1,
        )


def load_candidate(project: Project, name: str) -> Scorer:
    return Scorer.load(_candidate_folder(project, name))


def _candidate_folder(project: Project, name: str) -> Path:
    return bundle_folder(project, name, read_evaluation(project, name).candidate.family)


def _thin(curve: IntervalCurve) -> list[float]:
    """Evenly spaced heights."""
    n = len(curve.value)
    return [curve.value[round(i * (n - 1) / _CHART_STEPS)] for i in range(_CHART_STEPS + 1)]


def _format(interval: Interval) -> str:
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
