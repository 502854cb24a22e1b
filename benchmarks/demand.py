"""Demand on any sales file: our models and other packages from the same rolling origins, figures with intervals.

python -m benchmarks.demand --sales FILE.parquet --id COL --time COL --value COL --freq D|W|M|Q --horizon H --folds N
    --threads N --peers NAME... --out result.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.demand_metrics import SEASONS, Floats, Fold, checks, figures, gains, measures, scales, scored, totals
from benchmarks.demand_peers import PEERS, Wanted
from benchmarks.recommendations import cpu_seconds, peak_mib
from benchmarks.sales import GROUPS, PERIOD_DAYS, Columns, Sales, origins, read_sales
from benchmarks.sales_lessons import SalesLessons, block_at
from models import demand
from models.demand.parts import some

Contest = Callable[[str, argparse.Namespace, Sales, Fold], Floats]
LOCAL = "statsforecast_"
"""How the names of peers begin that read each series for itself."""
MODELS: dict[str, Any] = {model.name: model for model in demand.CONTESTANTS}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the protocol that the arguments name; writes and gives the figures."""
    given = parsed(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sales = read_sales(given.sales, Columns(given.id, given.time, given.value, given.groups), given.freq, given.where)
    folds = _folds(sales, given)
    result: dict[str, Any] = {"protocol": _protocol(given, sales, folds), "models": {}, "gains": {}}
    judged: dict[str, dict[str, pd.DataFrame]] = {}
    samples = [some(len(fold.rows), given.sample or len(fold.rows), [given.seed, fold.cut]) for fold in folds]
    taken = [Fold(fold.cut, fold.rows[sample]) for fold, sample in zip(folds, samples, strict=True)]
    sizes = [scales(sales, taken, season) for season in (given.season, 1)]
    contests: list[tuple[str, Contest]] = [(name, _ours) for name in given.model] + [
        (name, _peer) for name in given.peers
    ]
    for name, contest in contests:
        before, begun = cpu_seconds(), time.perf_counter()
        forecasts = [
            _kept(contest, name, given, sales, fold, sample) for fold, sample in zip(folds, samples, strict=True)
        ]
        spent = {"cpu_seconds": round(cpu_seconds() - before, 1), "wall_seconds": round(time.perf_counter() - begun, 1)}
        rows = scored(sales, taken, forecasts, given.horizon)
        judged[name] = measures(rows, *sizes)
        found = figures(judged[name], seed=given.seed, resamples=given.resamples)
        result["models"][name] = found | spent | {"peak_mib": peak_mib()} | checks(rows) | totals(sales, rows)
        print(json.dumps({"model": name} | found | spent), flush=True)  # noqa: T201
        result["gains"] |= _gains(given, judged, name)
        given.out.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demand", description=__doc__)
    parser.add_argument("--sales", type=Path, required=True, help="a Parquet file, one row a sale or a period")
    parser.add_argument("--where", help="rows that count, as pandas' query takes it")
    parser.add_argument("--id", nargs="+", required=True, help="the column of the series, or several that name it")
    parser.add_argument("--time", required=True)
    parser.add_argument("--value", required=True)
    parser.add_argument("--groups", nargs="*", default=[], help=f"columns of the series that stand for {GROUPS}")
    parser.add_argument("--freq", choices=sorted(PERIOD_DAYS), required=True)
    parser.add_argument("--horizon", type=int, required=True, help="periods ahead")
    parser.add_argument("--folds", type=int, default=3, help="windows of the horizon, side by side")
    parser.add_argument("--before", type=int, default=0, help="windows at the end that nobody looks at")
    parser.add_argument(
        "--least", type=int, default=1, help="periods with a sale before the cut-off of a series judged"
    )
    parser.add_argument(
        "--sample", type=int, help="series of each window that all are judged on, drawn by the seed; all by default"
    )
    parser.add_argument("--season", type=int, help="periods, of MASE and of the peers")
    parser.add_argument("--country", help="whose public holidays our models know (ISO 3166); Easter always")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", nargs="*", default=["xgboost_quantiles"], choices=sorted(MODELS), help="ours")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON of what our trees are grown by")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="interpreter with the peers")
    parser.add_argument(
        "--keep", type=Path, help="a folder that forecasts are kept in and taken from: empty it when code changes"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    given.season = given.season or SEASONS[given.freq]
    if given.horizon < 1 or given.folds < 1 or len(given.groups) > len(GROUPS):
        parser.error(f"--horizon and --folds are at least 1, --groups at most {len(GROUPS)}")
    return given


def _folds(sales: Sales, given: argparse.Namespace) -> list[Fold]:
    """The windows with the series judged in each; raises ValueError where one has none."""
    cuts = origins(sales, given.horizon, given.folds, given.before)
    folds = [Fold(cut, sales.scope(cut, given.least)) for cut in cuts]
    if empty := [str(sales.starts[fold.cut]) for fold in folds if not len(fold.rows)]:
        raise ValueError(
            f"{given.sales}: found no series that sold in {max(given.least, 1)} periods before {empty[0]}, expected "
            "at least one: ask for fewer by --least, or for fewer --folds"
        )
    return folds


def _protocol(given: argparse.Namespace, sales: Sales, folds: list[Fold]) -> dict[str, Any]:
    kept = (
        "where",
        "freq",
        "horizon",
        "folds",
        "before",
        "least",
        "season",
        "threads",
        "seed",
        "groups",
        "recipe",
        "sample",
    )
    counts = {
        "series": len(sales.ids),
        "periods": sales.values.shape[1],
        "origins": [str(sales.starts[fold.cut]) for fold in folds],
        "judged": [min(len(fold.rows), given.sample or len(fold.rows)) for fold in folds],
    }
    return {name: getattr(given, name) for name in kept} | counts


def _gains(given: argparse.Namespace, judged: dict[str, dict[str, pd.DataFrame]], newest: str) -> dict[str, Any]:
    """The newest against every other, ours first: how much lower each error is."""
    pairs = [(ours, other) for ours in given.model for other in judged if ours in judged and newest in (ours, other)]
    return {
        f"{ours} against {other}": gains(judged[ours], judged[other], seed=given.seed, resamples=given.resamples)
        for ours, other in pairs
        if ours != other
    }


def _kept(
    make: Contest, name: str, given: argparse.Namespace, sales: Sales, fold: Fold, sample: NDArray[np.int64]
) -> Floats:
    """The sample's part of a forecast that an earlier run has left in the folder `--keep`, else made, and left there.

    A package that reads each series for itself is asked for the sample alone.
    """
    told = (
        f"{given.sales} {given.where} {given.id} {given.groups} {given.freq} {given.least} {given.seed} {given.recipe}"
    )
    stem = f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}-{given.horizon}-{fold.cut}"
    file = given.keep / f"{stem}.npy" if given.keep else None
    if given.sample and name.startswith(LOCAL) and not (file and file.is_file()):
        file = file and file.with_name(f"{stem}-{given.sample}.npy")
        fold, sample = Fold(fold.cut, fold.rows[sample]), np.arange(len(sample))
    if file is None:
        return make(name, given, sales, fold)[sample]
    if not file.is_file():
        given.keep.mkdir(parents=True, exist_ok=True)
        np.save(file, make(name, given, sales, fold))
    return np.asarray(np.load(file))[sample]


