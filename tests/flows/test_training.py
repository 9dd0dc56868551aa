"""`perennial run`: the derived flow, what it records, what it leaves, and what the second run does."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perennial.pipeline import repo
from tests.conftest import NAME, Toy
from tests.flows.conftest import BIN, perennial

if TYPE_CHECKING:
    from tests.flows.conftest import Done

pytestmark = [pytest.mark.flows]
STAGES = ("ingest", "validate", "clean", "featurize", "split", "augment", "train", "baseline", "evaluate", "explain")
ACTIONS = ("register", "promote", "score", "report")


def task_runs(done: Done, flow: str) -> dict[str, dict[str, Any]]:
    """The recorded task runs of a flow run by name; records may come seconds late, so they are polled for."""
    for _ in range(60):
        runs = done.api("/task_runs/filter", {"flow_runs": {"id": {"any_": [flow]}}, "limit": 200})
        if len(runs) >= 16 and all(run["state_type"] in {"COMPLETED", "FAILED"} for run in runs):
            break
        time.sleep(0.5)
    return {run["name"]: run for run in runs}


def newest_flow(done: Done) -> str:
    """The flow run that was started last by hand; scheduled ones have a deployment."""
    by_hand = {"flow_runs": {"deployment_id": {"is_null_": True}}, "sort": "START_TIME_DESC", "limit": 1}
    return str(done.api("/flow_runs/filter", by_hand)[0]["id"])


def test_the_first_run_ends_in_a_decision_and_says_what_comes_next(done: Done) -> None:
    assert done.code == 0, done.text
    assert "stages ran" in done.text
    assert "PROMOTE: Use this model" in done.text
    assert "Report: .perennial/ad_response/report.html" in done.text
    assert done.text.count("\n  ") >= 3, "the next three commands"
    assert (done.toy.project.state(NAME) / "report.html").stat().st_size > 66_000, "36 kB are the font"


def test_each_stage_and_action_is_a_task_that_is_recorded(done: Done) -> None:
    runs = task_runs(done, done.flow)
    expected = {f"{stage}@{NAME}" for stage in STAGES} | set(ACTIONS) | {f"data/{NAME}/raw.dvc"}
    expected |= {f"stages/extra/dvc.yaml:extra@{NAME}"}
    assert set(runs) == expected, "a stage of one's own is a task too"
    assert {runs[f"{stage}@{NAME}"]["state_name"] for stage in STAGES} == {"Ran"}
    assert all(run["state_type"] == "COMPLETED" for run in runs.values())
    order = [runs[f"{stage}@{NAME}"]["start_time"] for stage in STAGES if stage != "baseline"]
    assert order == sorted(order)


def test_the_graph_of_the_run_is_one(done: Done) -> None:
    task_runs(done, done.flow)
    graph = done.api(f"/flow_runs/{done.flow}/graph-v2", method="GET")
    nodes = dict(graph["nodes"])
    parents = {node["label"]: {nodes[parent["id"]]["label"] for parent in node["parents"]} for node in nodes.values()}
    assert [label for label, before in parents.items() if not before] == [f"data/{NAME}/raw.dvc"], "one root"
    assert parents["register"] == {f"stages/extra/dvc.yaml:extra@{NAME}"}, "the only stage that no other waits for"
    chain = [("promote", "register"), ("score", "promote"), ("report", "score")]  # a text in two results adds edges
    assert [step for step, before in chain if before not in parents[step]] == []
    assert {f"train@{NAME}", f"baseline@{NAME}"} <= parents[f"evaluate@{NAME}"]


def test_each_task_says_in_one_line_what_it_did(done: Done) -> None:
    runs = task_runs(done, done.flow)
    messages = {name.split("@")[0]: run["state"]["message"] for name, run in runs.items()}
    assert messages["ingest"].startswith("ingest: 2,010 rows in, 2,005 passed, 5 quarantined; events: ")
    assert re.fullmatch(r"split: units: [\d,]+ rows in, \d+ test, \d+ train, \d+ val", messages["split"])
    assert re.fullmatch(r"augment: \d+ training rows, \d+ draws an epoch", messages["augment"])
    assert re.fullmatch(r"train: best epoch \d of 3, loss on val: deep 0\.\d{4}", messages["train"])
    assert re.fullmatch(r"baseline: loss on val: boosted 0\.\d{4}, linear 0\.\d{4}", messages["baseline"])
    assert re.fullmatch(r"evaluate: the candidate is the \w+ family, auc 0\.\d{4} on test", messages["evaluate"])
    assert messages["explain"].startswith("explain: 40 rows explained, most by ")
    assert re.fullmatch(r"register: version 1, \w+ family", messages["register"])
    assert messages["promote"].startswith("promote: PROMOTE. auc of the candidate 0.")
    assert re.fullmatch(r"score: 100 rows in, 100 scored, 0 rejected, \d+ to contact", messages["score"])
    assert messages["report"] == f"report: .perennial/{NAME}/report.html, PROMOTE"
    assert messages["stages/extra/dvc.yaml:extra"] == "extra: ran"
    assert not [message for message in messages.values() if "\n" in message]


def test_the_run_is_found_by_name_and_tags_and_its_address_is_printed_once(done: Done) -> None:
    run = done.api(f"/flow_runs/{done.flow}", method="GET")
    assert run["name"] == f"{NAME}: PROMOTE"
    assert {NAME, "training", "main"} < set(run["tags"])
    assert set(run["tags"]) - {NAME, "training", "main"} <= set(done.toy.git("log", "--format=%h").split()), "and the commit"
    assert done.text.count("/runs/flow-run/") == 1
    assert done.text.count("http://127.0.0.1") == 1


def test_a_stage_streams_its_lines_into_the_log_of_its_task(done: Done) -> None:
    texts = [line["message"] for line in done.api("/logs/filter", {"logs": {"flow_run_id": {"any_": [done.flow]}}, "limit": 200})]
    assert any("epoch 1: train loss" in text for text in texts)
    assert any("main: " in text and "quarantined" in text for text in texts)


def test_decision_rows_and_figures_are_artifacts(done: Done) -> None:
    result = {item["key"]: item for item in done.api("/artifacts/filter", {"limit": 200})}
    assert {f"ad-response-{what}" for what in ("decision", "rows", "figures")} <= set(result)
    assert "PROMOTE" in result["ad-response-decision"]["data"]
    rows = json.loads(result["ad-response-rows"]["data"])
    assert {row["stage"] for row in rows} >= {"ingest", "validate", "clean", "featurize", "split"}


def test_every_artifact_describes_itself_and_links_to_what_the_run_left(done: Done) -> None:
    artifacts = done.api("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [done.flow]}}, "limit": 200})
    receipt = json.loads((done.toy.project.state(NAME) / "last.json").read_text())["results"]
    expected = [
        f"[report]({(done.toy.project.state(NAME) / 'report.html').as_uri()})",
        f"/runs/{receipt['registration']['run_id']}?workflowType=machine_learning)",
        f"[model {NAME}, version 1](http://127.0.0.1:5000/#/models/{NAME}/versions/1)",
        "(MLflow's pages open while `perennial ui` runs)",
    ]
    assert len(artifacts) == 3
    assert [item["key"] for item in artifacts for text in expected if text not in item["description"]] == []
    assert len({item["description"] for item in artifacts}) == 3


def test_show_tells_scripts_all_of_it(done: Done) -> None:
    document = json.loads(perennial(done.toy, "show", NAME, "--json").stdout)
    assert document["rows"] == {
        "raw": 2010,
        "quarantined": 9,
        "duplicates": 1,
        "out_of_time": 0,
        **{part: document["rows"][part] for part in ("train", "val", "test")},
    }
    assert set(document["families"]) == {"linear", "boosted", "deep", "blend"}
    assert all(set(result["auc"]) == {"value", "low", "high"} for result in document["families"].values())
    assert document["decision"]["verdict"] == "PROMOTE"
    assert document["champion"]["version"] == "1"
    assert set(document["stages"]) == set(STAGES)
    assert set(document["stages"].values()) == {"up to date"}
    assert set(document["last_run"].values()) <= {"ran", "cached"}
    assert set(document["profit"]) == {"depth", "value", "everyone"}
    flow = {stage: done.toy.summary(stage)["flow"] for stage in ("ingest", "validate")}
    assert sum(document["quarantine"].values()) == sum(t["to"]["quarantined"] for f in flow.values() for t in f.values())


def test_incoming_rows_are_scored_and_none_is_lost(done: Done) -> None:
    lines = (done.toy.project.state(NAME) / "scores.csv").read_text().splitlines()
    assert len(lines) == 1 + 100, "the simulator's n / 20 new customers, one line each"
    assert lines[0] == ("customer_id,rank,probability,expected_profit,decile,action,action_reason,reasons,row_id,model_version")


def test_the_second_run_does_nothing_and_says_so(done: Done) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = perennial(done.toy, "run", NAME)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert again.returncode == 0
    assert "Nothing to do: 0 stages ran" in again.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 6, "3 on an idle machine"
    loaded = _modules_of(
        done.toy,
        "from perennial.promotion.main_job import find_valid_receipt; "
        f"from perennial.files.project import Project; assert find_valid_receipt(Project.here(), '{NAME}')",
    )
    assert not {"prefect", "mlflow", "torch", "pandas"} & loaded


def test_dvc_repro_agrees(done: Done) -> None:
    lock = (done.toy.root / "dvc.lock").read_bytes()
    ran = done.toy.dvc("repro")
    assert ran.returncode == 0, ran.stderr
    assert "Running stage" not in ran.stdout
    assert (done.toy.root / "dvc.lock").read_bytes() == lock


def test_a_failed_stage_stops_what_depends_on_it_with_its_own_exit_code(done: Done, tmp_path: Path) -> None:
    toy = _copy(done.toy, tmp_path)
    toy.edit_contract("{kind: row_count, min: 100}", "{kind: row_count, min: 100000}")
    ran = _flow(toy, done)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    error = "validate: DataStopped: table main: "
    assert ran.stderr.splitlines()[-1].startswith(error)
    assert "the contract asks for at least 100000" in ran.stderr
    run = done.api(f"/flow_runs/{newest_flow(done)}", method="GET")
    assert run["name"] == f"{NAME}: failed at validate"
    assert run["state"]["message"].startswith(error)
    assert run["state"]["message"].endswith(f"(validate@{NAME} failed with exit code 2)")
    runs = task_runs_of_failed(done)
    assert runs[f"validate@{NAME}"]["state"]["message"].startswith(error)
    assert runs[f"validate@{NAME}"]["state_name"] == "Exit2"
    assert runs[f"ingest@{NAME}"]["state_name"] == "Cached"
    assert runs.get(f"train@{NAME}", {"state_type": "PENDING"})["state_type"] == "PENDING"
    assert (toy.project.state(NAME) / "stopped" / "validate" / "quarantine.parquet").exists()


def test_a_flow_that_is_killed_takes_its_stage_with_it_and_the_next_run_goes_on(done: Done, tmp_path: Path) -> None:
    toy = _copy(done.toy, tmp_path)
    toy.edit("params.yaml", "epochs: 3", "epochs: 400")
    toy.edit("params.yaml", "patience: 6", "patience: 400")
    curve = toy.project.state(NAME) / "curves.csv"
    curve.unlink()
    flow = subprocess.Popen(
        [str(BIN / "python"), "-m", "flows.training", NAME],
        cwd=toy.root,
        env=_environment(done),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (curve.exists() and "\n1," in curve.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _training(toy), "the train stage is in the middle of its work"
    flow.send_signal(signal.SIGKILL)
    flow.wait()
    _has_ended(toy)
    shutil.copy(done.toy.root / ".perennial" / "server.json", toy.root / ".perennial")
    asked = subprocess.Popen(
        [str(BIN / "perennial"), "run", NAME],
        cwd=toy.root,
        env=_environment(done),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not _training(toy) and asked.poll() is None:
        time.sleep(0.1)
    os.killpg(asked.pid, signal.SIGINT)  # as Ctrl-C does: to the command and to the flow that it waits for
    _, said = asked.communicate(timeout=60)
    assert asked.returncode == 130, said
    assert said.endswith(f"perennial: stopped; perennial run {NAME} continues from there\n")
    assert "NoneType" not in said
    _has_ended(toy)
    toy.edit("params.yaml", "epochs: 400", "epochs: 4")
    again = _flow(toy, done)
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_killed_takes_its_whole_run_with_it(done: Done, tmp_path: Path, signum: signal.Signals) -> None:
    toy = _copy(done.toy, tmp_path)
    toy.edit("params.yaml", "epochs: 3", "epochs: 400")
    toy.edit("params.yaml", "patience: 6", "patience: 400")
    shutil.copy(done.toy.root / ".perennial" / "server.json", toy.root / ".perennial")
    asked = subprocess.Popen(
        [str(BIN / "perennial"), "run", NAME],
        cwd=toy.root,
        env=_environment(done),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not _training(toy) and asked.poll() is None:
        time.sleep(0.1)
    asked.send_signal(signum)  # to the command alone, as `kill PID` does
    asked.wait()
    deadline = time.monotonic() + 20
    while (living := _find_processes(toy)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert living == []


def _find_processes(toy: Toy) -> list[str]:
    """The processes that work in the project's folder: flow, DVC, stage."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink() == toy.root:
                lines.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended, or is another user's
            continue
    return lines


