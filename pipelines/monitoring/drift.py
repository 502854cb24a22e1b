"""Drift: how far a night's histograms and volumes lie from what nights usually differ by.

The distance of a histogram is Jensen and Shannon's, to the pooled nights of the same weekday in the eight weeks before
(of a state, to the night before). The nights before have distances of their own, found in the same way: they say how
much nights differ by themselves, be it chance, weather or rows that come in clusters. The cube root of such a sum of
squares is close to normal (Wilson and Hilferty 1931), so that tonight's is judged by a t-test of one new value. The
level is shared by all that is judged on a night (Bonferroni); nothing alarms below a least effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial.distance import jensenshannon
from scipy.stats import t as students_t

from pipelines.monitoring.histograms import DAY, LEAST_ROWS, NIGHTS, OTHER, ROWS
from pipelines.monitoring.watched import table_of

Floats = NDArray[np.float64]
LEVEL = 1 / 60  # chance of any alarm on a night on which nothing is wrong
LEAST_DISTANCE = 0.13  # Jensen-Shannon distance in base 2; about that of a stability index (PSI) of 0.1
LEAST_RATIO = 1.25  # of volumes
WEEKS = 8
LEAST_WEEKS = 4  # nights of the same weekday
LEAST_NIGHTS = 28  # whose own distances are known
EXPECTED = 5.0  # rows of a bin on a usual night; rarer ones are one bin, and those rarer in all nights together another
MOST_BINS = 30
NEW = "new"
DISTANCE, RATIO = "jensen_shannon", "log_ratio"


@dataclass(frozen=True)
class Judged:
    """One feature of a night, before the level is known."""

    feature: str
    statistic: str
    value: float
    centre: float  # of the statistic on its test's scale
    spread: float  # of one new value on it
    nights: int
    scale: float  # from the cube of the test's scale to squared distances
    tonight: Mapping[str, float]  # share of each bin
    usual: Mapping[str, float]

    def threshold(self, level: float) -> float:
        """The value above which it is an alarm."""
        if self.statistic == RATIO:
            limit = float(students_t.isf(level / 2, self.nights - 1)) * self.spread
            return max(limit, math.log(LEAST_RATIO))
        limit = self.centre + float(students_t.isf(level, self.nights - 1)) * self.spread
        return max(math.sqrt(limit**3 * self.scale), LEAST_DISTANCE)


def judge_night(histograms: Mapping[str, Mapping[date, Mapping[str, int]]], as_of: date) -> list[Judged]:
    """Every feature that has rows tonight and enough nights before; histograms by feature, night and bin."""
    nights = [as_of - n * DAY for n in range(NIGHTS, -1, -1)]
    found = []
    for feature, by_night in sorted(histograms.items()):
        is_state = table_of(feature).is_state
        counts = [by_night.get(night) for night in nights]
        if feature.split(":")[0].endswith(f".{ROWS}"):
            judged = judge_volume(feature, [None if row is None else row.get(ROWS, 0) for row in counts], is_state)
        else:
            judged = judge_shares(feature, counts, is_state)
        if judged is not None:
            found.append(judged)
    return found


def judge_shares(feature: str, by_night: Sequence[Mapping[str, int] | None], is_state: bool) -> Judged | None:
    """Tonight's shares, the last of the nights, against those before; None: too little to judge by."""
    counts, names = _matrix(by_night)
    rows = counts.sum(axis=1)
    if rows[-1] < LEAST_ROWS:
        return None
    usual = _usual(counts, is_state)
    usual_rows = usual.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.square(jensenshannon(counts, usual, base=2, axis=1))
        chance = 1 / rows + 1 / usual_rows
    is_known = np.isfinite(squared) & (rows >= LEAST_ROWS) & (usual_rows >= LEAST_ROWS)
    past = np.flatnonzero(is_known[:-1])[-WEEKS * 7 :]
    if not is_known[-1] or len(past) < LEAST_NIGHTS:
        return None
    freedom = max(int(np.count_nonzero(counts[:-1].sum(axis=0))) - 1, 1)
    expected = _expected(squared[past], chance, past, freedom)
    roots = np.cbrt(squared[past] / expected[past])
    spread = max(float(roots.std(ddof=1)), math.sqrt(2 / (9 * freedom)))
    return Judged(
        feature,
        DISTANCE,
        value=math.sqrt(squared[-1]),
        centre=float(roots.mean()),
        spread=spread * math.sqrt(1 + 1 / len(past)),
        nights=len(past),
        scale=float(expected[-1]),
        tonight=dict(zip(names, map(float, counts[-1] / rows[-1]), strict=True)),
        usual=dict(zip(names, map(float, usual[-1] / usual_rows[-1]), strict=True)),
    )


