"""CPU seconds an epoch of our sequence network and of RecTools' SASRecModel, and the quality after as many epochs.

python -m benchmarks.training_speed --interactions FILE.parquet --user COL --item COL --order COL
    --peer-python .peers/bin/python --out result.json

Same size (d 64, two blocks), loss (sampled softmax, 256 negatives), events and epochs; one thread. RecTools learns from
the last length + 1 events of each user, so ours are cut to those too: an epoch is the same tokens for both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.interactions import ITEM, USER, Columns, leave_one_out, read_events
from models.recommendations.sequence.network import Shape
from models.recommendations.sequence.packing import Ints, Sequences, from_events
from models.recommendations.sequence.recipe import Recipe
from models.recommendations.sequence.scoring import ranks_of
from models.recommendations.sequence.training import fit_sequences

NEGATIVES, K = 256, 10
PEERS_RECIPE: dict[str, Any] = {"learning_rate": 1e-3, "dropout": 0.2}
"""RecTools' own, and a short average: three epochs are few steps."""
NDCG, HITS = f"ndcg_at_{K}", f"hit_rate_at_{K}"


@dataclass(frozen=True)
class Case:
    """Events and lengths that are compared."""

    history: int | None
    """Events of a user that are there at all, the last; None: all."""
    length: int
    """Events that a model looks at; the peer fills shorter histories up to it."""


CASES = {"short": Case(9, 9), "full": Case(None, 200), "short_filled_up": Case(9, 200)}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the cases that the arguments name; prints and writes the figures."""
    given = _parsed(arguments)
    events = read_events(given.interactions, Columns(given.user, given.item, given.order), None)
    test = leave_one_out(events)[-1]
    users = pd.Index(test.targets[USER])
    items = pd.Index(pd.concat([test.known[ITEM], test.targets[ITEM]]).unique())
    known = from_events(_codes(test.known, USER, users), _codes(test.known, ITEM, items), len(users))
    targets = _codes(test.targets, ITEM, items)
    result: dict[str, Any] = {"protocol": {"epochs": given.epochs, "negatives": NEGATIVES, "seed": given.seed}}
    for name in given.case:
        case = CASES[name]
        cut = known if case.history is None else known.latest(case.history)
        ours = _ours(cut, targets, len(items), case, given)
        theirs = _theirs(cut, targets, case, given)
        result[name] = {"ours": ours, "rectools_sasrec": theirs, "ratios": _ratios(ours, theirs)}
        given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    _show(result, given.case)
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed", description=__doc__)
    parser.add_argument("--interactions", type=Path, required=True, help="a Parquet file, one row an interaction")
    for name in ("user", "item", "order"):
        parser.add_argument(f"--{name}", required=True, help=f"the column of the {name}")
    parser.add_argument("--case", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--peer-batch", type=int, default=128, help="users of one of the peer's steps")
    parser.add_argument("--peer-python", type=Path, required=True, help="interpreter with RecTools")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _codes(frame: pd.DataFrame, column: str, index: pd.Index) -> Ints:
    return np.asarray(index.get_indexer(pd.Index(frame[column])), dtype=np.int64)


def _ours(known: Sequences, targets: Ints, items: int, case: Case, given: argparse.Namespace) -> dict[str, Any]:
    """Our figures; an epoch's seconds hold the judgement of its 500 held-out users too."""
    seconds: list[float] = []
    begun = time.process_time()

    def tell(epoch: dict[str, float]) -> bool:
        seconds.append(time.process_time() - begun - sum(seconds))
        return False

    shape = Shape(items=items, dim=64, blocks=2, heads=2, hidden=64, length=case.length)
    recipe = Recipe(
        epochs=given.epochs,
        negatives=NEGATIVES,
        judged=500,
        patience=given.epochs,
        seed=given.seed,
        **PEERS_RECIPE,
        **_steps(case),
    )
    network, curve = fit_sequences(known.latest(case.length + 1), shape, recipe, on_epoch=tell)
    fitted = time.process_time()
    ranks = ranks_of(network, known, targets)
    return {
        "epoch_cpu_seconds": [round(one, 2) for one in seconds],
        "fit_cpu_seconds": round(fitted - begun, 2),
        "lists_cpu_seconds": round(time.process_time() - fitted, 2),
        NDCG: round(float(np.where(ranks < K, 1.0 / np.log2(ranks + 2.0), 0.0).mean()), 5),
        HITS: round(float((ranks < K).mean()), 5),
        "parameters": sum(part.numel() for part in network.parameters()),
        "curve": curve,
    }


def _steps(case: Case) -> dict[str, Any]:
    """Smaller steps where an epoch has few tokens."""
    return {"batch_tokens": 512, "warmup": 50} if case.history else {"batch_tokens": 4_096}


def _theirs(known: Sequences, targets: Ints, case: Case, given: argparse.Namespace) -> dict[str, Any]:
    """RecTools' figures, from a process of its own."""
    user = np.repeat(np.arange(len(known)), known.lengths)
    frame = pd.DataFrame({"user": user, "item": known.items, "order": np.arange(len(user)), "target": targets[user]})
    sizes = {"n_factors": 64, "n_blocks": 2, "n_heads": 2, "session_max_len": case.length, "epochs": given.epochs}
    loss = {"loss": "sampled_softmax", "n_negatives": NEGATIVES, "lr": 1e-3, "batch_size": given.peer_batch}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "events.parquet", Path(folder) / "result.json"
        frame.to_parquet(source)
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        asked = json.dumps({"model": sizes | loss, "seed": given.seed, "k": K})
        command = [given.peer_python, Path(__file__).with_name("sequence_peer.py"), source, target, asked]
        subprocess.run([str(part) for part in command], check=True, env=os.environ | limits)
        found: dict[str, Any] = json.loads(target.read_text("utf-8"))
    return found


def _ratios(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Theirs by ours in seconds of a median epoch, ours by theirs in quality: above 1 is better."""
    seconds = [float(np.median(one["epoch_cpu_seconds"])) for one in (theirs, ours)]
    quality = ours[NDCG] / theirs[NDCG] if theirs[NDCG] else float("inf")
    return {"epoch_cpu_seconds": round(seconds[0] / seconds[1], 2), NDCG: round(quality, 3)}


def _show(result: dict[str, Any], cases: Sequence[str]) -> None:
    table = Table("case", "model", "CPU s an epoch", f"NDCG@{K}", f"HR@{K}", "times faster", "NDCG by theirs")
    for name in cases:
        for model in ("ours", "rectools_sasrec"):
            found = result[name][model]
            seconds = f"{np.median(found['epoch_cpu_seconds']):.1f}"
            ratios = [f"{value:.2f}" for value in result[name]["ratios"].values()] if model == "ours" else []
            table.add_row(name, model, seconds, f"{found[NDCG]:.4f}", f"{found[HITS]:.4f}", *ratios)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
