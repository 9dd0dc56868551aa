"""Losses of the network: for each scale of link scores the loss of a row, and the mean over members.

Suffixes: B batch, K members, R raw outputs, O scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from perennial.contract.head import Scale
from perennial.errors import ConfigError
from perennial.models.deep.net import NetSpec


def build_loss(spec: NetSpec) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Build the loss of each row, mean over members: (raw_BKR, y_B, arm_B) → (B,).

    Raises: ConfigError for a task without outcomes.
    """
    row_loss = _loss_of(spec).row_loss
    return lambda raw_BKR, y_B, arm_B: row_loss(raw_BKR, y_B, arm_B, spec).mean(dim=1)


def link_scores(raw_BKR: Tensor, spec: NetSpec) -> Tensor:
    """Average the members on the scale of the scores, as link score_BO: log odds, log shares of classes, an amount, or the
    logarithm of an expected amount.
    """
    return _loss_of(spec).average(raw_BKR.double(), spec)


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """The loss of each row and member, (B, K), and the link scores (B, O) of the members' mean."""

    row_loss: Callable[[Tensor, Tensor, Tensor, NetSpec], Tensor]
    average: Callable[[Tensor, NetSpec], Tensor]


def _loss_of(spec: NetSpec) -> _Loss:
    if spec.head.scale not in LOSSES:
        raise ConfigError(f"a {spec.head.task} task has no outcome to learn from: there is no deep family of it")
    return LOSSES[spec.head.scale]


def _arm_loss(raw_BKR: Tensor, y_B: Tensor, arm_B: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    """Log loss of the output of the row's own arm (0 without arms)."""
    own_BK = _select_arm(raw_BKR, arm_B)
    return binary_cross_entropy_with_logits(own_BK, y_B[:, None].expand_as(own_BK), reduction="none")


def _average_odds(raw_BKR: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    p_BO = torch.sigmoid(raw_BKR).mean(dim=1).clamp(1e-7, 1 - 1e-7)
    return torch.log(p_BO) - torch.log1p(-p_BO)


def _class_loss(raw_BKR: Tensor, y_B: Tensor, arm_B: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    """Log loss of the class; with smoothing, a share of it is spread evenly over all classes."""
    shares_BKR = torch.log_softmax(raw_BKR, dim=2)
    own = -shares_BKR.gather(2, y_B.long()[:, None, None].expand(-1, raw_BKR.shape[1], 1)).squeeze(2)
    return (1 - spec.smoothing) * own - spec.smoothing * shares_BKR.mean(dim=2)


def _average_classes(raw_BKR: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    return torch.log(torch.softmax(raw_BKR, dim=2).mean(dim=1).clamp_min(1e-7))


def _amount_loss(raw_BKR: Tensor, y_B: Tensor, arm_B: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    """Squared error in units of the training spread."""
    return ((y_B - spec.center) / spec.spread)[:, None].sub(raw_BKR[:, :, 0]).square() / 2


def _arm_amount_loss(raw_BKR: Tensor, y_B: Tensor, arm_B: Tensor, spec: NetSpec) -> Tensor:
    """Squared error, in units of the training spread, of the output of the row's own arm."""
    return _amount_loss(_select_arm(raw_BKR, arm_B)[:, :, None], y_B, arm_B, spec)


def _average_amounts(raw_BKR: Tensor, spec: NetSpec) -> Tensor:
    return spec.center + spec.spread * raw_BKR.mean(dim=1)


def _two_part_loss(raw_BKR: Tensor, y_B: Tensor, arm_B: Tensor, spec: NetSpec) -> Tensor:  # noqa: ARG001 (called alike)
    """Log loss of whether there is an amount, and the squared error of its logarithm where there is."""
    is_any = (y_B > 0).float()
    any_loss = binary_cross_entropy_with_logits(raw_BKR[:, :, 0], is_any[:, None].expand(-1, raw_BKR.shape[1]), reduction="none")
    log_amount = (torch.log(y_B.clamp_min(1e-9)) - spec.center) / spec.spread
    return any_loss + is_any[:, None] * (log_amount[:, None] - raw_BKR[:, :, 1]).square() / 2


def _average_two_part(raw_BKR: Tensor, spec: NetSpec) -> Tensor:
    expected = logsigmoid(raw_BKR[:, :, :1]) + spec.center + spec.spread * raw_BKR[:, :, 1:]
    return torch.logsumexp(expected, dim=1) - math.log(raw_BKR.shape[1])


def _select_arm(raw_BKR: Tensor, arm_B: Tensor) -> Tensor:
    """The output of each row's own arm, for each member."""
    return raw_BKR.gather(2, arm_B[:, None, None].expand(-1, raw_BKR.shape[1], 1)).squeeze(2)


LOSSES: dict[Scale, _Loss] = {
    "odds": _Loss(row_loss=_arm_loss, average=_average_odds),
    "classes": _Loss(row_loss=_class_loss, average=_average_classes),
    "amount": _Loss(row_loss=_amount_loss, average=_average_amounts),
    "arm_amounts": _Loss(row_loss=_arm_amount_loss, average=_average_amounts),
    "log_amount": _Loss(row_loss=_two_part_loss, average=_average_two_part),
}
