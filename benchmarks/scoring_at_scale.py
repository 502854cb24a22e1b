"""The best k of many products for a million customers: users a second by the floor of the product's flops, and memory.

python -m benchmarks.scoring_at_scale [--users 1000000 --items 50000 --threads 2] --out result.json

Vectors from a seed; each chunk of users is written to a Parquet file in a temporary folder before the next is scored.
The floor is the matrix product alone on a sample of the users, in the same process before and after.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from models.recommendations.sequence.packing import Sequences
from models.recommendations.sequence.runtime import on_device
from models.recommendations.sequence.scoring import SCORED_USERS, best_of

Floats = NDArray[np.float32]
MOST_GIB = 4.0
"""Memory that the run may take."""


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Score everybody; prints and writes the figures. Raises MemoryError where it took more memory than it may."""
    given = _parsed(arguments)
    items = np.random.default_rng([given.seed, 1]).standard_normal((given.items, given.dim), dtype=np.float32)
    with on_device("cpu", given.threads), tempfile.TemporaryDirectory() as folder:
        floors = [_floor(items, given)]
        begun, cpu = time.perf_counter(), time.process_time()
        written = _scored(items, Path(folder) / "lists.parquet", given)
        spent, cpu_spent = time.perf_counter() - begun, time.process_time() - cpu
        floors.append(_floor(items, given))
    wall, cpu_floor = (float(np.mean(part)) for part in zip(*floors, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    result = {
        "sizes": {name: getattr(given, name) for name in ("users", "items", "dim", "k", "seen", "threads", "chunk")},
        "rows_written": written,
        "peak_gib": round(peak, 3),
        "wall_seconds": round(spent, 1),
        "cpu_seconds": round(cpu_spent, 1),
        "users_a_second": round(given.users / spent),
        "users_a_cpu_second": round(given.users / cpu_spent),
        "product_users_a_second": round(wall),
        "product_users_a_cpu_second": round(cpu_floor),
        "product_gflops_a_cpu_second": round(2e-9 * given.items * given.dim * cpu_floor, 1),
        "of_product_wall": round(given.users / spent / wall, 3),
        "of_product_cpu": round(given.users / cpu_spent / cpu_floor, 3),
    }
    print(json.dumps(result, indent=2))  # noqa: T201
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    if peak > MOST_GIB:
        raise MemoryError(f"took {peak:.2f} GiB, expected at most {MOST_GIB}: make --chunk smaller")
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_at_scale", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--seen", type=int, default=50, help="products that a customer has bought")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=32_768, help="customers between two writes")
    parser.add_argument("--sample", type=int, default=16_384, help="customers whose product alone is timed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _people(first: int, given: argparse.Namespace) -> tuple[Floats, Sequences]:
    """Vectors of the customers of a chunk, and what they have bought."""
    count = min(given.chunk, given.users - first)
    random = np.random.default_rng([given.seed, 2, first])
    bought = random.integers(0, given.items, count * given.seen)
    vectors = random.standard_normal((count, given.dim), dtype=np.float32)
    return vectors, Sequences(bought, np.arange(count + 1, dtype=np.int64) * given.seen)


def _scored(items: Floats, target: Path, given: argparse.Namespace) -> int:
    """Rows written: the best of everybody, a chunk at a time."""
    schema = pa.schema([("customer", pa.int32()), ("product", pa.int32()), ("score", pa.float32())])
    vectors, rows = torch.from_numpy(items), 0
    with pq.ParquetWriter(target, schema) as writer:
        for first in range(0, given.users, given.chunk):
            sought, seen = _people(first, given)
            places, scores = best_of(torch.from_numpy(sought), vectors, given.k, seen=seen)
            who = np.repeat(np.arange(first, first + len(sought), dtype=np.int32), given.k)
            columns = [who, places.astype(np.int32).ravel(), scores.ravel()]
            writer.write_table(pa.table([pa.array(column) for column in columns], schema=schema))
            rows += len(who)
    return rows


def _floor(items: Floats, given: argparse.Namespace) -> tuple[float, float]:
    """Users a second and a CPU second of the matrix product alone, into one buffer."""
    columns = torch.from_numpy(items).T.contiguous()
    buffer = torch.empty(SCORED_USERS, len(items))
    sample = torch.randn(given.sample, given.dim, generator=torch.Generator().manual_seed(given.seed))
    for part in torch.split(sample[:SCORED_USERS], SCORED_USERS):
        torch.mm(part, columns, out=buffer[: len(part)])
    begun, cpu = time.perf_counter(), time.process_time()
    for part in torch.split(sample, SCORED_USERS):
        torch.mm(part, columns, out=buffer[: len(part)])
    return given.sample / (time.perf_counter() - begun), given.sample / (time.process_time() - cpu)


if __name__ == "__main__":
    main()
