"""Scratch project: a folder of its own for one trial run, with its own params and outputs.

It reads raw data only, registers nothing, and leaves the project's dvc.lock and outputs as they are. Its stages are the
same processes that DVC starts.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import yaml

from perennial.config.base import read_use_cases
from perennial.errors import PerennialError
from perennial.files import logs
from perennial.files.durable import write_text
from perennial.files.extensions import EXTENSION_KINDS, extension_path
from perennial.files.project import Project
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")
Overlay = Mapping[str, Mapping[str, object]]  # values that differ from the project's params, by section
DATA_STAGES = ("ingest", "validate", "clean", "featurize")


def trial_folder(project: Project, name: str) -> Path:
    """Where all trial runs of a use case lie."""
    return project.state(name) / "trial_runs"


def create_scratch_project(project: Project, name: str, root: Path, params: Overlay, salt: str = "") -> Project:
    """Contract and params with what differs (`salt` is added to the split's), and the raw folder as a link."""
    shutil.rmtree(root, ignore_errors=True)
    scratch = Project(root=root)
    contract = yaml.safe_load(project.contract(name).read_text())
    if salt and "salt" in contract["split"]:
        contract["split"]["salt"] += salt
    write_text(scratch.contract(name), yaml.safe_dump(contract, sort_keys=False, allow_unicode=True))
    write_params(project, scratch, name, params)
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copyfile(project.root / file, root / file)
    for path in map(extension_path, EXTENSION_KINDS):  # functions of the project's own are read from its folder
        if (project.root / path).is_file():
            write_text(root / path, (project.root / path).read_text(encoding="utf-8"))
    scratch.raw(name).parent.mkdir(parents=True)
    scratch.raw(name).symlink_to(project.raw(name).resolve(), target_is_directory=True)
    return scratch


def create_base(project: Project, name: str, root: Path, params: Overlay) -> Project:
    """A scratch project whose data is ready and split, for others to `link_outputs` to.

    Raises: PerennialError when a stage fails.
    """
    fetch_missing(project, name)
    scratch = create_scratch_project(project, name, root, params)
    for stage in (*DATA_STAGES, "split"):
        run_or_reuse(project, scratch, name, stage)
    return scratch


def fetch_missing(project: Project, name: str) -> None:
    if not project.raw(name).is_dir():
        fetch(project, name)


def write_params(project: Project, scratch: Project, name: str, params: Overlay) -> None:
    """Write the scratch project's params: the project's own, with what differs."""
    block = {
        section: {**values, **params.get(section, {})} if isinstance(values, dict) else values
        for section, values in read_use_cases(project.root / "params.yaml")[name].items()
    }
    write_text(scratch.root / "params.yaml", yaml.safe_dump({"use_cases": {name: block}}, sort_keys=False))


def link_outputs(source: Project, scratch: Project, name: str, *stages: str) -> None:
    """Show outputs of one project in another; no stage writes into the outputs of an earlier one."""
    for stage in stages:
        scratch.output(name, stage).parent.mkdir(parents=True, exist_ok=True)
        scratch.output(name, stage).symlink_to(source.output(name, stage).resolve(), target_is_directory=True)


def run_or_reuse(project: Project, scratch: Project, name: str, stage: str) -> None:
    """Run a stage, unless the real run has made the same output from the same raw data under the same rules."""
    output = project.output(name, stage)
    if stage in DATA_STAGES and (output / "manifest.json").exists():
        shutil.copytree(output, scratch.output(name, stage))
    else:
        run_stages(scratch, name, stage)


def run_stages(scratch: Project, name: str, *stages: str) -> None:
    """Run stages that do not wait for each other, all at once.

    Raises: PerennialError with the last line of a stage that fails.
    """
    log.info("%s", ", ".join(stages))
    with ExitStack() as running:
        processes = {stage: running.enter_context(start_stage(scratch, name, stage)) for stage in stages}
        for process in processes.values():
            process.wait()
    for stage, process in processes.items():
        if process.returncode:
            raise PerennialError(f"trial run in {scratch.root}: {read_last_line(scratch, stage)}")


def start_stage(scratch: Project, name: str, stage: str) -> subprocess.Popen[bytes]:
    """Start a stage as DVC does; it ends with this process, however that ends, because its stdin closes then."""
    with open(scratch.root / f"{stage}.err", "wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", f"perennial.stages.{stage}", name],
            cwd=scratch.root,
            stdin=subprocess.PIPE,
            env={**os.environ, "PERENNIAL_GUARD": "1"},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def read_last_line(scratch: Project, stage: str) -> str:
    """The last line that a failed stage wrote to stderr."""
    return logs.read_last_line(scratch.root / f"{stage}.err") or stage
