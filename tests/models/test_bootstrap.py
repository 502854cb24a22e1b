"""The paired bootstrap: known answers, seeds, refusals, speed."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest

from models.bootstrap import MOST_DRAWN, Estimate, apart, entities_needed, interval, paired_gain


def _frame(numerator: object, denominator: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"numerator": numerator, "denominator": denominator}, dtype="float64")


def test_a_constant_has_an_interval_of_no_width() -> None:
    assert interval(_frame([0.3] * 20)) == pytest.approx((0.3, 0.3, 0.3))


def test_the_interval_of_a_mean_has_the_width_of_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 2000)
    found = interval(_frame(values), resamples=2000)
    half = 1.96 * values.std() / math.sqrt(2000)
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2.0 == pytest.approx(half, rel=0.08)


def test_very_many_entities_are_drawn_in_groups_with_the_same_width() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 2 * MOST_DRAWN + 7)
    found = interval(_frame(values))
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2.0 == pytest.approx(half, rel=0.08)


def test_pairing_sees_a_small_gain_that_separate_intervals_do_not() -> None:
    errors = np.random.default_rng(2).lognormal(0.0, 2.0, 500)
    baseline, challenger = _frame(errors, 10.0), _frame(0.9 * errors, 10.0)
    assert paired_gain(challenger, baseline) == pytest.approx((0.1, 0.1, 0.1))
    assert interval(challenger).high > interval(baseline).low


def test_gain_where_higher_is_better() -> None:
    assert paired_gain(_frame([0.3] * 5), _frame([0.2] * 5), higher_is_better=True).value == pytest.approx(0.5)
    assert paired_gain(_frame([0.3] * 5), _frame([0.2] * 5)).value == pytest.approx(-0.5)


def test_order_of_entities_does_not_matter_and_the_seed_decides() -> None:
    random = np.random.default_rng(3)
    one, two = _frame(random.random(50)), _frame(random.random(50))
    assert paired_gain(one, two) == paired_gain(one, two.iloc[::-1])
    assert paired_gain(one, two) != paired_gain(one, two, seed=8)


def test_other_entities_are_refused() -> None:
    with pytest.raises(ValueError, match="different entities"):
        paired_gain(_frame([1.0, 2.0]), _frame([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="an entity twice"):
        paired_gain(_frame([1.0, 2.0]).set_index(pd.Index([0, 0])), _frame([1.0, 2.0]))


def test_nothing_to_divide_by_gives_nan() -> None:
    assert all(math.isnan(part) for part in interval(_frame([])))
    assert all(math.isnan(part) for part in paired_gain(_frame([1.0], 0.0), _frame([1.0], 0.0)))
    assert paired_gain(_frame([0.0]), _frame([0.0])) == Estimate(0.0, 0.0, 0.0)


def test_a_thousand_resamples_of_six_thousand_entities_are_quick() -> None:
    random = np.random.default_rng(4)
    frame = _frame(random.random(6000), random.random(6000))
    start = time.process_time()
    paired_gain(frame, frame * 1.1)
    assert time.process_time() - start < 3.0


def test_two_arms_lie_apart_by_their_rates() -> None:
    less, share = apart(_frame([1.0, 0.0, 2.0]), _frame([0.5, 0.5]))
    assert (less.value, share.value) == (pytest.approx(0.5), pytest.approx(1.0))
    nobody = apart(_frame([1.0, 0.0]), _frame([0.0, 0.0]))
    assert nobody[0].value == 0.5
    assert math.isnan(nobody[1].value)


def test_the_interval_between_two_arms_has_the_width_of_the_normal_one() -> None:
    random = np.random.default_rng(3)
    arms = [random.normal(5.0, 2.0, 1_500), random.normal(4.0, 1.6, 300)]
    less, _ = apart(_frame(arms[0]), _frame(arms[1]), resamples=2_000)
    half = 1.96 * math.sqrt(arms[0].var() / 1_500 + arms[1].var() / 300)
    assert (less.high - less.low) / 2.0 == pytest.approx(half, rel=0.08)
    assert less == apart(_frame(arms[0]), _frame(arms[1]), resamples=2_000)[0]


def test_a_small_arm_without_the_few_who_spend_most_is_not_believed() -> None:
    random = np.random.default_rng(5)
    held = []
    for seed in range(100):
        values = random.lognormal(0.0, 2.0, 3_000) * (random.random(3_000) < 0.3)
        share = apart(_frame(1.2 * values[:2_850]), _frame(values[2_850:]), resamples=300, seed=seed)[1]
        held.append(share.low <= 0.2 <= share.high)
    assert 0.9 <= np.mean(held) <= 1.0


def test_the_hold_out_that_is_needed_finds_the_gain_in_four_of_five_cases() -> None:
    random = np.random.default_rng(4)
    needed = entities_needed(_frame(random.random(20_000) < 0.3), 0.2, effect=0.2)
    held = round(needed)
    found = []
    for seed in range(100):
        treated, control = random.random(4 * held) < 0.36, random.random(held) < 0.3
        found.append(apart(_frame(treated), _frame(control), resamples=200, seed=seed)[0].low > 0)
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)
    assert math.isnan(entities_needed(_frame([0.0, 0.0]), 0.2, effect=0.2))
