"""Contestants with errors of a known size, and products that move between segments."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from models.metrics import DENOMINATOR, NUMERATOR
from pipelines.training.evaluate import LEAST_ENTITIES, Evaluation

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


def in_segments(found: Evaluation, worse: float = 1.0, few: int = LEAST_ENTITIES) -> Evaluation:
    """The first hundred products are new at the first cut-off and old later, the last few are tiny, the rest old.

    worse: what the errors of those that are new are multiplied with, where they are new.
    """
    kind = np.where(np.arange(PRODUCTS) >= PRODUCTS - few, "tiny", "old").astype(object)
    for cutoff, measures in found.measures.items():
        now = kind.copy()
        if cutoff == CUTOFFS[0]:
            now[:100] = "new"
            measures["wape"].loc[now == "new", NUMERATOR] *= worse
        found.members[cutoff] = pd.DataFrame({"product": now}, index=measures["wape"].index)
    return found


def also(found: Evaluation, metric: str, rate: float, worse: float = 1.0) -> Evaluation:
    """The contestant with another metric, lower is better; worse: what it is multiplied with for the new products."""
    for cutoff, measures in found.measures.items():
        frame = pd.DataFrame({NUMERATOR: rate, DENOMINATOR: 1.0}, index=measures["wape"].index)
        frame.loc[(found.members[cutoff]["product"] == "new").to_numpy(), NUMERATOR] *= worse
        measures[metric] = frame
    return found
