"""Batches of an epoch: every row as often as it was drawn, on exactly one rank, in an order of its own each epoch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.training.loader import Batch, Batches, Rows
from tests.model.builders import rows

pytestmark = pytest.mark.model

SOME = rows(300)


def batches(n: int = 300, times: list[int] | None = None, **changes: float) -> list[Batch]:
    document = {"batch": 32, "seed": 1, "epoch": 0, "rank": 0, "world": 1, "swap": 0.0, **changes}
    drawn = torch.tensor(times if times is not None else [1] * n)
    part = Rows(x=SOME.at(slice(n)), y_N=SOME.y_N[:n], arm_N=SOME.arm_N[:n])
    swap = document.pop("swap")
    return list(Batches(part, drawn, swap=swap, **{name: int(value) for name, value in document.items()}))


def order(result: list[Batch]) -> list[int]:
    return [row for batch in result for row in batch.rows.tolist()]


def test_a_batch_is_the_slice_of_the_rows_that_it_names() -> None:
    result = batches()
    for batch in result:
        assert batch.x.keys() == SOME.x.keys() == {"norm", "miss", "cat"}
        for kind, tensor in batch.x.items():
            assert torch.equal(tensor, SOME.x[kind][batch.rows])
        assert torch.equal(batch.y, SOME.y_N[batch.rows])
        assert torch.equal(batch.arm, SOME.arm_N[batch.rows])
    assert len(result) == 10
    assert sorted(order(result)) == list(range(300))


@given(
    n=st.integers(2, 60),
    batch=st.integers(2, 20),
    world=st.integers(1, 4),
    epoch=st.integers(0, 5),
    seed=st.integers(0, 2**31 - 1),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_the_ranks_share_out_every_draw_exactly_once(
    n: int, batch: int, world: int, epoch: int, seed: int, data: st.DataObject
) -> None:
    times = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n).filter(any))
    ranks = [batches(n, times, batch=batch, world=world, epoch=epoch, seed=seed, rank=r) for r in range(world)]
    assert sorted(row for result in ranks for row in order(result)) == [i for i, t in enumerate(times) for _ in range(t)]
    assert len({len(result) for result in ranks}) == 1, "a rank with one batch less would wait for ever"
    for parts in zip(*ranks, strict=True):
        assert sum(len(part.rows) for part in parts) == parts[0].whole == parts[-1].whole


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else() -> None:
    torch.manual_seed(5)
    first = order(batches(seed=1, epoch=3))
    torch.manual_seed(6)
    assert order(batches(seed=1, epoch=3)) == first
    others = [order(batches(seed=s, epoch=e)) for s, e in ((1, 2), (1, 4), (2, 3), (3, 1))]
    assert all(other != first for other in others)
    assert len({tuple(other) for other in others}) == 4


def test_times_say_how_often_a_row_is_drawn_and_zero_leaves_it_out() -> None:
    observed = order(batches(5, [0, 1, 2, 0, 4]))
    assert sorted(observed) == [1, 2, 2, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("n", "world", "sizes"),
    [(64, 1, [32, 32]), (65, 1, [32, 33]), (66, 1, [32, 32, 2]), (66, 4, [32, 34]), (68, 4, [32, 32, 4]), (2, 1, [2])],
)
def test_a_last_batch_too_small_for_every_rank_joins_the_one_before(n: int, world: int, sizes: list[int]) -> None:
    assert [batch.whole for batch in batches(n, world=world)] == sizes


def test_swap_takes_cells_from_other_rows_of_the_batch_and_leaves_outcomes() -> None:
    plain, swapped = batches(swap=0.0), batches(swap=0.3)
    changed, cells = 0, 0
    for before, after in zip(plain, swapped, strict=True):
        for remaining, same in (
            (before.rows, after.rows),
            (before.x["miss"], after.x["miss"]),
            (before.y, after.y),
            (before.arm, after.arm),
        ):
            assert torch.equal(remaining, same)
        for column in range(before.x["norm"].shape[1]):
            assert set(after.x["norm"][:, column].tolist()) <= set(before.x["norm"][:, column].tolist())
        changed += int((before.x["norm"] != after.x["norm"]).sum())
        cells += before.x["norm"].numel()
    assert 0.15 < changed / cells < 0.31
    assert order(batches(swap=0.3)) == order(swapped)
    again = batches(swap=0.3)
    assert all(torch.equal(a.x[kind], b.x[kind]) for a, b in zip(again, swapped, strict=True) for kind in ("norm", "cat"))
