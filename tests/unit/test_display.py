"""How objects look in a notebook: short, escaped, nothing loaded, and figures that show themselves."""

from __future__ import annotations

from typing import Any

import pytest

from perennial.api import RunResults
from perennial.contract.load import load_contract
from perennial.contract.model import Contract
from perennial.results.decision import Decision
from perennial.results.figures import Interval
from tests.conftest import REPO
from tests.fakes.decisions import decision_record
from tests.fakes.reports import response_report, with_choice_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(REPO / "contracts" / "ad_response.yaml")


def results() -> RunResults:
    report = with_choice_of(response_report(), "deep")
    return RunResults("ad_response", None, report.evaluation, report)  # type: ignore[arg-type]


def test_an_interval_is_an_estimate_with_its_ends() -> None:
    assert repr({"auc": Interval(value=0.82163, low=0.79625, high=0.84702)}) == "{'auc': 0.8216 [0.7963, 0.847]}"


def test_a_contract_says_its_task_and_tables_in_a_line(contract: Contract) -> None:
    assert repr(contract) == (
        f"Contract(binary “Who answers when we write?”, {len(contract.columns)} columns, 1 event table, split by hash)"
    )
    page = contract._repr_html_()
    for name in (*contract.columns, *(column for table in contract.events.values() for column in table.columns)):
        assert f">{name}</td>" in page


def test_labels_of_a_contract_are_text(contract: Contract) -> None:
    name, column = next(iter(contract.columns.items()))
    columns = contract.columns | {name: column.model_copy(update={"label": "<script>alert(1)</script>"})}
    page = contract.model_copy(update={"columns": columns})._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_decision_says_its_verdict_and_shows_its_rules() -> None:
    record = response_report().decision
    decision = Decision(verdict="PROMOTE", rules=record.rules)
    for shown in (decision, record):
        assert len(repr(shown)) < 400
        assert "PROMOTE" in repr(shown)
        page = shown._repr_html_()
        assert page.count("<tr>") == 1 + len(record.rules)
        assert "minimum" in page
    assert "HOLD of" in repr(decision_record("HOLD"))


def test_a_run_shows_families_and_figures() -> None:
    run = results()
    assert repr(run).startswith("RunResults(ad_response: PROMOTE, deep, auc 0.7")
    page = run._repr_html_()
    assert page.count("<tr>") == 1 + len(run.evaluation.families)
    assert page.count("<figure>") == len(run.figures) >= 5
    assert "<script" not in page
    assert 'src="http' not in page
    gains: Any = run.figures["gains"]
    assert 'src="data:image/svg+xml;base64,' in gains._repr_html_()
    assert repr(gains) == "Figure(gains: Cumulative gains)"
