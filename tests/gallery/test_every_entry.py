"""Every use case of the gallery on its real data, small trainings: stages run, figures are finite, nothing is lost."""

from __future__ import annotations

import math
import os
import shutil
from importlib import resources
from pathlib import Path

import pytest

from perennial.contract.load import load
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_population
from perennial.studies.scratch_project import trial_folder
from perennial.studies.trial_runs import plan_trial_runs, run_trials
from tests.conftest import REPO, lay_out

pytestmark = pytest.mark.gallery
DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", REPO.parent / "shared" / "data"))
GALLERY = Path(str(resources.files("perennial.gallery")))
FILES = {
    "bank_response": ["bank_marketing/bank-additional-full.csv.gz"],
    "bank_by_time": ["bank_marketing/bank-additional-full.csv.gz"],
    "german_risk": ["german_credit/german.csv.gz"],
    "credit_risk": ["taiwan_credit_default/UCI_Credit_Card.csv.gz"],
    "shopper_intent": ["online_shoppers/online_shoppers_intention.csv.gz"],
    "visitor_segments": ["online_shoppers/online_shoppers_intention.csv.gz"],
    "member_segments": ["ifood_campaign/ml_project1_data.csv.gz"],
    "wholesale_segments": ["wholesale_customers/wholesale.csv.gz"],
    "ad_clicks": ["kdd2012_ad_click/click_prediction_small.csv.gz"],
    "email_spend": ["hillstrom_email/hillstrom.csv.gz"],
    "email_uplift": ["hillstrom_email/hillstrom.csv.gz"],
    "card_fraud": ["creditcard_fraud_10k/creditcard_fraud_10k.csv.gz"],
    "review_sentiment": ["womens_clothing_reviews/reviews.csv.gz"],
    "sst2": [f"sst2_binary/{part}.tsv.gz" for part in ("train", "dev", "test")],
    "customer_churn": ["online_retail/online_retail.csv.gz"],
    "customer_value": ["online_retail/online_retail.csv.gz"],
    "customer_segments": ["online_retail/online_retail.csv.gz"],
    "product_images": ["clothing_small/labels.csv", "clothing_small/clothing_small_128.tar"],
}
ENTRIES = sorted(path.stem for path in GALLERY.glob("*.yaml") if path.stem != "params")


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_runs_on_its_own_data(name: str, tmp_path: Path) -> None:
    project = lay_out(tmp_path, name).project
    shutil.copytree(REPO / "src" / "extensions", tmp_path / "src" / "extensions")
    raw = project.raw(name)
    source = load(project.contract(name)).source
    if source.kind == "simulator":
        document = source.model_dump(include={"seed", "first", "month", "concept"})
        write_population(raw, Population(n=6_000, **document))
    else:
        missing = [file for file in FILES[name] if not (DATA / file).exists()]
        if missing:
            pytest.skip(f"no {missing[0]} in PERENNIAL_TEST_DATA")
        for file in FILES[name]:
            shutil.copy(DATA / file, raw)

    run = run_trials(project, name, "quick", plan_trial_runs("quick")).first

    assert run.candidate is None, "a quick training is no ground for a choice"
    for family, metrics in run.families.items():
        figure = metrics[run.primary]
        assert math.isfinite(figure.value), family
        assert figure.low <= figure.value <= figure.high, family
    built = Project(root=trial_folder(project, name) / "quick" / "0")
    for stage in ("ingest", "validate", "clean", "featurize", "split"):
        flow = read_json(built.output(name, stage) / "summary.json")["flow"]
        for table, counts in flow.items():
            assert counts["rows_in"] == sum(counts["to"].values()), (stage, table)
