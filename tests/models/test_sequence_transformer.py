"""The sequence model on frames: what it may see, new products, a warm start, what is left out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from models.recommendations.sequence.budget import tokens_a_minute
from models.recommendations.sequence.network import Shape
from models.recommendations.sequence_transformer import SequenceTransformer
from tests.models.generators import AS_OF, at_last_cutoff, sequence_frames

SIZES = {"dim": 16, "heads": 1, "hidden": 16, "length": 8}
RECIPE = {"epochs": 3, "batch_tokens": 64, "negatives": 8, "judged": 10}


def made(words: int = 0, **settings: Any) -> SequenceTransformer:
    return SequenceTransformer(top_k=5, sizes=SIZES | {"words": words}, recipe=RECIPE, **settings)


def own(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["reason"].isin(["next_in_sequence", "like_recent"])].reset_index(drop=True)


def test_only_the_order_of_purchases_counts_not_their_times() -> None:
    features, targets = sequence_frames()
    events = features["purchases"]
    later = events.assign(bought_at=events["bought_at"].rank(method="dense").astype("int64").map(pd.Timestamp))
    moved = features | {"purchases": later}
    first, second = made().fit(features, targets), made().fit(moved, targets)
    assert_frame_equal(first.predict(at_last_cutoff(features)), second.predict(at_last_cutoff(moved)))


def test_a_customers_list_needs_no_other_customer() -> None:
    features, targets = sequence_frames()
    model, night = made().fit(features, targets), at_last_cutoff(features)
    whole = own(model.predict(night))
    customers = sorted(night["customer_products"]["customer_id"].unique())
    for some in (customers[:1], customers[3:8], customers[::2]):
        kept = {
            name: frame[frame["customer_id"].isin(some)] if "customer_id" in frame else frame
            for name, frame in night.items()
        }
        expected = whole[whole["customer_id"].isin(some)].reset_index(drop=True)
        assert_frame_equal(own(model.predict(kept)), expected, check_exact=True)


def test_a_fingerprint_changes_with_what_the_list_follows_from_alone() -> None:
    features, targets = sequence_frames()
    model, night = made().fit(features, targets), at_last_cutoff(features)
    prints = model.fingerprints(night)
    assert prints is not None
    later = {name: frame.assign(as_of=frame["as_of"] + dt.timedelta(days=1)) for name, frame in night.items()}
    busier = later["product_popularity"].assign(customers=later["product_popularity"]["customers"] + 5)
    assert prints.equals(model.fingerprints(later | {"product_popularity": busier}))
    events = night["purchases"]
    first = events.index[events["customer_id"] == prints.index[0]]
    fewer = model.fingerprints(night | {"purchases": events.drop(first[-1])})
    assert fewer is not None and (fewer != prints).tolist() == [True] + [False] * (len(prints) - 1)
    model.explained = 2
    others = model.fingerprints(night)
    assert others is not None and (others != prints).all()


def test_what_was_bought_and_what_is_inactive_is_left_out() -> None:
    features, targets = sequence_frames()
    night = at_last_cutoff(features)
    found = made().fit(features, targets).predict(night)
    pairs = set(map(tuple, night["customer_products"][["customer_id", "product_id"]].to_numpy()))
    assert pairs.isdisjoint(map(tuple, found[["customer_id", "product_id"]].to_numpy()))
    assert "p003" not in set(found["product_id"])
    again = made(exclude_bought=False).fit(features, targets).predict(night)
    assert not pairs.isdisjoint(map(tuple, again[["customer_id", "product_id"]].to_numpy()))


def with_new_product(features: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    row = features["products"].iloc[-1:].assign(product_id="p999", category="toys > 1", title="thing new")
    return features | {"products": pd.concat([features["products"], row], ignore_index=True)}


@pytest.mark.parametrize(("words", "is_told"), [(50, True), (0, False)])
def test_a_product_never_sold_is_told_by_its_content_alone(words: int, is_told: bool) -> None:
    features, targets = sequence_frames()
    model = made(words).fit(features, targets)
    found = own(model.predict(with_new_product(at_last_cutoff(features))))
    assert ("p999" in set(found["product_id"])) == is_told


def test_a_warm_start_keeps_what_is_known_and_takes_new_products() -> None:
    features, targets = sequence_frames()
    older = made().fit(features, targets)
    recipe = RECIPE | {"epochs": 1, "learning_rate": 1e-9}
    warm = SequenceTransformer(top_k=5, sizes=SIZES, recipe=recipe).warm_start(older)
    warm.fit(with_new_product(features), targets)
    assert set(warm.products) - set(older.products) == {"p999"}
    night = at_last_cutoff(features)
    shared = own(warm.predict(night))
    assert_frame_equal(
        shared[shared["product_id"] != "p999"].reset_index(drop=True), own(older.predict(night)), atol=1e-3
    )
    with pytest.raises(ValueError, match="cannot start from a model of other sizes"):
        SequenceTransformer(sizes=SIZES | {"blocks": 1}).warm_start(older)


def test_only_the_purchases_of_the_latest_cutoff_are_learnt_from() -> None:
    features, targets = sequence_frames()
    events = features["purchases"]
    latest = features | {"purchases": events[events["as_of"] == AS_OF]}
    night = at_last_cutoff(features)
    assert_frame_equal(made().fit(features, targets).predict(night), made().fit(latest, targets).predict(night))
    few = features | {"purchases": events.iloc[:3]}
    with pytest.raises(ValueError, match="too little data to train sequence_transformer: 3 purchases"):
        made().fit(few, targets)
    assert events["as_of"].max() - events["as_of"].min() > dt.timedelta(0)


def test_minutes_are_turned_into_epochs_before_training(tmp_path: Path) -> None:
    features, targets = sequence_frames()
    events = features["purchases"]
    events = events[events["as_of"] == AS_OF]
    latest = events.groupby("customer_id")["bought_at"].transform("max")
    whole = (events["bought_at"] < latest).sum() / tokens_a_minute(Shape(items=1, **SIZES), "cpu", 64)
    recipe = RECIPE | {"epochs": 9, "patience": 9}
    fitted = [
        SequenceTransformer(sizes=SIZES, recipe=recipe, minutes=4.5 * whole).fit(features, targets) for _ in range(2)
    ]
    assert len(fitted[0].curve) == 4
    for model, folder in zip(fitted, ("one", "other"), strict=True):
        model.save(tmp_path / folder)
    names = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in names)
    assert SequenceTransformer.load(tmp_path / "one").minutes == 4.5 * whole
    assert len(SequenceTransformer(sizes=SIZES, recipe=recipe, minutes=60).fit(features, targets).curve) == 9
    with pytest.raises(ValueError, match=r"too little time to train sequence_transformer: .* train_minutes is"):
        SequenceTransformer(sizes=SIZES, recipe=recipe, minutes=2.9 * whole).fit(features, targets)


def test_the_rate_is_the_measured_one() -> None:
    large, small = Shape(items=1, dim=128), Shape(items=1, dim=64)
    assert tokens_a_minute(large, "cpu") == pytest.approx(900_000, rel=0.01)
    assert tokens_a_minute(small, "cpu") == pytest.approx(2_100_000, rel=0.05)
    assert tokens_a_minute(large, "cuda") == pytest.approx(36_000_000, rel=0.01)
    assert tokens_a_minute(large, "cpu", 1_000) == pytest.approx(1_120_000 / 2)


@pytest.mark.parametrize("exclude", [True, False])
def test_without_its_reason_the_score_is_lower(exclude: bool) -> None:
    """The removal test: the product that is named is taken out of that customer's purchases, and nothing else is."""
    features, targets = sequence_frames(customers=40)
    recipe = RECIPE | {"epochs": 20, "patience": 20, "learning_rate": 5e-3, "warmup": 5, "dropout": 0.2}
    model = SequenceTransformer(top_k=6, exclude_bought=exclude, sizes=SIZES, recipe=recipe, explained=2)
    night = at_last_cutoff(features)
    found = model.fit(features, targets).candidates(night)
    explained = found[found["reason_product_id"].notna()]
    assert (found["reason"] == "like_recent").eq(found["reason_product_id"].notna()).all()
    assert explained.groupby("customer_id").size().max() == 2
    assert len(explained) > 0.5 * 2 * found["customer_id"].nunique()
    assert (explained["product_id"] != explained["reason_product_id"]).all()
    events = night["purchases"]
    for row in explained.itertuples():
        is_gone = (events["customer_id"] == row.customer_id) & (events["product_id"] == row.reason_product_id)
        assert is_gone.any()
        model.top_k = 1_000
        again = model.candidates(night | {"purchases": events[~is_gone].reset_index(drop=True)})
        is_same = (again["customer_id"] == row.customer_id) & (again["product_id"] == row.product_id)
        assert again.loc[is_same, "score"].sum() < row.score  # none where no purchase is left
