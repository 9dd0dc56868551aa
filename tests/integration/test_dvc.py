"""What DVC knows of a project, and stages run, restored and stopped through it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from perennial.errors import Busy, ConfigError, InputError
from perennial.files.manifest import folder_digest
from perennial.pipeline import repo, run
from perennial.pipeline.run import StageFailed, run_stage

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

NAME, OTHER = "ad_response", "other"
HEAVY = {f"{stage}@{NAME}" for stage in ("train", "baseline", "evaluate", "explain")}  # never run here
SLOW = """
import sys, time
from pathlib import Path
from perennial.stages.runner import main

def run(job):
    Path("started").touch()
    print("half way", flush=True)
    time.sleep(60)
    return {}

main("slow", run)
"""


def stale(toy: Toy, name: str = NAME) -> dict[str, object]:
    with repo.open_repo(toy.root) as opened:
        return repo.find_stale(opened, {node.address for node in repo.sort_nodes(opened, name)})


def outcome(toy: Toy, address: str) -> str:
    return run_stage(toy.root, address, lambda _: None)


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(run, "reproduce", refuse)


def test_nodes_come_in_order_each_after_what_it_needs(dvc_project: Toy) -> None:
    with repo.open_repo(dvc_project.root) as opened:
        nodes = repo.sort_nodes(opened, NAME)
    assert len(nodes) == 11
    assert nodes[0].address == f"data/{NAME}/raw.dvc", "DVC's index knows the raw folder"
    assert nodes[0].stage == "raw"
    observed: set[str] = set()
    for node in nodes:
        assert set(node.after) <= observed, node
        observed.add(node.address)
    assert [node.stage for node in nodes[1:7]] == ["ingest", "validate", "clean", "featurize", "split", "augment"]
    assert next(node for node in nodes if node.stage == "ingest").after == (f"data/{NAME}/raw.dvc",)
    assert set(next(node for node in nodes if node.stage == "augment").after) == {f"featurize@{NAME}", f"split@{NAME}"}


def test_a_use_case_that_is_not_in_the_graph(dvc_project: Toy) -> None:
    with (
        pytest.raises(ConfigError, match=r"no stage for use case 'shop': add it with `perennial add shop`"),
        repo.open_repo(dvc_project.root) as o,
    ):
        repo.sort_nodes(o, "shop")


def test_a_graph_that_cannot_be_read_is_bad_input(dvc_project: Toy) -> None:
    (dvc_project.root / "dvc.yaml").write_text("stages: [")
    with pytest.raises(InputError, match=r"DVC: .*dvc\.yaml"):
        stale(dvc_project)


def test_comments_and_packages_that_change_no_result_mark_nothing(dvc_project: Toy) -> None:
    assert stale(dvc_project).keys() == HEAVY
    contract = dvc_project.project.contract(NAME)
    contract.write_text("# another word\n" + contract.read_text() + "\n# and a last one\n")
    lock = dvc_project.root / "requirements.lock"
    old = next(line for line in lock.read_text().splitlines() if line.startswith("prefect=="))
    dvc_project.edit("requirements.lock", f"{old}\n", "prefect==99.0\n")
    os.utime(dvc_project.root / "src/perennial/data/io/cast.py")
    assert stale(dvc_project).keys() == HEAVY
    assert not repo.is_stale(dvc_project.root, f"validate@{NAME}")


def test_an_edit_marks_what_reads_it_in_its_own_use_case_only(dvc_project: Toy) -> None:
    others = stale(dvc_project, OTHER)
    assert f"ingest@{OTHER}" not in others
    dvc_project.edit_contract("{kind: row_count, min: 100}", "{kind: row_count, min: 101}")
    assert stale(dvc_project).keys() - HEAVY == {f"validate@{NAME}"}
    dvc_project.edit_contract("range: [1900, 2020]", "range: [1901, 2020]")
    result = stale(dvc_project)
    assert result.keys() - HEAVY == {f"{stage}@{NAME}" for stage in ("ingest", "validate", "clean", "featurize", "split")}
    assert f"contracts/{NAME}.yaml" in str(result[f"ingest@{NAME}"])
    assert stale(dvc_project, OTHER) == others


def test_an_edit_of_code_marks_the_stages_that_load_it(dvc_project: Toy) -> None:
    path = dvc_project.root / "src" / "perennial" / "data" / "prepare" / "clean.py"
    path.write_text(path.read_text() + "\n# another line\n")
    assert stale(dvc_project).keys() - HEAVY == {f"clean@{NAME}"}
    assert f"clean@{OTHER}" in stale(dvc_project, OTHER)


def test_an_edit_runs_and_its_reversal_is_restored(dvc_project: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    address, lock = f"split@{NAME}", dvc_project.root / "dvc.lock"
    before, locked = folder_digest(dvc_project.out("split")), lock.read_text()
    assert outcome(dvc_project, address) == "up to date"
    dvc_project.edit_contract("salt: campaign-1", "salt: campaign-2")
    said: list[str] = []
    assert run_stage(dvc_project.root, address, said.append) == "ran"
    assert [line for line in said if line.startswith("split: train ")], said
    assert not [line for line in said if "git add" in line or "Updating lock" in line or "exited" in line]
    assert folder_digest(dvc_project.out("split")) != before
    dvc_project.edit_contract("salt: campaign-2", "salt: campaign-1")
    monkeypatch.setattr(run, "reproduce", lambda *_: pytest.fail("a process was started"))
    assert outcome(dvc_project, address) == "cached"
    assert folder_digest(dvc_project.out("split")) == before
    assert lock.read_text() == locked
    assert stale(dvc_project).keys() == HEAVY


def test_a_deleted_output_is_restored(dvc_project: Toy, no_process: None) -> None:
    for file in dvc_project.out("clean").iterdir():
        file.unlink()
    dvc_project.out("clean").rmdir()
    assert f"clean@{NAME}" in stale(dvc_project)
    assert outcome(dvc_project, f"clean@{NAME}") == "cached"
    assert stale(dvc_project).keys() == HEAVY


def test_raw_data_that_was_edited_by_hand_is_recorded_anew(dvc_project: Toy) -> None:
    raw, note = dvc_project.project.raw(NAME) / "customers.csv", f"data/{NAME}/raw.dvc"
    raw.write_bytes(raw.read_bytes() + b"000009999,2020-01-01,1980,Wien,web,1,none,,0,0.00\n")
    assert stale(dvc_project).keys() - HEAVY == {note, f"ingest@{NAME}"}
    assert outcome(dvc_project, note) == "ran"
    assert dvc_project.git("diff", "--name-only").split() == [note]
    assert stale(dvc_project).keys() - HEAVY == {f"ingest@{NAME}"}
    repo.record_raw(dvc_project.root, NAME)
    assert outcome(dvc_project, note) == "up to date"


def test_raw_data_that_is_nowhere_is_not_brought_and_nothing_is_said(
    dvc_project: Toy, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert dvc_project.dvc("remote", "add", "--default", "empty", str(tmp_path / "remote")).returncode == 0
    shutil.rmtree(dvc_project.project.raw(NAME))
    shutil.rmtree(dvc_project.root / ".dvc" / "cache")
    assert not repo.pull_raw(dvc_project.root, NAME)
    assert not repo.pull_raw(dvc_project.root, "nosuch")
    assert "cache files do not exist" not in "".join(capfd.readouterr()) + caplog.text


def test_a_lock_file_that_was_cut_short_comes_back_from_the_commit(dvc_project: Toy) -> None:
    lock = dvc_project.root / "dvc.lock"
    whole = lock.read_text()
    for damage in ("", "schema: '2.0'\nstages:\n  ingest@shop: {cmd: [", "\x00\x01"):
        lock.write_text(damage)
        assert repo.repair_state(dvc_project.root) == [
            "dvc.lock was cut short and is restored from the last commit or the run cache"
        ]
        assert lock.read_text() == whole
    assert repo.repair_state(dvc_project.root) == []


def test_a_lock_file_that_was_never_committed_comes_back_from_the_run_cache(dvc_project: Toy, no_process: None) -> None:
    lock = dvc_project.root / "dvc.lock"
    entry = yaml.safe_load(lock.read_text())["stages"][f"ingest@{NAME}"]
    dvc_project.git("rm", "--quiet", "--cached", "dvc.lock")
    dvc_project.commit("less")
    lock.write_text("")
    assert len(repo.repair_state(dvc_project.root)) == 1
    assert not lock.exists()
    assert outcome(dvc_project, f"ingest@{NAME}") == "cached"
    assert yaml.safe_load(lock.read_text())["stages"] == {f"ingest@{NAME}": entry}


def test_the_list_of_running_stages_is_mended(dvc_project: Toy) -> None:
    rwlock = dvc_project.root / ".dvc" / "tmp" / "rwlock"
    for damage in ("", "{", "[]"):
        rwlock.write_text(damage)
        assert repo.repair_state(dvc_project.root) == ["DVC's list of running stages was damaged and is emptied"]
        assert not rwlock.exists()
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    dead, other = ({"pid": gone.pid, "cmd": "dvc repro a"}, {"pid": os.getpid(), "cmd": "dvc repro b"})  # a pid that lives again
    rwlock.write_text(json.dumps({"write": {"a": dead}, "read": {"b": [dead, other]}}))
    assert repo.repair_state(dvc_project.root) == ["entries of stages that no longer run were removed from DVC's list"]
    assert json.loads(rwlock.read_text()) == {"write": {}, "read": {}}
    assert repo.repair_state(dvc_project.root) == []
    with subprocess.Popen([sys.executable, "-c", "input()", "repro", "c@shop"], stdin=subprocess.PIPE) as living:
        mine = {"pid": living.pid, "cmd": "somewhere/dvc repro c@shop"}
        rwlock.write_text(json.dumps({"write": {"c": mine, "a": dead}, "read": {"d": [dead, mine]}}))
        repo.repair_state(dvc_project.root)
        assert json.loads(rwlock.read_text()) == {"write": {"c": mine}, "read": {"d": [mine]}}, "what runs keeps its entry"
        assert repo.repair_state(dvc_project.root) == []
        living.kill()


def test_a_repository_that_another_stage_holds_is_busy(dvc_project: Toy) -> None:
    rwlock = dvc_project.root / ".dvc" / "tmp" / "rwlock"
    held_rows = {"write": {str(dvc_project.out("split")): {"pid": os.getppid(), "cmd": "dvc repro"}}}
    rwlock.write_text(json.dumps(held_rows))
    with pytest.raises(Busy, match=r"DVC is busy in .*: a stage or a `dvc repro` is running") as caught:
        stale(dvc_project)
    assert caught.value.exit_code == 75


def test_a_stage_that_fails_keeps_its_exit_code_and_its_words(dvc_project: Toy) -> None:
    locked = (dvc_project.root / "dvc.lock").read_text()
    (dvc_project.project.raw(NAME) / "events.csv").unlink()
    words = rf"\Aingest: InputError: table events: no file named.* \(ingest@{NAME} failed with exit code 2\)\Z"
    with pytest.raises(StageFailed, match=words) as caught:
        outcome(dvc_project, f"ingest@{NAME}")
    assert caught.value.exit_code == 2
    assert (dvc_project.root / "dvc.lock").read_text() == locked


@pytest.fixture
def slow(dvc_project: Toy) -> Iterator[str]:
    """A stage of one's own that would take a minute; its address."""
    folder = dvc_project.root / "stages" / "extra"
    folder.mkdir(parents=True)
    (dvc_project.root / "slow.py").write_text(SLOW)
    stage = {"cmd": f"python slow.py {NAME}", "wdir": "../..", "deps": ["slow.py"], "outs": [f"outputs/{NAME}/slow"]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"slow": {"foreach": [NAME], "do": stage}}}))
    yield f"stages/extra/dvc.yaml:slow@{NAME}"
    run.STOP.clear()


