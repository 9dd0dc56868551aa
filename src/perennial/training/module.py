"""LightningModule of the deep family: row losses, optimiser and learning rate. It knows no file, tracker or column."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from perennial.training.loader import Batch

RowLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
_MAX_NORM = 1.0
_WIDE = 15  # times the rate: each word is seen in few rows


@runtime_checkable
class ProgressAware(Protocol):
    """A network that takes the share of training that is over."""

    def on_progress(self, share: float) -> None: ...


class FitModule(LightningModule):
    """Minimises the mean of `row_loss` over each global batch."""

    def __init__(
        self,
        net: nn.Module,
        row_loss: RowLoss,
        optimizer: Callable[[nn.Module], Optimizer],
        seed: int,
        warmup: float | None = None,
    ) -> None:
        super().__init__()
        self.net, self.row_loss, self._optimizer, self._seed, self._warmup = net, row_loss, optimizer, seed, warmup
        self.rows_observed: list[Tensor] = []  # row numbers of the epoch on this rank, for callbacks
        self.train_loss, self.n_train = 0.0, 0

    def on_train_epoch_start(self) -> None:
        self.rows_observed.clear()
        self.train_loss, self.n_train = 0.0, 0
        if isinstance(self.net, ProgressAware):
            self.net.on_progress(self.current_epoch / max(self.trainer.max_epochs or 1, 1))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        # dropout masks depend only on seed, epoch, batch and rank: an epoch can be repeated by itself
        torch.manual_seed(hash((self._seed, self.current_epoch, batch_idx, self.global_rank)) % 2**63)
        total = self.row_loss(self.net(batch.x), batch.y, batch.arm).sum()
        self.rows_observed.append(batch.rows)
        self.train_loss += float(total.detach())
        self.n_train += len(batch.rows)
        return total * (self.trainer.world_size / batch.whole)

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: object, **__: object) -> None:
        self.clip_gradients(optimizer, gradient_clip_val=_MAX_NORM, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.net)
        if self._warmup is None:
            return optimizer
        total = int(self.trainer.estimated_stepping_batches)
        rate = LambdaLR(optimizer, partial(warmup_cosine_factor, total=total, warmup=self._warmup))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}


def warmup_cosine_factor(step: int, total: int, warmup: float) -> float:
    """The share of the learning rate at a step: a linear warm-up, then half a cosine down to 0."""
    rising = max(1, int(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, total - rising))))


def build_adamw(learning_rate: float, weight_decay: float) -> Callable[[nn.Module], Optimizer]:
    """Build AdamW: weight decay for matrices and tables, none for biases and scales; a faster rate for the wide linear part."""

    def make(net: nn.Module) -> Optimizer:
        wide = [p for name, p in net.named_parameters() if name.startswith("wide.")]
        trunk = [(name, p) for name, p in net.named_parameters() if not name.startswith("wide.")]
        decayed = [p for name, p in trunk if p.ndim > 1 and "bias" not in name and not name.endswith(("b1", "b2"))]
        decayed_ids = {id(p) for p in decayed}
        rest = [p for _, p in trunk if id(p) not in decayed_ids]
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
        fast = [{"params": wide, "weight_decay": 0.0, "lr": _WIDE * learning_rate}] if wide else []
        return torch.optim.AdamW([*groups, *fast], lr=learning_rate)

    return make
