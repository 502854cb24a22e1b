"""Other packages' fraud models on the Fraud Detection Handbook's features; run as a script by any interpreter.

`python risk_peers.py NAME PAYMENTS.parquet FOUND.parquet WANTED`: payments hold payment_id, customer_id, device_id,
paid_at, amount, is_fraud; found holds payment_id, fraud_probability of the test, with attrs of CPU seconds of the fit
and the prediction. WANTED is JSON of `Wanted`. Needs nothing of this project: see README.md beside it.

The features are those of Le Borgne et al., Reproducible Machine Learning for Credit Card Fraud Detection (2022),
chapter 3: weekend and night, counts and mean amounts of the customer within 1, 7 and 30 days, and counts and shares
of frauds of the terminal within as many, up to the delay before.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

DAY = 86_400
WINDOWS = (1, 7, 30)


@dataclass(frozen=True)
class Wanted:
    """What a peer is asked for: days as ISO dates, the last of each span with it."""

    train_from: str
    train_until: str
    test_from: str
    test_until: str
    delay_days: int
    threads: int
    seed: int


def handbook_features(payments: pd.DataFrame, delay_days: int) -> pd.DataFrame:
    """payment_id, paid_at, is_fraud and the handbook's 15 features."""
    rows = payments.sort_values(["paid_at", "payment_id"], ignore_index=True)
    found = rows[["payment_id", "paid_at", "is_fraud", "amount"]].copy()
    found["weekend"] = (rows["paid_at"].dt.day_of_week >= 5).astype(int)
    found["night"] = (rows["paid_at"].dt.hour <= 6).astype(int)
    for key, name in (("customer_id", "customer"), ("device_id", "terminal")):
        order, start = _by_key(rows[key])
        at = rows["paid_at"].to_numpy("datetime64[s]").astype(np.int64)[order]
        value = rows["amount" if name == "customer" else "is_fraud"].to_numpy(np.float64)[order]
        for days in WINDOWS:
            if name == "customer":
                count, total = _within(at, value, start, days * DAY, 0)
                columns = {f"customer_{days}d": count, f"customer_amount_{days}d": total / count}
            else:
                count, total = _within(at, value, start, (delay_days + days) * DAY, delay_days * DAY)
                share = np.divide(total, count, out=np.zeros(len(count)), where=count > 0)
                columns = {f"terminal_{days}d": count, f"terminal_risk_{days}d": share}
            for column, values in columns.items():
                found.loc[order, column] = values
    return found


def _by_key(key: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The rows by key, in time, and where the key of each begins."""
    codes = pd.factorize(key)[0]
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    return order, np.searchsorted(ordered, ordered, side="left")


def _within(at: np.ndarray, value: np.ndarray, start: np.ndarray, oldest: int, newest: int) -> Any:
    """[n] counts and sums of the key's rows in (t - oldest, t - newest], seconds; with itself where newest is 0."""
    span = at.max() - at.min() + oldest + newest + 1
    place = np.unique(start, return_inverse=True)[1].astype(np.int64)
    axis = place * span + (at - at.min())  # one axis on which keys do not meet
    first = np.maximum(np.searchsorted(axis, axis - oldest, side="right"), start)
    last = np.maximum(np.searchsorted(axis, axis - newest, side="right"), first)
    if newest == 0:
        last = np.arange(1, len(at) + 1)  # rows of the same moment count in their order
    sums = np.concatenate([[0.0], np.cumsum(value)])
    return (last - first).astype(np.float64), sums[last] - sums[first]


def handbook_xgboost(wanted: Wanted) -> Any:
    """XGBoost with the defaults of the handbook's time."""
    from xgboost import XGBClassifier

    return XGBClassifier(tree_method="exact", base_score=0.5, n_jobs=wanted.threads, random_state=wanted.seed)


def handbook_xgboost_tuned(wanted: Wanted) -> Any:
    """The same with what the handbook's grid search prefers, flat trees and fewer of them."""
    return handbook_xgboost(wanted).set_params(max_depth=3, n_estimators=50)


def handbook_logistic_regression(wanted: Wanted) -> Any:
    """Logistic regression on scaled features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000, random_state=wanted.seed))


def handbook_lightgbm(wanted: Wanted) -> Any:
    """LightGBM by its defaults."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=wanted.threads, random_state=wanted.seed, verbosity=-1)


PEERS: dict[str, Callable[[Wanted], Any]] = {
    peer.__name__: peer
    for peer in (handbook_xgboost, handbook_xgboost_tuned, handbook_logistic_regression, handbook_lightgbm)
}


def main(arguments: list[str]) -> None:
    """Fit a peer, and write its probabilities of the test."""
    name, source, target, asked = arguments
    wanted = Wanted(**json.loads(asked))
    rows = handbook_features(pd.read_parquet(source), wanted.delay_days)
    day = rows["paid_at"].dt.floor("D")
    train = rows[(day >= wanted.train_from) & (day <= wanted.train_until)]
    test = rows[(day >= wanted.test_from) & (day <= wanted.test_until)]
    columns = [column for column in rows.columns if column not in ("payment_id", "paid_at", "is_fraud")]
    begun = time.process_time()
    model = PEERS[name](wanted).fit(train[columns].to_numpy(), train["is_fraud"].to_numpy(int))
    fitted = time.process_time()
    probability = model.predict_proba(test[columns].to_numpy())[:, 1].astype(np.float64)
    found = pd.DataFrame({"payment_id": test["payment_id"].to_numpy(), "fraud_probability": probability})
    found.attrs = {"fit_cpu_seconds": fitted - begun, "predict_cpu_seconds": time.process_time() - fitted}
    found.to_parquet(target)


if __name__ == "__main__":
    main(sys.argv[1:])
