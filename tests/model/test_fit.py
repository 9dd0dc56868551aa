"""Training: the same bits for the same seed, the best epoch's weights, and no half-trained stage that looks done."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from perennial.errors import ConfigError
from perennial.models.deep.losses import build_loss
from perennial.models.deep.net import TabularNet
from perennial.training.fit import Fitted, fit
from perennial.training.module import FitModule, build_adamw, warmup_cosine_factor
from tests.model.builders import rows, spec, train_params

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.model

TRAIN, VAL = rows(500), rows(200, seed=3)


class Spy(Callback):
    """What an epoch saw, and the weights after it."""

    def __init__(self) -> None:
        self.rows_observed: list[list[int]] = []
        self.weights: list[dict[str, torch.Tensor]] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, FitModule)
        self.rows_observed.append(torch.cat(pl_module.rows_observed).tolist())
        self.weights.append({name: tensor.clone() for name, tensor in pl_module.net.state_dict().items()})


def fitted(folder: Path, times: torch.Tensor | None = None, extra: tuple[Callback, ...] = (), **changes: Any) -> Fitted:
    drawn = torch.ones(len(TRAIN), dtype=torch.int64) if times is None else times
    params = train_params(**changes)
    make = lambda: TabularNet(spec(dropout=params.dropout))  # noqa: E731 - one line in a test
    return fit(make, build_loss(spec()), TRAIN, drawn, VAL, params, folder / "curves.csv", extra)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_gives_the_same_bits_whatever_ran_before(tmp_path: Path) -> None:
    first = fitted(tmp_path / "a")
    torch.manual_seed(99)
    torch.rand(17)
    second = fitted(tmp_path / "b")
    assert same(first.net.state_dict(), second.net.state_dict())
    assert first.curve == second.curve
    assert (tmp_path / "a" / "curves.csv").read_bytes() == (tmp_path / "b" / "curves.csv").read_bytes()
    other = fitted(tmp_path / "c", seed=2)
    assert not same(first.net.state_dict(), other.net.state_dict())
    assert first.curve != other.curve


def test_it_learns_and_the_curve_file_says_what_the_curve_says(tmp_path: Path) -> None:
    result = fitted(tmp_path, epochs=8)
    assert result.curve[-1].train_loss < 0.9 * result.curve[0].train_loss
    assert result.curve[result.best_epoch - 1].val_loss < 0.6
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[0] == "epoch,train_loss,val_loss"
    assert lines[1:] == [f"{e.step},{e.train_loss:.8f},{e.val_loss:.8f}" for e in result.curve]


def test_every_epoch_sees_each_row_as_often_as_it_was_drawn(tmp_path: Path) -> None:
    spy, times = Spy(), torch.arange(len(TRAIN)) % 3
    fitted(tmp_path, times, (spy,), epochs=3)
    expected = [i for i in range(len(TRAIN)) for _ in range(i % 3)]
    assert [sorted(observed) for observed in spy.rows_observed] == [expected] * 3
    assert len({tuple(observed) for observed in spy.rows_observed}) == 3


def test_early_stopping_gives_back_the_best_epoch(tmp_path: Path) -> None:
    spy = Spy()
    result = fitted(tmp_path, extra=(spy,), learning_rate=0.1, dropout=0.0, epochs=40, patience=3)
    losses_on_val = [epoch.val_loss for epoch in result.curve]
    assert result.best_epoch == losses_on_val.index(min(losses_on_val)) + 1
    assert len(result.curve) == result.best_epoch + 3 < 40
    assert same(result.net.state_dict(), spy.weights[result.best_epoch - 1])
    assert not same(result.net.state_dict(), spy.weights[-1])
    assert not result.net.training


def test_the_masks_of_dropout_come_from_seed_epoch_and_batch_alone(tmp_path: Path) -> None:
    class Noise(Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            torch.rand(3)

    plain = fitted(tmp_path / "a", dropout=0.5)
    disturbed = fitted(tmp_path / "b", extra=(Noise(),), dropout=0.5)
    assert same(plain.net.state_dict(), disturbed.net.state_dict())
    assert not same(plain.net.state_dict(), fitted(tmp_path / "c", dropout=0.0).net.state_dict())


def test_swap_changes_what_is_learnt_and_is_reproducible(tmp_path: Path) -> None:
    plain, swapped, again = (fitted(tmp_path / name, swap_noise=s) for name, s in (("a", 0.0), ("b", 0.2), ("c", 0.2)))
    assert same(swapped.net.state_dict(), again.net.state_dict())
    assert not same(plain.net.state_dict(), swapped.net.state_dict())


def test_biases_and_scales_are_not_decayed() -> None:
    net = TabularNet(spec())
    decayed, remaining = build_adamw(0.01, 0.5)(net).param_groups
    assert decayed["weight_decay"] == 0.5
    assert remaining["weight_decay"] == 0.0
    names = {id(p): name for name, p in net.named_parameters()}
    loose = {names[id(p)] for p in remaining["params"]}
    assert len(decayed["params"]) + len(remaining["params"]) == len(names)
    assert {"numeric.b1", "numeric.b2", "head.bias"} <= loose
    assert not any(name.endswith("weight") and net.get_parameter(name).ndim > 1 for name in loose)


def test_a_gpu_that_is_not_there_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"accelerator is gpu and no GPU is to be seen: set it to cpu"):
        fitted(tmp_path, accelerator="gpu")


@pytest.mark.parametrize(("devices", "nodes"), [(2, 1), (1, 2)])
def test_one_strategy_for_one_device(tmp_path: Path, devices: int, nodes: int) -> None:
    with pytest.raises(ConfigError, match=rf"strategy is single with {devices} devices on {nodes} nodes: use ddp"):
        fitted(tmp_path, devices=devices, num_nodes=nodes)


def test_weights_that_run_away_stop_the_training(tmp_path: Path) -> None:
    far = replace(TRAIN, x=TRAIN.x | {"norm": torch.full_like(TRAIN.x["norm"], float("nan"))})
    times = torch.ones(len(far), dtype=torch.int64)
    with pytest.raises(ConfigError, match=r"epoch 1: train loss nan, .* ran away: lower train.learning_rate, now 0.01"):
        fit(lambda: TabularNet(spec()), build_loss(spec()), far, times, VAL, train_params(), tmp_path / "curves.csv")


def test_the_handler_of_sigterm_is_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    fitted(tmp_path, epochs=1)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(("sent", "codes"), [(signal.SIGTERM, {-15, 143}), (signal.SIGINT, {-2, 130})])
def test_a_training_stage_that_is_stopped_does_not_look_finished(
    prepared_toy: Toy, tmp_path: Path, sent: signal.Signals, codes: set[int]
) -> None:
    toy = type(prepared_toy)(root=tmp_path / "project")
    shutil.copytree(prepared_toy.root, toy.root)
    toy.edit("params.yaml", "patience: 6", "patience: 4000")
    toy.edit("params.yaml", "epochs: 40", "epochs: 4000")
    words = [sys.executable, "-m", "perennial.stages.train", toy.name]
    curve = toy.project.state(toy.name) / "curves.csv"
    with subprocess.Popen(
        words,
        cwd=toy.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a job in the background ignores it
    ) as process:
        until(lambda: curve.exists() and len(curve.read_text().splitlines()) > 2, process)
        process.send_signal(sent)
        said, _ = process.communicate(timeout=30)
    assert process.returncode in codes, said
    assert not toy.out("train", "manifest.json").exists()


def until(happened: Any, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, f"ended early with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- warm-up and mean weights


def test_the_rate_rises_in_a_line_and_falls_along_half_a_cosine() -> None:
    shape = [warmup_cosine_factor(step, total=100, warmup=0.1) for step in range(100)]
    np.testing.assert_allclose(shape[:10], np.arange(1, 11) / 10)
    assert max(shape) == shape[9] == shape[10] == 1
    assert all(before > after for before, after in itertools.pairwise(shape[10:]))
    assert shape[55] == pytest.approx(0.5)
    assert 0 < shape[99] < 0.001
    assert warmup_cosine_factor(100, total=100, warmup=0.1) == 0
    assert warmup_cosine_factor(140, total=100, warmup=0.1) == 0, "and stays there"
    assert warmup_cosine_factor(0, total=3, warmup=0.01) == 1, "one step at least"
    assert [warmup_cosine_factor(0, total=t, warmup=0.5) for t in (1, 2)] == [1, 1]


class Rates(Callback):
    """The rate of every step, and the weights after it."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.weights: list[dict[str, torch.Tensor]] = []

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, FitModule)
        self.weights.append({name: tensor.clone() for name, tensor in pl_module.net.named_parameters()})


