"""MLflow model: its code file, which scores with the same Scorer on the same bundle. No pickle."""

from pathlib import Path

import mlflow
import pandas as pd
import polars as pl
from mlflow.pyfunc import PythonModel, PythonModelContext

from perennial.scoring.scorer import Scorer


class BundleModel(PythonModel):  # type: ignore[misc]
    """Takes the columns of the contract's serving view and returns one score column per output."""

    def load_context(self, context: PythonModelContext) -> None:
        self.scorer = Scorer.load(Path(context.artifacts["bundle"]))

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002
        scores = self.scorer.score(pl.from_pandas(model_input))
        return pd.DataFrame(scores, columns=self.scorer.outputs, index=model_input.index)


mlflow.models.set_model(BundleModel())
