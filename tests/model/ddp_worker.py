"""One training as ranks see it: `python -m tests.model.ddp_worker FOLDER DEVICES [dies]`; each rank tells what it did.

Lightning starts rank 1 by running the same command again.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from perennial.models.deep.losses import build_loss
from perennial.models.deep.net import TabularNet
from perennial.training.fit import fit
from perennial.training.module import FitModule
from tests.model.builders import rows, spec, train_params

N = 517  # no multiple of the batch


class Tell(Callback):
    """Row numbers of each epoch on this rank; rank 1 can be made to die."""

    def __init__(self, dies: bool) -> None:
        self.dies = dies
        self.seen: list[list[int]] = []
        self.threads = 0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, FitModule)
        self.seen.append(torch.cat(pl_module.rows_observed).tolist())
        self.threads = torch.get_num_threads()
        if self.dies and trainer.global_rank == 1 and trainer.current_epoch == 1:
            os._exit(9)


def main(folder: Path, devices: int, dies: bool) -> None:
    tell = Tell(dies)
    several = {"devices": devices, "strategy": "ddp", "threads": 3} if devices > 1 else {}
    params = train_params(dropout=0.0, epochs=3, warmup=0.2, ema_decay=0.8, **several)
    torch.manual_seed(5)
    fitted = fit(
        lambda: TabularNet(spec(dropout=0.0)),
        build_loss(spec()),
        rows(N),
        torch.ones(N, dtype=torch.int64),
        rows(200, seed=3),
        params,
        folder / "curves.csv",
        (tell,),
    )
    rank = os.environ.get("LOCAL_RANK", "0")
    document = {
        "seen": tell.seen,
        "threads": tell.threads,
        "curve": [(epoch.train_loss, epoch.val_loss) for epoch in fitted.curve],
        "weights": float(sum(weight.double().sum() for weight in fitted.net.state_dict().values())),
    }
    (folder / f"rank-{rank}.json").write_text(json.dumps(document))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "dies" in sys.argv)
