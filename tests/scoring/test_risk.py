"""Risk as an output: what its decisions cost is measured by night, whom they stop by payer and segment."""

from __future__ import annotations

import pandas as pd
import pytest

from models.metrics import value
from models.risk import AmountRule
from pipelines.home import Home
from pipelines.scoring.outputs import by_segment, output_of
from tests.models.generators import payments_frames

RISK = output_of("risk")


def test_money_is_by_night_and_who_is_stopped_by_payer(home: Home) -> None:
    features, truth = payments_frames()
    found = RISK.measure(home, AmountRule().fit(features, truth).predict(features), features, truth)
    assert set(by_segment(RISK)) < set(found)
    curve = {name: value(rows) for name, rows in found.items() if name.startswith("saved_money_at_")}
    assert list(curve) == [f"saved_money_at_{reviews}" for reviews in (0, 5, 10, 25, 50, 100, 200)]
    matured = features["payments"].merge(truth[truth["is_mature"]], on="payment_id")
    nights = matured["paid_at"].dt.floor("D").nunique()
    assert len(found["cost_per_night"]) == nights
    lost = matured.loc[matured["is_fraud"], "amount"].sum() / nights
    assert curve["saved_money_at_50"] == pytest.approx(lost - value(found["cost_per_night"]))
    honest = matured.loc[~matured["is_fraud"]]
    assert found["false_positive_rate"]["denominator"].sum() == len(honest)
    assert found["false_positive_rate"].index.isin(matured["customer_id"]).all()


@pytest.mark.parametrize("reviews", [0, 7])
def test_another_capacity_is_a_point_of_the_curve_too(home: Home, reviews: int) -> None:
    risk = home.settings.risk.model_copy(update={"reviews_per_night": reviews})
    few = Home(home.places, home.settings.model_copy(update={"risk": risk}))
    features, truth = payments_frames()
    found = RISK.measure(few, AmountRule().fit(features, truth).predict(features), features, truth)
    assert f"saved_money_at_{reviews}" in found
    assert RISK.label(few, "cost_per_night") == f"cost_per_night_at_{reviews}"


def test_a_country_of_billing_is_a_segment_where_the_features_hold_it() -> None:
    rows = {"payment_id": ["x1", "x2", "x3"], "customer_id": ["ann", "ann", None], "is_guest": [0, 0, 1]}
    payments = pd.DataFrame(rows | {"paid_at": pd.Timestamp("2024-05-01"), "customer_payments_before": [2, 3, 0]})
    payments["amount"] = [10.0, 20.0, 30.0]
    assert list(RISK.segments({"payments": payments}).columns) == ["amount", "customer"]
    found = RISK.segments({"payments": payments.assign(billing_country=[None, "DE", "FR"])})
    assert found["country"].to_dict() == {"ann": "DE", "x3": "FR"}
    assert found["customer"].to_dict() == {"ann": "known", "x3": "guest"}
