"""What the published e-mail campaign (64,000 customers) is known to say, reported by the page itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from perennial.contract.serving import feature_columns
from perennial.data.prepare.parts import label_rows
from perennial.data.prepare.split import select_entities
from perennial.evaluation.decisions import messages
from perennial.evaluation.decisions.policy import message_policy
from perennial.evaluation.statistics.choice import Resampling
from perennial.files.tables import read_table
from perennial.results.uplift import OutOfFold, RandomizationCheck
from perennial.scoring.bundle import load_bundle
from perennial.scoring.out_of_fold import score_out_of_fold
from tests.conftest import REPO, lay_out
from tests.fakes.pages import read_report
from tests.fakes.reports import gallery, uplift_report, with_evaluation

pytestmark = [pytest.mark.gallery, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", REPO.parent / "shared" / "data"))
FILE = DATA / "hillstrom_email" / "hillstrom.csv.gz"
GALLERY = Path(str(resources.files("perennial.gallery")))


def evaluated(name: str, root: Path) -> tuple[RandomizationCheck, OutOfFold]:
    """The whole campaign by the linear family, without a network."""
    if not FILE.exists():
        pytest.skip(f"no {FILE.name} in the folder that PERENNIAL_TEST_DATA names")
    toy = lay_out(root, name, {"baseline": {"trials": 1, "rounds": 5}})
    shutil.copy(FILE, toy.project.raw(name))
    toy.run("ingest", "validate", "clean", "featurize", "split", "baseline")
    units, contract = read_table(toy.out("featurize", "units.parquet")), toy.contract
    rows = label_rows(units, contract)
    scores = score_out_of_fold(load_bundle(toy.out("baseline", "linear")), rows, select_entities(units, contract))
    before = {feature.name: units[feature.name].to_numpy() for feature in feature_columns(contract)}
    campaign = messages.CampaignRows(y=rows.y, arm=rows.arm, scores={"linear": scores})
    check = messages.check_randomization(rows.arm, before, contract.shares)
    resampling = Resampling(n=100, seed=1)
    return check, messages.evaluate_full_campaign(campaign, contract.arms, message_policy(contract), resampling)


def test_the_three_findings_of_visits_are_reported(tmp_path: Path) -> None:
    check, full = evaluated("email_uplift", tmp_path)
    contract = gallery("email_uplift")
    report = with_evaluation(uplift_report(), randomization=check, out_of_fold=full, arms=tuple(contract.arms))
    section = read_report(replace(report, contract=contract)).sections["campaign"]
    balance = section.figures[0]
    assert balance.finding == "The groups are alike in all that was known before"
    assert len(balance.rows) == 7
    mens, womens, choosing = (check.question for check in section.checks)
    assert mens in {f"Mens E-Mail: ranking by response is {how}: use it" for how in ("better", "as good")}
    assert womens == "Womens E-Mail: ranking by effect finds more than chance, and than ranking by response"
    assert choosing == "Choosing a message for each customer gains nothing measurable over Mens E-Mail to everyone"
    by_mens, by_womens = full.messages
    assert by_womens.by_effect.value == pytest.approx(0.0074, abs=0.001)
    assert by_womens.by_effect.low == pytest.approx(0.0055, abs=0.001)
    assert by_mens.by_response.value == pytest.approx(0.0039, abs=0.001)
    assert [message.effect.value for message in full.messages] == pytest.approx([0.0766, 0.0452], abs=1e-4)
    against = full.policy.against["best_single"]
    assert against.low < 0 < against.high, "nothing is gained"
    assert against.high - against.low == pytest.approx(2 * 1.96 * 2.0, rel=0.15), "of 1,000 customers"


def test_effects_on_spend_are_the_known_ones_and_choosing_gains_nothing(tmp_path: Path) -> None:
    check, full = evaluated("email_spend", tmp_path)
    effects = [message.effect for message in full.messages]
    assert [effect.value for effect in effects] == pytest.approx([0.77, 0.42], abs=0.01)
    assert [effect.high - effect.value for effect in effects] == pytest.approx([0.28, 0.26], abs=0.01)
    against = full.policy.against["best_single"]
    assert against.low < 0 < against.high
    assert check.problem is None
