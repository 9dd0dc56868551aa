"""Stages as processes: one clear line and the promised exit code, and what a stopped one had found stays readable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from perennial.errors import DataStopped, IntegrityError, LeakError
from perennial.files.durable import read_json
from perennial.files.manifest import folder_digest
from perennial.files.tables import read_table

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration

CONTRACT = "contracts/ad_response.yaml"
STOPS = {
    "row count": (
        ("{kind: row_count, min: 100}", "{kind: row_count, min: 5000}"),
        "table main: 2001 rows passed, the contract asks for at least 5000 \\[row_count\\]",
    ),
    "null fraction": (
        ("max_null: 1}", "max_null: 0.1}"),
        r"table events: [0-9.]+% of amount is empty, the contract allows 10\.0% \[null_share\]",
    ),
    "one outcome": (
        ('values: {"0": 0, "1": 1}', 'values: {"0": 0, "9": 1}, map: {"1": "0"}'),
        "table main: the outcome responded is always 0 \\[constant_outcome\\]",
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_a_table_that_is_unfit_stops_and_says_why(project: Toy, case: str) -> None:
    (old, new), words = STOPS[case]
    project.edit_contract(old, new)
    project.run("ingest")
    with pytest.raises(DataStopped, match=rf"\A{words}\Z") as caught:
        project.run("validate")
    assert caught.value.exit_code == 2


def test_what_a_stopped_stage_had_found_stays_readable(project: Toy, prepared_toy: Toy) -> None:
    for old, new in (STOPS["row count"][0], STOPS["one outcome"][0]):
        project.edit_contract(old, new)
    assert project.stage("ingest").returncode == 0
    done = project.stage("validate")
    assert done.returncode == 2
    assert re.fullmatch(
        r"validate: DataStopped: table main: .*at least 5000 \[row_count\]; table main: .* always 0 \[constant_outcome\]\n",
        done.stderr,
    )
    assert "what was written until then is kept in .perennial/ad_response/stopped/validate" in done.stdout
    remaining = project.project.state(project.name) / "stopped" / "validate"
    assert read_table(remaining / "quarantine.parquet").equals(read_table(prepared_toy.out("validate", "quarantine.parquet")))
    assert read_json(remaining / "audit.json")["main"]["success"]
    assert not project.out("validate", "manifest.json").exists()


def test_a_process_writes_the_bytes_that_this_process_writes(project: Toy, prepared_toy: Toy) -> None:
    done = project.stage("ingest")
    assert (done.returncode, done.stderr) == (0, "")
    assert folder_digest(project.out("ingest")) == folder_digest(prepared_toy.out("ingest"))
    assert "ingest: main: 2010 records, 2005 rows, 5 unreadable" in done.stdout


def test_the_same_inputs_give_the_same_bytes_in_every_stage(project: Toy, prepared_toy: Toy) -> None:
    project.run("ingest", "validate", "clean", "featurize", "split", "augment")
    for stage in ("ingest", "validate", "clean", "featurize", "split", "augment"):
        assert folder_digest(project.out(stage)) == folder_digest(prepared_toy.out(stage)), stage


def test_a_column_known_only_later_is_refused_with_3(project: Toy) -> None:
    project.edit_contract("spend_14d: {role: outcome,", "spend_14d: {role: numeric,")
    done = project.stage("ingest")
    assert done.returncode == 3
    assert done.stderr.startswith("ingest: LeakError: ")
    assert "column 'spend_14d' is known only after the outcome and cannot be a feature (role numeric)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_column_that_tells_the_outcome_is_refused_by_name(project: Toy) -> None:
    """The same column without its warning in the contract: now the data itself give it away."""
    project.edit_contract(
        "spend_14d: {role: outcome, type: decimal, known: after_outcome}", "spend_14d: {role: numeric, nullable: true}"
    )
    project.run("ingest", "validate", "clean", "featurize")
    words = r"column 'spend_14d' alone separates the outcome \(AUC 1\.0000\); give it the role ignore"
    with pytest.raises(LeakError, match=words):
        project.run("split")


def test_an_input_that_was_changed_is_refused(project: Toy) -> None:
    project.run("ingest")
    path = project.out("ingest", "main.parquet")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"ingest: main\.parquet differ from manifest\.json; restore with dvc checkout"):
        project.run("validate")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("versions.yaml", "polars: ", "polars: 9.", r"ConfigError: polars [0-9.]+ is installed, versions\.yaml says 9\."),
        ("params.yaml", "kind: none", "kind: often", r"ConfigError: .*kind: Input should be 'none' or 'oversample', not 'often'"),
        ("contracts/ad_response.yaml", "role: treatment", "role: treatmnt", r"ContractError: .*columns\.message\.role: Input"),
    ],
)
def test_configuration_that_is_wrong_ends_with_2_and_one_line(
    prepared_toy: Toy, project: Toy, file: str, old: str, new: str, words: str
) -> None:
    for stage in ("featurize", "split"):
        project.out(stage).mkdir(parents=True)
        for path in prepared_toy.out(stage).iterdir():
            project.out(stage, path.name).write_bytes(path.read_bytes())
    project.edit(file, old, new)
    done = project.stage("augment")
    assert done.returncode == 2
    assert re.match(rf"augment: {words}", done.stderr), done.stderr
    assert done.stderr.count("\n") == 1


def test_ranks_in_the_environment_mean_nothing_to_a_stage_that_is_not_distributed(
    project: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    project.run("ingest")
    assert project.out("ingest", "manifest.json").exists()
