"""RecTools' SASRecModel timed epoch by epoch; run as a script by the interpreter of the peers.

`python sequence_peer.py EVENTS.parquet RESULT.json ASKED`: EVENTS hold user, item, order and target, the item
that comes next, the same in all rows of a user. ASKED is JSON: settings of the model, seed, k. One thread.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from peers import rectools_dataset
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools.models import SASRecModel


class Clock(Callback):  # type: ignore[misc]
    """CPU seconds of each epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = 0.0

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Note the time."""
        self.begun = time.process_time()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Keep what the epoch took."""
        self.seconds.append(round(time.process_time() - self.begun, 2))


def run(events: pd.DataFrame, asked: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds by epoch, of the whole fit and of the lists, and NDCG at k of the next item among the unseen."""
    torch.set_num_threads(1)
    seed_everything(asked["seed"], verbose=False)
    epochs, k = asked["model"].pop("epochs"), asked["k"]

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=epochs,
            min_epochs=epochs,
            callbacks=[Clock()],
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
            devices=1,
            accelerator="cpu",
        )

    model, dataset = SASRecModel(**asked["model"], get_trainer_func=trainer), rectools_dataset(events)
    begun = time.process_time()
    model.fit(dataset)
    fitted = time.process_time()
    clock = next(one for one in model.fit_trainer.callbacks if isinstance(one, Clock))  # of a copy of the trainer
    targets = events.groupby("user")["target"].last()
    lists = model.recommend(users=targets.index.to_numpy(), dataset=dataset, k=k, filter_viewed=True)
    hits = lists[lists["item_id"].to_numpy() == targets.reindex(lists["user_id"]).to_numpy()]
    return {
        "epoch_cpu_seconds": clock.seconds,
        "fit_cpu_seconds": round(fitted - begun, 2),
        "lists_cpu_seconds": round(time.process_time() - fitted, 2),
        f"ndcg_at_{k}": round(float((1.0 / np.log2(hits["rank"] + 1.0)).sum() / len(targets)), 5),
        f"hit_rate_at_{k}": round(len(hits) / len(targets), 5),
        "parameters": sum(part.numel() for part in model.torch_model.parameters()),
    }


if __name__ == "__main__":
    source, result, wanted = sys.argv[1:]
    Path(result).write_text(json.dumps(run(pd.read_parquet(source), json.loads(wanted))), "utf-8")
