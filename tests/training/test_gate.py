"""The gate: a gain beyond doubt promotes, noise and ties keep the champion, and a baseline may win."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from models.metrics import DENOMINATOR, NUMERATOR
from pipelines.home import Home
from pipelines.scoring.outputs import output_of
from pipelines.training.evaluate import Evaluation
from pipelines.training.gate import decide

CUTOFFS = [date(2011, 5, 17), date(2011, 7, 12), date(2011, 9, 6)]
PRODUCTS = 400


def evaluation(model: str, error: float, noise: float = 0.0, seed: int = 7) -> Evaluation:
    """A contestant whose WAPE is `error`, up to noise per product."""
    random, found = np.random.default_rng(seed), Evaluation(model)
    units = np.random.default_rng(1).gamma(1.0, 50.0, PRODUCTS)
    for cutoff in CUTOFFS:
        errors = units * np.maximum(error + noise * random.standard_normal(PRODUCTS), 0.0)
        frame = pd.DataFrame({NUMERATOR: errors, DENOMINATOR: units}, index=[f"p{at}" for at in range(PRODUCTS)])
        found.measures[cutoff] = {"wape": frame}
    return found


BASE = evaluation("seasonal_naive", 1.0)


def test_a_clear_gain_promotes(home: Home) -> None:
    best = evaluation("xgboost_quantiles", 0.6, noise=0.2)
    decision = decide(home, output_of("demand"), [BASE, best], evaluation("recent_mean", 0.8), "seasonal_naive")
    assert decision.is_promoted
    assert decision.challenger == "xgboost_quantiles"
    assert [comparison.role for comparison in decision.comparisons] == ["champion", "baseline"]
    assert all(comparison.gain.low > 0.0 for comparison in decision.comparisons)


def test_the_same_figures_keep_the_champion(home: Home) -> None:
    challenger, champion = evaluation("xgboost_quantiles", 0.6), evaluation("xgboost_quantiles", 0.6)
    decision = decide(home, output_of("demand"), [BASE, challenger], champion, "seasonal_naive")
    assert not decision.is_promoted
    assert "stays" in decision.reason


def test_noise_keeps_the_champion(home: Home) -> None:
    promoted = 0
    for seed in range(40):
        challenger = evaluation("xgboost_quantiles", 0.6, noise=0.5, seed=2 * seed)
        champion = evaluation("xgboost_quantiles", 0.6, noise=0.5, seed=2 * seed + 1)
        promoted += decide(home, output_of("demand"), [BASE, challenger], champion, "seasonal_naive").is_promoted
    assert promoted <= 4


def test_without_a_champion_an_unproven_gain_leaves_the_baseline(home: Home) -> None:
    noisy = evaluation("xgboost_quantiles", 0.999, noise=0.6)
    decision = decide(home, output_of("demand"), [BASE, noisy], None, "seasonal_naive")
    assert decision.is_promoted
    assert decision.challenger == "seasonal_naive"
    assert "baseline serves" in decision.reason or "it is the baseline" in decision.reason


def test_a_minimum_effect_asks_for_more(home: Home) -> None:
    settings = home.settings.model_copy(update={"gate": home.settings.gate.model_copy(update={"minimum_effect": 0.5})})
    strict = Home(home.places, settings)
    best = evaluation("xgboost_quantiles", 0.6, noise=0.1)
    assert decide(strict, output_of("demand"), [BASE, best], None, "seasonal_naive").challenger == "seasonal_naive"