def judge_volume(feature: str, by_night: Sequence[int | None], is_state: bool) -> Judged | None:
    """Tonight's rows against those of the same weekday, and how much such ratios differ by themselves."""
    rows = np.array([math.nan if n is None else float(n) for n in by_night])
    logs = np.log1p(rows)
    back = np.stack([_shifted(logs, lag) for lag in _lags(is_state)])
    present = np.isfinite(back).sum(axis=0)
    usual = np.where(present >= _least(is_state), np.nansum(back, axis=0) / np.maximum(present, 1), math.nan)
    ratios = logs - usual
    past = ratios[:-1][np.isfinite(ratios[:-1])][-WEEKS * 7 :]
    if not np.isfinite(ratios[-1]) or len(past) < LEAST_NIGHTS:
        return None
    mean, chance = float(past.mean()), math.sqrt((1 + 1 / WEEKS) / (math.expm1(usual[-1]) + 1))
    spread = max(float(past.std(ddof=1)), chance) * math.sqrt(1 + 1 / len(past))
    shown = {"tonight": float(rows[-1]), "usual": math.expm1(float(usual[-1]) + mean)}
    value = abs(float(ratios[-1]) - mean)
    return Judged(feature, RATIO, value, 0.0, spread, len(past), 1.0, {ROWS: shown["tonight"]}, {ROWS: shown["usual"]})


def _lags(is_state: bool) -> list[int]:
    return [1] if is_state else [7 * week for week in range(1, WEEKS + 1)]


def _least(is_state: bool) -> int:
    return 1 if is_state else LEAST_WEEKS


def _shifted(values: Floats, lag: int) -> Floats:
    """Each night's value of `lag` nights before; nan where there is none."""
    moved = np.full_like(values, math.nan)
    moved[lag:] = values[:-lag]
    return moved


def _usual(counts: Floats, is_state: bool) -> Floats:
    """The pooled counts that each night is compared with; nan where there are too few nights."""
    back = np.stack([_shifted(counts, lag) for lag in _lags(is_state)])
    present = (np.nansum(back, axis=2) > 0).sum(axis=0)
    pooled: Floats = np.nansum(back, axis=0)
    pooled[present < _least(is_state)] = math.nan
    return pooled


def _matrix(by_night: Sequence[Mapping[str, int] | None]) -> tuple[Floats, list[str]]:
    """Counts by night and bin: the bins that are frequent on the nights before, the others, and what is new.

    A bin is new that all nights before together hardly hold; by Good and Turing they hold about as much of such.
    """
    pooled: dict[str, int] = {}
    sizes = [sum(counts.values()) for counts in by_night[:-1] if counts]
    for counts in by_night[:-1]:
        for name, n in (counts or {}).items():
            pooled[name] = pooled.get(name, 0) + n
    total, size = sum(pooled.values()), float(np.median(sizes)) if sizes else 0.0
    frequent = [name for name, n in pooled.items() if n * size >= EXPECTED * total and name != OTHER]
    names = [*sorted(frequent, key=lambda name: (-pooled[name], name))[:MOST_BINS], OTHER, NEW]
    place = {name: len(names) - 2 for name, n in pooled.items() if n >= EXPECTED or name == OTHER}
    place |= {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(by_night), len(names)))
    for row, counts in zip(matrix, by_night, strict=True):
        for name, n in (counts or {}).items():
            row[place.get(name, len(names) - 1)] += n
    return matrix, names


def _expected(squared: Floats, chance: Floats, past: NDArray[np.intp], freedom: int) -> Floats:
    """What a squared distance usually is: a constant, and chance in proportion to 1 / rows, at least that of draws."""
    design = np.stack([np.ones(len(past)), chance[past]], axis=1)
    (constant, slope), _ = nnls(design, squared)
    drawn = freedom / (8 * math.log(2))
    with np.errstate(invalid="ignore"):  # nights without rows
        expected: Floats = np.maximum(constant + slope * chance, drawn * chance)
    return expected