def _ours(name: str, given: argparse.Namespace, sales: Sales, fold: Fold) -> Floats:
    """[n, H, 4] mean and quantiles of one of our models, fitted on what the fold's cut-off knows."""
    from models.demand.trees import Recipe

    settings: dict[str, Any] = (
        {"recipe": Recipe(**given.recipe)} if given.recipe and name == "xgboost_quantiles" else {}
    )
    model = MODELS[name](
        horizon=given.horizon,
        period_days=PERIOD_DAYS[given.freq],
        threads=given.threads,
        seed=given.seed,
        country=given.country,
        **settings,
    )
    model.learn(SalesLessons(sales, fold.cut, given.horizon, given.freq))
    return np.stack(model.forecast(block_at(sales, fold.cut, fold.rows, given.freq)), axis=-1).astype(np.float64)


def _peer(name: str, given: argparse.Namespace, sales: Sales, fold: Fold) -> Floats:
    """[n, H, 4] of another package, made by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "sales.parquet", Path(folder) / "forecasts.parquet"
        _told(sales, fold).to_parquet(source)
        wanted = Wanted(given.horizon, given.freq, given.season, given.threads, given.seed)
        script = Path(__file__).with_name("demand_peers.py")
        limits = {key: str(given.threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
        command = [str(given.peer_python), str(script), name, str(source), str(target), json.dumps(asdict(wanted))]
        subprocess.run(command, check=True, env=os.environ | limits)
        found = pd.read_parquet(target).sort_values(["series", "horizon"])
    columns = found[["mean", "p10", "p50", "p90"]].to_numpy(np.float64)
    return np.asarray(columns.reshape(len(fold.rows), given.horizon, 4))


def _told(sales: Sales, fold: Fold) -> pd.DataFrame:
    """What a peer knows: every period of each series from its first sale on."""
    age = fold.cut - sales.first[fold.rows]
    place = np.concatenate([np.arange(first, fold.cut) for first in sales.first[fold.rows]])
    series = np.repeat(np.arange(len(fold.rows)), age)
    groups = {name: sales.groups[name].to_numpy()[fold.rows][series] for name in GROUPS}
    return pd.DataFrame({"series": series, "ds": place, "y": sales.values[fold.rows[series], place]} | groups)


if __name__ == "__main__":
    main()
