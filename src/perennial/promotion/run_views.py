"""Run views: what MLflow shows of a pipeline run and of each family in it, from what the stages left."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from perennial.contract.load import load
from perennial.data.names import ROW_ID
from perennial.evaluation.figure_tables import build_figure_tables
from perennial.files.durable import read_json
from perennial.files.manifest import folder_digest
from perennial.files.project import Project
from perennial.pipeline.lineage import read_git, read_lineage, read_output_md5
from perennial.report.model_card import ModelCard
from perennial.results.baseline import BaselineSummary
from perennial.results.evaluations import Evaluation, read_evaluation
from perennial.results.families import FAMILIES, Family
from perennial.results.figure_tables import FIGURE_TABLES
from perennial.results.ingest import IngestSummary
from perennial.results.split import SplitSummary
from perennial.results.summary import read_summary
from perennial.results.train import FittedFamily, TrainSummary
from perennial.tracking.mirror import DESCRIPTION, DatasetView, RunView, TableRows

_VERSION = "version."
_USES = {"train": "training", "val": "validation", "test": "testing", "out_of_time": "testing"}


@dataclass(frozen=True, kw_only=True)
class FlowRun:
    """The Prefect run that does this, as tags and the model card name it."""

    id: str
    url: str


def bundle_folder(project: Project, name: str, family: Family) -> Path:
    """Where a family's bundle was written."""
    return project.output(name, FAMILIES[family].stage) / family


