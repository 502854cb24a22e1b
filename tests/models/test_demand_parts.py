"""A store in parts is the store: spikes, shared seasons, classes and drawn rows do not depend on the part's size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.demand import XGBoostQuantiles, parts, season, xgboost_quantiles
from models.demand.classes import demand_classes
from models.demand.design import build_design
from models.demand.history import blocks
from models.demand.lessons import lessons, newest, sizes
from models.demand.spikes import capped, spike_caps
from tests.models.generators import at_last_cutoff, demand_frames


def with_categories(products: int = 40) -> tuple[Any, Any]:
    features, targets = demand_frames(products=products)
    frame = features["demand_products"]
    names = frame["product_id"].str[-1].where(frame["product_id"].str[-1] != "e")
    return features | {"demand_products": frame.assign(category=names, brand="b")}, targets


def test_features_and_classes_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    block = list(blocks(with_categories()[0], 7))[-1]
    whole = build_design(block, 3, 7).rows(), demand_classes(block.units, block.age), spike_caps(block)
    monkeypatch.setattr(parts, "CHUNK", 7)
    monkeypatch.setattr(parts.parts, "__defaults__", (7,))
    monkeypatch.setattr(season, "SUMMED", 7)
    some = build_design(block, 3, 7).rows(), demand_classes(block.units, block.age), spike_caps(block)
    for one, other in zip(whole, some, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_cap_is_twice_the_second_largest_and_of_rare_sellers_twice_the_stores_quantile() -> None:
    block = list(blocks(with_categories()[0], 7))[-1]
    caps = spike_caps(block)[:, 0]
    for place in range(len(block)):
        units = np.sort(block.units[place])
        expected = units[-2] if (units > 0).sum() >= 3 else np.quantile(block.units[block.units > 0], 0.99)
        assert caps[place] == pytest.approx(2.0 * expected, rel=1e-6)
    assert (capped(block.units, caps[:, None]) <= np.maximum(caps[:, None], 0.0) + 1e-4).all()


def test_a_band_found_on_some_products_is_as_wide_as_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    features, targets = with_categories(120)
    models = []
    for most in (20_000, 60):
        monkeypatch.setattr(xgboost_quantiles, "MOST_JUDGED", most)
        models.append(XGBoostQuantiles(horizon=3, period_days=7, threads=1).fit(features, targets))
    night = at_last_cutoff(features)
    wide, narrow = (model.predict(night) for model in models)
    assert not wide["units_p90"].equals(narrow["units_p90"])
    assert (narrow["units_p90"] - narrow["units_p10"]).mean() == pytest.approx(
        (wide["units_p90"] - wide["units_p10"]).mean(), rel=0.3
    )


def test_some_are_all_where_there_are_few_and_the_same_by_the_seed() -> None:
    assert parts.some(5, 9, [1]).tolist() == [0, 1, 2, 3, 4]
    drawn = parts.some(1_000, 50, [7, 3])
    assert (np.diff(drawn) > 0).all() and len(drawn) == 50
    np.testing.assert_array_equal(drawn, parts.some(1_000, 50, [7, 3]))
    assert not np.array_equal(drawn, parts.some(1_000, 50, [7, 4]))


def test_lessons_that_can_skip_are_made_once_and_where_they_calibrate() -> None:
    features, targets = with_categories()
    taught = list(lessons(features, targets, 3, 7))
    made = []

    class Lazy:
        def __iter__(self) -> Any:
            made.append(len(taught))
            return iter(taught)

        def sizes(self) -> Any:
            return sizes(taught)

        def newest(self, back: int) -> Any:
            found = list(newest(taught, back))
            made.append(len(found))
            return iter(found)

    models = [XGBoostQuantiles(horizon=3, period_days=7, threads=1).learn(given) for given in (taught, Lazy())]
    assert made == [len(taught), sum(lesson.ended <= 6 for lesson in taught)]
    one, other = (model.predict(at_last_cutoff(features)) for model in models)
    assert one.equals(other)
