"""`show` and `list`: keys that scripts may rely on, null for what is not known, and no MLflow."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from perennial.commands.show import main
from perennial.errors import ConfigError, ContractError
from perennial.files.durable import write_bytes, write_json, write_text
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.gallery.entries import list_gallery, list_use_cases
from perennial.promotion.overview import build_overview
from perennial.promotion.receipt import STAGES, receipt_path
from perennial.report.context import AnyReport
from perennial.results.augment import AugmentSummary
from perennial.results.receipt import ActionResults, Receipt, ReportPage
from tests.fakes.decisions import CHAMPION
from tests.fakes.reports import response_report, uplift_report
from tests.fakes.stages import BAD, TRAIN

pytestmark = pytest.mark.unit

NAME = "ad_response"
KEYS = [
    "use_case",
    "task",
    "rows",
    "quarantine",
    "families",
    "candidate",
    "deep_minus_traditional",
    "profit",
    "decision",
    "champion",
    "stages",
    "last_run",
    "report",
]
ROWS = ["raw", "quarantined", "duplicates", "train", "val", "test", "out_of_time"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one use case of the gallery and nothing run."""
    project = Project(root=tmp_path)
    write_text(tmp_path / "params.yaml", f"use_cases: {{{NAME}: {{}}}}\n")
    write_text(tmp_path / "dvc.yaml", "stages: {}\n")
    for name in (NAME, "ad_uplift"):
        write_bytes(project.contract(name), (resources.files("perennial.gallery") / f"{name}.yaml").read_bytes())
    return project


def leave(project: Project, report: AnyReport, outcomes: dict[str, str] | None = None) -> None:
    """What a run that came to this report left on disk."""
    augment = AugmentSummary(rows=TRAIN, draws=TRAIN)
    summaries = (*report.stages, augment, report.train, report.baseline, report.evaluation, report.explain)
    for summary in summaries:
        folder = project.output(report.name, summary.stage)
        write_json(folder / "summary.json", summary.model_dump(mode="json"))
        seal(folder)
    page = ReportPage(
        path=f".perennial/{report.name}/report.html",
        sha256="0" * 64,
        verdict=report.verdict,
        champion=report.champion_version,
        headline="Use this model.",
    )
    stages = {f"{stage}@{report.name}": "Ran" for stage in STAGES} | (outcomes or {})
    receipt = Receipt(state={}, stages=stages, results=ActionResults(promote=report.decision, report=page))
    write_json(receipt_path(project, report.name), receipt.model_dump(mode="json"))


def shown(project: Project, name: str = NAME) -> dict[str, Any]:
    """The object of `perennial show --json`."""
    return build_overview(project, name).model_dump(mode="json")


def test_before_anything_is_known_all_is_null_and_missing(project: Project) -> None:
    overview = shown(project)
    assert list(overview) == KEYS
    assert (overview["use_case"], overview["task"]) == (NAME, "binary")
    assert overview["rows"] == dict.fromkeys(ROWS)
    assert not overview["quarantine"]
    for key in ("families", "candidate", "deep_minus_traditional", "profit", "decision", "champion", "report"):
        assert overview[key] is None, key
    assert overview["stages"] == dict.fromkeys(STAGES, "missing")
    assert overview["last_run"] == {}
    assert len(STAGES) == 10


def test_after_a_run_the_promised_keys_hold_its_results(project: Project) -> None:
    report = response_report()
    leave(project, report, {f"clean@{NAME}": "Cached"})
    overview = shown(project)
    assert list(overview) == KEYS
    assert overview["rows"] == {
        "raw": 20100,
        "quarantined": 90,
        "duplicates": 10,
        "train": 9569,
        "val": 3298,
        "test": 3283,
        "out_of_time": 0,
    }
    assert overview["quarantine"] == {"cell:signup": 51, f"in_set:{BAD}": 39}
    assert sum(overview["quarantine"].values()) == overview["rows"]["quarantined"]
    assert sorted(overview["families"]) == ["blend", "boosted", "deep", "linear"]
    for metrics in overview["families"].values():
        assert sorted(metrics) == ["ap", "auc", "brier", "log_loss", "normalised_entropy"]
        assert all(list(figures) == ["value", "low", "high"] for figures in metrics.values())
    assert overview["candidate"] == "linear"
    assert list(overview["deep_minus_traditional"]) == ["value", "low", "high"]
    profit = report.evaluation.profit
    assert profit is not None
    assert overview["profit"] == {
        "depth": profit.depth,
        "value": profit.plan("chosen").profit.value,
        "everyone": profit.plan("everyone").profit.value,
    }
    assert overview["decision"] == {"verdict": "PROMOTE", "reasons": list(report.decision.reasons)}
    assert overview["champion"] == {"version": "4", "family": "linear"}
    assert overview["stages"] == dict.fromkeys(STAGES, "unknown"), "there is no DVC here to ask"
    assert overview["last_run"] == dict.fromkeys(STAGES, "ran") | {"clean": "cached"}
    assert overview["report"] == f".perennial/{NAME}/report.html"
    assert json.loads(json.dumps(overview)) == overview


