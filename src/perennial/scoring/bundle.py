"""Bundle: the folder that holds all that a score needs, checked before it is read.

A bundle holds only what its stage's declared inputs determine: no time, host or run id. No pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import ServingView
from perennial.errors import Refused
from perennial.files.durable import read_json, write_json
from perennial.files.manifest import seal, verify
from perennial.files.tables import read_table, write_table
from perennial.models.encoding.encode import Encoding
from perennial.models.families import load_model
from perennial.models.model import Model
from perennial.results.families import FAMILIES, Family
from perennial.scoring.calibration import Calibration

F64 = NDArray[np.float64]
_BACKGROUND = 64  # more rows matter more for reasons than finer steps


@dataclass(frozen=True, kw_only=True, repr=False)
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

    def __repr__(self) -> str:
        return f"Bundle({self.family}, {len(self.serving.features)} features)"


def save_bundle(bundle: Bundle, folder: Path, golden: pl.DataFrame) -> str:
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


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle after checking every byte of it against its manifest.

    Raises: IntegrityError when a file differs; Refused when it is of a format that this version does not know.
    """
    verify(folder)
    header = read_json(folder / "bundle.json")
    if header.get("format") != 2 or header.get("family") not in FAMILIES:
        raise Refused(f"{folder}/bundle.json says {header}: this version reads format 2 of {', '.join(FAMILIES)}")
    encoding = Encoding.load(folder)
    return Bundle(
        family=header["family"],
        model=load_model(header["family"], folder, encoding),
        encoding=encoding,
        calibration=Calibration.from_json(read_json(folder / "calibration.json")),
        serving=ServingView.model_validate(read_json(folder / "serving.json")),
        params=read_json(folder / "params.json"),
        split=read_json(folder / "split.json"),
        background=read_table(folder / "background.parquet"),
    )


def background_rows(rows: pl.DataFrame, serving: ServingView, seed: int) -> pl.DataFrame:
    """The feature columns of 64 rows drawn without regard to anything; all of them where there are fewer."""
    names = [feature.name for feature in serving.features]
    return rows.select(names).sample(min(_BACKGROUND, rows.height), seed=seed)
