"""A fitted model in, a folder that holds all that a score needs out; and back, checked first.

A bundle holds only what its stage's declared inputs determine: no time, host or run id. No pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import ServingView
from perennial.errors import Refused
from perennial.files.durable import read_json, write_json
from perennial.files.manifest import seal, verify
from perennial.files.tables import read_table, write_table
from perennial.models.encoding.encode import Encoding
from perennial.results.families import FAMILIES, Family
from perennial.scoring.calibration import Calibration
from perennial.scoring.model import BlendModel, Model

F64 = NDArray[np.float64]
_BACKGROUND = 64  # more rows matter more for reasons than finer steps


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A model with its encoding, calibration, serving view, params, split function and background rows."""

    family: Family
    model: Model
    encoding: Encoding
    calibration: Calibration
    serving: ServingView
    params: dict[str, Any]
    split: dict[str, Any]
    background: pl.DataFrame  # training rows that reasons are measured from


def save(bundle: Bundle, folder: Path, golden: pl.DataFrame) -> str:
    """Write a bundle and return its digest. `golden` holds rows with their scores, by which a copy can prove itself."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle.model.save(folder)
    bundle.encoding.save(folder)
    write_json(folder / "calibration.json", bundle.calibration.as_json())
    write_json(folder / "serving.json", bundle.serving.model_dump(mode="json"))
    write_json(folder / "params.json", bundle.params)
    write_json(folder / "split.json", bundle.split)
    write_json(folder / "bundle.json", {"family": bundle.family, "format": 2})
    write_table(folder / "background.parquet", bundle.background)
    write_table(folder / "golden.parquet", golden)
    return seal(folder)


def load(folder: Path) -> Bundle:
    """Read a bundle after checking every byte of it against its manifest.

    Raises: IntegrityError when a file differs; Refused when it is of a format that this version does not know.
    """
    verify(folder)
    told = read_json(folder / "bundle.json")
    if told.get("format") != 2 or told.get("family") not in FAMILIES:
        raise Refused(f"{folder}/bundle.json says {told}: this version reads format 2 of {', '.join(FAMILIES)}")
    encoding = Encoding.load(folder)
    return Bundle(
        family=told["family"],
        model=_load_model(told["family"], folder, encoding),
        encoding=encoding,
        calibration=Calibration.from_json(read_json(folder / "calibration.json")),
        serving=ServingView.model_validate(read_json(folder / "serving.json")),
        params=read_json(folder / "params.json"),
        split=read_json(folder / "split.json"),
        background=read_table(folder / "background.parquet"),
    )


def _load_model(family: Family, folder: Path, encoding: Encoding) -> Model:
    """Each family's library is loaded only for its own bundles: a linear score needs no torch."""
    match family:
        case "linear":
            from perennial.models.traditional.linear import LinearModel

            return LinearModel.load(folder, encoding)
        case "boosted":
            from perennial.models.traditional.boosted import BoostedModel

            return BoostedModel.load(folder, encoding)
        case "kernel":
            from perennial.models.traditional.kernel import KernelModel

            return KernelModel.load(folder)
        case "kmeans":
            from perennial.models.traditional.kmeans import KMeansModel

            return KMeansModel.load(folder, encoding)
        case "deep":
            from perennial.models.deep.model import DeepModel

            return DeepModel.load(folder)
        case "blend":
            members: list[Family] = [member for member in FAMILIES if (folder / member).is_dir()]
            return BlendModel(members={member: _load_model(member, folder / member, encoding) for member in members})
        case _:
            assert_never(family)


def background_rows(rows: pl.DataFrame, serving: ServingView, seed: int) -> pl.DataFrame:
    """The feature columns of 64 rows drawn without regard to anything; all of them where there are fewer."""
    names = [feature.name for feature in serving.features]
    return rows.select(names).sample(min(_BACKGROUND, rows.height), seed=seed)
