"""Intervals by the bootstrap over entities (products or customers).

Efron (1979), percentile intervals. An entity's rows of all cut-offs and horizons stay together, so
their correlation is in the interval. Input: per-entity frames of `models.metrics`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from models.metrics import DENOMINATOR, NUMERATOR

MOST_DRAWN = 20_000
"""Entities drawn one by one; more are drawn in so many groups, put together at random: as wide, and no dearer."""
_CHUNK = 4_000_000  # draws held at once: 32 MB of indices, 4 MB of counts
_KEPT = 24  # such counts


class Estimate(NamedTuple):
    """A value with its interval; all NaN where there is nothing to divide by."""

    value: float
    low: float
    high: float


def interval(per_entity: pd.DataFrame, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 7) -> Estimate:
    """One metric with its interval: sum of numerators by sum of denominators."""
    columns = per_entity[[NUMERATOR, DENOMINATOR]].to_numpy(np.float64)
    sums = _resampled_sums(columns, resamples, seed)
    return _estimate(_ratio(columns.sum(axis=0)[None])[0], _ratio(sums), confidence)


def paired_gain(
    challenger: pd.DataFrame,
    baseline: pd.DataFrame,
    *,
    higher_is_better: bool = False,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 7,
) -> Estimate:
    """Relative improvement of `challenger` on `baseline`, both drawn on the same entities.

    1 - challenger/baseline where lower is better, challenger/baseline - 1 otherwise: 0.10 is 10%
    better. Raises ValueError where the two do not hold the same entities.
    """
    if not challenger.index.is_unique or not baseline.index.is_unique:
        raise ValueError("paired bootstrap: found an entity twice, expected one row per entity; sum them first")
    if len(challenger) != len(baseline) or not challenger.index.isin(baseline.index).all():
        raise ValueError(
            f"paired bootstrap: the models hold different entities ({len(challenger)} and {len(baseline)}); "
            "score both on the same products or customers"
        )
    pair = [challenger, baseline.reindex(challenger.index)]
    columns = np.hstack([frame[[NUMERATOR, DENOMINATOR]].to_numpy(np.float64) for frame in pair])
    values = _relative(columns.sum(axis=0)[None], higher_is_better)
    sums = _resampled_sums(columns, resamples, seed)
    return _estimate(values[0], _relative(sums, higher_is_better), confidence)


def apart(
    treated: pd.DataFrame,
    control: pd.DataFrame,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 7,
) -> tuple[Estimate, Estimate]:
    """How far two arms of different entities lie apart: treated less control, and that as a share of control.

    The few who do most are rarely in a small control, so what it says of its own spread is too little. Both arms
    are taken to differ in scale alone: as many as each has are drawn of all entities, each divided by the rate of its
    arm, and by how far such draws lie apart the intervals are made (pivotal). All NaN where an arm has no rate; the
    share where the control's is 0.
    """
    arms = [frame[[NUMERATOR, DENOMINATOR]].to_numpy(np.float64) for frame in (treated, control)]
    rates = [float(_ratio(arm.sum(axis=0)[None])[0]) for arm in arms]
    scales = [np.array([1.0 / rate if rate else 0.0, 1.0]) for rate in rates]
    pooled = np.concatenate([arm * scale for arm, scale in zip(arms, scales, strict=True)])
    middle, random = _ratio(pooled.sum(axis=0)[None])[0], np.random.default_rng(seed)
    drawn = [_ratio(_sums_of(pooled, len(arm), resamples, random, seed)) / middle for arm in arms]
    less = rates[0] - rates[1]
    added = _estimate(less, 2.0 * less - (rates[0] * drawn[0] - rates[1] * drawn[1]), confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.float64(rates[0]) / rates[1]
        return added, _estimate(ratio - 1.0, ratio * drawn[1] / drawn[0] - 1.0, confidence)


def _sums_of(
    columns: NDArray[np.float64], size: int, resamples: int, random: np.random.Generator, seed: int
) -> NDArray[np.float64]:
    """[n, k] columns -> [B, k] sums over `size` entities drawn with replacement."""
    if not len(columns) or not size:
        return np.zeros((resamples, columns.shape[1]))
    grouped = _grouped(columns, seed)
    groups = max(1, round(size * len(grouped) / len(columns)))
    step = max(1, _CHUNK // groups)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return np.concatenate([grouped[random.integers(0, len(grouped), (one, groups))].sum(axis=1) for one in sizes])


def entities_needed(
    per_entity: pd.DataFrame, control_share: float, *, effect: float, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Entities of the control by which a relative gain of `effect` would be seen with this power.

    NaN where nobody did anything. Of means (the denominator is 1), by the normal approximation.
    """
    values = per_entity[NUMERATOR].to_numpy(np.float64)
    if not len(values) or not values.mean() or not 0 < control_share < 1:
        return float("nan")
    deviations = norm.isf((1.0 - confidence) / 2.0) + norm.isf(1.0 - power)
    return float((deviations * values.std() / (effect * values.mean())) ** 2 / (1.0 - control_share))


def _relative(sums: NDArray[np.float64], higher_is_better: bool) -> NDArray[np.float64]:
    """[B, 4] sums -> [B] relative improvement."""
    challenger, baseline = _ratio(sums[:, :2]), _ratio(sums[:, 2:])
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(baseline == 0, np.where(challenger == 0, 1.0, np.nan), challenger / baseline)
    return relative - 1.0 if higher_is_better else 1.0 - relative


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """[B, 2] sums -> [B] ratios, NaN where the denominator is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[:, 1] == 0, np.nan, sums[:, 0] / sums[:, 1])


def _resampled_sums(columns: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """[n, k] columns -> [B, k] sums over n entities drawn with replacement."""
    if not len(columns):
        return np.full((resamples, columns.shape[1]), 0.0)
    columns = _grouped(columns, seed)
    step = max(1, _CHUNK // len(columns))
    sizes = [(start, min(step, resamples - start)) for start in range(0, resamples, step)]
    return np.concatenate([_draws(len(columns), *size, seed).astype(np.float64) @ columns for size in sizes])


def _grouped(columns: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """[n, k] columns -> [MOST_DRAWN, k] sums of groups of equal size, the columns themselves where n is no more."""
    entities = len(columns)
    if entities <= MOST_DRAWN:
        return columns
    group = np.random.default_rng([seed, entities]).permutation(entities) % MOST_DRAWN
    return np.stack([np.bincount(group, column, MOST_DRAWN) for column in columns.T], axis=1)


@lru_cache(maxsize=_KEPT)
def _draws(entities: int, start: int, size: int, seed: int) -> NDArray[np.uint8]:
    """[size, n] how often each entity is drawn; kept, for what is compared on the same entities draws the same."""
    drawn = np.random.default_rng([seed, start]).integers(0, entities, (size, entities))
    drawn += np.arange(size)[:, None] * entities
    return np.bincount(drawn.ravel(), minlength=size * entities).reshape(size, entities).astype(np.uint8)


def _estimate(value: float, drawn: NDArray[np.float64], confidence: float) -> Estimate:
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or not np.isfinite(value):
        return Estimate(float("nan"), float("nan"), float("nan"))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return Estimate(float(value), float(low), float(high))
