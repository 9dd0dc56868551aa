"""`perennial learning-curve NAME`: raw data in, what more of it and more layers would bring out. A side run.

Shares of train are nested and drawn by entity; val and test stay as they are. Each fit is the real stages' own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

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
from perennial.evaluation.decisions.response import LEVEL
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.files.durable import read_json, write_json, write_text
from perennial.files.locks import file_lock
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table
from perennial.report.pages import learning
from perennial.results.evaluations import read_evaluation
from perennial.results.families import Family
from perennial.studies import trial_runs as side
from perennial.tasks.lookup import supervised_task

log = logging.getLogger("perennial")
_KIND = "learning-curve"
_SHARES, _QUICK_SHARES = (0.1, 0.25, 0.5, 1.0), (0.25, 1.0)
_BLOCKS, _QUICK_BLOCKS = (0, 1, 2, 4), (0,)
_REPEATED, _TIMES = 0.25, 3  # a share under this is drawn so often: few rows are a matter of luck
_NO_PLACEBOS: side.Overlay = {"evaluate": {"placebos": 0}}


def learning_curve(project: Project, name: str, *, quick: bool = False) -> dict[str, Any]:
    """All figures; they stay in .perennial/NAME/learning-curve.json, and as a picture beside it.

    Raises: ConfigError for a task without an outcome; PerennialError when a stage fails on all of train.
    """
    contract = load(project.contract(name))
    if contract.target is None:
        raise ConfigError(f"{name} has no outcome to learn: a learning curve is for a task that has one")
    params = side.QUICK if quick else _NO_PLACEBOS
    blocks = read_section(project.root / "params.yaml", name, "train", TrainParams).blocks
    with file_lock(project.state(name) / "side" / f"{_KIND}.lock", what=f"the learning curve of {name}"):
        curve = _Curve(project=project, name=name, contract=contract, params=params)
        shares = curve.shares(_QUICK_SHARES if quick else _SHARES)
        depths = curve.depths(shares[-1], sorted({*(_QUICK_BLOCKS if quick else _BLOCKS), blocks}), blocks)
        found = learning.told(shares, depths, contract.task.primary, curve.rise(shares), curve.layers(depths))
    write_json(project.state(name) / f"{_KIND}.json", found)
    write_text(project.state(name) / f"{_KIND}.html", learning.page(name, found))
    return found


@dataclass(frozen=True, kw_only=True)
class _Curve:
    """The fits of one use case; each in a room of its own that shares the base's data."""

    project: Project
    name: str
    contract: Contract
    params: side.Overlay

    @property
    def root(self) -> Path:
        return self.project.state(self.name) / "side" / _KIND

    @cached_property
    def base(self) -> Project:
        return side.based(self.project, self.name, self.root / "base", self.params)

    @cached_property
    def units(self) -> pl.DataFrame:
        return read_table(self.base.output(self.name, "featurize") / "units.parquet")

    @cached_property
    def splits(self) -> pl.DataFrame:
        return read_table(self.base.output(self.name, "split") / "splits.parquet")

    def shares(self, shares: tuple[float, ...]) -> list[dict[str, Any]]:
        """A fit of each share, the smallest first; of a small one several. One that has too few rows is left out."""
        found = []
        log.info("%d rows of train in all", (self.splits["split"] == "train").sum())
        for share in shares:
            for draw in range(_TIMES if share < _REPEATED else 1):
                try:
                    found.append(self._share(share, draw))
                except PerennialError as error:
                    if share == 1:
                        raise
                    log.warning("%.0f %% of train is left out: %s", 100 * share, error)
        return found

    def depths(self, whole: Mapping[str, Any], blocks: list[int], own: int) -> list[dict[str, Any]]:
        """A deep fit of all of train for each number of blocks; that of the params is there already."""
        return [dict(whole, blocks=n) if n == own else self._depth(Path(whole["room"]), n) for n in blocks]

    def rise(self, shares: list[dict[str, Any]]) -> dict[str, Any] | None:
        """How much better each is for the last step, paired on test; None where there is but one share."""
        before, after = next((f for f in reversed(shares) if f["share"] < 1), None), shares[-1]
        if before is None:
            return None
        better = {
            group: self._better(self._scores(after, group), self._scores(before, group))
            for group in ("deep", "traditional")
        }
        return {"from": before["share"], "to": after["share"], **better}

    def layers(self, depths: list[dict[str, Any]]) -> dict[str, Any]:
        """The number of blocks that is best on val, and how much better it is than none, paired on test."""
        order = max if self._judge.higher_is_better else min
        best = order(depths, key=lambda fit: float(fit["val"]["deep"]))
        better = None
        if best["blocks"]:
            none = next(fit for fit in depths if fit["blocks"] == 0)
            better = self._better(self._scores(best, "deep"), self._scores(none, "deep"))
        return {"best": best["blocks"], "better_than_none": better}

    def _share(self, share: float, draw: int) -> dict[str, Any]:
        log.info("%.0f %% of train%s", 100 * share, f", draw {draw + 1}" if draw else "")
        here = self._room(f"share-{share:g}-{draw}", self.params)
        side.link(self.base, here, self.name, *side.DATA)
        folder = here.output(self.name, "split")
        owners = self.units.select(ROW_ID, select_entities(self.units, self.contract))
        kept = thin_train(self.splits, owners, share, f"learning curve {draw}")
        write_table(folder / "splits.parquet", kept)
        write_json(folder / "split.json", read_json(self.base.output(self.name, "split") / "split.json"))
        seal(folder)
        for stages in (("augment",), ("train", "baseline"), ("evaluate",)):
            side.carry_out(here, self.name, *stages)
        rows = int((kept["split"] == "train").sum())
        return {"share": share, "draw": draw, "rows": rows, **self._figures(here)}

    def _depth(self, whole: Path, blocks: int) -> dict[str, Any]:
        log.info("%d blocks", blocks)
        train = {**self.params.get("train", {}), "blocks": blocks}
        here = self._room(f"blocks-{blocks}", {**self.params, "train": train})
        side.link(Project(root=whole), here, self.name, *side.DATA, "split", "augment", "baseline")
        for stage in ("train", "evaluate"):
            side.carry_out(here, self.name, stage)
        return {"blocks": blocks, **self._figures(here)}

    def _room(self, title: str, params: side.Overlay) -> Project:
        return side.room(self.project, self.name, self.root / title, side.Side(title=title, params=params))

    def _figures(self, here: Project) -> dict[str, Any]:
        """Of the deep family, and of the traditional one that is better on val: on val, and on test with intervals."""
        evaluation = read_evaluation(here, self.name)
        difference, primary = evaluation.deep_minus_traditional, evaluation.primary
        assert difference is not None
        families: dict[str, Family] = {"deep": "deep", "traditional": difference.traditional}
        on_test = {group: evaluation.families[family].test[primary] for group, family in families.items()}
        return {
            "room": str(here.root),
            "families": families,
            "val": {group: evaluation.candidate.val[family] for group, family in families.items()},
            **{group: figure.model_dump() for group, figure in on_test.items()},
            "deep_minus_traditional": difference.gain.model_dump(),
        }

    def _scores(self, fit: Mapping[str, Any], group: str) -> F64:
        """Scores (n, outputs) of the rows of test, as evaluate has written them."""
        rows = read_table(Project(root=Path(fit["room"])).output(self.name, "evaluate") / "predictions.parquet")
        family = fit["families"][group]
        columns = [column for column in rows.columns if column.startswith(f"{family}:")]
        return rows.filter(pl.col("split") == "test").select(columns).to_numpy()

    def _better(self, new: F64, old: F64) -> dict[str, float]:
        return self._judge.better_by(new, old, LEVEL).model_dump()

    @cached_property
    def _judge(self) -> PairedComparison:
        params = read_section(self.base.root / "params.yaml", self.name, "evaluate", EvaluateParams)
        test = select_part(self.units, self.splits, "test", self.contract)
        primary = self.contract.task.primary
        return supervised_task(self.contract.task.kind).compare(
            self.contract, test, primary, resamples=params.bootstrap, seed=params.seed
        )
