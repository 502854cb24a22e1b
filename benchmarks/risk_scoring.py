"""Scoring payments with reasons beside the bare prediction of the same trees: seconds and memory.

python -m benchmarks.risk_scoring [--payments 1000000 --depth 4 --threads 2] --out result.json

Features from a seed, named as the project's are; a model of the product's recipe, but for the depth. `predict` is the
margin of the trees alone, `score` all of it: probabilities and three reasons of each payment. TreeSHAP, which finds
reasons otherwise, is timed on a sample.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb

from models.risk.payments import REASONS, numbers
from models.risk.xgboost_risk import Recipe, XGBoostRisk

WHO = ("customer", "device", "card", "ip", "ip_prefix")
WHAT = ("payments_1d", "payments_7d", "payments_30d", "customers_7d", "customers_30d", "amount_30d", "chargebacks_30d")
RATES = ("chargeback_rate", "fraud_rate_7d", "fraud_rate_30d")
OTHERS = ("amount", "hour_of_day", "account_age_days", "order_lines", "is_guest", "amount_over_usual")
LEARNT = 100_000  # payments that the trees are grown on


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Time it; prints and writes the figures."""
    given = _parsed(arguments)
    model = XGBoostRisk(threads=given.threads, recipe=replace(Recipe(), max_depth=given.depth))
    learnt = _payments(min(LEARNT, given.payments), given)
    model.fit({"payments": learnt}, _outcomes(learnt, given))
    payments = _payments(given.payments, given)
    values = numbers(payments, model.columns)
    model._margins(values[:1000])
    found: dict[str, Any] = {"predict": _timed(lambda: model._margins(values))}
    found["score"] = _timed(lambda: model.predict({"payments": payments}))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sample = xgb.DMatrix(values[: given.sample], nthread=given.threads)
    shap = _timed(lambda: model._serving().predict(sample, pred_contribs=True))
    found["tree_shap"] = {name: seconds * len(values) / sample.num_row() for name, seconds in shap.items()}
    told = model.predict({"payments": payments.head(given.sample)})
    result = {
        "sizes": {name: getattr(given, name) for name in ("payments", "depth", "threads", "sample")},
        "features": len(model.columns),
        "trees": model._serving().num_boosted_rounds(),
        "seconds": {name: {clock: round(spent, 1) for clock, spent in times.items()} for name, times in found.items()},
        "cpu_of_predict": {name: round(found[name]["cpu"] / found["predict"]["cpu"], 1) for name in found},
        "peak_gib": round(peak, 2),
        "reasons_a_payment": round(float(told[list(REASONS)].notna().sum(axis=1).mean()), 2),
    }
    print(json.dumps(result, indent=2))  # noqa: T201
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.risk_scoring", description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--depth", type=int, default=Recipe().max_depth, help="of the trees")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sample", type=int, default=10_000, help="payments that TreeSHAP is timed on")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _payments(count: int, given: argparse.Namespace) -> pd.DataFrame:
    """Counts, sums and rates that go together for each of those who pay, a tenth of them null."""
    random = np.random.default_rng([given.seed, count])
    columns: dict[str, Any] = {"payment_id": np.char.add("x", np.arange(count).astype(str))}
    for who in WHO:
        busy = random.gamma(0.5, 2.0, count)
        for what in WHAT:
            columns[f"{who}_{what}"] = random.poisson(busy) * (1.0 if "amount" not in what else 37.5)
        for rate in RATES:
            columns[f"{who}_{rate}"] = (random.poisson(busy / 20) + 0.1) / (random.poisson(busy) + 20)
        columns[f"days_since_{who}_paid"] = np.where(random.random(count) < 0.5, np.nan, random.gamma(1.0, 20.0, count))
    for other in OTHERS:
        value = random.integers(0, 24, count) if other == "hour_of_day" else random.gamma(1.0, 30.0, count).round(2)
        columns[other] = np.where(random.random(count) < 0.1, np.nan, value)
    start = np.datetime64("2024-01-01", "s")
    return pd.DataFrame(columns).assign(paid_at=start + np.arange(count).astype("timedelta64[s]"))


def _outcomes(payments: pd.DataFrame, given: argparse.Namespace) -> pd.DataFrame:
    """Frauds of about two in a hundred, by devices, rates and amounts."""
    margin = (
        -5.0
        + 0.3 * payments["device_customers_7d"]
        + 12.0 * payments["card_fraud_rate_30d"]
        + 0.01 * payments["amount"].fillna(0.0)
        + 0.2 * payments["ip_payments_1d"] * (payments["hour_of_day"] < 6)
    )
    chance = 1.0 / (1.0 + np.exp(-margin))
    is_fraud = np.random.default_rng([given.seed, 1]).random(len(payments)) < chance
    return pd.DataFrame({"payment_id": payments["payment_id"], "is_fraud": is_fraud, "is_mature": True})


def _timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds by the wall and of the CPU."""
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - begun, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main()
