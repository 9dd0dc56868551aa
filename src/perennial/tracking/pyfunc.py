"""MLflow's way to a score: the model that `mlflow.pyfunc.load_model`, `mlflow models predict` and `serve` load.

A registered version names this module and holds its bundle, no code and no pickle. It scores with the same Scorer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from perennial.errors import InputError
from perennial.scoring.scorer import Scorer
from perennial.scoring.unit_columns import to_units


@dataclass(frozen=True)
class BundleModel:
    """A bundle as MLflow calls it."""

    scorer: Scorer

    def predict(self, model_input: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """One row of scores for each row of unit columns, in their order: the columns of `perennial.load_table`.

        Raises: MlflowException, which a server answers as 400, when a column is missing or a value is not of its type.
        """
        try:
            units = to_units(model_input, self.scorer.bundle.background)
        except InputError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error
        return pd.DataFrame(self.scorer.score(units), columns=self.scorer.outputs, index=model_input.index)


def _load_pyfunc(path: str) -> BundleModel:
    """MLflow calls this. Every byte is checked against the bundle's manifest, and the golden rows score as they did.

    Raises: IntegrityError when a byte or a score differs.
    """
    scorer = Scorer.load(Path(path))
    scorer.prove(Path(path))
    return BundleModel(scorer)
