"""What decisions cost and saved, by night, and whom they stop, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.metrics import value
from models.risk import metrics, money

COSTS = {"review_cost": 3.0, "block_cost": 15.0}
DECIDED = pd.DataFrame(
    {
        "decision": ["accept", "accept", "review", "review", "block", "block"],
        "is_fraud": [True, False, True, False, True, False],
        "amount": [100.0, 50.0, 70.0, 20.0, 400.0, 30.0],
        "entity": ["ann", "bob", "bob", "cid", "cid", "cid"],
        "day": pd.to_datetime(["2024-05-01"] * 3 + ["2024-05-02"] * 3),
    }
)


def test_cost_and_saved_money_by_night_by_hand() -> None:
    cost, saved = money.cost_per_night(DECIDED, **COSTS), money.saved_money(DECIDED, **COSTS)
    assert cost["numerator"].tolist() == [100 + 0 + 3, 3 + 0 + 15]
    assert saved["numerator"].tolist() == [170 - 103, 400 - 18]
    assert cost.index.tolist() == ["2024-05-01", "2024-05-02"]
    assert value(saved) == pytest.approx((67 + 382) / 2)


def test_honest_payments_that_are_stopped_by_who_paid() -> None:
    found = money.false_positive_rate(DECIDED)
    assert found["numerator"].to_dict() == {"ann": 0.0, "bob": 0.0, "cid": 2.0}
    assert found["denominator"].to_dict() == {"ann": 0.0, "bob": 1.0, "cid": 2.0}


def test_reviews_are_those_of_each_night_and_more_save_more_where_probabilities_are_right() -> None:
    random = np.random.default_rng(4)
    count, probability = 20_000, random.beta(0.3, 6.0, 20_000)
    ids, amount = [f"x{place:05d}" for place in range(count)], random.gamma(1.5, 40.0, count)
    day = pd.Timestamp("2024-05-01") + pd.to_timedelta(random.integers(0, 40, count), unit="D")
    payments = pd.DataFrame({"payment_id": ids, "customer_id": ids, "amount": amount, "paid_at": day})
    scored = pd.DataFrame({"payment_id": ids, "fraud_probability": probability})
    truth = pd.DataFrame({"payment_id": ids, "is_fraud": random.random(count) < probability, "is_mature": True})
    judged = metrics.with_labels(scored, payments, truth)
    saved = []
    for reviews in (0, 10, 50):
        decided = money.decide_nights(judged, payments, reviews=reviews, **COSTS)
        assert (decided[decided["decision"] == "review"].groupby("day").size() <= reviews).all()
        saved.append(value(money.saved_money(decided, **COSTS)))
        nothing = np.where(decided["is_fraud"], decided["amount"], 0.0).sum() / 40
        assert saved[-1] + value(money.cost_per_night(decided, **COSTS)) == pytest.approx(nothing)
    assert 0 < saved[0] < saved[1] < saved[2]
