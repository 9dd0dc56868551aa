"""`perennial run NAME --quick | --seeds N | --placebo | --ablate augment`: runs beside the real one, in rooms of their own.

A side run has its own folder in .perennial/, its own params and outputs, reads raw data only, registers nothing, and
leaves the project's dvc.lock and outputs as they are. Its stages are the same processes that DVC starts.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from rich.console import Console
from rich.table import Table

from perennial.config.base import read_use_cases
from perennial.contract.load import load
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError, PerennialError
from perennial.files.durable import write_json, write_text
from perennial.files.extensions import EXTENSION_KINDS, extension_path
from perennial.files.locks import file_lock
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table
from perennial.pipeline.graph import STAGES
from perennial.results.evaluations import read_evaluation
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")
Overlay = Mapping[str, Mapping[str, Any]]
_UNTIL = list(STAGES)[: list(STAGES).index("explain")]  # nothing is explained of a side run
DATA = ("ingest", "validate", "clean", "featurize")
QUICK: Overlay = {
    "train": {"epochs": 2, "patience": 2, "members": 2},
    "baseline": {"trials": 1, "rounds": 100},
    "evaluate": {"bootstrap": 100, "placebos": 0},
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One run of a kind: what differs from the project's params and contract, and whether outcomes are shuffled."""

    title: str
    params: Overlay = field(default_factory=dict)
    salt: str = ""
    shuffled: bool = False


def flags(parser: argparse.ArgumentParser) -> None:
    """The words of `perennial run` that ask for a side run."""
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="a small training beside the real one: does it all work?")
    kinds.add_argument("--seeds", type=int, metavar="N", help="N other splits (or seeds, where the split is given)")
    kinds.add_argument("--placebo", action="store_true", help="outcomes shuffled within each part: what noise shows")
    kinds.add_argument("--ablate", choices=["augment"], help="without and with what augments training")


def asked(args: argparse.Namespace) -> tuple[str, list[Side]] | None:
    """The kind of side run that the words ask for, and its runs; None for the real one."""
    if args.quick:
        return "quick", [Side(title="quick", params=QUICK)]
    if args.seeds:
        sides = [
            Side(title=f"seed {i}", salt=f"-{i}", params={"train": {"seed": i}, "baseline": {"seed": i}})
            for i in range(1, args.seeds + 1)
        ]
        return "seeds", sides
    if args.placebo:
        return "placebo", [Side(title="as it is"), Side(title="shuffled", shuffled=True)]
    if args.ablate:
        with_swap: Overlay = {"train": {"swap_noise": 0.1}, "augment": {"kind": "none", "times": 1}}
        drawn: Overlay = {"train": {"swap_noise": 0.0}, "augment": {"kind": "oversample", "times": 3}}
        without: Overlay = {"train": {"swap_noise": 0.0}, "augment": {"kind": "none", "times": 1}}
        named = (("without", without), ("cells swapped", with_swap), ("rarer outcome drawn thrice", drawn))
        return "ablate", [Side(title=title, params=params) for title, params in named]
    return None


def run(project: Project, name: str, kind: str, sides: list[Side]) -> dict[str, Any]:
    """Figures by run: {title: {family: {metric: {value, low, high}}}}; they stay in .perennial/NAME/side/KIND.json.

    Raises: PerennialError when a stage fails.
    """
    room = project.state(name) / "side"
    found: dict[str, Any] = {}
    with file_lock(room / f"{kind}.lock", what=f"a side run of {name}"):
        if not project.raw(name).is_dir():
            fetch(project, name)
        for i, side in enumerate(sides):
            found[side.title] = _one(project, name, room / kind / str(i), side)
    write_json(room / f"{kind}.json", found)
    return found


def show(name: str, kind: str, found: Mapping[str, Any]) -> None:
    """The primary metric of every family in every run, as a table."""
    table = Table("run", "candidate", *next(iter(found.values()))["families"])
    for title, told in found.items():
        cells = [_cell(parts, told["primary"]) for parts in told["families"].values()]
        table.add_row(title, told["candidate"], *cells)
    console = Console()
    primary = next(iter(found.values()))["primary"]
    console.print(f"{name}, side run {kind}: {primary} on test, 95 % intervals; nothing is registered")
    console.print(table)


def _cell(parts: Mapping[str, Any], primary: str) -> str:
    told = parts[primary]
    return f"{told['value']:.4f} [{told['low']:.4f}, {told['high']:.4f}]"


def _one(project: Project, name: str, root: Path, side: Side) -> dict[str, Any]:
    here = room(project, name, root, side)
    for stage in _UNTIL:
        if not _borrowed(project, here, name, stage):
            carry_out(here, name, stage)
        if stage == "split" and side.shuffled:
            _shuffle(here, name)
    evaluation = read_evaluation(here, name)
    families = {
        family: {metric: figure.model_dump() for metric, figure in figures.test.items()}
        for family, figures in evaluation.families.items()
    }
    return {"primary": evaluation.primary, "candidate": evaluation.candidate.family, "families": families}


