"""The network: what each encoder gives, and that a row teaches only the output that it has seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perennial.models.deep.encoders import CategoryEncoder, PeriodicEncoder, choose_width
from perennial.models.deep.losses import build_loss, link_scores
from perennial.models.deep.net import TabularNet
from tests.model.builders import rows, spec

pytestmark = pytest.mark.model


def test_each_categorical_column_has_its_own_rows_of_the_one_table() -> None:
    cards = [3, 2, 4]
    encoder = CategoryEncoder(cards)
    codes = torch.tensor([[0, 0, 0], [2, 1, 3]])
    out = encoder(codes)
    assert encoder.table.weight.shape[0] == 9
    first_rows = (0, 3, 5)
    checked = 0
    for row in range(2):
        for column in range(3):
            expected = encoder.table.weight[first_rows[column] + int(codes[row, column])]
            assert torch.equal(out[row, column], expected)
            checked += 1
    assert checked == 6


def test_no_two_categories_share_a_vector() -> None:
    cards = [3, 2, 4]
    encoder = CategoryEncoder(cards)
    observed = {
        tuple(encoder(torch.tensor([[c if j == column else 0 for j in range(3)]]))[0, column].tolist())
        for column, card in enumerate(cards)
        for c in range(card)
    }
    assert len(observed) == 9


def test_a_table_without_categories_still_encodes() -> None:
    net = TabularNet(spec(cards=()))
    x = {"norm": torch.zeros(5, 3), "miss": torch.zeros(5, 1), "cat": torch.zeros(5, 0, dtype=torch.int64)}
    assert net(x).shape == (5, 4, 1)


@pytest.mark.parametrize(("card", "width"), [(2, 2), (3, 3), (10, 6), (100, 16), (5000, 16)])
def test_embedding_width_grows_with_the_vocabulary_up_to_16(card: int, width: int) -> None:
    assert choose_width(card) == width


def test_periodic_encoder_keeps_the_number_and_adds_waves_of_it() -> None:
    encoder = PeriodicEncoder(2)
    x = torch.tensor([[0.5, -1.0], [0.5, 2.0]])
    out = encoder(x)
    assert out.shape == (2, 2, 4)
    assert torch.equal(out[..., 0], x)
    assert torch.equal(out[0, 0], out[1, 0])
    assert not torch.equal(out[0, 1, 1:], out[1, 1, 1:])
    waves = torch.cos(2 * torch.pi * encoder.w1[1] * x[0, 1] + encoder.b1[1])
    torch.testing.assert_close(out[0, 1, 1:], waves @ encoder.w2[1] + encoder.b2[1])


@pytest.mark.parametrize("arm", [0, 1, 2])
def test_rows_of_one_arm_teach_that_arms_head_only(arm: int) -> None:
    torch.manual_seed(1)
    net, some = TabularNet(spec(outputs=3)), rows(40, outputs=3)
    logits = net(some.x)
    assert logits.shape == (40, 4, 3)
    torch.autograd.backward(build_loss(spec(3))(logits, some.y_N, torch.full((40,), arm)).sum())
    weight, bias = net.head.weight.grad, net.head.bias.grad
    others = [o for o in range(3) if o != arm]
    assert torch.count_nonzero(weight[:, :, others]) == 0
    assert torch.count_nonzero(bias[:, others]) == 0
    assert torch.count_nonzero(weight[:, :, arm]) > 0
    assert torch.count_nonzero(bias[:, arm]) == 4


def test_a_rows_loss_is_the_mean_log_loss_of_the_members_at_its_own_arm() -> None:
    logits = torch.tensor([[[0.3, -2.0], [1.1, 0.4]], [[-0.7, 5.0], [0.0, 1.5]]])  # two rows, two members, two arms
    result = build_loss(spec(2))(logits, torch.tensor([1.0, 0.0]), torch.tensor([0, 1]))
    expected = [np.mean(np.log1p(np.exp([-0.3, -1.1]))), np.mean(np.log1p(np.exp([5.0, 1.5])))]
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)


def test_link_is_the_log_odds_of_the_mean_probability_and_finite() -> None:
    logits = torch.tensor([[[0.0], [2.0]], [[90.0], [90.0]], [[-90.0], [-90.0]]])
    result = link_scores(logits, spec())
    p = (0.5 + 1 / (1 + np.exp(-2))) / 2
    assert result.shape == (3, 1)
    assert result.dtype == torch.float64
    assert result[0, 0].item() == pytest.approx(np.log(p / (1 - p)))
    assert torch.isfinite(result).all()


def test_chunks_name_the_columns_of_what_embed_gives() -> None:
    net, some = TabularNet(spec()), rows(10)
    z = net.embed(some.x)
    assert z.shape == (10, sum(net.chunks))
    width = net.category.d_out
    assert net.chunks == [4, 4, 4, 1, width, width]
    assert torch.equal(z[:, [0, 4, 8]], some.x["norm"])
    assert torch.equal(z[:, 12], some.x["miss"][:, 0])
