"""Two processes train as one: each row once an epoch, the same losses, one set of outputs, and they end together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perennial.files.manifest import verify
from perennial.stages.runner import Job
from tests.model.ddp_worker import N, main

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.model

REPO = Path(__file__).parents[2]


def worker(folder: Path, devices: int, *words: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.model.ddp_worker", str(folder), str(devices), *words]
    return subprocess.run(command, cwd=REPO, text=True, capture_output=True, check=False, timeout=200)


def copy_of(prepared_toy: Toy, root: Path, *, ranks: int, epochs: int) -> Toy:
    toy = type(prepared_toy)(root=root)
    shutil.copytree(prepared_toy.root, root)
    toy.edit("params.yaml", "dropout: 0.1", "dropout: 0.0")
    toy.edit("params.yaml", "epochs: 40", f"epochs: {epochs}")
    toy.edit("params.yaml", "patience: 6", f"patience: {epochs}")
    if ranks > 1:
        toy.edit("params.yaml", "devices: 1", f"devices: {ranks}")
        toy.edit("params.yaml", "strategy: single", "strategy: ddp")
    return toy


def test_two_ranks_see_every_row_once_an_epoch_and_lose_what_one_process_loses(tmp_path: Path) -> None:
    done = worker(tmp_path / "2", 2)
    assert done.returncode == 0, done.stderr
    (tmp_path / "1").mkdir()
    main(tmp_path / "1", 1, False)
    alone = json.loads((tmp_path / "1" / "rank-0.json").read_text())
    ranks = [json.loads((tmp_path / "2" / f"rank-{rank}.json").read_text()) for rank in (0, 1)]
    epochs = list(zip(*(rank["seen"] for rank in ranks), alone["seen"], strict=True))
    assert len(epochs) == 3
    for first, second, whole in epochs:
        assert sorted(first + second) == sorted(whole) == list(range(N))
        assert abs(len(first) - len(second)) <= 9, "the ranks have about as much to do"
    np.testing.assert_allclose(ranks[0]["curve"], alone["curve"], atol=1e-4)
    assert ranks[0]["curve"] == ranks[1]["curve"]
    assert ranks[0]["weights"] == ranks[1]["weights"] == pytest.approx(alone["weights"], abs=1e-3)
    assert [rank["threads"] for rank in ranks] == [3, 3], "threads are a param, whatever Lightning thinks of the cores"
    lines = (tmp_path / "2" / "curves.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "1", "2", "3"], "one rank writes the curve"


def test_the_stage_with_two_ranks_leaves_what_the_stage_with_one_leaves(prepared_toy: Toy, tmp_path: Path) -> None:
    one, two = (copy_of(prepared_toy, tmp_path / str(ranks), ranks=ranks, epochs=3) for ranks in (1, 2))
    began = time.time()
    one.run("train")
    done = two.stage("train")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 3:") == 1, "one rank tells"
    assert "deprecated" not in done.stderr
    fits = [toy.summary("train")["families"]["deep"] for toy in (one, two)]
    curves = [[(step["train_loss"], step["val_loss"]) for step in fit["curve"]] for fit in fits]
    assert len(curves[0]) == 3
    np.testing.assert_allclose(curves[1], curves[0], atol=1e-4)
    written = [
        sorted(str(p.relative_to(t.root)) for p in t.root.rglob("*") if p.is_file() and p.stat().st_mtime > began)
        for t in (one, two)
    ]
    assert written[0] == written[1]
    assert len(written[0]) == 17
    assert verify(two.out("train"))
    assert verify(two.out("train") / "deep") == two.summary("train")["families"]["deep"]["digest"]


def test_a_rank_that_dies_ends_the_training_as_a_failure(tmp_path: Path) -> None:
    done = worker(tmp_path / "w", 2, "dies")
    assert done.returncode not in {0, 2}, "neither done nor the user's fault"
    assert not list((tmp_path / "w").glob("rank-*.json"))


@pytest.mark.parametrize("how", ["guard", "kill"])
def test_all_ranks_end_with_the_one_that_was_stopped(prepared_toy: Toy, tmp_path: Path, how: str) -> None:
    """The guard: the flow that held stdin is gone. Kill: rank 0 itself was."""
    toy = copy_of(prepared_toy, tmp_path / "p", ranks=2, epochs=4000)
    curve = toy.project.state(toy.name) / "curves.csv"
    process = subprocess.Popen(
        [sys.executable, "-m", "perennial.stages.train", toy.name],
        cwd=toy.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PERENNIAL_GUARD": "1"},
    )
    assert process.stdin is not None
    try:
        wait(lambda: curve.exists() and len(curve.read_text().splitlines()) > 2, 120)
        assert len(alive(process.pid)) == 2
        process.stdin.close() if how == "guard" else process.kill()
        assert process.wait(30) == (143 if how == "guard" else -signal.SIGKILL)
        wait(lambda: not alive(process.pid), 30)
    finally:
        for pid in alive(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(30)
        process.stdin.close()
    assert not toy.out("train", "manifest.json").exists()


@pytest.mark.parametrize(
    ("told", "is_main"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0"}, True),
        ({"LOCAL_RANK": "1"}, False),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"NODE_RANK": "1", "LOCAL_RANK": "0"}, False),
    ],
)
def test_one_process_of_all_nodes_owns_the_outputs(
    prepared_toy: Toy, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], is_main: bool
) -> None:
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert (
        Job(project=prepared_toy.project, name=prepared_toy.name, stage="train", contract=prepared_toy.contract).is_main
        is is_main
    )


def wait(happened: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def alive(session: int) -> list[int]:
    """The processes of a session that still run."""
    result = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(sid) == session and state not in "ZX":
            result.append(int(stat.parent.name))
    return result
