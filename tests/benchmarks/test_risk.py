"""The benchmark of risk: the handbook's protocol by hand, its features, and no label before it is known."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import risk
from benchmarks.payment_store import payments_of, write_transactions
from benchmarks.risk_metrics import card_precision, probability_over_frauds
from benchmarks.risk_peers import handbook_features
from models.metrics import value

FIRST = pd.Timestamp("2024-01-01")
DELAY = risk.REPORT_DAYS


def transactions(days: int = 60, customers: int = 40, terminals: int = 12, seed: int = 3) -> pd.DataFrame:
    """Transactions in the handbook's columns: high amounts and some terminals are frauds."""
    random = np.random.default_rng(seed)
    count = days * 40
    at = FIRST + pd.to_timedelta(np.sort(random.integers(0, days * 86_400, count)), unit="s")
    amount = random.gamma(2.0, 30.0, count).round(2)
    terminal = random.integers(0, terminals, count)
    fraud = (amount > 180) | ((terminal == 0) & (random.random(count) < 0.4))
    return pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(count),
            "TX_DATETIME": at,
            "CUSTOMER_ID": random.integers(0, customers, count),
            "TERMINAL_ID": terminal,
            "TX_AMOUNT": amount,
            "TX_FRAUD": fraud.astype(int),
        }
    )


def test_windows_of_the_protocols() -> None:
    (week,) = risk.handbook("A")
    assert (week.train_from, week.train_until) == (date(2018, 7, 25), date(2018, 7, 31))
    assert (week.test_from, week.test_until) == (date(2018, 8, 8), date(2018, 8, 14))
    folds = risk.handbook("C")
    assert [fold.test_from for fold in folds] == [date(2018, 8, day) for day in (8, 15, 22, 29)]
    assert all((fold.train_until - fold.train_from).days == 97 for fold in folds)
    assert all((fold.test_from - fold.train_until).days == DELAY + 1 for fold in folds)


def test_card_precision_looks_at_a_customer_once() -> None:
    judged = pd.DataFrame(
        {
            "fraud_probability": [0.9, 0.8, 0.1, 0.9, 0.5, 0.4],
            "is_fraud": [True, False, True, True, True, False],
            "entity": ["a", "b", "c", "a", "c", "b"],
            "day": [1, 1, 1, 2, 2, 2],
        }
    )
    assert card_precision(judged, 1) == [1.0, 1.0]  # a is gone on the second day, c comes first
    assert card_precision(judged, 2) == [0.5, 0.5]
    assert value(probability_over_frauds(judged)) == pytest.approx(3.6 / 4)


def test_features_of_the_handbook_by_hand() -> None:
    day = pd.Timedelta(days=1)
    at = [FIRST, FIRST + 0.5 * day, FIRST + 8 * day, FIRST + 9 * day]
    told = pd.DataFrame({"payment_id": list("abcd"), "customer_id": ["u", "v", "u", "u"], "device_id": "t"})
    told = told.assign(paid_at=at, amount=[10.0, 20.0, 30.0, 50.0], is_fraud=[True, False, False, False])
    found = handbook_features(told, 7).set_index("payment_id")
    assert found["customer_1d"].tolist() == [1, 1, 1, 1]  # (t - 1 day, t]: c is a day before d, and out
    assert found["customer_amount_30d"].tolist() == [10, 20, 20, 30]
    assert found["terminal_30d"].tolist() == [0, 0, 2, 2]
    assert found["terminal_risk_30d"].tolist() == [0, 0, 0.5, 0.5]
    assert found["terminal_1d"].tolist() == [0, 0, 1, 0]


def built(folder: Path, frame: pd.DataFrame, cutoff: date, later: pd.DataFrame | None = None) -> pd.DataFrame:
    """What a model of the benchmark says of the week from the cut-off on."""
    file, landing = folder / "transactions.parquet", folder / "landing"
    folder.mkdir()
    frame.to_parquet(file)
    write_transactions(file, landing, DELAY)
    if later is not None:
        end = max(later["reported_at"]).date() + timedelta(1)
        partition = landing / "chargebacks" / f"dt={end}"
        partition.mkdir()
        pq.write_table(pa.Table.from_pandas(later, preserve_index=False), partition / "part-0.parquet")
        (partition / "_SUCCESS").touch()
    payments, _ = payments_of(landing, folder / "home", [cutoff], DELAY, 1)
    fold = risk.Fold(FIRST.date(), cutoff - timedelta(DELAY + 1), cutoff, cutoff + timedelta(6), False)
    given = risk.parsed(["--transactions", str(file), "--out", str(folder / "out.json")])
    return risk._ours(given, landing, payments, "xgboost_risk", fold)[0]


def test_a_canary_that_is_reported_later_is_not_heard(tmp_path: Path) -> None:
    """Half of the honest payments are charged back, but after the test: what it says must not change by a bit."""
    frame, cutoff = transactions(), (FIRST + pd.Timedelta(days=40)).date()
    honest = frame[frame["TX_FRAUD"] == 0].iloc[::2]
    late = FIRST + pd.Timedelta(days=70)
    canary = pd.DataFrame({"payment_id": honest["TRANSACTION_ID"].astype(str), "reported_at": late})
    without, planted = built(tmp_path / "a", frame, cutoff), built(tmp_path / "b", frame, cutoff, canary)
    assert len(without) > 100
    assert planted.equals(without)


def test_the_benchmark_runs_on_a_landing_zone_beside_a_peer(tmp_path: Path) -> None:
    file, landing, out = tmp_path / "t.parquet", tmp_path / "landing", tmp_path / "out.json"
    transactions(days=50).to_parquet(file)
    write_transactions(file, landing, DELAY)
    days = {"--train-until": "2024-02-01", "--test-from": "2024-02-09", "--test-until": "2024-02-15"}
    asked = {"--landing": str(landing), "--maturity-days": "7", "--peers": "handbook_xgboost", "--resamples": "50"}
    risk.main([word for pair in (asked | days | {"--out": str(out)}).items() for word in pair])
    found = json.loads(out.read_text("utf-8"))["protocols"]["given"]
    assert set(found["models"]) == {"xgboost_risk", "before calibration", "handbook_xgboost"}
    assert found["models"]["xgboost_risk"]["roc_auc"][0] > 0.8
    assert found["models"]["handbook_xgboost"]["n"] == found["models"]["xgboost_risk"]["n"]
    assert set(found["gains"]["xgboost_risk against handbook_xgboost"]) > {"log_loss", "average_precision"}
