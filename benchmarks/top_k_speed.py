"""Users a CPU second of the exact top k with seen items left out: ours, the bare matrix product, other packages.

python -m benchmarks.top_k_speed [--peer-python .peers/bin/python] --out result.json

One thread; vectors from a seed; each is run three times and the fastest counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.recommendations.sequence.packing import Ints, Sequences
from models.recommendations.sequence.runtime import on_device
from models.recommendations.sequence.scoring import SCORED_USERS, best_of

ROUNDS = 3
Floats = NDArray[np.float32]
Contestant = Callable[[Floats, Floats, Sequences, int], Ints]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Time all; prints and writes users a CPU second, and the share of the product's."""
    given = _parsed(arguments)
    random = np.random.default_rng(given.seed)
    sought = random.standard_normal((given.users, given.dim), dtype=np.float32)
    items = random.standard_normal((given.items, given.dim), dtype=np.float32)
    seen = _seen(random, given)
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    lists: dict[str, Ints] = {}
    with on_device("cpu", 1), torch.inference_mode():
        for _ in range(ROUNDS):
            for name, contestant in CONTESTANTS.items():
                begun = time.process_time()
                lists[name] = contestant(sought, items, seen, given.k)
                seconds[name].append(time.process_time() - begun)
    fewest = {name: min(found) for name, found in seconds.items()}
    if given.peer_python:
        _peers(given, sought, items, seen, fewest, lists)
    sizes = {name: getattr(given, name) for name in ("users", "items", "dim", "k", "seen", "seed")}
    result = {"sizes": sizes, "found": _figures(given.users, fewest, lists)}
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    _show(result["found"])
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.top_k_speed", description=__doc__)
    parser.add_argument("--users", type=int, default=16_384)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--seen", type=int, default=50, help="items that a user has seen, on average")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peer-python", type=Path, help="interpreter with implicit and faiss")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _seen(random: np.random.Generator, given: argparse.Namespace) -> Sequences:
    lengths = np.minimum(random.poisson(given.seen, given.users), given.items - given.k)
    parts = [random.choice(given.items, length, replace=False, shuffle=False) for length in lengths]
    return Sequences(np.concatenate(parts).astype(np.int64), np.concatenate([[0], np.cumsum(lengths)]))


def product_alone(sought: Floats, items: Floats, seen: Sequences, k: int) -> Ints:
    """The scores, into one buffer, and nothing else."""
    columns, buffer = torch.from_numpy(items).T.contiguous(), torch.empty(SCORED_USERS, len(items))
    for part in torch.split(torch.from_numpy(sought), SCORED_USERS):
        torch.mm(part, columns, out=buffer[: len(part)])
    return np.zeros((0, k), np.int64)


def ours(sought: Floats, items: Floats, seen: Sequences, k: int) -> Ints:
    """What serves."""
    return best_of(torch.from_numpy(sought), torch.from_numpy(items), k, seen=seen)[0]


def torch_topk(sought: Floats, items: Floats, seen: Sequences, k: int) -> Ints:
    """torch.topk over all scores."""
    columns, buffer = torch.from_numpy(items).T.contiguous(), torch.empty(SCORED_USERS, len(items))
    found = []
    for first in range(0, len(sought), SCORED_USERS):
        users = np.arange(first, min(first + SCORED_USERS, len(sought)))
        values = torch.mm(torch.from_numpy(sought[users]), columns, out=buffer[: len(users)])
        part = seen.of(users)
        cells = np.repeat(np.arange(len(users)) * len(items), part.lengths) + part.items
        values.view(-1).index_fill_(0, torch.from_numpy(cells), -torch.inf)
        found.append(torch.topk(values, k, dim=1).indices.numpy())
    return np.concatenate(found)


def numpy_argpartition(sought: Floats, items: Floats, seen: Sequences, k: int) -> Ints:
    """numpy's product and argpartition."""
    found = []
    for first in range(0, len(sought), SCORED_USERS):
        users = np.arange(first, min(first + SCORED_USERS, len(sought)))
        values, part = sought[users] @ items.T, seen.of(users)
        values[np.repeat(np.arange(len(users)), part.lengths), part.items] = -np.inf
        best = np.argpartition(values, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(values, best, 1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, 1))
    return np.concatenate(found)


CONTESTANTS: dict[str, Contestant] = {
    one.__name__: one for one in (product_alone, ours, torch_topk, numpy_argpartition)
}


def _peers(
    given: argparse.Namespace,
    sought: Floats,
    items: Floats,
    seen: Sequences,
    seconds: dict[str, float],
    lists: dict[str, Ints],
) -> None:
    """Add what the peers' process found."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "arrays.npz", Path(folder) / "result.npz"
        np.savez(source, sought=sought, items=items, seen=seen.items.astype(np.int32), starts=seen.starts)
        script = Path(__file__).with_name("top_k_peers.py")
        command = [str(part) for part in (given.peer_python, script, source, target, given.k)]
        subprocess.run(command, check=True)
        found = dict(np.load(target))
    for name in (one for one in found if not one.endswith("_seconds")):
        seconds[name], lists[name] = float(found[f"{name}_seconds"]), found[name]


def _figures(users: int, seconds: dict[str, float], lists: dict[str, Ints]) -> dict[str, dict[str, float]]:
    """same: share of the places of a list where the item is ours."""
    product = seconds["product_alone"]
    return {
        name: {
            "users_a_cpu_second": round(users / spent),
            "of_product": round(product / spent, 3),
            "same": round(float((lists[name] == lists["ours"]).mean()), 5) if len(lists[name]) else 0.0,
        }
        for name, spent in seconds.items()
    }


def _show(found: dict[str, dict[str, float]]) -> None:
    table = Table("way", "users a CPU second", "of the product's", "same items as ours")
    for name, row in found.items():
        table.add_row(name, f"{row['users_a_cpu_second']:,}", f"{row['of_product']:.2f}", f"{row['same']:.4f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
