"""Evaluate: every contestant fitted on what was known at a cut-off, and judged on what came after it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from models.bootstrap import Estimate, interval
from models.metrics import DENOMINATOR, INFLUENCE, NUMERATOR, over_all
from models.protocol import Model
from models.shelf import Shelf
from pipelines.home import Home
from pipelines.metering import Usage, metered
from pipelines.records import ALL, Row
from pipelines.scoring.frames import Frames
from pipelines.scoring.outputs import Measures, Output, by_segment
from pipelines.training.cutoffs import Cutoffs

LEAST_ENTITIES = 50
"""Customers, products, payers or tickets of a segment that it is judged with; a smaller one is left out."""


@dataclass
class Evaluation:
    """How one contestant did: per cut-off and metric, numerators and denominators per entity.

    members: per cut-off, the segment of each entity by kind, as `Output.segments` gives it.
    """

    model: str
    measures: dict[date, Measures] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    members: dict[date, pd.DataFrame] = field(default_factory=dict)
    _figures: dict[tuple[str, str], Estimate] = field(default_factory=dict)
    _pooled: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    _rows: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured, the output's own metric first."""
        return tuple(next(iter(self.measures.values()), {}))

    def segments(self, metric: str) -> list[str]:
        """The segments with entities enough to be judged on the metric, like history=few."""
        rows = self._stacked(metric)
        kinds = rows.columns.drop([NUMERATOR, DENOMINATOR, INFLUENCE], errors="ignore")
        named = sorted(f"{kind}={name}" for kind in kinds for name in rows[kind].dropna().unique())
        return [segment for segment in named if len(self.pooled(metric, segment)) >= LEAST_ENTITIES]

    def pooled(self, metric: str, segment: str = ALL) -> pd.DataFrame:
        """The metric over all cut-offs, one row per entity; of a segment, over those at which the entity was in it."""
        if (metric, segment) not in self._pooled:
            rows = self._stacked(metric)
            if segment != ALL:
                kind, _, name = segment.partition("=")
                rows = rows.loc[rows[kind] == name, [NUMERATOR, DENOMINATOR]]
            summed = over_all(rows).groupby(level=0, sort=True).sum()
            self._pooled[metric, segment] = summed
        return self._pooled[metric, segment]

    def _stacked(self, metric: str) -> pd.DataFrame:
        """The metric's rows of all cut-offs by entity, with the segments at their cut-off."""
        if metric not in self._rows:
            parts = [
                measures[metric].join(self.members[cutoff]) if cutoff in self.members else measures[metric]
                for cutoff, measures in self.measures.items()
            ]
            self._rows[metric] = pd.concat(parts)
        return self._rows[metric]

    def figure(self, metric: str, home: Home, segment: str = ALL) -> Estimate:
        """The metric over all cut-offs with its interval over entities, drawn once."""
        if (metric, segment) not in self._figures:
            settings = home.settings
            confidence, seed = settings.gate.confidence, settings.compute.seed
            pooled = self.pooled(metric, segment)
            self._figures[metric, segment] = interval(pooled, confidence=confidence, seed=seed)
        return self._figures[metric, segment]


def figures_of(home: Home, output: Output, evaluation: Evaluation) -> list[Row]:
    """Each metric on all entities, and what is compared on each segment too, as `model_performance` holds them."""
    return [
        {
            "output": output.name,
            "metric": metric,
            "segment": segment,
            **stated(evaluation.figure(metric, home, segment), "value"),
            "n": len(evaluation.pooled(metric, segment)),
        }
        for metric in evaluation.metrics
        for segment in (ALL, *(evaluation.segments(metric) if metric in by_segment(output) else ()))
    ]


def stated(estimate: Estimate, name: str) -> Row:
    """An estimate as it is recorded; null where there was nothing to measure."""
    columns = zip((name, "ci_low", "ci_high"), estimate, strict=True)
    return {column: value if math.isfinite(value) else None for column, value in columns}


def fit(
    home: Home,
    output: Output,
    kind: type[Model],
    frames: Frames,
    cutoffs: Cutoffs,
    as_of: date,
    shelf: Shelf | None = None,
) -> Model:
    """A contestant fitted on what was known at as_of; shelf: what the contestants share that are made of these frames.

    Raises:
        ValueError: too little data to train on.
    """
    features, targets = output.learning(frames, cutoffs, as_of)
    return _sharing(kind(**output.arguments(home, kind, as_of)), shelf).fit(features, targets)


def _sharing(model: Model, shelf: Shelf | None) -> Model:
    """The model, with the shelf where it takes one."""
    if hasattr(model, "shelf"):
        model.shelf = shelf
    return model


def evaluate(
    home: Home,
    output: Output,
    kind: type[Model],
    frames: Frames,
    cutoffs: Cutoffs,
    as_of: date,
    stored: tuple[Model, date] | None = None,
    shelf: Shelf | None = None,
) -> Evaluation:
    """A contestant on the future of every evaluation cut-off.

    It is fitted anew at each cut-off. A model already stored (with the as_of it was trained at) predicts as it is at
    the cut-offs after its training; before, only its recipe can be judged fairly.

    Raises:
        ValueError: too little data to train on, or nothing to judge by.
    """
    evaluation = Evaluation(kind.name)
    with metered() as meter:
        for cutoff in cutoffs.evaluation:
            is_future = stored is not None and stored[1] <= cutoff
            fitted = stored[0] if stored and is_future else fit(home, output, kind, frames, cutoffs, cutoff, shelf)
            model = _sharing(fitted, shelf)
            features, truth = output.judging(frames, cutoff, as_of)
            evaluation.measures[cutoff] = output.measure(home, model.predict(features), features, truth)
            evaluation.members[cutoff] = output.segments(features)
        evaluation.usage = meter.usage()
    if not evaluation.pooled(output.metric)[DENOMINATOR].sum():
        raise ValueError(f"nothing came after the cut-offs that {output.metric} could be measured on")
    return evaluation
