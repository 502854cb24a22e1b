"""Lists of each customer's own: candidates with a reason, filled up with what is popular."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd

from models import metrics
from models.dates import to_days
from models.files import corrupt, read_settings, take, write_settings
from models.protocol import Features
from models.recommendations.frames import asked_for, at_cutoff, counted_targets, cutoff_of, identity
from models.recommendations.popular import (
    BOUGHT,
    PRODUCTS,
    TARGET_DAYS,
    PopularRecent,
    drawn,
)
from models.recommendations.ranking import MICROSECONDS, best_of_customers, rank_for_customers
from models.shelf import Shelf

Made = TypeVar("Made")
KEY = ["as_of", "customer_id", "rank"]
COLUMNS = [*KEY, "product_id", "score", "reason", "reason_product_id"]
FILL_HALF_LIFE = 56.0
"""Days, of the popular list that fills up."""
POPULARITY_WEIGHT = "popularity"
LEAST_CUSTOMERS = 0.01
JUDGED_CUTOFFS = 3
"""Cut-offs that weights are chosen on, the last."""
MOST_JUDGED = 3_000
"""Customers with a target that weights are chosen on, all cut-offs together."""


Known = dict[np.datetime64, pd.DataFrame]
"""Candidates by cut-off."""


class PersonalLists(ABC):
    """Ranks each customer's candidates, then fills up with the popular list of the last weeks.

    top_k: products a customer is shown. exclude_bought: whether what a customer bought is left out.
    seed: of the customers that weights are chosen on. What is learnt are a few numbers (`weights`); counts come
    from the night's own frames.
    """

    name: ClassVar[str]
    choices: ClassVar[dict[str, tuple[float, ...]]]
    """Weight -> its candidates, the first the default; chosen one after the other.

    Each has `popularity`: a candidate's score is multiplied by log(1 + the customers of its last weeks) ** popularity.
    """
    found_with: ClassVar[tuple[str, ...] | None] = None
    """The weights that candidates depend on, beside the frames; None where they depend on what else was learnt."""

    def __init__(self, *, top_k: int = 20, exclude_bought: bool = True, seed: int = 7) -> None:
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}, expected at least 1")
        self.top_k = top_k
        self.exclude_bought = exclude_bought
        self.seed = seed
        self.weights = {key: found[0] for key, found in self.choices.items()}
        self.shelf: Shelf | None = None
        """Where one is given, what is made of its frames is shared with other fits and contestants."""
        self._kept: dict[Hashable, Any] | None = None

    @abstractmethod
    def candidates(self, features: Features) -> pd.DataFrame:
        """customer_id, product_id, score (above 0), reason, reason_product_id of one cut-off; any order."""

    def fingerprints(self, features: Features) -> pd.Series | None:
        """By customer_id, a digest of all that the candidates of one cut-off follow from beside what `fit` learnt.

        Equal digests, the same rows bit for bit, whoever is scored as well. None where candidates follow from the day
        or from other customers' purchases: then all of them are new each night.
        """
        return None

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Choose the weights with the greatest NDCG at top_k on the matured targets; of equals the first.

        Raises ValueError where no cut-off has 28 known days after it with a purchase that counts.
        """
        counted = counted_targets(features, targets, self.exclude_bought, JUDGED_CUTOFFS)
        if counted.empty:
            raise ValueError(f"too little data to train {self.name}: no purchase in {TARGET_DAYS} known days")
        counted = drawn(counted, MOST_JUDGED, self.seed)
        narrowed = asked_for(features, counted)
        self.weights = {key: found[0] for key, found in self.choices.items()}
        with self.keeping():
            for key, options in self.choices.items():
                if len(options) == 1:
                    continue
                figures: dict[float, float] = {}
                known: Known = {}
                for option in options:
                    self.weights[key] = option
                    known = known if key == POPULARITY_WEIGHT else {}
                    lists = self._lists(narrowed, known)
                    figures[option] = metrics.value(metrics.ndcg_at_k(lists, counted, self.top_k))
                self.weights[key] = max(options, key=lambda option: figures[option])
        return self

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """While the frames stay the same: what `once` makes is kept."""
        self._kept = {}
        try:
            yield
        finally:
            self._kept = None

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for each key within `keeping`, anew outside of it."""
        if self._kept is None:
            return make()
        if key not in self._kept:
            self._kept[key] = make()
        found: Made = self._kept[key]
        return found

    def shared(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for all that share the shelf, anew where there is none."""
        return make() if self.shelf is None else self.shelf.once(key, make)

    def found(self, features: Features) -> pd.DataFrame:
        """The candidates of one cut-off, shared where they depend on the frames and weights alone."""
        if self.found_with is None:
            return self.candidates(features)
        weights = tuple(self.weights[key] for key in self.found_with)
        key = (self.name, self.exclude_bought, self.seed, weights, identity(features))
        return self.shared(key, lambda: self.candidates(features))

    def predict(self, features: Features, found: pd.DataFrame | None = None) -> pd.DataFrame:
        """as_of, customer_id, rank (from 1), product_id, score, reason, reason_product_id, sorted by the first three.

        Scores above 1 are candidates', below 1 those of the popular list (its share of the most popular). found: the
        candidates, where they are known already and there is one cut-off.
        """
        days = np.unique(to_days(features[BOUGHT]["as_of"]))
        return self._lists(features, {} if found is None else dict.fromkeys(days, found))

    def _lists(self, features: Features, known: Known) -> pd.DataFrame:
        """The lists of all cut-offs; candidates that are known already are not looked for again."""
        frames = []
        for day in np.unique(to_days(features[BOUGHT]["as_of"])):
            at = at_cutoff(features, day)
            known[day] = known[day] if day in known else self.found(at)
            frames.append(self._at(at, known[day]))
        if not frames:
            empty = {name: frame.iloc[:0] for name, frame in features.items()}
            frames = [self._at(empty, self.candidates(empty))]
        return pd.concat(frames, ignore_index=True)

    def predict_default(self, features: Features) -> pd.DataFrame:
        """as_of, rank, product_id, score: the popular list, for a customer without history."""
        return self._popular(self.top_k).predict_default(features)

    def _popular(self, top_k: int) -> PopularRecent:
        return PopularRecent(top_k=top_k, exclude_bought=self.exclude_bought, half_life_days=FILL_HALF_LIFE)

    def _at(self, features: Features, found: pd.DataFrame) -> pd.DataFrame:
        """The lists of one cut-off, from these candidates."""
        bought, products = features[BOUGHT], features[PRODUCTS]
        ranked = self._ranked(features)
        found = self._with_popularity(found, ranked)
        found = found[found["product_id"].isin(products.loc[products["is_active"].astype(bool), "product_id"])]
        if self.exclude_bought:
            pairs = pd.MultiIndex.from_frame(bought[["customer_id", "product_id"]])
            found = found[~pd.MultiIndex.from_frame(found[["customer_id", "product_id"]]).isin(pairs)]
        found = best_of_customers(found, self.top_k)
        fill = self._fill(ranked, found, bought)
        found = found.assign(as_of=_first_day(bought), score=1.0 + found["score"] / (1.0 + found["score"]))
        return _stacked(found, fill, self.top_k)

    def weighed(self, features: Features) -> pd.DataFrame:
        """The candidates with scores times popularity: comparable within a customer."""
        return self._with_popularity(self.found(features), self._ranked(features))

    def _ranked(self, features: Features) -> pd.DataFrame:
        """All products on sale of one cut-off, the popular ones first."""
        popular = self._popular(max(len(features[PRODUCTS]), 1))
        return self.shared((popular.name, cutoff_of(features)), lambda: popular.predict_default(features))

    def _with_popularity(self, found: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
        """Candidates with scores times popularity; what nobody bought lately keeps a little."""
        customers = (
            ranked.set_index("product_id")["score"].reindex(found["product_id"]).fillna(0.0).to_numpy(np.float64)
        )
        factor = np.log1p(LEAST_CUSTOMERS + customers) ** self.weights[POPULARITY_WEIGHT]
        return found.assign(score=found["score"] * factor)

    def _fill(self, ranked: pd.DataFrame, found: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
        """The popular products that are not among a customer's candidates, nor bought where that is left out."""
        key = ["as_of", "customer_id", "product_id"]
        taken = found.assign(as_of=_first_day(bought))[key]
        others = (
            bought[key] if self.exclude_bought else bought[key].drop_duplicates("customer_id").assign(product_id=None)
        )
        fill = rank_for_customers(ranked, pd.concat([taken, others], ignore_index=True), self.top_k, True)
        most = ranked["score"].max() if len(ranked) else 0.0
        return fill.assign(score=fill["score"] / (most + 1.0), reason="popular", reason_product_id=None)

    def save(self, folder: Path) -> None:
        """Write `settings.json`."""
        keys = ("top_k", "exclude_bought", "seed", "weights")
        write_settings(folder, {"model": self.name} | {key: getattr(self, key) for key in keys})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        kinds = {"top_k": int, "exclude_bought": bool, "seed": int}
        found: dict[str, Any] = {key: take(settings, key, kind, folder) for key, kind in kinds.items()}
        weights = take(settings, "weights", dict, folder)
        if set(weights) != set(cls.choices):
            raise corrupt(folder, cls.name, f"weights are {sorted(weights)}, expected {sorted(cls.choices)}")
        try:
            model = cls(**found)
        except ValueError as error:
            raise corrupt(folder, cls.name, str(error)) from error
        model.weights = {key: float(weights[key]) for key in cls.choices}
        return model


def _first_day(bought: pd.DataFrame) -> pd.Timestamp | Any:
    days = to_days(bought["as_of"]).astype(MICROSECONDS)
    return pd.Timestamp(days[0]) if len(days) else pd.NaT


def _stacked(found: pd.DataFrame, fill: pd.DataFrame, top_k: int) -> pd.DataFrame:
    """Candidates above the fill, ranked anew, cut at top_k."""
    both = pd.concat([found, fill], ignore_index=True) if len(found) else fill.copy()
    both = best_of_customers(both, top_k)
    return both.assign(
        as_of=both["as_of"].astype(MICROSECONDS),
        rank=both.groupby("customer_id", sort=False).cumcount().to_numpy(np.int64) + 1,
        score=both["score"].astype(np.float64),
        product_id=both["product_id"].astype(fill["product_id"].dtype),
        reason=both["reason"].astype("str"),
        reason_product_id=both["reason_product_id"].astype("str"),
    )[COLUMNS]