def test_an_uplift_task_gives_its_money_per_1000_customers(project: Project) -> None:
    report = uplift_report()
    leave(project, report)
    overview, policy = shown(project, "ad_uplift"), report.evaluation.policy
    assert list(overview) == KEYS
    assert overview["task"] == "uplift"
    single = policy.plan(f"all {policy.best_single}")
    assert overview["profit"] == {
        "depth": policy.depth,
        "value": pytest.approx(policy.plan("choice").profit.value / 4.066),
        "everyone": pytest.approx(single.profit.value / 4.066),
    }
    assert sorted(overview["families"]["deep"]) == ["policy_value", "qini"]


@pytest.mark.parametrize(
    ("make", "champion"),
    [
        (partial(response_report, "HOLD", stopped_by="improvement", champion=True), {"version": "3", "family": CHAMPION.family}),
        (partial(response_report, "REJECT", stopped_by="minimum"), None),
    ],
)
def test_the_champion_is_the_version_in_use_after_the_decision(
    project: Project, make: Callable[[], AnyReport], champion: dict[str, str] | None
) -> None:
    report = make()
    leave(project, report)
    overview = shown(project)
    assert overview["decision"]["verdict"] == report.verdict
    assert overview["champion"] == champion


def test_without_money_there_is_no_profit(project: Project) -> None:
    leave(project, response_report(money=False))
    assert shown(project)["profit"] is None


def test_after_a_failed_run_the_failed_stage_is_named(project: Project) -> None:
    leave(project, response_report(), {f"train@{NAME}": "Exit2", f"evaluate@{NAME}": "NotReady"})
    for stage in ("train", "evaluate"):
        (project.output(NAME, stage) / "summary.json").unlink()
    overview = shown(project)
    assert (overview["stages"]["train"], overview["stages"]["evaluate"]) == ("missing", "missing")
    assert (overview["last_run"]["train"], overview["last_run"]["evaluate"]) == ("failed", "not reached")
    assert overview["families"] is None


def test_a_damaged_summary_is_a_missing_one(project: Project) -> None:
    leave(project, response_report())
    write_text(project.output(NAME, "split") / "summary.json", "{")
    assert shown(project)["rows"]["train"] is None


def test_the_stage_of_a_damaged_summary_is_missing(project: Project) -> None:
    leave(project, response_report())
    write_text(project.output(NAME, "split") / "summary.json", "{")
    assert shown(project)["stages"]["split"] == "missing"


def test_an_unknown_use_case_is_refused(project: Project) -> None:
    with pytest.raises(ContractError, match=r"contracts/nobody\.yaml is missing: `perennial list` names"):
        build_overview(project, "nobody")
    with pytest.raises(ConfigError, match=r"use case name '\.\./x': use lower-case letters"):
        build_overview(project, "../x")


def test_words_and_json_say_the_same(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(project, response_report())
    monkeypatch.chdir(project.root)
    main(NAME, as_json=True)
    assert json.loads(capsys.readouterr().out) == shown(project)
    main(NAME)
    printed = capsys.readouterr().out
    assert "ad_response (binary): PROMOTE" in printed
    assert "linear (candidate)" in printed
    assert printed.count("log_loss") == 4
    counts = "rows: 20,100 raw, 90 quarantined, 10 duplicates, 9,569 train, 3,298 val, 3,283 test"
    assert counts in " ".join(printed.split())


def test_words_do_without_what_is_not_known(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    main(NAME)
    said = capsys.readouterr().out
    assert "ad_response (binary): not decided yet" in said
    assert said.endswith("rows: none read yet\nreport: none yet\n")


def test_show_and_list_load_no_mlflow(project: Project) -> None:
    code = "import json, sys\nfrom perennial.cli import run\nrun(sys.argv[1:])\nsys.stderr.write(json.dumps(list(sys.modules)))"
    seen = 0
    for words in (["show", NAME, "--json"], ["list"]):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=project.root, text=True, capture_output=True, check=True)
        loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
        assert loaded & {"mlflow", "torch", "prefect", "dvc", "sklearn"} == set()
        assert "perennial" in loaded
        seen += 1
    assert seen == 2


def test_list_names_the_use_cases_here_and_those_to_add(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("COLUMNS", "80")
    action: Any = importlib.import_module("perennial.commands.list")
    action.main()
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[1]: line for line in lines if line.startswith("│")}
    assert rows.keys() == {NAME, *list_gallery()}, "no row is wrapped at 80 columns"
    assert [cell.strip() for cell in rows[NAME].split("│")[1:-1]] == [NAME, "binary", "responded", "not run yet"]
    assert [cell.strip() for cell in rows["customer_value"].split("│")[1:-1]][1:] == ["regression", "spend_90d", "gallery"]
    here = list_use_cases(project)
    assert {name for name, row in rows.items() if "│ gallery" in row} == rows.keys() - here
