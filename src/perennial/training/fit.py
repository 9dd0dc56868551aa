"""Training: fit a network with Lightning, stop early on validation loss, and return the best weights and the curve."""

from __future__ import annotations

import copy
import logging
import math
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningDataModule, LightningModule, Trainer
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from perennial.config.train import TrainParams
from perennial.errors import ConfigError
from perennial.results.train import StepLoss
from perennial.training.loader import Batches, Rows
from perennial.training.module import FitModule, RowLoss, build_adamw

log = logging.getLogger("perennial")
_VAL_ROWS = 4096  # of tables; of wider rows fewer, so that a block stays small
_VAL_BYTES = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Fitted:
    net: nn.Module
    curve: tuple[StepLoss, ...]
    best_epoch: int


def fit(
    make_net: Callable[[], nn.Module],
    row_loss: RowLoss,
    train: Rows,
    times: Tensor,
    val: Rows,
    params: TrainParams,
    curve_file: Path,
    extra: Sequence[Callback] = (),
) -> Fitted:
    """Train until the validation loss has not fallen for `patience` epochs and return the best weights.

    The same seed, rows and params give the same bits on the same class of CPU, whatever else the machine does.
    Raises: ConfigError when a GPU is asked for and there is none, or devices and strategy do not fit, or a loss is no
    number.
    """
    if params.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("train.accelerator is gpu and no GPU is to be seen: set it to cpu, or run where one is")
    torch.set_num_threads(params.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(params.seed)
    net = make_net()
    optimizer = build_adamw(params.learning_rate, params.weight_decay)
    module = FitModule(net, row_loss, optimizer, params.seed, params.warmup)
    watch = _Watch(row_loss, val, params, curve_file)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    shown = sys.stderr.isatty()
    trainer = Trainer(
        accelerator=params.accelerator,
        devices=params.devices,
        num_nodes=params.num_nodes,
        precision=params.precision,
        strategy=_choose_strategy(params),
        max_epochs=params.epochs,
        deterministic=True,
        reload_dataloaders_every_n_epochs=1,
        callbacks=[watch, *([TQDMProgressBar()] if shown else []), *extra],
        enable_progress_bar=shown,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        limit_val_batches=0,
    )
    terminate = signal.getsignal(signal.SIGTERM)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*has `shuffle=True`|.*IterableDataset.*")
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec.*")  # Lightning's own use of torch
        try:
            trainer.fit(module, _Epochs(train, times, params))
        except SystemExit as stopped:  # Lightning turns Ctrl-C into exit code 1
            raise KeyboardInterrupt from stopped
        finally:
            signal.signal(signal.SIGTERM, terminate)
    net.load_state_dict(watch.best_state)
    return Fitted(net=net.eval(), curve=tuple(watch.curve), best_epoch=watch.best_epoch)


class _Epochs(LightningDataModule):
    """Gives Lightning a loader for each epoch, whose order depends only on seed and epoch."""

    def __init__(self, train: Rows, times: Tensor, params: TrainParams) -> None:
        super().__init__()
        self.train, self.times, self.params = train, times, params

    def train_dataloader(self) -> DataLoader[Any]:
        assert self.trainer is not None
        batches = Batches(
            self.train,
            self.times,
            batch=self.params.batch_size,
            seed=self.params.seed,
            swap=self.params.swap_noise,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
            epoch=self.trainer.current_epoch,
        )
        return DataLoader(batches, batch_size=None)


class _Watch(Callback):
    """Evaluates every epoch on val, keeps the best weights, appends to the curve file, and stops early."""

    def __init__(self, row_loss: RowLoss, val: Rows, params: TrainParams, curve_file: Path) -> None:
        self.row_loss, self.val, self.params, self.curve_file = row_loss, val, params, curve_file
        self.curve: list[StepLoss] = []
        self.best_state: dict[str, Any] = {}
        self.best_epoch = 0
        self.mean: AveragedModel | None = None  # its weights are the running mean of the network's

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        torch.set_num_threads(self.params.threads)  # Lightning gives each of several ranks its share of the cores
        if trainer.is_global_zero:
            self.curve_file.parent.mkdir(parents=True, exist_ok=True)
            self.curve_file.write_text("epoch,train_loss,val_loss\n")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning turns SIGTERM into exit code 0: a half-trained stage would look like a finished one. It sets its
        # handler after on_fit_start.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, FitModule)
        if self.params.ema_decay is None:
            return
        if self.mean is None:
            self.mean = AveragedModel(pl_module.net, avg_fn=partial(_average_weights, self.params.ema_decay))
        self.mean.update_parameters(pl_module.net)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, FitModule)
        sums = torch.tensor([pl_module.train_loss, float(pl_module.n_train)], dtype=torch.float64)
        total, n = trainer.strategy.reduce(sums.to(pl_module.device), reduce_op="sum").tolist()
        evaluated = self.mean.module if self.mean else pl_module.net
        val_loss = self._evaluate(pl_module, evaluated)
        now = StepLoss(step=trainer.current_epoch + 1, train_loss=total / n, val_loss=val_loss)
        if not math.isfinite(now.train_loss + now.val_loss):
            message = f"epoch {now.step}: train loss {now.train_loss}, val loss {now.val_loss}, the weights ran away"
            raise ConfigError(f"{message}: lower train.learning_rate, now {self.params.learning_rate:g}")
        best = min((epoch.val_loss for epoch in self.curve), default=float("inf"))
        self.curve.append(now)
        if now.val_loss < best:
            self.best_epoch = now.step
            state = evaluated.state_dict()
            self.best_state = {name: copy.deepcopy(tensor.detach().cpu()) for name, tensor in state.items()}
        trainer.should_stop = now.step - self.best_epoch >= self.params.patience
        if trainer.is_global_zero:
            with open(self.curve_file, "a", encoding="utf-8") as file:
                file.write(f"{now.step},{now.train_loss:.8f},{now.val_loss:.8f}\n")
            mark = " (best)" if now.step == self.best_epoch else ""
            log.info("epoch %d: train loss %.4f, val loss %.4f%s", now.step, now.train_loss, now.val_loss, mark)

    def _evaluate(self, module: FitModule, net: nn.Module) -> float:
        """The mean row loss on all of val, the same on every rank."""
        net.eval()
        total = 0.0
        with torch.inference_mode():
            wide = sum(values[0].nbytes for values in self.val.x.values())
            step = max(1, min(_VAL_ROWS, _VAL_BYTES // max(wide, 1)))
            for start in range(0, len(self.val), step):
                some = slice(start, start + step)
                x = {kind: values.to(module.device) for kind, values in self.val.at(some).items()}
                y, arm = (values[some].to(module.device) for values in (self.val.y_N, self.val.arm_N))
                total += float(self.row_loss(net(x), y, arm).double().sum())
        net.train()
        return total / len(self.val)


def _choose_strategy(params: TrainParams) -> Any:
    if params.strategy == "ddp":
        return DDPStrategy(process_group_backend="gloo" if params.accelerator == "cpu" else "nccl")
    if params.devices * params.num_nodes > 1:
        raise ConfigError(f"train.strategy is single with {params.devices} devices on {params.num_nodes} nodes: use ddp")
    return "auto"


def _average_weights(decay: float, mean: Tensor, weight: Tensor, n_averaged: Tensor | int) -> Tensor:
    """The exponential moving average, which follows faster while it holds few steps."""
    step = int(n_averaged) + 1
    return mean.lerp(weight, 1 - min(decay, (1 + step) / (10 + step)))
