"""Our best model by each peer: NDCG and CPU seconds, as a table, from results of one protocol.

python -m benchmarks.ratios result.json peers.json: results of benchmarks.recommendations that were written apart.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peers import PEERS

SAME = ("split", "cut", "window", "seen", "only_new", "k", "where", "users", "targets", "known_events", "items")
"""What of the protocol must be the same for figures to be compared."""


def ratios(models: dict[str, Any], k: int) -> dict[str, dict[str, Any]]:
    """By peer: our model with the greatest NDCG, its NDCG by the peer's and its CPU seconds by the peer's.

    Which of ours is best is seen on the test itself: its figure is a little too good where several ran.
    """
    own = [name for name in models if name not in PEERS]
    if not own:
        return {}
    best = max(own, key=lambda name: float(models[name][f"ndcg_at_{k}"][0]))
    found = {}
    for peer in (name for name in models if name in PEERS):
        theirs, ours = models[peer], models[best]
        found[peer] = {"ours": best} | {
            name: round(above / below, 3) if below else None
            for name, above, below in (
                ("ndcg", ours[f"ndcg_at_{k}"][0], theirs[f"ndcg_at_{k}"][0]),
                ("cpu_seconds", ours["cpu_seconds"], theirs["cpu_seconds"]),
            )
        }
    return found


def together(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One result of several; raises ValueError where their protocols differ."""
    first = results[0]["protocol"]
    for other in results[1:]:
        if differing := [name for name in SAME if first.get(name) != other["protocol"].get(name)]:
            raise ValueError(f"found results of different protocols, expected the same {differing}: compare like runs")
    models = {name: found for result in results for name, found in result["models"].items()}
    return {"protocol": first, "models": models, "ratios": ratios(models, first["k"])}


def show(result: dict[str, Any]) -> None:
    """Print the figures of all models and the ratios to each peer."""
    k = result["protocol"]["k"]
    names = [f"{name}_at_{k}" for name in ("hit_rate", "recall", "ndcg", "mrr", "coverage")]
    table = Table("model", *names, "CPU s", "NDCG, ours by it", "CPU s, ours by it")
    for model, found in result["models"].items():
        values = [found[name][0] if isinstance(found[name], list) else found[name] for name in names]
        ratio = result["ratios"].get(model, {})
        shown = [f"{ratio[name]:.2f}" if ratio.get(name) else "" for name in ("ndcg", "cpu_seconds")]
        table.add_row(model, *(f"{value:.4f}" for value in values), f"{found['cpu_seconds']:.0f}", *shown)
    Console(width=160).print(table)


if __name__ == "__main__":
    show(together([json.loads(Path(file).read_text("utf-8")) for file in sys.argv[1:]]))
