"""Contributions: what each column adds to each row's link score, for every family."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.models.families import BlendModel
from perennial.models.model import Additive
from perennial.scoring.bundle import Bundle

F64 = NDArray[np.float64]


class Contributions(NamedTuple):
    """parts (n, columns, outputs) on the link scale, and how far their sum is off (n, outputs): 0 where exact."""

    columns: list[str]
    parts: F64
    error: F64


def explain_rows(bundle: Bundle, rows: pl.DataFrame, *, draws: int, seed: int) -> Contributions:
    """Linear and trees exactly; the network by expected gradients over the bundle's background rows; a blend's mean."""
    encoded = bundle.encoding.encode(rows)
    columns = bundle.encoding.columns
    if isinstance(bundle.model, Additive):
        parts = bundle.model.contributions(encoded)
        return Contributions(columns, parts, np.zeros((len(encoded), parts.shape[2])))
    if not isinstance(bundle.model, BlendModel):
        return _explain_network(bundle, rows, columns, draws, seed)
    members = [
        explain_rows(replace(bundle, family=family, model=model), rows, draws=draws, seed=seed)
        for family, model in bundle.model.members.items()
    ]
    parts, error = (np.mean([getattr(one, of) for one in members], axis=0) for of in ("parts", "error"))
    return Contributions(columns, parts, error)


def _explain_network(bundle: Bundle, rows: pl.DataFrame, columns: list[str], draws: int, seed: int) -> Contributions:
    import torch

    from perennial.explain.gradients import attribute_gradients
    from perennial.models.deep.losses import link_scores
    from perennial.models.deep.model import DeepModel, build_tensors

    assert isinstance(bundle.model, DeepModel)
    net, spec, encoding = bundle.model.net.eval(), bundle.model.spec, bundle.encoding
    with torch.inference_mode():
        z, base = (net.embed(build_tensors(encoding.encode(frame))) for frame in (rows, bundle.background))
    owners = [owner for kind in encoding.owners for owner in kind]
    texts, sizes = encoding.text_owners
    if texts:  # what words say together counts for the column that says most; the wide part for its own
        owners.append(texts[int(np.argmax(sizes))])
    if encoding.image is not None:
        owners.append(len(columns) - 1)
    owners += texts
    owner_Z = torch.repeat_interleave(torch.tensor(owners), torch.tensor(net.chunks + [net.raw] * len(texts)))
    parts, error = attribute_gradients(
        lambda chunk: link_scores(net.from_chunks(chunk), spec),
        z.clone(),
        base.clone(),
        owner_Z,
        len(columns),
        draws=draws,
        seed=seed,
    )
    return Contributions(columns, parts.double().numpy(), error.double().numpy())


def select_parts(bundle: Bundle, rows: pl.DataFrame, explained: Contributions) -> F64:
    """The parts (n, columns) of what a row is asked for: its score, its likeliest class, what its best message adds.

    Of a segment: by how much each column is nearer to its centre than to the second nearest one.
    """
    head = bundle.serving.head
    if len(head.outputs) == 1:
        return explained.parts[:, :, 0]
    link = bundle.model.link(bundle.encoding.encode(rows))
    if head.scale == "distance":
        first, second = np.argsort(-link, axis=1, kind="stable")[:, :2].T
        every = np.arange(len(link))
        return np.asarray(explained.parts[every, :, first] - explained.parts[every, :, second])
    is_class = head.scale == "classes"
    best = link.argmax(axis=1) if is_class else (link[:, 1:] - link[:, :1]).argmax(axis=1) + 1
    chosen: F64 = np.take_along_axis(explained.parts, best[:, None, None], axis=2)[:, :, 0]
    return chosen if is_class else chosen - explained.parts[:, :, 0]