def _has_ended(toy: Toy) -> None:
    deadline = time.monotonic() + 20
    while _training(toy) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _training(toy), "the stage lives on"


def test_a_second_clone_pulls_and_runs_no_stage(done: Done, tmp_path: Path) -> None:
    toy, remote = done.toy, tmp_path / "remote"
    toy.git("add", "--all")
    toy.commit("results")
    assert toy.dvc("remote", "add", "--local", "--default", "shared", str(remote)).returncode == 0
    assert toy.dvc("push").returncode == 0
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(toy.root), str(clone)], check=True)
    second = Toy(root=clone)
    assert second.dvc("remote", "add", "--local", "--default", "shared", str(remote)).returncode == 0
    assert second.dvc("pull").returncode == 0
    ran = _flow(second, done)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    receipt = json.loads((second.project.state(NAME) / "last.json").read_text())
    assert "Ran" not in receipt["stages"].values()
    assert receipt["results"]["promote"]["verdict"] == "PROMOTE"
    assert (second.project.state(NAME) / "report.html").exists()
    assert second.git("status", "--porcelain") == ""


def test_two_runs_of_one_use_case_do_not_meet(done: Done) -> None:
    from perennial.files.locks import file_lock

    with file_lock(done.toy.project.state(NAME) / "run.lock", what="a run"):
        ran = perennial(done.toy, "run", NAME)
    assert ran.returncode == 75
    assert "a run of ad_response is busy" in ran.stderr


