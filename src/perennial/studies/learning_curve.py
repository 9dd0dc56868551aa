"""Learning curve: what more rows of train and more layers would gain, by fits of the real stages in scratch projects.

Shares of train are nested and drawn by entity; val and test stay the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from perennial.config.base import read_section
from perennial.config.evaluate import EvaluateParams
from perennial.config.train import TrainParams
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.data.names import ROW_ID
from perennial.data.prepare.parts import select_part
from perennial.data.prepare.split import select_entities, thin_train
from perennial.errors import ConfigError, PerennialError
from perennial.evaluation.statistics.intervals import F64, LEVEL
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.files.durable import read_json, write_json, write_text
from perennial.files.locks import file_lock
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table
from perennial.report.pages.learning import build_page, describe_curve
from perennial.results.evaluations import read_evaluation
from perennial.results.families import Family
from perennial.results.figures import Interval
from perennial.results.study import GROUPS, DataGain, DepthChoice, DepthFit, FitFigures, Group, LearningCurve, ShareFit
from perennial.studies import scratch_project
from perennial.studies.scratch_project import DATA_STAGES, Overlay, trial_folder
from perennial.studies.trial_runs import QUICK
from perennial.tasks.lookup import supervised_task

log = logging.getLogger("perennial")
_NAME, _QUICK_NAME = "learning-curve", "learning-curve-quick"
_SHARES, _QUICK_SHARES = (0.1, 0.25, 0.5, 1.0), (0.25, 1.0)
_BLOCKS, _QUICK_BLOCKS = (0, 1, 2, 4), (0,)
_SMALL_SHARE, _DRAWS = 0.25, 3  # a smaller share is drawn several times, because few rows vary more
_NO_PLACEBOS: Overlay = {"evaluate": {"placebos": 0}}


def build_learning_curve(project: Project, name: str, *, quick: bool = False) -> LearningCurve:
    """All figures; they are also written as JSON, with a page beside it (`page_path`).

    Raises: ConfigError for a task without an outcome; PerennialError when a stage fails on all of train.
    """
    contract = load(project.contract(name))
    if contract.target is None:
        raise ConfigError(f"{name} has no outcome to learn: a learning curve is for a task that has one")
    params = QUICK if quick else _NO_PLACEBOS
    blocks = read_section(project.root / "params.yaml", name, "train", TrainParams).blocks
    root = trial_folder(project, name) / (_QUICK_NAME if quick else _NAME)
    with file_lock(root.with_suffix(".lock"), what=f"the learning curve of {name}"):
        fitter = _Fitter(project=project, name=name, root=root, contract=contract, params=params, blocks=blocks)
        shares = fitter.fit_shares(_QUICK_SHARES if quick else _SHARES)
        depths = [fitter.fit_depth(n) for n in sorted({*(_QUICK_BLOCKS if quick else _BLOCKS), blocks})]
        curve = LearningCurve(
            primary=contract.task.primary,
            is_quick=quick,
            shares=tuple(shares),
            depths=tuple(depths),
            data_gain=fitter.compare_shares(shares),
            depth_choice=fitter.compare_depths(depths),
        )
    curve = curve.model_copy(update={"sentences": tuple(describe_curve(curve))})
    page = page_path(project, name, quick=quick)
    write_json(page.with_suffix(".json"), curve.model_dump(mode="json"))
    write_text(page, build_page(name, curve))
    return curve


def page_path(project: Project, name: str, *, quick: bool) -> Path:
    """Where the page lies: a quick one among the trial runs, so that it never takes the place of a full one."""
    return trial_folder(project, name) / f"{_QUICK_NAME}.html" if quick else project.state(name) / f"{_NAME}.html"


@dataclass(frozen=True, kw_only=True)
class _Fitter:
    """The fits of one use case, each in a scratch project that shares the base's data."""

    project: Project
    name: str
    root: Path
    """The folder of the scratch projects."""
    contract: Contract
    params: Overlay
    blocks: int
    """Of the project's own params."""

    @cached_property
    def base(self) -> Project:
        return scratch_project.create_base(self.project, self.name, self.root / "base", self.params)

    @cached_property
    def units(self) -> pl.DataFrame:
        return read_table(self.base.output(self.name, "featurize") / "units.parquet")

    @cached_property
    def splits(self) -> pl.DataFrame:
        return read_table(self.base.output(self.name, "split") / "splits.parquet")

    def fit_shares(self, shares: Sequence[float]) -> list[ShareFit]:
        """A fit of each share, the smallest first, of a small one several; a share with too few rows is left out."""
        fits = []
        log.info("%d rows of train in all", (self.splits["split"] == "train").sum())
        for share in shares:
            for draw in range(_DRAWS if share < _SMALL_SHARE else 1):
                try:
                    fits.append(self._fit_share(share, draw))
                except PerennialError as error:
                    if share == 1:
                        raise
                    log.warning("%.0f %% of train is left out: %s", 100 * share, error)
        return fits

    def fit_depth(self, blocks: int) -> DepthFit:
        """A deep fit of all of train; with the project's own number of blocks it is there already."""
        scratch, whole = self._depth_project(blocks), self._depth_project(self.blocks)
        if blocks != self.blocks:
            log.info("%d blocks", blocks)
            train = {**self.params.get("train", {}), "blocks": blocks}
            scratch_project.create_scratch_project(self.project, self.name, scratch.root, {**self.params, "train": train})
            scratch_project.link_outputs(whole, scratch, self.name, *DATA_STAGES, "split", "augment", "baseline")
            for stage in ("train", "evaluate"):
                scratch_project.run_stages(scratch, self.name, stage)
        return DepthFit(blocks=blocks, figures=self._read_figures(scratch))

    def compare_shares(self, fits: list[ShareFit]) -> DataGain | None:
        """The gain of the last step, paired on test; None where there is only one share."""
        before, after = next((fit for fit in reversed(fits) if fit.share < 1), None), fits[-1]
        if before is None:
            return None
        gain = {group: self._compare(after, before, group) for group in GROUPS}
        return DataGain(from_share=before.share, to_share=after.share, gain=gain)

    def compare_depths(self, fits: list[DepthFit]) -> DepthChoice:
        """The depth that is best on val, and its gain over no blocks, paired on test."""
        order = max if self._comparison.higher_is_better else min
        best = order(fits, key=lambda fit: fit.figures.val["deep"])
        none = next(fit for fit in fits if fit.blocks == 0)
        better_than_none = self._compare(best, none, "deep") if best.blocks else None
        return DepthChoice(blocks=best.blocks, better_than_none=better_than_none)

    def _fit_share(self, share: float, draw: int) -> ShareFit:
        log.info("%.0f %% of train%s", 100 * share, f", draw {draw + 1}" if draw else "")
        scratch = self._share_project(share, draw)
        scratch_project.create_scratch_project(self.project, self.name, scratch.root, self.params)
        scratch_project.link_outputs(self.base, scratch, self.name, *DATA_STAGES)
        folder = scratch.output(self.name, "split")
        entities = self.units.select(ROW_ID, select_entities(self.units, self.contract))
        splits = thin_train(self.splits, entities, share, f"learning curve {draw}")
        write_table(folder / "splits.parquet", splits)
        write_json(folder / "split.json", read_json(self.base.output(self.name, "split") / "split.json"))
        seal(folder)
        for stages in (("augment",), ("train", "baseline"), ("evaluate",)):
            scratch_project.run_stages(scratch, self.name, *stages)
        rows = int((splits["split"] == "train").sum())
        return ShareFit(share=share, draw=draw, rows=rows, figures=self._read_figures(scratch))

    def _share_project(self, share: float, draw: int) -> Project:
        return Project(root=self.root / f"share-{share:g}-{draw}")

    def _depth_project(self, blocks: int) -> Project:
        """All of train with the project's own number of blocks was fitted as a share."""
        return self._share_project(1, 0) if blocks == self.blocks else Project(root=self.root / f"blocks-{blocks}")

    def _read_figures(self, scratch: Project) -> FitFigures:
        evaluation = read_evaluation(scratch, self.name)
        difference, primary = evaluation.deep_minus_traditional, evaluation.primary
        assert difference is not None
        families: dict[Group, Family] = {"deep": "deep", "traditional": difference.traditional}
        return FitFigures(
            families=families,
            val={group: evaluation.candidate.val[family] for group, family in families.items()},
            test={group: evaluation.families[family].test[primary] for group, family in families.items()},
            deep_minus_traditional=difference.gain,
        )

    def _compare(self, new: ShareFit | DepthFit, old: ShareFit | DepthFit, group: Group) -> Interval:
        """How much better one fit is than another, paired on test."""
        return self._comparison.better_by(self._read_scores(new, group), self._read_scores(old, group), LEVEL)

    def _read_scores(self, fit: ShareFit | DepthFit, group: Group) -> F64:
        """Scores (n, outputs) of the rows of test, as evaluate wrote them."""
        scratch = self._share_project(fit.share, fit.draw) if isinstance(fit, ShareFit) else self._depth_project(fit.blocks)
        rows = read_table(scratch.output(self.name, "evaluate") / "predictions.parquet")
        prefix = f"{fit.figures.families[group]}:"
        columns = [column for column in rows.columns if column.startswith(prefix)]
        return rows.filter(pl.col("split") == "test").select(columns).to_numpy()

    @cached_property
    def _comparison(self) -> PairedComparison:
        params = read_section(self.base.root / "params.yaml", self.name, "evaluate", EvaluateParams)
        test = select_part(self.units, self.splits, "test", self.contract)
        primary = self.contract.task.primary
        task = supervised_task(self.contract.task.kind)
        return task.compare(self.contract, test, primary, resamples=params.bootstrap, seed=params.seed)
