"""Risk on any landing zone, or on the Fraud Detection Handbook's transactions: our models beside other packages'.

python -m benchmarks.risk --landing DIR --train-until DATE --test-from DATE --test-until DATE --out result.json
python -m benchmarks.risk --transactions FILE.parquet --protocol A B C --peers handbook_xgboost --out result.json
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
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.landing import read_entity
from benchmarks.payment_store import Payments, payments_of, write_transactions
from benchmarks.recommendations import cpu_seconds
from benchmarks.risk_metrics import figures, gains
from benchmarks.risk_peers import PEERS, Wanted
from models import risk
from models.risk.metrics import with_labels
from models.risk.payments import KEY, PROBABILITY
from models.risk.xgboost_risk import Recipe, XGBoostRisk

MODELS = {model.name: model for model in risk.CONTESTANTS}
REPORT_DAYS = 7
"""Days after which the handbook's frauds are known."""
ALL, LONG = date(2018, 4, 1), 98


@dataclass(frozen=True)
class Fold:
    """Days of payments to learn from and to be judged on, the last of each span with it."""

    train_from: date
    train_until: date
    test_from: date
    test_until: date
    without_known: bool = True
    """Whether customers whose fraud is known are left out of the test, as the handbook does."""

    @classmethod
    def of_week(cls, train_from: date, test_from: date) -> Fold:
        """A week's test, of what is known a week and a day after the last payment that is learnt from."""
        return cls(train_from, test_from - timedelta(REPORT_DAYS + 1), test_from, test_from + timedelta(6))


def handbook(protocol: str, weeks_before: int = 0) -> list[Fold]:
    """A: one week of training; B: all that has matured; C: four weeks of tests, learnt from 98 days each."""
    first = date(2018, 8, 8) - timedelta(7 * weeks_before)
    if protocol == "C":
        tests = [first + timedelta(7 * week) for week in range(4)]
        return [Fold.of_week(test - timedelta(REPORT_DAYS + LONG), test) for test in tests]
    return [Fold.of_week(first - timedelta(14) if protocol == "A" else ALL, first)]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the protocols that the arguments name; writes and gives the figures."""
    given = parsed(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    protocols = (
        {name: handbook(name, given.weeks_before) for name in given.protocol}
        if given.transactions
        else {"given": [Fold(given.train_from, given.train_until, given.test_from, given.test_until, False)]}
    )
    cutoffs = [fold.test_from for folds in protocols.values() for fold in folds]
    with tempfile.TemporaryDirectory() as scratch:
        kept = given.keep or Path(scratch)
        landing = given.landing or kept / "landing"
        if given.transactions and not landing.exists():
            write_transactions(given.transactions, landing, REPORT_DAYS)
        payments, as_of = payments_of(landing, kept / "home", cutoffs, given.maturity_days, given.threads)
        result: dict[str, Any] = {"protocols": {}}
        for name, folds in protocols.items():
            result["protocols"][name] = _judge(given, landing, payments, as_of, name, folds)
            given.out.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.risk", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--landing", type=Path, help="a landing zone, with --train-until, --test-from, --test-until")
    source.add_argument("--transactions", type=Path, help="the handbook's transactions, with --protocol")
    parser.add_argument("--protocol", nargs="+", default=["A", "B", "C"], choices=["A", "B", "C"])
    parser.add_argument("--weeks-before", type=int, default=0, help="weeks that all windows are moved back by")
    parser.add_argument("--train-from", type=date.fromisoformat, default=date.min)
    for name in ("--train-until", "--test-from", "--test-until"):
        parser.add_argument(name, type=date.fromisoformat)
    parser.add_argument("--maturity-days", type=int, help="days after which a payment counts as honest (45; 7)")
    parser.add_argument("--model", nargs="*", default=["xgboost_risk"], choices=sorted(MODELS), help="ours")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON of what our trees are grown by")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="interpreter with the peers")
    parser.add_argument("--keep", type=Path, help="a folder that the built features are kept in and taken from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.landing and not (given.train_until and given.test_from and given.test_until):
        parser.error("--landing takes --train-until, --test-from and --test-until")
    given.maturity_days = given.maturity_days or (REPORT_DAYS if given.transactions else 45)
    return given


def _judge(
    given: argparse.Namespace, landing: Path, payments: Payments, as_of: date, protocol: str, folds: list[Fold]
) -> dict[str, Any]:
    """The figures of every model on the folds of a protocol."""
    judged: dict[str, list[pd.DataFrame]] = {}
    found: dict[str, Any] = {"folds": [asdict(fold) for fold in folds], "models": {}, "gains": {}}
    truth = _told(payments, as_of)
    for name in (*given.model, *given.peers):
        windows, spent = [], []
        for fold in folds:
            before, begun = cpu_seconds(), time.perf_counter()
            ours = _ours if name in given.model else _peer
            predicted, more = ours(given, landing, payments, name, fold)
            clock = {"cpu_seconds": round(cpu_seconds() - before, 1), "wall_seconds": time.perf_counter() - begun}
            spent.append(clock | more)
            windows.append(predicted)
        labelled = [_labelled(predicted, payments, truth, fold) for predicted, fold in zip(windows, folds, strict=True)]
        judged[name] = labelled
        found["models"][name] = figures(labelled, seed=given.seed, resamples=given.resamples) | {"folds": spent}
        if name == XGBoostRisk.name:
            raw = [frame.assign(**{PROBABILITY: frame["raw"]}) for frame in labelled]
            judged["before calibration"] = raw
            found["models"]["before calibration"] = figures(raw, seed=given.seed, resamples=given.resamples)
        print(json.dumps({"protocol": protocol, "model": name} | found["models"][name]), flush=True)  # noqa: T201
    for one in given.model:
        for other in judged:
            if one != other:
                compared = gains(judged[one], judged[other], seed=given.seed, resamples=given.resamples)
                found["gains"][f"{one} against {other}"] = compared
    return found


def _told(payments: Payments, known_as_of: date) -> pd.DataFrame:
    """What was known of the payments on a night."""
    return payments.targets[pd.to_datetime(payments.targets["known_as_of"]) == pd.Timestamp(known_as_of)]


def _ours(
    given: argparse.Namespace, landing: Path, payments: Payments, name: str, fold: Fold
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """payment_id and fraud_probability of the test by one of ours, fitted on what the test's first night knows."""
    settings: dict[str, Any] = {"recipe": Recipe(**given.recipe)} if name == XGBoostRisk.name else {}
    model = MODELS[name](threads=given.threads, seed=given.seed, **settings)
    known = _between(payments.features, fold.train_from, fold.train_until)
    model.fit({"payments": known}, _told(payments, fold.test_from))
    asked = {"payments": _between(payments.features, fold.test_from, fold.test_until)}
    if not isinstance(model, XGBoostRisk):
        return model.predict(asked), {}
    found = model.probabilities(asked).rename(columns={"uncalibrated": "raw"})
    return found, {"trained_on": len(known), "calibration": model.calibration.kind}


