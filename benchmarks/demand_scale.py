"""Demand of 1,000 to 100,000 series: CPU seconds and peak memory of a fit and a forecast, and how they grow.

python -m benchmarks.demand_scale [--series 1000 10000 100000 --model xgboost_quantiles --peers mlforecast_lightgbm]
    [--peer-series 1000 10000] --peer-python PYTHON --threads 1 --out result.json

Made-up weekly series (generated_series.py), the last eight weeks held out. Each model and size runs in a process of its
own, so that the peak is that process's. Seconds are of the fit and the forecast alone: no imports, no reading.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.demand import MODELS
from benchmarks.demand_metrics import SEASONS
from benchmarks.demand_peers import PEERS, Wanted
from benchmarks.generated_series import WEEKS, parts, sales_of
from benchmarks.sales_lessons import SalesLessons, block_at

FREQ, HORIZON = "W", 8
CUT = WEEKS - HORIZON


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure every model at every size; prints and writes the figures."""
    given = _parsed(arguments)
    if given.alone:
        return _alone(given)
    result: dict[str, Any] = {"threads": given.threads, "seed": given.seed, "measured": []}
    jobs = [(name, size, _ours) for name in given.model for size in given.series]
    jobs += [(name, size, _peer) for name in given.peers for size in given.peer_series or given.series]
    for name, size, run in jobs:
        with tempfile.TemporaryDirectory() as folder:
            found = {"model": name, "series": size} | run(name, size, given, Path(folder))
        spent = found["fit_cpu_seconds"] + found["forecast_cpu_seconds"]
        found |= {"microseconds_a_series": round(1e6 * spent / size)}
        result["measured"].append(found)
        result["growth"] = _growth(result["measured"])
        print(json.dumps(found), flush=True)  # noqa: T201
        given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result["growth"]))  # noqa: T201
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demand_scale", description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--model", nargs="*", default=["xgboost_quantiles"], choices=sorted(MODELS), help="ours")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    parser.add_argument("--peer-series", type=int, nargs="+", help="sizes of the peers, where not all of --series")
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="interpreter with the peers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--alone", action="store_true", help="measure the first model and size in this process")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _alone(given: argparse.Namespace) -> dict[str, Any]:
    """Fit and forecast in this process."""
    sales = sales_of(given.series[0], given.seed)
    rows = sales.scope(CUT, 1)
    model = MODELS[given.model[0]](horizon=HORIZON, period_days=7, threads=given.threads, seed=given.seed)
    begun, marks = time.perf_counter(), [time.process_time()]
    model.learn(SalesLessons(sales, CUT, HORIZON, FREQ))
    marks.append(time.process_time())
    forecast = model.forecast(block_at(sales, CUT, rows, FREQ))
    marks.append(time.process_time())
    fit, ahead = np.diff(marks)
    wall = time.perf_counter() - begun
    wape = np.abs(sales.values[rows, CUT:] - forecast.p50).sum() / sales.values[rows, CUT:].sum()
    found = _figures(fit, ahead, wall, float(wape))
    given.out.write_text(json.dumps(found), "utf-8")
    return found


def _figures(fit: float, ahead: float, wall: float, wape: float) -> dict[str, float]:
    return {
        "fit_cpu_seconds": round(fit, 2),
        "forecast_cpu_seconds": round(ahead, 2),
        "wall_seconds": round(wall, 2),
        "wape": round(wape, 4),
    }


def _ours(name: str, size: int, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One of our models, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.demand_scale", "--alone", "--model", name, "--series", str(size)]
    command += ["--threads", str(given.threads), "--seed", str(given.seed), "--out", str(folder / "found.json")]
    peak = _peak_of(command, given.threads)
    found: dict[str, Any] = json.loads((folder / "found.json").read_text("utf-8"))
    return found | {"peak_mib": peak}


def _peer(name: str, size: int, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Another package, in a process of its own."""
    source, target = folder / "sales.parquet", folder / "forecasts.parquet"
    _write(source, size, given.seed)
    wanted = Wanted(HORIZON, FREQ, SEASONS[FREQ], given.threads, given.seed)
    script = str(Path(__file__).with_name("demand_peers.py"))
    begun = time.perf_counter()
    command = [str(given.peer_python), "-W", "ignore", script, name, str(source), str(target)]
    peak = _peak_of([*command, json.dumps(asdict(wanted))], given.threads)
    wall, found = time.perf_counter() - begun, pd.read_parquet(target)
    spent = found.attrs
    return _figures(spent["fit_cpu_seconds"], spent["forecast_cpu_seconds"], wall, _wape(found, size, given.seed)) | {
        "peak_mib": peak
    }


def _peak_of(command: list[str], threads: int) -> int:
    """The most memory, in MiB, that the command had; raises CalledProcessError where it fails."""
    limits = {key: str(threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
    process = subprocess.Popen(command, env=os.environ | {"OMP_WAIT_POLICY": "passive"} | limits)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss // 1024


def _write(target: Path, size: int, seed: int) -> None:
    """What a peer knows: every week of each series from its first sale to the cut-off, a part at a time."""
    schema, start = pa.schema([("series", pa.int32()), ("ds", pa.int32()), ("y", pa.float32())]), 0
    with pq.ParquetWriter(target, schema) as writer:
        for part in parts(size, seed):
            past = part.units[:, :CUT]
            first = np.where((past > 0).any(axis=1), (past > 0).argmax(axis=1), CUT)
            which, when = np.nonzero(np.arange(CUT)[None] >= first[:, None])
            columns = [(start + which).astype(np.int32), when.astype(np.int32), past[which, when]]
            writer.write_table(pa.table([pa.array(column) for column in columns], schema=schema))
            start += len(past)


def _wape(found: pd.DataFrame, size: int, seed: int) -> float:
    """The held-out weeks' sum of errors by what came."""
    median, error, came, start = found["p50"].to_numpy(np.float64).reshape(-1, HORIZON), 0.0, 0.0, 0
    for part in parts(size, seed):
        units = part.units[(part.units[:, :CUT] > 0).any(axis=1), CUT:]
        error += float(np.abs(units - median[start : start + len(units)]).sum())
        came += float(units.sum())
        start += len(units)
    return error / came


def _growth(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """By model, each size's cost by that of the size before it."""
    found: dict[str, Any] = {}
    for before, now in pairwise(measured):
        if before["model"] == now["model"]:
            ratios = {
                name: round(now[name] / max(before[name], 0.01), 2)
                for name in ("series", "fit_cpu_seconds", "forecast_cpu_seconds", "peak_mib")
            }
            found[f"{now['model']} {before['series']} to {now['series']}"] = ratios
    return found


if __name__ == "__main__":
    main()
