"""A network and its rates in, a LightningModule out. It knows no file, no tracker and no column."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from perennial.training.loader import Batch

RowLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
_MAX_NORM = 1.0


class FitModule(LightningModule):
    """Minimises the mean of `row_loss` over each global batch."""

    def __init__(
        self, net: nn.Module, row_loss: RowLoss, optimizer: Callable[[nn.Module], Optimizer], seed: int
    ) -> None:
        super().__init__()
        self.net, self.row_loss, self._optimizer, self._seed = net, row_loss, optimizer, seed
        self.seen: list[Tensor] = []  # row numbers of the epoch on this rank, for those who ask
        self.train_loss, self.n_train = 0.0, 0

    def on_train_epoch_start(self) -> None:
        self.seen.clear()
        self.train_loss, self.n_train = 0.0, 0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        # the masks of dropout depend on nothing but seed, epoch, batch and rank: an epoch can be done again alone
        torch.manual_seed(hash((self._seed, self.current_epoch, batch_idx, self.global_rank)) % 2**63)
        total = self.row_loss(self.net(batch.x), batch.y, batch.arm).sum()
        self.seen.append(batch.rows)
        self.train_loss += float(total.detach())
        self.n_train += len(batch.rows)
        return total * (self.trainer.world_size / batch.whole)

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: object, **__: object) -> None:
        self.clip_gradients(optimizer, gradient_clip_val=_MAX_NORM, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Optimizer:
        return self._optimizer(self.net)


def adamw(learning_rate: float, weight_decay: float) -> Callable[[nn.Module], Optimizer]:
    """AdamW that decays matrices and tables but not biases and scales."""

    def make(net: nn.Module) -> Optimizer:
        named = list(net.named_parameters())
        decayed = [p for name, p in named if p.ndim > 1 and "bias" not in name and not name.endswith(("b1", "b2"))]
        kept = {id(p) for p in decayed}
        rest = [p for _, p in named if id(p) not in kept]
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=learning_rate)

    return make