def test_a_cut_dvc_lock_is_mended(done: Done, tmp_path: Path) -> None:
    toy = _copy(done.toy, tmp_path)
    toy.git("add", "dvc.lock")
    toy.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "--message=lock")
    (toy.root / "dvc.lock").write_bytes(b"")
    said = repo.repair_state(toy.root)
    assert any("dvc.lock was cut short" in line for line in said)
    assert "train@ad_response" in yaml.safe_load((toy.root / "dvc.lock").read_text())["stages"], "the committed one is back"


def task_runs_of_failed(done: Done) -> dict[str, dict[str, Any]]:
    runs = done.api("/task_runs/filter", {"flow_runs": {"id": {"any_": [newest_flow(done)]}}, "limit": 200})
    return {run["name"]: run for run in runs}


def _copy(toy: Toy, tmp_path: Path) -> Toy:
    root = tmp_path / "copy"
    shutil.copytree(toy.root, root, symlinks=True, ignore=shutil.ignore_patterns("mlflow", "prefect", "server.json"))
    return Toy(root=root)


def _environment(done: Done) -> dict[str, str]:
    from perennial.tracking.servers import build_environment, ensure_server

    return build_environment(ensure_server(done.toy.project), done.toy.project) | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"
    }


def _flow(toy: Toy, done: Done) -> subprocess.CompletedProcess[str]:
    """Run the flow of another folder against the server that is up already."""
    return subprocess.run(
        [str(BIN / "python"), "-m", "flows.training", NAME],
        cwd=toy.root,
        env=_environment(done),
        text=True,
        capture_output=True,
        check=False,
        timeout=400,
    )


def _training(toy: Toy) -> bool:
    """Whether a train stage of this folder is running."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if b"perennial.stages.train" in words and (process / "cwd").resolve() == toy.root.resolve():
                return True
        except OSError:
            continue
    return False


def _modules_of(toy: Toy, code: str) -> set[str]:
    shown = subprocess.run(
        [str(BIN / "python"), "-c", f"{code}; import sys; print(*sys.modules)"],
        cwd=toy.root,
        text=True,
        capture_output=True,
        check=True,
    )
    return {name.split(".")[0] for name in shown.stdout.split()}
