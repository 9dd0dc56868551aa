"""What MLflow shows of a run: a run of the pipeline, one for each family, data, tables, cards, and decisions that stand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from perennial.files.tables import read_table
from perennial.promotion.promote import promote
from perennial.promotion.register import register
from perennial.promotion.rollback import rollback
from perennial.promotion.run_views import FlowRun
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.servers import find_free_port
from perennial.tracking.store import open_store
from tests.integration.test_registry import in_use, retrained

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration
BIN = Path(sys.executable).parent
FAMILIES = ["linear", "boosted", "deep", "blend"]


def runs_of(toy: Toy) -> tuple[Any, dict[str, Any]]:
    """The run of the pipeline, and those of the families by name."""
    store = open_store(toy.project)
    runs = store.client.search_runs([store.experiment(toy.name)])
    children = {run.data.params["family"]: run for run in runs if "mlflow.parentRunId" in run.data.tags}
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    return parent, children


def test_families_are_runs_of_their_own_with_metrics_of_the_same_names(shop: Toy) -> None:
    register(shop.project, shop.name)
    parent, children = runs_of(shop)
    assert sorted(children) == sorted(FAMILIES)
    measured = shop.summary("evaluate")["families"]
    for family, run in children.items():
        interval = measured[family]["test"]["auc"]
        shown = {end: run.data.metrics[f"test.auc{end}"] for end in ("", ".low", ".high")}
        assert shown == pytest.approx({"": interval["value"], ".low": interval["low"], ".high": interval["high"]})
        assert run.data.metrics["val.auc"] == pytest.approx(measured[family]["val"]["auc"])
    named = [{key for key in run.data.metrics if key.startswith("test.")} for run in children.values()]
    assert all(keys == named[0] for keys in named)
    chosen = shop.summary("evaluate")["candidate"]["family"]
    assert parent.data.metrics["test.auc"] == children[chosen].data.metrics["test.auc"]
    assert parent.data.params["candidate"] == chosen


def test_params_are_those_of_the_family_by_section(shop: Toy) -> None:
    register(shop.project, shop.name)
    _, children = runs_of(shop)
    deep, boosted, blend = (children[family].data.params for family in ("deep", "boosted", "blend"))
    assert (deep["train.members"], deep["train.epochs"]) == ("8", "3")
    assert not [key for key in deep if key.startswith("baseline.")]
    assert boosted["baseline.trials"] == "1"
    assert int(boosted["chosen.rounds"]) >= 1
    assert {"train.members", "baseline.trials"} <= blend.keys()
    assert "None" not in {*deep.values(), *boosted.values(), *blend.values()}


def test_what_is_fitted_step_by_step_has_its_curve(shop: Toy) -> None:
    register(shop.project, shop.name)
    store, (_, children) = open_store(shop.project), runs_of(shop)
    steps = {
        family: [point.step for point in store.client.get_metric_history(run.info.run_id, "train_loss")]
        for family, run in children.items()
    }
    assert steps["deep"] == [1, 2, 3]
    assert steps["boosted"] == list(range(1, len(steps["boosted"]) + 1))
    assert len(steps["boosted"]) >= int(children["boosted"].data.params["chosen.rounds"])
    assert steps["linear"] == steps["blend"] == []


def test_mlflows_own_columns_are_filled(shop: Toy) -> None:
    register(shop.project, shop.name, FlowRun(id="f-1", url="http://127.0.0.1:4200/runs/flow-run/f-1"))
    parent, children = runs_of(shop)
    for run in (parent, *children.values()):
        tags = run.data.tags
        assert tags["mlflow.source.name"] == f"perennial run {shop.name}"
        assert tags["mlflow.user"]
        assert tags["mlflow.source.git.commit"] == tags["lineage.commit"]
        assert tags["prefect.flow_run_url"].endswith("/f-1")
        assert "lightgbm" in tags["lineage.packages"]
    store = open_store(shop.project)
    experiment = store.client.get_experiment(store.experiment(shop.name))
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_data_sets_have_digest_schema_source_and_use(shop: Toy) -> None:
    register(shop.project, shop.name)
    parent, _ = runs_of(shop)
    inputs = {given.tags[0].value: given.dataset for given in parent.inputs.dataset_inputs}
    assert set(inputs) == {"raw", "training", "validation", "testing"}
    assert inputs["raw"].digest == "0123.dir"
    assert json.loads(inputs["raw"].source)["path"] == f"data/{shop.name}/raw"
    columns = {column["name"]: column["type"] for column in json.loads(inputs["training"].schema)["mlflow_colspec"]}
    assert columns["visits_90d"] in {"long", "double"}
    assert json.loads(inputs["training"].profile)["num_rows"] == shop.summary("split")["flow"]["units"]["to"]["train"]


def test_tables_are_those_of_dvc_and_mlflow_reads_them(shop: Toy) -> None:
    register(shop.project, shop.name)
    store, (parent, _) = open_store(shop.project), runs_of(shop)
    experiment = store.experiment(shop.name)
    with store.as_default():  # `load_table` looks nowhere else
        families = store.client.load_table(experiment, "tables/families.json", [parent.info.run_id])
        gains = store.client.load_table(experiment, "tables/gains.json", [parent.info.run_id])
    assert set(families["family"]) == set(FAMILIES)
    file = (shop.root / "outputs" / shop.name / "gains.csv").read_text().splitlines()
    assert list(gains.columns) == file[0].split(",")
    assert len(gains) == len(file) - 1 > 50


def test_the_version_has_a_model_card_and_its_decision(shop: Toy) -> None:
    registration = register(shop.project, shop.name)
    store = open_store(shop.project)

    def read_card() -> str:
        return str(store.client.get_model_version(shop.name, registration.version).description)

    assert read_card().endswith("Not judged yet.")
    record = promote(shop.project, shop.name)
    card = read_card()
    assert promote(shop.project, shop.name) == record
    assert read_card() == card, "shown again it changes nothing"
    for part in ("Who answers when we write?", "## Data", "## Figures on test", "## Limits", "## Who may use it", "0123.dir"):
        assert part in card
    assert "Not judged yet" not in card
    assert f"**PROMOTE**, version 1, decision 1 of {record.at} UTC" in card
    assert record.reasons[0] in card
    parent, _ = runs_of(shop)
    assert f"/runs/{parent.info.run_id}/artifacts/report.html)" in card
    assert parent.data.tags["mlflow.note.content"] == card
    assert parent.data.tags["perennial.verdict"] == "PROMOTE"


def test_decisions_are_a_table_that_follows_the_chain_of_tags(shop: Toy) -> None:
    register(shop.project, shop.name)
    promote(shop.project, shop.name)
    retrained(shop, 2)
    register(shop.project, shop.name)
    in_use(shop, "2")
    rollback(shop.project, shop.name, "1", "complaints")
    store = open_store(shop.project)
    first = store.client.get_model_version(shop.name, "1")
    run_id = store.client.get_run(first.run_id).data.tags["mlflow.parentRunId"]
    with store.as_default():
        table = store.client.load_table(store.experiment(shop.name), "decisions.json", [run_id])
    chain = registry.read_decisions(store, shop.name)
    assert list(table["verdict"]) == [record.verdict for record in chain] == ["PROMOTE", "PROMOTE", "ROLLBACK"]
    assert list(table["record before"]) == [record.previous for record in chain]
    assert "**ROLLBACK**" in first.description


def test_a_logged_model_has_the_metrics_and_holds_no_code(shop: Toy) -> None:
    register(shop.project, shop.name)
    store = open_store(shop.project)
    (model,) = store.client.search_logged_models([store.experiment(shop.name)])
    measured = {metric.key: metric.value for metric in model.metrics}
    assert measured["test.auc"] == pytest.approx(runs_of(shop)[0].data.metrics["test.auc"])
    folder = Path(model.artifact_location.removeprefix("file://"))
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert "bundle.json" in files
    assert not [name for name in files if name.endswith((".py", ".pyc", ".pkl"))]


def test_plain_mlflow_works_from_any_folder_after_env(shop: Toy, tmp_path: Path) -> None:
    """The snippet of MLflow's own documentation, in a process of its own."""
    register(shop.project, shop.name)
    promote(shop.project, shop.name)
    (shop.root / "dvc.yaml").write_text("stages: {}\n")
    perennial = [sys.executable, "-m", "perennial"]
    printed = subprocess.run([*perennial, "env"], cwd=shop.root, capture_output=True, text=True, check=True)
    assert "no Prefect server of this project is up" in printed.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    units = shop.out("featurize", "units.parquet")
    snippet = f"""
import mlflow, pandas as pd
rows = pd.read_parquet({str(units)!r}).head(5)
model = mlflow.pyfunc.load_model("models:/{shop.name}@champion")
print("scores", len(model.predict(rows.astype({{"visits_90d": "int64"}}))))
try:
    model.predict(rows.drop(columns=["visits_90d"]))
except mlflow.exceptions.MlflowException as error:
    print("missing:", error)
try:
    model.predict(rows.assign(visits_90d="many"))
except mlflow.exceptions.MlflowException as error:
    print("wrong:", error)
"""
    shell = f'{printed.stdout}exec "{sys.executable}" -W ignore -c "$0"'
    ran = subprocess.run(["bash", "-c", shell, snippet], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "scores 5" in ran.stdout
    assert "wrong: column visits_90d, row 1 of 5: 'many' is not of the type" in ran.stdout
    assert "missing:" in ran.stdout
    assert "visits_90d" in ran.stdout.partition("missing:")[2].partition("wrong:")[0]
    assert list(elsewhere.iterdir()) == [], "no stray database"


def test_mlflow_serves_unit_columns_and_says_what_is_wrong_with_them(shop: Toy, tmp_path: Path) -> None:
    register(shop.project, shop.name)
    promote(shop.project, shop.name)
    rows = pd.read_parquet(shop.out("featurize", "units.parquet")).head(4)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": open_store(shop.project).uri, "PATH": f"{BIN}:{os.environ['PATH']}"}
    port = find_free_port()
    words = ["models", "serve", "-m", f"models:/{shop.name}@champion", "--env-manager", "local", "--port", str(port)]
    log = (tmp_path / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words], cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/ping", server)
        url = f"http://127.0.0.1:{port}/invocations"
        as_csv = post(url, "text/csv", rows.to_csv(index=False))
        table = json.loads(rows.to_json(orient="split"))
        as_json = post(url, "application/json", json.dumps({"dataframe_split": table}))
        assert as_csv == as_json
        scores = [row["probability"] for row in as_csv["predictions"]]
        scorer = Scorer.load(next(shop.project.services.rglob("bundle.json")).parent)
        expected = scorer.score(read_table(shop.out("featurize", "units.parquet")).head(4))[:, 0]
        assert scores == pytest.approx(list(expected))
        rows.to_csv(tmp_path / "rows.csv", index=False)
        words = [
            "models",
            "predict",
            "-m",
            f"models:/{shop.name}@champion",
            "--env-manager",
            "local",
            "-i",
            "rows.csv",
            "-t",
            "csv",
        ]
        predicted = subprocess.run(
            [sys.executable, "-m", "mlflow", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert json.loads(predicted.stdout.splitlines()[-1]) == as_csv
        missing = post(url, "text/csv", rows.drop(columns=["visits_90d", "city"]).to_csv(index=False))
        assert "the columns city, visits_90d are missing" in missing["message"]
        assert missing["status"] == 400
        wrong = post(url, "text/csv", rows.assign(visits_90d=["3", "4", "many", "1"]).to_csv(index=False))
        assert "column visits_90d, row 3 of 4: 'many' is not of the type" in wrong["message"]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        log.close()


def wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)


def post(url: str, kind: str, body: str) -> dict[str, Any]:
    """The answer; of a refused one also its status."""
    request = urllib.request.Request(url, body.encode(), {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return {**json.loads(error.read()), "status": error.code}
