"""Reasons: each cause once, in words with its figures, and none that would not lower the score if it were usual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.protocol import Features
from models.risk import AmountRule, XGBoostRisk, reasons
from models.risk.causes import cause
from models.risk.payments import REASONS, numbers
from models.risk.phrases import BY, sentence
from models.risk.reasons import reasons_of, usual_of
from tests.models.generators import payments_frames

NULL = float("nan")
FEATURES = Path(__file__).parents[2] / "dbt/models/features/features_payments.yml"
KEYS = {"billing_country", "payment_id", "as_of", "order_id", "customer_id", "paid_at", "known_at"}


def wide_frames(seed: int = 11) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Payments whose devices, accounts and guests tell of fraud, some of it in several features at once."""
    features, targets = payments_frames(payments=3000, seed=seed)
    payments, random = features["payments"], np.random.default_rng(seed)
    device = payments["device_customers_7d"].to_numpy()
    more = {
        "device_customers_30d": device + random.poisson(0.2, len(payments)),
        "device_payments_1d": random.poisson(0.1 + device),
        "device_payments_7d": random.poisson(0.5 + 2 * device),
        "device_chargeback_rate": np.where(device > 1, random.random(len(payments)) / 5, 0.005),
        "days_since_device_fraud": np.where(device > 1, random.integers(1, 30, len(payments)), np.nan),
        "is_guest": random.integers(0, 2, len(payments)),
        "account_age_days": np.where(device > 0, np.nan, random.integers(0, 900, len(payments))),
    }
    return {"payments": payments.assign(**more)}, targets


@pytest.fixture(scope="module")
def model() -> XGBoostRisk:
    return XGBoostRisk(threads=1).fit(*wide_frames())


def told(model: XGBoostRisk, features: Features) -> pd.DataFrame:
    """payment_id, rank and code of each reason."""
    found = model.predict(features).melt("payment_id", list(REASONS), "rank", "reason").dropna()
    return found.assign(code=found["reason"].str.split(": ").str[0])


def test_each_named_cause_set_to_what_is_usual_lowers_the_score(model: XGBoostRisk) -> None:
    payments = wide_frames(seed=12)[0]["payments"].sort_values("payment_id", ignore_index=True)
    found = told(model, {"payments": payments})
    usual = {name: NULL if value is None else value for name, value in zip(model.columns, model.usual, strict=True)}
    values = numbers(payments, model.columns)
    before = pd.Series(model._margins(values), index=payments["payment_id"])
    assert len(found) > len(payments)
    for code, rows in found.groupby("code"):
        of_cause = [name for name in model.columns if cause(name) == cause(code)]
        removed = payments[payments["payment_id"].isin(rows["payment_id"])].set_index("payment_id")
        after = model._margins(numbers(removed.assign(**{name: usual[name] for name in of_cause}), model.columns))
        assert (after < before[removed.index]).all(), code


def test_a_cause_is_said_once_and_the_strongest_comes_first(model: XGBoostRisk) -> None:
    payments = wide_frames(seed=12)[0]["payments"]
    found = told(model, {"payments": payments})
    causes = found.assign(cause=found["code"].map(cause))
    assert not causes.duplicated(["payment_id", "cause"]).any()
    assert {"device_customers_7d", "device_payments_7d", "device_chargeback_rate", "amount"} & set(found["code"])
    risky = payments.nlargest(1, "device_customers_7d").iloc[[0]].assign(amount=30.0)
    (first,) = told(model, {"payments": risky}).query("rank == 'reason_1'")["reason"]
    assert cause(first.partition(": ")[0]) in {"device_customers", "device_chargebacks"}
    assert "; usual is " in first


def test_what_is_as_usual_in_everything_has_no_reason(model: XGBoostRisk) -> None:
    payments = wide_frames()[0]["payments"].head(1)
    usual = {name: NULL if value is None else value for name, value in zip(model.columns, model.usual, strict=True)}
    assert told(model, {"payments": payments.assign(**usual)}).empty


def test_parts_change_nothing(model: XGBoostRisk, monkeypatch: pytest.MonkeyPatch) -> None:
    features = wide_frames(seed=12)[0]
    whole = model.predict(features)
    monkeypatch.setattr(reasons, "ROWS", 700)
    pd.testing.assert_frame_equal(model.predict(features), whole)


def test_reasons_by_hand() -> None:
    """The score is the sum of what is above 0: causes are ordered by it, and what lowers the score is none."""
    columns, usual = ["a_7d", "a_30d", "b", "c"], np.array([1.0, 1.0, 0.0, 0.0])
    values = np.array([[2.0, 3.0, 4.5, -1.0], [1.0, 1.0, NULL, 0.0]])
    found = reasons_of(columns, values, usual, np.nan_to_num, lambda given: np.nansum(given, axis=1))
    assert found.tolist() == [["b: b is 4.5; usual is 0", "a_30d: a 30d is 3; usual is 1", None], [None, None, None]]


