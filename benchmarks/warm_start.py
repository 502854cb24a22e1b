"""A warm start of the sequence model from that of `--days` before, with new items added, against a start from scratch.

python -m benchmarks.warm_start --interactions FILE.parquet --user COL --item COL --order COL --cut DATE [--days 28]
    --epochs 12 --warm 1 2 4 --out result.json

Both learn from all purchases before the cut and are judged on what users bought in the 28 days after it that was new to
them, by the full catalogue of what is known at the cut. CPU seconds are those of the fit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.contestants import frames_of
from benchmarks.interactions import ITEM, USER, Columns, Round, global_split, new_to_the_user, read_events
from benchmarks.metrics import figures
from models.recommendations.popular import BOUGHT
from models.recommendations.sequence_transformer import SequenceTransformer

K = 10


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Train the older model, then every start at the cut; prints and writes the figures."""
    given = _parsed(arguments)
    events = read_events(given.interactions, Columns(given.user, given.item, given.order), given.where)
    older, now = (global_split(events, given.cut - dt.timedelta(days=days), 28)[-1] for days in (given.days, 0))
    champion, spent = _fitted(older, _model(given, given.epochs))
    known = set(older.known[ITEM])
    result: dict[str, Any] = {
        "protocol": {name: getattr(given, name) for name in ("cut", "days", "sizes", "recipe", "seed")}
        | {
            "items": int(now.known[ITEM].nunique()),
            "new_items": int((~now.known[ITEM].drop_duplicates().isin(known)).sum()),
        },
        "champion": {"epochs": given.epochs, "cpu_seconds": spent},
        "starts": {},
    }
    starts = {"from scratch": (given.epochs, None)} | {f"warm, {n} epochs": (n, champion) for n in given.warm}
    for name, (epochs, start) in starts.items():
        model = _model(given, epochs)
        model, spent = _fitted(now, model.warm_start(start) if start else model)
        result["starts"][name] = {"epochs": len(model.curve), "cpu_seconds": spent} | _judged(model, now, given.seed)
        given.out.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    _show(result)
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_start", description=__doc__)
    parser.add_argument("--interactions", type=Path, required=True, help="a Parquet file, one row an interaction")
    parser.add_argument("--where", help="rows that count, as pandas' query takes it")
    for name in ("user", "item", "order"):
        parser.add_argument(f"--{name}", required=True, help=f"the column of the {name}")
    parser.add_argument("--cut", type=dt.date.fromisoformat, required=True, help="the first day that judges")
    parser.add_argument("--days", type=int, default=28, help="by which the older model is older")
    parser.add_argument("--epochs", type=int, default=12, help="of the older model, and from scratch")
    parser.add_argument("--warm", type=int, nargs="+", default=[1, 2, 4], help="epochs after a warm start")
    parser.add_argument("--sizes", type=json.loads, default={}, help="JSON of the network's sizes")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON of what differs in the recipe")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _model(given: argparse.Namespace, epochs: int) -> SequenceTransformer:
    recipe = given.recipe | {"epochs": epochs}
    return SequenceTransformer(top_k=2 * K, seed=given.seed, sizes=given.sizes, recipe=recipe, explained=0)


def _fitted(at: Round, model: SequenceTransformer) -> tuple[SequenceTransformer, float]:
    """The model, learnt from what was known, and its CPU seconds."""
    frames, _ = frames_of([at])
    targets = at.targets.assign(as_of=at.as_of, known_as_of=at.as_of)  # that there are some; none is looked at
    begun = time.process_time()
    model.fit(frames, targets)
    return model, round(time.process_time() - begun, 1)


def _judged(model: SequenceTransformer, at: Round, seed: int) -> dict[str, Any]:
    """Figures on what was new to the users."""
    judged, (frames, _) = new_to_the_user(at), frames_of([at])
    asked = frames[BOUGHT][frames[BOUGHT][USER].isin(judged.targets[USER])].reset_index(drop=True)
    found = figures(model.predict({**frames, BOUGHT: asked}), judged, K, seed=seed, resamples=1_000)
    return {name: found[name] for name in (f"ndcg_at_{K}", f"recall_at_{K}", f"hit_rate_at_{K}")}


def _show(result: dict[str, Any]) -> None:
    table = Table("start", "epochs", "CPU s", f"NDCG@{K}", f"recall@{K}")
    for name, found in result["starts"].items():
        ndcg, recall = (found[f"{metric}_at_{K}"] for metric in ("ndcg", "recall"))
        interval = f"{ndcg[0]:.4f} [{ndcg[1]:.4f}, {ndcg[2]:.4f}]"
        table.add_row(name, str(found["epochs"]), f"{found['cpu_seconds']:.0f}", interval, f"{recall[0]:.4f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
