"""Risk: labels that count, calibration, reasons, decisions, metrics by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from models.metrics import INFLUENCE, over_all, value
from models.risk import AmountRule, XGBoostRisk, decide, metrics
from models.risk.calibration import FITS, Calibration, Platt, Window, fit_calibration, fit_platt
from models.risk.payments import PROBABILITY, labelled, numeric_columns
from tests.models.generators import payments_frames

COSTS = {"review_cost": 3.0, "block_cost": 15.0, "reviews_per_night": 2}


def test_only_matured_payments_are_learnt_from() -> None:
    payments = pd.DataFrame({"payment_id": list("abcd"), "paid_at": pd.to_datetime(["2024-01-04"] * 4), "amount": 1.0})
    flags = {"is_fraud": [True, True, False, False], "is_mature": [True, False, False, True]}
    rows = labelled({"payments": payments}, pd.DataFrame({"payment_id": list("abcd")} | flags), "x")
    assert rows["payment_id"].tolist() == ["a", "d"]


def test_a_label_is_no_feature_and_keys_and_times_are_none() -> None:
    frame = pd.DataFrame({"payment_id": [1], "order_id": [2], "paid_at": [3], "method": ["card"], "is_fraud": [True]})
    frame = frame.assign(
        amount=[Decimal("1.5")], is_new=pd.array([None], dtype="boolean"), visits=pd.array([2], "Int64")
    )
    assert numeric_columns(frame.assign(flag=pd.Series([True], dtype=object))) == ["amount", "flag", "visits"]


def test_what_may_not_be_learnt_from_changes_nothing() -> None:
    features, targets = payments_frames()
    unknown = ~targets["is_mature"] & ~targets["is_fraud"]
    dropped = {"payments": features["payments"][~unknown.to_numpy()]}
    whole, without = (XGBoostRisk(threads=1).fit(frames, targets) for frames in (features, dropped))
    assert unknown.any()
    assert without.calibration == whole.calibration


def test_probabilities_order_and_fit_what_happened() -> None:
    features, targets = payments_frames(payments=4000)
    model = XGBoostRisk(threads=1).fit(features, targets)
    unseen, truth = payments_frames(payments=4000, seed=12)
    judged = metrics.with_labels(model.predict(unseen), unseen["payments"], truth.assign(is_mature=True))
    rule = metrics.with_labels(
        AmountRule().fit(features, targets).predict(unseen), unseen["payments"], truth.assign(is_mature=True)
    )
    assert value(metrics.roc_auc(judged)) > value(metrics.roc_auc(rule)) > 0.6
    assert judged["fraud_probability"].mean() == pytest.approx(judged["is_fraud"].mean(), rel=0.3)
    assert value(metrics.expected_calibration_error(judged)) < 0.05


def test_a_night_without_a_feature_of_the_model_says_which() -> None:
    features, targets = payments_frames()
    model = XGBoostRisk(threads=1).fit(features, targets)
    with pytest.raises(ValueError, match="payments lacks device_customers_7d"):
        model.predict({"payments": features["payments"].drop(columns="device_customers_7d")})


def test_platt_finds_slope_and_intercept_and_leaves_few_positives_alone() -> None:
    random = np.random.default_rng(0)
    margin = random.normal(-1, 2, 40_000)
    found = fit_platt(margin, random.random(40_000) < 1 / (1 + np.exp(-(0.5 * margin - 1))))
    assert found == pytest.approx((0.5, -1.0), abs=0.05)
    assert fit_platt(np.arange(30.0), np.arange(30) < 5) == Platt()
    assert fit_platt(-margin, margin > 0).slope == 1.0  # a wrong ranking is not turned around


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 500)), max_size=12),
    st.integers(0, 5),
    st.floats(0, 20),
    st.floats(0, 40),
)
def test_decisions_are_the_cheapest_within_what_can_be_reviewed(
    pairs: list[tuple[float, float]], reviews: int, review_cost: float, block_cost: float
) -> None:
    scored = pd.DataFrame(pairs, columns=["fraud_probability", "amount"], dtype=float)
    scored["payment_id"] = [f"p{place}" for place in range(len(pairs))]
    found = decide(scored, review_cost=review_cost, block_cost=block_cost, reviews_per_night=reviews)
    probability = found["fraud_probability"]
    loss, blocking = probability * found["amount"], (1 - probability) * block_cost
    cheaper, reviewed = np.minimum(loss, blocking), found["decision"] == "review"
    assert reviewed.sum() == min(reviews, int((cheaper > review_cost).sum()))
    assert found.loc[reviewed, "review_rank"].sort_values().tolist() == list(range(1, int(reviewed.sum()) + 1))
    assert found.loc[~reviewed, "review_rank"].isna().all()
    ranked = found[reviewed].sort_values("review_rank")
    assert cheaper[ranked.index].is_monotonic_decreasing
    assert (~reviewed & (found["decision"] == "block")).equals(~reviewed & (blocking < loss))


def decided(pairs: list[tuple[float, float]], nights: list[int] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["fraud_probability", "amount"], dtype=float)
    return frame.assign(payment_id=[f"p{place}" for place in range(len(pairs))], night=nights or 1)


def expected_costs(scored: pd.DataFrame, review_cost: float, block_cost: float) -> pd.DataFrame:
    """What each decision on each payment is expected to cost."""
    probability = scored["fraud_probability"]
    costs = {"accept": probability * scored["amount"], "review": review_cost, "block": (1 - probability) * block_cost}
    return pd.DataFrame(costs, index=scored.index)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 200)), min_size=1, max_size=6),
    st.integers(0, 6),
    st.floats(0, 20),
    st.floats(0, 60),
)
def test_no_other_decisions_cost_less_for_any_capacity(
    pairs: list[tuple[float, float]], reviews: int, review_cost: float, block_cost: float
) -> None:
    scored = decided(pairs)
    costs = expected_costs(scored, review_cost, block_cost)
    found = decide(scored, review_cost=review_cost, block_cost=block_cost, reviews_per_night=reviews)["decision"]
    ours = sum(costs.at[row, choice] for row, choice in found.items())
    cheapest = min(
        sum(costs.at[row, choice] for row, choice in enumerate(choices))
        for choices in product(costs.columns, repeat=len(pairs))
        if choices.count("review") <= reviews
    )
    assert ours == pytest.approx(cheapest, abs=1e-9)
    assert (found == "review").sum() <= reviews


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 200), st.integers(1, 3)), min_size=1, max_size=15),
    st.integers(0, 4),
)
def test_the_queue_may_end_anywhere_and_each_night_has_its_own(
    rows: list[tuple[float, float, int]], reviews: int
) -> None:
    scored = decided([row[:2] for row in rows], [row[2] for row in rows])
    costs = {"review_cost": 3.0, "block_cost": 15.0}
    found = decide(scored, **costs, reviews_per_night=reviews, night="night")
    for _, night in scored.groupby("night"):
        alone = decide(night, **costs, reviews_per_night=reviews)
        pd.testing.assert_frame_equal(found.loc[night.index], alone)
        fewer = decide(night, **costs, reviews_per_night=max(reviews - 1, 0))
        ended = alone["review_rank"].where(alone["review_rank"] <= reviews - 1)
        assert ended.equals(fewer["review_rank"])


def test_of_payments_that_would_be_blocked_the_least_probable_is_reviewed_first() -> None:
    scored = decided([(0.99, 1000.0), (0.6, 1000.0), (0.3, 1000.0), (0.005, 1000.0)])
    found = decide(scored, **COSTS | {"reviews_per_night": 10})
    assert found["decision"].tolist() == ["block", "review", "review", "review"]
    assert found["review_rank"].tolist()[1:] == [2, 1, 3]


def test_a_refund_risks_nothing_and_an_amount_that_is_no_number_is_refused() -> None:
    found = decide(decided([(0.9, -50.0), (0.9, 0.0)]), **COSTS)
    assert found["decision"].tolist() == ["accept", "accept"]
    assert found["expected_loss"].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="found an amount that is no number"):
        decide(decided([(0.9, float("nan"))]), **COSTS)


def test_decisions_by_hand_and_by_capacity() -> None:
    scored = pd.DataFrame({"payment_id": list("abcd"), "fraud_probability": [0.001, 0.99, 0.5, 0.3], "amount": 100.0})
    found = decide(scored, **COSTS)
    assert found["decision"].tolist() == ["accept", "block", "review", "review"]
    assert found["review_rank"].tolist()[2:] == [2, 1]
    assert found["expected_loss"].tolist() == pytest.approx([0.1, 99.0, 50.0, 30.0])
    assert decide(scored, **COSTS | {"reviews_per_night": 1})["decision"].tolist()[2:] == ["block", "review"]
    with pytest.raises(ValueError, match="outside"):
        decide(scored.assign(fraud_probability=np.nan), **COSTS)


def judged(probability: list[float], fraud: list[int], day: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fraud_probability": probability,
            "is_fraud": np.array(fraud, bool),
            "entity": [f"c{place}" for place in range(len(fraud))],
            "day": day or [1] * len(fraud),
        }
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_average_precision_and_auc_are_those_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    score, fraud = [one[0] / 6 for one in pairs], [int(one[1]) for one in pairs]
    if 0 < sum(fraud) < len(fraud):
        frame = judged(score, fraud)
        assert value(metrics.average_precision(frame)) == pytest.approx(average_precision_score(fraud, score))
        assert value(metrics.roc_auc(frame)) == pytest.approx(roc_auc_score(fraud, score))


def test_other_metrics_by_hand() -> None:
    frame = judged([0.9, 0.2, 0.6, 0.1], [1, 0, 0, 1], [1, 1, 2, 2])
    assert value(metrics.customer_precision_at_k(frame, 1)) == 0.5
    assert value(metrics.brier(frame)) == pytest.approx((0.01 + 0.04 + 0.36 + 0.81) / 4)
    assert value(metrics.log_loss(frame)) == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.1]).mean())
    assert value(metrics.expected_calibration_error(frame, bins=2)) == pytest.approx((abs(0.3 - 1) + abs(1.5 - 1)) / 4)


def test_a_calibration_is_chosen_by_log_loss_and_only_where_it_is_proven() -> None:
    random = np.random.default_rng(1)
    margin = random.normal(-2, 2, 40_000)

    def fitted(chance: NDArray[np.float64], size: int = 20_000) -> tuple[Calibration, dict[str, float]]:
        positive = random.random(40_000) < chance
        return fit_calibration(Window(margin[:size], positive[:size]), Window(margin[size:], positive[size:]))

    assert fitted(1 / (1 + np.exp(-margin)))[0].kind == "none"
    steep, losses = fitted(1 / (1 + np.exp(-(margin - 1) / 2)))
    assert steep.kind == "platt"
    assert losses["platt"] < losses["prior"] < losses["none"]
    assert fitted(1 / (1 + np.exp(-margin - 1)))[0].platt == pytest.approx((1.0, 1.0), abs=0.1)
    assert fitted(np.where(margin > 0, 0.5, 0.02))[0].kind in ("isotonic", "venn_abers")
    assert fitted(np.full(40_000, 0.5), 30) == (Calibration(), {})


def test_a_calibration_that_does_not_carry_over_is_none() -> None:
    random = np.random.default_rng(2)
    margin = random.normal(-2, 2, 20_000)
    moved, true = (random.random(20_000) < 1 / (1 + np.exp(-margin - shift)) for shift in (1, 0))
    assert fit_calibration(Window(margin, moved), Window(margin, true))[0].kind == "none"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=4, max_size=60))
def test_no_calibration_turns_or_ties_two_margins(pairs: list[tuple[float, bool]]) -> None:
    margin, positive = np.array([one[0] for one in pairs]), np.array([one[1] for one in pairs])
    asked = np.unique(np.round(np.linspace(-9, 9, 50), 3))
    for _, fit in FITS:
        found = fit(margin, positive).probability(asked)
        assert ((found > 0) & (found < 1)).all()
        assert (np.diff(found) > 0).all()


def test_a_table_is_saved_and_loaded(tmp_path: Path) -> None:
    features, targets = payments_frames()
    model = XGBoostRisk(threads=1, monotone=["amount"]).fit(features, targets)
    model.calibration = Calibration("isotonic", Platt(), (-1.0, 2.0), (0.1, 0.4))
    model.save(tmp_path)
    loaded = XGBoostRisk.load(tmp_path)
    assert (loaded.calibration, loaded.monotone) == (model.calibration, ("amount",))
    assert (loaded.reliability, loaded.base_rates) == (model.reliability, model.base_rates)
    assert len(loaded.reliability) == 10
    assert len(loaded.base_rates) == 2  # forty days have matured
    assert loaded.predict(features).equals(model.predict(features))


def test_what_may_only_raise_the_probability_does() -> None:
    features, targets = payments_frames(payments=3000)
    model = XGBoostRisk(threads=1, monotone=["amount"]).fit(features, targets)
    row = features["payments"].head(1)
    rising = pd.concat([row.assign(amount=float(amount), payment_id=f"p{amount:04}") for amount in range(0, 900, 25)])
    found = model.probabilities({"payments": rising})
    assert (found["fraud_probability"].diff().dropna() >= 0).all()


def test_what_tells_the_time_does_not_tell_frauds() -> None:
    """Of the last days only frauds are known; a count that grows would single them out, were they learnt from."""
    features, targets = payments_frames(payments=4000)
    payments = features["payments"].assign(payments_so_far=np.arange(4000.0))
    model = XGBoostRisk(threads=1).fit({"payments": payments}, targets)
    late = ~targets["is_mature"].to_numpy()
    given = model.probabilities({"payments": payments[late]})["fraud_probability"].mean()
    assert given < 2 * targets["is_fraud"].mean()  # it was nearly 1


@pytest.mark.parametrize("digits", [9, 1])
def test_the_interval_of_average_precision_knows_that_places_move(digits: int) -> None:
    """As wide as that of resampling payers and ranking anew, ties or none; with places held it is half as wide."""
    random = np.random.default_rng(3)
    fraud = random.random(2000) < 0.02
    score = np.round(random.normal(size=2000) + 1.5 * fraud, digits)
    payer = np.arange(2000) // 2
    judged = pd.DataFrame({PROBABILITY: score, "is_fraud": fraud, "entity": payer.astype(str)})
    found = metrics.average_precision(judged)
    assert found[INFLUENCE].sum() == pytest.approx(0)
    assert value(over_all(found)) == pytest.approx(value(found))
    held, moving, anew = [], [], []
    for _ in range(300):
        weights = np.bincount(random.integers(0, 1000, 1000), minlength=1000)
        drawn = weights[found.index.astype(int)]
        held.append(value(found.mul(drawn, axis=0)))
        moving.append(value(over_all(found).mul(drawn, axis=0)))
        anew.append(average_precision_score(fraud, score, sample_weight=weights[payer]))
    assert np.std(moving) == pytest.approx(np.std(anew), rel=0.15)
    assert np.std(held) < 0.75 * np.std(anew)