def test_usual_is_the_median_of_honest_payments_and_null_where_most_are_null() -> None:
    values = np.array([[1.0, NULL, 5.0], [2.0, NULL, 5.0], [4.0, 3.0, NULL], [9.0, NULL, 7.0], [99.0, 3.0, 99.0]])
    found = usual_of(values, np.array([False, False, False, False, True]))
    assert found[[0, 2]].tolist() == [2.0, 5.0]
    assert np.isnan(found[1])


def test_the_amount_rule_names_the_amount_where_it_raises_the_risk() -> None:
    features, targets = payments_frames()
    found = AmountRule().fit(features, targets).predict(features)
    assert found["reason_1"].notna().any() and found["reason_1"].isna().any()
    assert found["reason_1"].dropna().str.fullmatch(r"amount: .*% of payments around .*; usual is .*%").all()


def test_features_in_words() -> None:
    said = {
        ("device_customers_7d", 4, 1): "4 other customers paid with this device in 7 days; usual is 1",
        ("device_customers_30d", 1, 0): "1 other customer paid with this device in 30 days; usual is 0",
        ("customer_payments_1d", 12, 0): "12 payments by the customer in 1 day; usual is 0",
        ("ip_prefix_amount_30d", 1234.5, 10): "1,234.50 paid from this IP address's network in 30 days; usual is 10.00",
        ("card_chargebacks", 2, 0): "2 chargebacks of payments with this card before; usual is 0",
        ("device_fraud_rate_7d", 0.123, 0.005): "payments with this device in 7 days had a chargeback rate of 12.3%; "
        "usual is 0.50%",
        ("days_since_device_fraud", 0.5, NULL): "a payment with this device 12 hours before was charged back; "
        "usual is none",
        ("device_fraud_streak", 3, 0): "3 payments with this device in a row charged back; usual is 0",
        ("days_since_card_fraud_streak", 9, NULL): "payments with this card that were charged back in a row began "
        "9 days before; usual is none",
        ("days_since_device_honest", NULL, NULL): "no payment with this device before those charged back in a row; "
        "usual is none",
        ("card_payments_since_fraud", 1, 0): "1 payment with this card not charged back since the last that was; "
        "usual is 0",
        ("customer_highest_over_usual_7d", 6, 1): "the largest payment by the customer in 7 days was 6 times the mean; "
        "usual is 1",
        ("amount_over_usual", 8.14, 1): "the amount is 8.1 times the customer's mean; usual is 1",
        ("amount_over_usual", NULL, 1): "the customer has no earlier payment to compare with; usual is 1",
        ("is_guest", 1, 0): "a guest paid; usual is a known customer",
        ("is_card_new_to_customer", 1, 0): "the customer never paid with this card before; usual is a known one",
        (
            "ip_country_differs",
            1,
            0,
        ): "the IP address lies in another country than the billing address; usual is the same",
        ("hour_of_day", 3, 14): "paid in the hour from 03:00 UTC; usual is 14:00",
        ("day_of_week", 7, 3): "paid on a Sunday; usual is Wednesday",
        ("wholly_new_share", 0.25, NULL): "wholly new share is 0.25; usual is none",
    }
    assert {key: sentence(*key) for key in said} == said


def test_every_feature_of_the_project_has_a_sentence_of_its_own() -> None:
    (model,) = yaml.safe_load(FEATURES.read_text("utf-8"))["models"]
    names = [column["name"] for column in model["columns"] if column["name"] not in KEYS]
    plain = [name for name in names if sentence(name, 1.0, 0.0).startswith(f"{name.replace('_', ' ')} is")]
    assert plain == []


def test_windows_and_rates_of_one_cause_are_one() -> None:
    counted = ("chargebacks", "chargebacks_30d", "chargeback_rate", "chargeback_rate_30d", "fraud_rate_7d")
    of_device = {f"device_{name}" for name in counted} | {"days_since_device_fraud"}
    assert {cause(name) for name in of_device} == {"device_chargebacks"}
    assert cause("customer_payments_1d") == cause("customer_payments_before") == cause("days_since_customer_paid")
    assert cause("amount_over_highest") == cause("amount_over_usual") != cause("amount")
    assert cause("device_payments_since_fraud") == cause("device_fraud_streak") == cause("days_since_device_honest")
    assert cause("customer_highest_over_usual_7d") == cause("customer_recent_over_usual")
    assert cause("ip_customers_7d") != cause("ip_payments_7d") != cause("ip_prefix_payments_7d")


@given(
    st.from_regex(rf"(is_|days_since_)?({'|'.join(BY)}|new)_[a-z_]{{1,20}}(_[0-9]{{1,3}}d)?", fullmatch=True),
    st.floats(-1e9, 1e9) | st.just(NULL),
    st.floats(-1e9, 1e9) | st.just(NULL),
)
def test_no_name_and_no_value_fails(column: str, value: float, usual: float) -> None:
    assert "; usual is " in sentence(column, value, usual)
    assert cause(column)
