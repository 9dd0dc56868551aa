"""Runner of a stage: lock, signals, versions, exit codes, manifest.

A stage is `python -m perennial.stages.STAGE NAME [--debug]`. It reads contract, params and the sealed outputs of stages
before it, writes files into outputs/NAME/STAGE/, and is sealed by a manifest.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml
from pydantic import TypeAdapter

from perennial.config.base import ParamsSection, read_section
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.errors import ConfigError, PerennialError, describe_os_error
from perennial.files import logs
from perennial.files.durable import write_json
from perennial.files.locks import file_lock
from perennial.files.manifest import seal, verify
from perennial.files.project import Project
from perennial.results.costs import StageCost, note_cost
from perennial.results.summary import StageSummary, parse_summary, stage_of

S = TypeVar("S", bound=ParamsSection)
R = TypeVar("R", bound=StageSummary)
Body = Callable[["Job"], StageSummary]
log = logging.getLogger("perennial")

_MODULE_OF = {
    "pytorch-lightning": "pytorch_lightning",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "great-expectations": "great_expectations",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One use case in one stage: what it may read, and the folder it writes."""

    project: Project
    name: str
    stage: str
    contract: Contract
    _verified: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    _beside: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def out(self) -> Path:
        return self.project.output(self.name, self.stage)

    @property
    def raw_files(self) -> list[Path]:
        """The files in the raw folder."""
        return sorted(path for path in self.project.raw(self.name).rglob("*") if path.is_file())

    @property
    def curves(self) -> Path:
        """Where training appends its curves while it runs: machine-local, no output."""
        return self.project.state(self.name) / "curves.csv"

    @property
    def is_main(self) -> bool:
        """Whether this process owns lock, signals, outputs and manifest: rank 0 of a distributed training."""
        return self.stage != "train" or _rank() == 0  # no other stage is distributed, whatever the environment says

    def params(self, model: type[S]) -> S:
        return read_section(self.project.root / "params.yaml", self.name, self.stage, model)

    def beside(self, file: str) -> Path:
        """A file of this stage that lies beside its output folder, where DVC can show it; its manifest covers it."""
        self._beside.add(file)
        return self.out.parent / file

    def input(self, stage: str) -> Path:
        """The output folder of an earlier stage, checked once against its manifest."""
        folder = self.project.output(self.name, stage)
        if stage not in self._verified:
            verify(folder)
            self._verified.add(stage)
        return folder

    def summary(self, model: type[R]) -> R:
        """The summary of an earlier stage, its output checked once against its manifest."""
        return parse_summary(self.input(stage_of(model)), TypeAdapter(model))


def main(stage: str, body: Body) -> NoReturn:
    """Run `body` for the use case on the command line and leave with the exit code that errors.py promises."""
    parser = argparse.ArgumentParser(prog=f"python -m perennial.stages.{stage}")
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    args = parser.parse_args()
    _guard()
    logs.start_logging(f"{stage}: %(message)s", sys.stdout)
    try:
        project = Project.here()
        run_body(Job(project=project, name=args.name, stage=stage, contract=load(project.contract(args.name))), body)
    except PerennialError as error:
        if args.debug or os.environ.get("PERENNIAL_DEBUG"):
            traceback.print_exc()
        sys.stderr.write(f"{stage}: {type(error).__name__}: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if os.environ.get("PERENNIAL_DEBUG") or (message := describe_os_error(error)) is None:
            raise
        sys.stderr.write(f"{stage}: {message}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def run_body(job: Job, body: Body) -> None:
    if not job.is_main:
        body(job)
        return
    with file_lock(job.project.state(job.name) / f"{job.stage}.lock", what=f"stage {job.stage} of {job.name}"):
        _check_versions(job.project.root / "versions.yaml")
        shutil.rmtree(job.out, ignore_errors=True)
        job.out.mkdir(parents=True)
        try:
            summary = body(job)
        except PerennialError:
            _save_partial_output(job)
            raise
        _check_versions(job.project.root / "versions.yaml")
        write_json(job.out / "summary.json", summary.model_dump(mode="json"))
        seal(job.out, job._beside)
    _note_cost(job)


def _note_cost(job: Job) -> None:
    """What this process took, its children included, for later predictions; machine-local, no output."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(usage.ru_utime + usage.ru_stime for usage in used)
    size = sum(path.stat().st_size for path in job.raw_files)
    note_cost(job.project, job.name, StageCost(stage=job.stage, cpu_s=round(cpu_s, 2), raw_bytes=size, at=time.time()))


def _save_partial_output(job: Job) -> None:
    """DVC deletes the output of a failed stage before its next try; what it had written stays readable here."""
    saved = job.project.state(job.name) / "stopped" / job.stage
    shutil.rmtree(saved, ignore_errors=True)
    if any(job.out.iterdir()):
        shutil.copytree(job.out, saved)
        log.warning("what was written until then is kept in %s", saved.relative_to(job.project.root))


def _check_versions(path: Path) -> None:
    """What is loaded must be what versions.yaml, and so DVC, says: another version could mean other bits.

    Raises: ConfigError naming the first package that differs.
    """
    versions = yaml.safe_load(path.read_text()) or {}
    for package, required_version in versions.items():
        if _MODULE_OF.get(package, package) not in sys.modules:
            continue
        installed = version(package).split("+")[0]
        if installed != required_version:
            raise ConfigError(
                f"{package} {installed} is installed, versions.yaml says {required_version}: make install, or make lock"
            )


def _guard() -> None:
    """Leave with 143 when the flow that holds our stdin ends, however it ends; and on SIGTERM.

    DVC is never killed, so it is never cut in the middle of writing dvc.lock: it sees a failed stage and tidies up.
    A rank of a distributed training goes with the process that started it, wherever it waits for the others.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    if _rank() > 0:
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    elif os.environ.get("PERENNIAL_GUARD"):
        threading.Thread(target=_listen, daemon=True).start()


def _listen() -> None:
    os.read(0, 1)
    os._exit(143)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(143)


def _rank() -> int:
    """0 for the one process that owns the outputs: RANK as torchrun sets it, else node and place as Lightning does."""
    if rank := os.environ.get("RANK"):
        return int(rank)
    return int(os.environ.get("LOCAL_RANK") or 0) + int(os.environ.get("NODE_RANK") or 0)