def _peer(
    given: argparse.Namespace, landing: Path, payments: Payments, name: str, fold: Fold
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The same by another package, in a process of its own, on the payments as they were delivered."""
    told = read_entity(landing, "payments", [KEY, "customer_id", "device_id", "paid_at", "amount"])
    fraud = payments.targets.groupby(KEY)["is_fraud"].max()  # what the last cut-off knows
    told = told.drop_duplicates(KEY, keep="last").assign(amount=lambda rows: rows["amount"].astype(float))
    told = told.assign(is_fraud=told[KEY].map(fraud).fillna(False).astype(bool)).drop(columns="dt")
    spans = {key: value for key, value in asdict(fold).items() if key != "without_known"}
    spans["train_from"] = max(fold.train_from, told["paid_at"].min().date())
    wanted = Wanted(**{key: str(day) for key, day in spans.items()}, delay_days=given.maturity_days,
                    threads=given.threads, seed=given.seed)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "payments.parquet", Path(folder) / "found.parquet"
        told.to_parquet(source)
        script = Path(__file__).with_name("risk_peers.py")
        command = [str(given.peer_python), str(script), name, str(source), str(target), json.dumps(asdict(wanted))]
        limits = {key: str(given.threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        subprocess.run(command, check=True, env=os.environ | limits)
        found = pd.read_parquet(target)
    return found, {key: round(value, 2) for key, value in found.attrs.items()}


def _between(payments: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The payments of some days, the last with it."""
    at = pd.to_datetime(payments["paid_at"])
    after = at >= pd.Timestamp(max(first, date(1970, 1, 1)))
    return payments[after & (at < pd.Timestamp(last + timedelta(1)))].reset_index(drop=True)


def _labelled(predicted: pd.DataFrame, payments: Payments, truth: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    """The test with what came out, without the customers whose fraud was known where the fold asks for that."""
    test = _between(payments.features, fold.test_from, fold.test_until)
    judged = with_labels(predicted, test, truth)
    if "raw" in predicted:
        judged = judged.merge(predicted[[KEY, "raw"]], on=KEY)
    if not fold.without_known:
        return judged
    week = _between(payments.features, fold.train_until - timedelta(6), fold.test_until)
    frauds = week.merge(truth.loc[truth["is_fraud"].astype(bool), [KEY]], on=KEY)
    day = pd.to_datetime(frauds["paid_at"]).dt.floor("D") + pd.Timedelta(days=REPORT_DAYS + 1)
    known = day.groupby(frauds["customer_id"].astype(str)).min()  # the day from which a customer's fraud is known
    first = judged["entity"].map(known)
    return judged[~(first <= judged["day"])].reset_index(drop=True)


if __name__ == "__main__":
    main()