def started(root: Path) -> None:
    deadline = time.monotonic() + 30
    while not (root / "started").exists():
        assert time.monotonic() < deadline, "the stage did not start"
        time.sleep(0.05)


def free(root: Path) -> bool:
    rwlock = root / ".dvc" / "tmp" / "rwlock"
    return not rwlock.exists() or not any(json.loads(rwlock.read_text() or "{}").values())


def test_stopping_the_stages_ends_them_with_143_and_leaves_dvc_tidy(dvc_project: Toy, slow: str) -> None:
    with repo.open_repo(dvc_project.root) as opened:
        assert "slow" in [node.stage for node in repo.sort_nodes(opened, NAME)]
    locked, failed, said = (dvc_project.root / "dvc.lock").read_text(), list[StageFailed](), list[str]()

    def work() -> None:
        try:
            run_stage(dvc_project.root, slow, said.append)
        except StageFailed as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    started(dvc_project.root)
    before = time.monotonic()
    run.stop_stages()
    thread.join(20)
    assert time.monotonic() - before < 10, "no grace was needed"
    assert [error.exit_code for error in failed] == [143]
    assert "half way" in said
    assert free(dvc_project.root)
    assert (dvc_project.root / "dvc.lock").read_text() == locked
    with pytest.raises(StageFailed, match=r"\Athe run was stopped \(.* failed with exit code 143\)\Z"):
        run_stage(dvc_project.root, slow, said.append)


def test_a_stage_ends_with_the_process_that_holds_its_stdin_even_when_that_is_killed(dvc_project: Toy, slow: str) -> None:
    code = f"from pathlib import Path; from perennial.pipeline.run import run_stage; run_stage(Path('.'), {slow!r}, print)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=dvc_project.root, stdout=subprocess.DEVNULL) as holder:
        started(dvc_project.root)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    deadline = time.monotonic() + 20
    while not free(dvc_project.root) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert free(dvc_project.root)
    locks = dvc_project.project.state(NAME) / "slow.lock"
    done = subprocess.run(["flock", "--nonblock", str(locks), "true"], check=False)
    assert done.returncode == 0, "the stage's own lock is free: its process is gone"


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
def test_the_guard_of_a_stage_leaves_with_143(dvc_project: Toy, slow: str, end: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "slow.py", NAME],
        cwd=dvc_project.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PERENNIAL_GUARD": "1"},
    )
    with process:
        started(dvc_project.root)
        assert process.stdin is not None
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_without_the_guard_an_empty_stdin_stops_nothing(dvc_project: Toy) -> None:
    assert dvc_project.stage("clean").returncode == 0
