"""JSON schemas of what the package writes: a file each in docs/schemas, from the models that write it.

`python -m perennial.results.schema docs/schemas`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from perennial.results.augment import AugmentSummary
from perennial.results.baseline import BaselineSummary
from perennial.results.campaign import CampaignOutcome, CampaignRecord
from perennial.results.clean import CleanSummary
from perennial.results.decision import DecisionRecord
from perennial.results.evaluations import Evaluation
from perennial.results.explain import ExplainSummary
from perennial.results.featurize import FeaturizeSummary
from perennial.results.ingest import IngestSummary
from perennial.results.overview import Overview
from perennial.results.receipt import Receipt
from perennial.results.split import SplitSummary
from perennial.results.study import LearningCurve, TrialRuns, Tuning
from perennial.results.train import TrainSummary
from perennial.results.validate import ValidateSummary

SCHEMAS: dict[str, Any] = {  # models and a union; the name of the file in docs/schemas, and what it describes
    "ingest": IngestSummary,
    "validate": ValidateSummary,
    "clean": CleanSummary,
    "featurize": FeaturizeSummary,
    "split": SplitSummary,
    "augment": AugmentSummary,
    "train": TrainSummary,
    "baseline": BaselineSummary,
    "evaluate": Evaluation,
    "explain": ExplainSummary,
    "decision": DecisionRecord,
    "receipt": Receipt,
    "show": Overview,
    "campaign": CampaignRecord,
    "outcome": CampaignOutcome,
    "trial-runs": TrialRuns,
    "learning-curve": LearningCurve,
    "tuning": Tuning,
}


def render_schemas() -> dict[str, str]:
    """Render the JSON schema of each result, by the name of its file."""
    return {
        f"{name}.json": json.dumps(TypeAdapter(model).json_schema(mode="serialization"), indent=1, ensure_ascii=False) + "\n"
        for name, model in SCHEMAS.items()
    }


if __name__ == "__main__":
    for name, text in render_schemas().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