def test_training_follows_the_rate_over_all_of_its_epochs(tmp_path: Path) -> None:
    spy = Rates()
    fitted(tmp_path / "a", extra=(spy,), epochs=3, warmup=0.25)
    steps = 3 * 8  # 500 rows in batches of 64
    expected = [0.01 * warmup_cosine_factor(step, total=steps, warmup=0.25) for step in range(steps)]
    np.testing.assert_allclose(spy.rates, expected, rtol=1e-6)
    flat = Rates()
    fitted(tmp_path / "b", extra=(flat,), epochs=3)
    assert set(flat.rates) == {0.01}


def test_what_is_judged_and_given_back_are_the_mean_weights(tmp_path: Path) -> None:
    """The exponential mean from the first step on, whose decay rises to `ema_decay`; training itself goes on untouched."""
    spy, plain = Rates(), Rates()
    result = fitted(tmp_path / "a", extra=(spy,), epochs=3, ema_decay=0.9, dropout=0.0)
    fitted(tmp_path / "b", extra=(plain,), epochs=3, dropout=0.0)
    assert len(spy.weights) == len(plain.weights) == 24
    assert same(spy.weights[-1], plain.weights[-1])
    mean, epochs = {name: tensor.clone() for name, tensor in spy.weights[0].items()}, []
    for step, now in enumerate(spy.weights, 1):
        decay = min(0.9, (1 + step) / (10 + step))
        for name, tensor in mean.items():
            tensor.lerp_(now[name], 1 - decay)
        if step % 8 == 0:
            epochs.append({name: tensor.clone() for name, tensor in mean.items()})
    given = dict(result.net.named_parameters())
    assert all(torch.equal(given[name], tensor) for name, tensor in epochs[result.best_epoch - 1].items())
    assert not same(epochs[-1], spy.weights[-1])
    net = TabularNet(spec(dropout=0.0)).eval()
    net.load_state_dict(result.net.state_dict())
    with torch.inference_mode():
        loss = float(build_loss(spec())(net(VAL.x), VAL.y_N, VAL.arm_N).double().mean())
    assert loss == pytest.approx(result.curve[result.best_epoch - 1].val_loss, abs=1e-6)


def test_mean_weights_are_the_same_bits_each_time_and_steadier(tmp_path: Path) -> None:
    some = {"learning_rate": 0.08, "epochs": 8, "patience": 8, "dropout": 0.0}
    first, again = (fitted(tmp_path / name, ema_decay=0.95, warmup=0.1, **some) for name in "ab")
    assert same(first.net.state_dict(), again.net.state_dict())
    assert first.curve == again.curve
    flat, steady = fitted(tmp_path / "c", **some), fitted(tmp_path / "d", ema_decay=0.95, **some)
    jumps = [np.abs(np.diff([epoch.val_loss for epoch in run.curve])).mean() for run in (flat, steady)]
    assert jumps[1] < jumps[0]