def room(project: Project, name: str, root: Path, side: Side) -> Project:
    """A small project of its own: contract and params with what differs, the raw folder as a link."""
    shutil.rmtree(root, ignore_errors=True)
    here = Project(root=root)
    contract = yaml.safe_load(project.contract(name).read_text())
    if side.salt and "salt" in contract["split"]:
        contract["split"]["salt"] += side.salt
    write_text(here.contract(name), yaml.safe_dump(contract, sort_keys=False, allow_unicode=True))
    overlay(project, here, name, side.params)
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copyfile(project.root / file, root / file)
    for kind in EXTENSION_KINDS:  # functions of the project's own are read from the room's folder
        if (project.root / extension_path(kind)).is_file():
            write_text(root / extension_path(kind), (project.root / extension_path(kind)).read_text(encoding="utf-8"))
    here.raw(name).parent.mkdir(parents=True)
    here.raw(name).symlink_to(project.raw(name).resolve(), target_is_directory=True)
    return here


def overlay(project: Project, here: Project, name: str, params: Overlay) -> None:
    """Write the params of a room: the project's, with what differs."""
    block = {
        section: {**values, **params.get(section, {})} if isinstance(values, dict) else values
        for section, values in read_use_cases(project.root / "params.yaml")[name].items()
    }
    write_text(here.root / "params.yaml", yaml.safe_dump({"use_cases": {name: block}}, sort_keys=False))


def based(project: Project, name: str, root: Path, params: Overlay) -> Project:
    """A room whose data is ready and split: what other rooms `link` to.

    Raises: PerennialError when a stage fails.
    """
    if not project.raw(name).is_dir():
        fetch(project, name)
    here = room(project, name, root, Side(title="base", params=params))
    for stage in (*DATA, "split"):
        if not _borrowed(project, here, name, stage):
            carry_out(here, name, stage)
    return here


def link(source: Project, here: Project, name: str, *stages: str) -> None:
    """Show outputs of one room in another: a stage never writes into those of the stages before it."""
    for stage in stages:
        here.output(name, stage).parent.mkdir(parents=True, exist_ok=True)
        here.output(name, stage).symlink_to(source.output(name, stage).resolve(), target_is_directory=True)


def _borrowed(project: Project, here: Project, name: str, stage: str) -> bool:
    """What the real run has made of the same raw data under the same rules need not be made again."""
    made = project.output(name, stage)
    if stage not in DATA or not (made / "manifest.json").exists():
        return False
    shutil.copytree(made, here.output(name, stage))
    return True


def carry_out(here: Project, name: str, *stages: str) -> None:
    """Run stages that do not wait for each other, at once.

    Raises: PerennialError with what a stage said last, when it fails.
    """
    log.info("%s", ", ".join(stages))
    with ExitStack() as running:
        processes = {stage: running.enter_context(begin(here, name, stage)) for stage in stages}
        for process in processes.values():
            process.wait()
    for stage, process in processes.items():
        if process.returncode:
            raise PerennialError(f"side run in {here.root}: {last_words(here, stage)}")


def begin(here: Project, name: str, stage: str) -> subprocess.Popen[bytes]:
    """Start a stage as DVC does; it ends with this process, however that ends, as its stdin closes then."""
    words = [sys.executable, "-m", f"perennial.stages.{stage}", name]
    env = {**os.environ, "PERENNIAL_GUARD": "1"}
    with open(here.root / f"{stage}.err", "wb") as said:
        return subprocess.Popen(
            words, cwd=here.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )


def last_words(here: Project, stage: str) -> str:
    """The last line of what a stage said that failed."""
    lines = (here.root / f"{stage}.err").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else stage


def _shuffle(here: Project, name: str) -> None:
    """Exchange outcomes (for uplift, arms) among the rows of each part: then there is nothing to find."""
    contract, folder = load(here.contract(name)), here.output(name, "featurize")
    treatment = contract.find_column("treatment") if contract.task.kind == "uplift" else None
    column = treatment or contract.target
    if column is None:
        raise ConfigError(
            f"{name} has no outcome to shuffle: its segments are tried on halves of the customers instead"
        )
    units = read_table(folder / "units.parquet")
    splits = read_table(here.output(name, "split") / "splits.parquet")
    parts = units.select(ROW_ID).join(splits, on=ROW_ID, how="left", maintain_order="left")["split"]
    place, rng = np.arange(units.height), np.random.Generator(np.random.PCG64(1))
    for part in parts.unique().sort():
        rows = np.flatnonzero((parts == part).to_numpy())
        place[rows] = rng.permutation(rows)
    write_table(folder / "units.parquet", units.with_columns(units[column].gather(pl.Series(place)).alias(column)))
    seal(folder)