@dataclass(frozen=True, kw_only=True)
class PipelineViews:
    """The stages' results of one use case as MLflow shows them."""

    project: Project
    name: str
    flow_run: FlowRun | None = None

    @cached_property
    def evaluation(self) -> Evaluation:
        return read_evaluation(self.project, self.name)

    @cached_property
    def lineage(self) -> dict[str, str]:
        return read_lineage(self.project, self.name)

    @cached_property
    def fitted(self) -> Mapping[Family, FittedFamily]:
        baseline = read_summary(self.project, self.name, BaselineSummary)
        return {**baseline.families, **read_summary(self.project, self.name, TrainSummary).families}

    @property
    def families(self) -> list[Family]:
        """Those that were evaluated, the simplest first."""
        return [family for family in FAMILIES if family in self.evaluation.families]

    def view_pipeline(self) -> RunView:
        """The run of all: the candidate's figures, rows, data, tables and where it comes from."""
        split = read_summary(self.project, self.name, SplitSummary)
        candidate = self.evaluation.candidate.family
        digests = [self._digest(family) for family in self.families]
        digest = hashlib.sha256("".join([*digests, folder_digest(self.project.output(self.name, "evaluate"))]).encode())
        contract = load(self.project.contract(self.name))
        files = [self.project.root / "dvc.lock", self.project.root / "params.yaml", self.project.contract(self.name)]
        return RunView(
            name=f"{self.name} {digest.hexdigest()[:8]}",
            digest=digest.hexdigest(),
            params={
                "candidate": candidate,
                "task": contract.task.kind,
                "primary": self.evaluation.primary,
                "split": contract.split.kind,
                "code": self.lineage["code"][:12],
                **{f"rows.{part}": str(rows) for part, rows in split.flow["units"].to.items() if rows},
            },
            metrics=self.measure(candidate),
            tags={**self._tags, DESCRIPTION: self.write_card()},
            datasets=list(self._view_datasets(split)),
            tables={f"tables/{name}.json": rows for name, rows in self._tabulate()},
            files=[path for path in files if path.exists()],
        )

    def view_family(self, family: Family) -> RunView:
        """The run of one family, each with metrics of the same names, so that they can be compared."""
        digest, curve = self._digest(family), self.fitted[family].curve if family in self.fitted else ()
        return RunView(
            name=f"{family} {digest[:8]}",
            digest=digest,
            params={"family": family, **self.flatten_params(family)},
            metrics=self.measure(family),
            curves={
                "train_loss": [(step.step, step.train_loss) for step in curve],
                "val_loss": [(step.step, step.val_loss) for step in curve],
            },
            tags={**self._tags, "perennial.candidate": str(family == self.evaluation.candidate.family).lower()},
            datasets=list(self._view_datasets(read_summary(self.project, self.name, SplitSummary))),
            files=[bundle_folder(self.project, self.name, family) / "manifest.json"],
        )

    def measure(self, family: Family) -> dict[str, float]:
        """The metrics of a family: on val, on test, and both ends of the 95 % interval there."""
        figures, primary = self.evaluation.families[family], self.evaluation.primary
        metrics: dict[str, float] = {}
        for metric, interval in sorted(figures.test.items(), key=lambda pair: pair[0] != primary):  # MLflow plots the first
            metrics |= {f"test.{metric}": interval.value}
            metrics |= {f"test.{metric}.low": interval.low, f"test.{metric}.high": interval.high}
        metrics |= {f"val.{metric}": value for metric, value in figures.val.items()}
        if figures.lift_10 is not None:
            metrics["test.lift_10"] = figures.lift_10
        if family in self.fitted:
            metrics["val.loss"] = self.fitted[family].val_loss
        return metrics

    def write_card(self, address: str = "") -> str:
        """The card of the candidate; `address` is that of the pipeline's run in MLflow's pages."""
        changed = " with uncommitted changes" if self.lineage["changed"] == "true" else ""
        artifacts = f"{address}/artifacts" if address else ""
        links = {
            "Report": f"[report.html]({artifacts}/report.html)" if address else "`report.html` among the artifacts",
            "Made by": f"`perennial run {self.name}`",
        }
        if self.flow_run:
            links["Prefect run"] = self.flow_run.url
        lock = f"[dvc.lock]({artifacts}/dvc.lock)" if address else "`dvc.lock` among the artifacts"
        links["DVC lock"] = f"{lock}, bundle `{self._digest(self.evaluation.candidate.family)[:12]}`"
        links["Commit"] = f"`{self.lineage['commit'][:12]}`{changed}"
        card = ModelCard(
            name=self.name,
            contract=load(self.project.contract(self.name)),
            evaluation=self.evaluation,
            ingest=read_summary(self.project, self.name, IngestSummary),
            split=read_summary(self.project, self.name, SplitSummary),
            lineage=self.lineage,
            links=links,
        )
        return card.write()

    @property
    def _tags(self) -> dict[str, str]:
        """What MLflow's own columns show (Source, Created by, Version), the Prefect run, and the lineage."""
        flow = {"prefect.flow_run_id": self.flow_run.id, "prefect.flow_run_url": self.flow_run.url} if self.flow_run else {}
        git = {"mlflow.source.git.branch": "rev-parse --abbrev-ref HEAD", "mlflow.source.git.repoURL": "remote get-url origin"}
        return {
            "mlflow.source.name": f"perennial run {self.name}",
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": self.lineage["commit"],
            **{tag: value for tag, command in git.items() if (value := read_git(self.project.root, *command.split()))},
            "mlflow.user": getpass.getuser(),
            **flow,
            **{f"lineage.{key}": value for key, value in self.lineage.items() if not key.startswith(_VERSION)},
            "lineage.packages": ", ".join(
                f"{key.removeprefix(_VERSION)} {value}" for key, value in self.lineage.items() if key.startswith(_VERSION)
            ),
        }

    def _digest(self, family: Family) -> str:
        return folder_digest(bundle_folder(self.project, self.name, family))

    def flatten_params(self, family: Family) -> dict[str, str]:
        """Params by section and key (`train.members`), without those that are off, and what the fit chose by val."""
        stage, params = FAMILIES[family].stage, read_json(bundle_folder(self.project, self.name, family) / "params.json")
        sections = params if stage == "evaluate" else {stage: params}
        flat = {f"{section}.{key}": value for section, block in sections.items() for key, value in block.items()}
        chosen = self.fitted[family].settings if family in self.fitted else {}
        flat |= {f"chosen.{key}": value for key, value in chosen.items()}
        return {key: str(value) for key, value in flat.items() if value is not None}

    def _view_datasets(self, split: SplitSummary) -> Iterator[DatasetView]:
        commit = self.lineage["commit"]
        raw = {"path": f"data/{self.name}/raw", "md5": self.lineage["raw"], "rev": commit}
        yield DatasetView(name=f"{self.name} raw", digest=self.lineage["raw"], context="raw", source=raw)
        units = self.project.output(self.name, "featurize") / "units.parquet"
        schema = pl.scan_parquet(units).collect_schema()
        columns = {column: _name_type(kind) for column, kind in schema.items() if column != ROW_ID}
        digest = read_output_md5(self.project, self.name, "split")
        source = {"path": f"outputs/{self.name}/featurize", "md5": read_output_md5(self.project, self.name, "featurize")}
        for part, rows in split.flow["units"].to.items():
            if rows and part in _USES:
                yield DatasetView(
                    name=f"{self.name} {part}",
                    digest=digest,
                    context=_USES[part],
                    source={**source, "part": part, "split": digest, "rev": commit},
                    columns=columns,
                    rows=rows,
                )

    def _tabulate(self) -> Iterator[tuple[str, TableRows]]:
        families = [
            {"family": family, "metric": metric, **interval.model_dump()}
            for family in self.families
            for metric, interval in self.evaluation.families[family].test.items()
        ]
        yield "families", families
        for name, rows in build_figure_tables(self.evaluation, self.fitted).items():
            yield name, [dict(zip(FIGURE_TABLES[name].columns, row, strict=True)) for row in rows]


def _name_type(kind: pl.DataType) -> str:
    """MLflow's name of a column type."""
    if kind.is_integer():
        return "long"
    if kind.is_numeric():
        return "double"
    if kind.is_temporal():
        return "datetime"
    return {pl.Boolean: "boolean", pl.Binary: "binary"}.get(type(kind), "string")
