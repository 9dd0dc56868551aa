"""What was set aside can be listed, shown without contact data, and replayed after the data or a rule was mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennial import cli
from perennial.data.quality.quarantine import FATES, count_by_rule, read_quarantine, replay_quarantine, sample_rows
from perennial.errors import InputError
from perennial.files.tables import read_table

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.integration


def test_counts_and_samples_are_those_of_the_stages(prepared_toy: Toy) -> None:
    rows = read_quarantine(prepared_toy.project, prepared_toy.name)
    result = count_by_rule(rows)
    assert sum(result.values()) == rows.height == 162
    for stage in ("ingest", "validate"):
        height = read_table(prepared_toy.out(stage, "quarantine.parquet")).height
        assert sum(n for (at, _, _), n in result.items() if at == stage) == height
    shown = sample_rows(rows, "between:amount", 3)
    assert len(shown) == 3
    assert all(row["rule"] == "between:amount" and row["where"].startswith("events.csv:") for row in shown)
    with pytest.raises(InputError, match=r"no row was set aside under 'no:rule'; there are: before:at, "):
        sample_rows(rows, "no:rule", 3)


def test_a_replay_changes_nothing_and_says_what_would_pass(project: Toy) -> None:
    project.run("ingest", "validate")
    rows = read_quarantine(project.project, project.name)
    first = replay_quarantine(project.project, project.name)
    assert {fate for _, fate in first} == {"still set aside"}
    assert first.total() == rows.height
    project.edit_contract("label: buys through}", "label: buys through, map: {fax: web, phone: web}}")
    unknown = rows.filter(rows["rule"] == "in_set:channel").height
    raw = project.project.raw(project.name) / "customers.csv"
    text = raw.read_bytes()
    broken = rows.filter(rows["rule"] == "cell:birth_year")["raw"][0]
    raw.write_bytes(text.replace(broken + b"\n", b""))  # the file is another: every id of it too
    second = replay_quarantine(project.project, project.name)
    assert second["cell:birth_year", "gone from the files"] == 1
    assert second["in_set:channel", "would pass"] + second["in_set:channel", "still set aside"] == unknown
    assert second.total() == first.total()
    assert replay_quarantine(project.project, project.name) == second, "idempotent"
    assert read_quarantine(project.project, project.name).equals(rows)
    project.run("ingest", "validate")
    after = replay_quarantine(project.project, project.name)
    assert {fate for _, fate in after} == {"still set aside"}
    assert len(FATES) == 3


def test_the_command_says_it_in_one_table_each(
    prepared_toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(prepared_toy.root)
    assert cli.run(["quarantine", "list", prepared_toy.name]) == 0
    assert "between:amount" in capsys.readouterr().out
    assert cli.run(["quarantine", "show", prepared_toy.name, "--rule", "record:field_count", "--limit", "1"]) == 0
    assert ".csv:" in capsys.readouterr().out
    assert cli.run(["quarantine", "replay", prepared_toy.name]) == 0
    said = capsys.readouterr().out
    assert "still set aside" in said
    assert "no row would pass that did not before; nothing was changed" in said


def test_contact_data_is_masked_in_what_is_shown(project: Toy) -> None:
    raw = project.project.raw(project.name) / "customers.csv"
    with raw.open("ab") as file:
        file.write(b"x,anna@example.org,+41 44 668 18 00,4111 1111 1111 1111,\x1b[31mred\n")
    project.run("ingest")
    (row,) = [r for r in sample_rows(read_quarantine(project.project, project.name), None, 1000) if "red" in r["raw"]]
    assert "example" not in row["raw"]
    assert "668" not in row["raw"]
    assert "1111" not in row["raw"]
    assert "\x1b" not in row["raw"]
    assert row["raw"].count("•••") == 3
