"""Recommendations on any interactions file: our models and other packages under one protocol, figures with intervals.

python -m benchmarks.recommendations --interactions FILE.parquet --user COL --item COL --order COL
    --split leave-one-out|global [--cut DATE --window DAYS] --model NAME... [--peers NAME...] --out result.json

Launched by `torchrun --nproc-per-node N -m benchmarks.recommendations`, N processes train the sequence model together.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
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

from benchmarks.interactions import (
    AT,
    ITEM,
    USER,
    Columns,
    Round,
    global_split,
    leave_one_out,
    new_to_the_user,
    read_events,
)
from benchmarks.metrics import figures
from benchmarks.peers import PEERS, Wanted
from benchmarks.processes import process_group
from benchmarks.ratios import ratios, show

SHARED = "sequence_transformer"
"""The model that several processes train together."""
MARGIN = 2
"""Lists are asked this many times as long as judged, so that equal scores at the end may be drawn."""


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the protocol that the arguments name; writes and gives the figures."""
    given = parsed(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with process_group(given.settings.get("device", "cpu")) as is_first:
        events = read_events(given.interactions, Columns(given.user, given.item, given.order, given.title), given.where)
        is_global = given.split == "global"
        rounds = global_split(events, given.cut, given.window) if is_global else leave_one_out(events)
        if not is_first:
            given.model = [name for name in given.model if name == SHARED]
        return _contested(given, rounds, is_first=is_first)


def _contested(given: argparse.Namespace, rounds: list[Round], *, is_first: bool) -> dict[str, Any]:
    """Every contestant's figures; a process that is not the first only helps to train."""
    judged = new_to_the_user(rounds[-1]) if given.only_new else rounds[-1]
    result: dict[str, Any] = {"protocol": _protocol(given, rounds[-1], judged), "models": {}, "ratios": {}}
    contests = [(name, _ours) for name in given.model] + [(name, _peer) for name in given.peers if is_first]
    for name, contest in contests:
        before, begun = cpu_seconds(), time.perf_counter()
        lists, learnt = contest(name, given, rounds)
        if not is_first:
            continue
        spent = {"cpu_seconds": round(cpu_seconds() - before, 1), "wall_seconds": round(time.perf_counter() - begun, 1)}
        judgement = figures(lists, judged, given.k, seed=given.seed, resamples=given.resamples)
        result["models"][name] = judgement | spent | {"learnt": learnt, "peak_mib": peak_mib()}
        print(json.dumps({"model": name} | judgement | spent), flush=True)  # noqa: T201
        result["ratios"] = ratios(result["models"], given.k)
        given.out.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    show(result)
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommendations", description=__doc__)
    parser.add_argument("--interactions", type=Path, required=True, help="a Parquet file, one row an interaction")
    parser.add_argument("--where", help="rows that count, as pandas' query takes it")
    for name in ("user", "item", "order"):
        parser.add_argument(f"--{name}", required=True, help=f"the column of the {name}")
    parser.add_argument("--title", help="the column of the item's title: content that tells items without sales")
    parser.add_argument("--split", choices=["leave-one-out", "global"], required=True)
    parser.add_argument("--cut", type=dt.date.fromisoformat, help="global: the first day of the window")
    parser.add_argument("--window", type=int, default=28, help="global: days")
    parser.add_argument("--seen", choices=["filtered", "kept"], default="filtered", help="items a user had before")
    parser.add_argument("--only-new", action="store_true", help="judge only by items new to the user")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="CPU minutes (of the first process) that end training"
    )
    parser.add_argument("--model", nargs="*", default=[], help="our models by name")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="interpreter with the peers")
    parser.add_argument("--peer-epochs", type=int, default=10, help="of the peers' sequence models")
    parser.add_argument("--peer-length", type=int, default=200, help="events a user of the peers' sequence models")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON of sizes and recipe, sequence model")
    parser.add_argument("--checkpoint", type=Path, help="file that the sequence model's training goes on from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.split == "global" and given.cut is None:
        parser.error("--split global needs --cut")
    return given


def _protocol(given: argparse.Namespace, test: Round, judged: Round) -> dict[str, Any]:
    kept = ("split", "cut", "window", "seen", "only_new", "k", "threads", "minutes", "seed", "where", "settings")
    counts = {
        "users": int(judged.targets[USER].nunique()),
        "targets": len(judged.targets),
        "known_events": len(test.known),
        "items": int(test.known[ITEM].nunique()),
        "targets_unknown": int((~judged.targets[ITEM].isin(test.known[ITEM])).sum()),
    }
    return {name: getattr(given, name) for name in kept} | counts


def _ours(name: str, given: argparse.Namespace, rounds: list[Round]) -> tuple[pd.DataFrame, dict[str, Any]]:
    from benchmarks.contestants import Asked, lists_of

    asked = Asked(
        rounds=rounds,
        top_k=MARGIN * given.k,
        seen_filtered=given.seen == "filtered",
        threads=given.threads,
        seed=given.seed,
        hold_out_all=given.split == "leave-one-out",
        tell=_teller(given.minutes, given.checkpoint),
        settings=given.settings | {"checkpoint": given.checkpoint},
    )
    return lists_of(name, asked)


def _teller(minutes: float, checkpoint: Path | None) -> Callable[[dict[str, float]], bool]:
    """Prints each epoch with the CPU seconds so far, of earlier processes too; ends the training with the minutes."""
    from models.recommendations.sequence.checkpoint import curve_so_far

    earlier = curve_so_far(checkpoint)
    begun = cpu_seconds() - (earlier[-1]["cpu_seconds"] if earlier else 0.0)

    def tell(epoch: dict[str, float]) -> bool:
        epoch["cpu_seconds"] = round(cpu_seconds() - begun, 1)
        print(json.dumps(epoch), flush=True)  # noqa: T201
        return epoch["cpu_seconds"] >= 60.0 * minutes

    return tell


def _peer(name: str, given: argparse.Namespace, rounds: list[Round]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The lists of another package, made by a process of its own."""
    known, (user, users), (item, items) = rounds[-1].known, *_codes(rounds[-1].known)
    asked = known[USER].isin(rounds[-1].targets[USER]).to_numpy()
    order = pd.to_datetime(known[AT]).rank(method="first").astype(np.int64)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "events.parquet", Path(folder) / "lists.parquet"
        pd.DataFrame({"user": user, "item": item, "order": order, "is_asked": asked}).to_parquet(source)
        wanted = Wanted(
            k=MARGIN * given.k,
            threads=given.threads,
            seed=given.seed,
            seen_filtered=given.seen == "filtered",
            epochs=given.peer_epochs,
            length=given.peer_length,
        )
        script = Path(__file__).with_name("peers.py")
        limits = {key: str(given.threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        command = [str(given.peer_python), str(script), name, str(source), str(target), json.dumps(asdict(wanted))]
        subprocess.run(command, check=True, env=os.environ | limits)
        found = pd.read_parquet(target)
    lists = {USER: users[found["user"]], ITEM: items[found["item"]], "score": found["score"]}
    return pd.DataFrame(lists), {"wanted": asdict(wanted)}


def _codes(known: pd.DataFrame) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return pd.factorize(known[USER], sort=True), pd.factorize(known[ITEM], sort=True)


def cpu_seconds() -> float:
    """User and system seconds of this process and of its ended children."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def peak_mib() -> int:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
