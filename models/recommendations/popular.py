"""Popularity: what many customers bought, lately or ever, shown to each customer.

Two models on the same frames: `PopularRecent` weighs the last days by a half-life that it learns,
`PopularEver` counts the whole year flat and is the baseline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from models import metrics
from models.dates import to_days
from models.files import corrupt, read_settings, take, write_settings
from models.protocol import Features
from models.recommendations.ranking import MICROSECONDS, rank_for_customers, without_bought

POPULARITY, PRODUCTS, BOUGHT = "product_popularity", "products", "customer_products"
HALF_LIVES = (3.5, 7.0, 14.0, 28.0, 56.0)
"""Days, the candidates of `PopularRecent`."""
TARGET_DAYS = 28
"""Days after as_of in which a purchase counts as a target."""
MOST_JUDGED = 20_000
"""Customers with a target that the half-life is chosen on, all cut-offs together."""
REASON = "popular"


class Popular(ABC):
    """Ranks active products by one score for all customers.

    top_k: products a customer is shown. exclude_bought: whether what a customer bought is left out.
    window_days: days of history that count. half_life_days: days after which a purchase counts half
    (None: flat). seed: of the customers that the half-life is chosen on.
    """

    name: ClassVar[str]

    def __init__(
        self, *, top_k: int, exclude_bought: bool, window_days: int, half_life_days: float | None, seed: int = 7
    ) -> None:
        if top_k < 1 or window_days < 1:
            raise ValueError(f"top_k is {top_k} and window_days {window_days}, expected at least 1 for both")
        if half_life_days is not None and not half_life_days > 0:
            raise ValueError(f"half_life_days is {half_life_days}, expected days above 0, or none for a flat window")
        self.top_k = top_k
        self.exclude_bought = exclude_bought
        self.window_days = window_days
        self.half_life_days = half_life_days
        self.seed = seed

    @abstractmethod
    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from past cut-offs."""

    def predict(self, features: Features) -> pd.DataFrame:
        """as_of, customer_id, rank (from 1), product_id, score, reason: for every customer of `customer_products`.

        Active products only; fewer than top_k only where nothing is left. Sorted by as_of, customer_id, rank.
        """
        ranked = self._ranked(features)
        bought = features[BOUGHT][["as_of", "customer_id", "product_id"]]
        at, ranked_at = to_days(bought["as_of"]), to_days(ranked["as_of"])
        frames = [
            rank_for_customers(ranked[ranked_at == as_of], bought[at == as_of], self.top_k, self.exclude_bought)
            for as_of in np.unique(at)
        ]
        if not frames:
            frames = [rank_for_customers(ranked.iloc[:0], bought.iloc[:0], self.top_k, self.exclude_bought)]
        return pd.concat(frames, ignore_index=True).assign(reason=REASON)

    def predict_default(self, features: Features) -> pd.DataFrame:
        """as_of, rank, product_id, score: the first top_k for a customer without history."""
        ranked = self._ranked(features)
        return ranked[ranked["rank"] <= self.top_k].reset_index(drop=True)

    def _ranked(self, features: Features) -> pd.DataFrame:
        """All active products by as_of and rank, the best first; equal scores in the order of product_id."""
        products = features[PRODUCTS]
        products = products.loc[products["is_active"].astype(bool), ["as_of", "product_id"]]
        products = products.assign(as_of=to_days(products["as_of"]).astype(MICROSECONDS))
        scores = self._scores(features[POPULARITY])
        ranked = products.merge(scores, on=["as_of", "product_id"], how="left", validate="one_to_one")
        ranked["score"] = ranked["score"].fillna(0.0).astype(np.float64)
        ranked = ranked.sort_values(["as_of", "score", "product_id"], ascending=[True, False, True], ignore_index=True)
        ranked["rank"] = ranked.groupby("as_of").cumcount().to_numpy(np.int64) + 1
        return ranked[["as_of", "rank", "product_id", "score"]]

    def _scores(self, popularity: pd.DataFrame) -> pd.DataFrame:
        """as_of, product_id, score: customers a day, summed over the window, decayed by age."""
        ago = popularity["days_ago"].to_numpy(np.float64)
        if len(ago) and ago.min() < 1:
            raise ValueError(f"{POPULARITY}: found days_ago {ago.min():g}, expected at least 1: a row from the future")
        decay = np.ones(len(ago)) if self.half_life_days is None else 0.5 ** (ago / self.half_life_days)
        counted = popularity["customers"].to_numpy(np.float64) * decay * (ago <= self.window_days)
        frame = pd.DataFrame(
            {
                "as_of": to_days(popularity["as_of"]).astype(MICROSECONDS),
                "product_id": popularity["product_id"].reset_index(drop=True),
                "score": counted,
            }
        )
        return frame.groupby(["as_of", "product_id"], sort=True)["score"].sum().reset_index()

    def save(self, folder: Path) -> None:
        """Write `settings.json`."""
        write_settings(folder, self._settings())

    def _settings(self) -> dict[str, Any]:
        keys = ("top_k", "exclude_bought", "window_days", "half_life_days", "seed")
        return {"model": self.name} | {key: getattr(self, key) for key in keys}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `settings.json`; raises ValueError where it is missing or corrupt."""
        settings = read_settings(folder, cls.name)
        kinds = {"top_k": int, "exclude_bought": bool, "window_days": int, "seed": int}
        found = {key: take(settings, key, kind, folder) for key, kind in kinds.items()}
        if settings.get("half_life_days") is not None:
            found["half_life_days"] = take(settings, "half_life_days", float, folder)
        try:
            return cls(**({"half_life_days": None} | found))
        except ValueError as error:
            raise corrupt(folder, cls.name, str(error)) from error


class PopularEver(Popular):
    """Customers of the last 365 days, each day the same: the baseline, nothing to learn."""

    name: ClassVar[str] = "popular_ever"

    def __init__(
        self,
        *,
        top_k: int = 20,
        exclude_bought: bool = True,
        window_days: int = 365,
        half_life_days: float | None = None,
        seed: int = 7,
    ) -> None:
        super().__init__(
            top_k=top_k,
            exclude_bought=exclude_bought,
            window_days=window_days,
            half_life_days=half_life_days,
            seed=seed,
        )

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Nothing to learn."""
        return self


class PopularRecent(Popular):
    """Customers of the last 28 days, newer ones more: sum of customers * 0.5 ** (days_ago / half_life).

    A time-decayed popularity list (Ji et al. 2020, "A Re-visit of the Popularity Baseline").
    """

    name: ClassVar[str] = "popular_recent"

    def __init__(
        self,
        *,
        top_k: int = 20,
        exclude_bought: bool = True,
        window_days: int = 28,
        half_life_days: float | None = 14.0,
        seed: int = 7,
    ) -> None:
        super().__init__(
            top_k=top_k,
            exclude_bought=exclude_bought,
            window_days=window_days,
            half_life_days=half_life_days,
            seed=seed,
        )

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Choose the half-life with the greatest NDCG at top_k on the targets; equal ones: the longest.

        Raises ValueError where no cut-off has 28 known days after it with a purchase that counts.
        """
        counted = self._counted(features, targets)
        if counted.empty:
            raise ValueError(f"too little data to train {self.name}: no purchase in {TARGET_DAYS} known days")
        counted = drawn(counted, MOST_JUDGED, self.seed)
        narrowed = {**features, BOUGHT: bought_by(features[BOUGHT], counted)}
        found: dict[float, float] = {}
        for days in HALF_LIVES:
            self.half_life_days = days
            found[days] = metrics.value(metrics.ndcg_at_k(self.predict(narrowed), counted, self.top_k))
        self.half_life_days = max(found, key=lambda days: (found[days], days))
        return self

    def _counted(self, features: Features, targets: pd.DataFrame) -> pd.DataFrame:
        """The targets that may be learnt from: matured, of customers with history, new to them where bought is out."""
        if targets.empty:
            return targets
        mature = to_days(targets["as_of"]) + np.timedelta64(TARGET_DAYS, "D") <= to_days(targets["known_as_of"])
        return eligible_targets(targets[mature], features, self.exclude_bought)


def drawn(targets: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """The targets of at most so many customers, all cut-offs together."""
    asked = targets[["as_of", "customer_id"]].drop_duplicates().sort_values(["as_of", "customer_id"], ignore_index=True)
    if len(asked) <= most:
        return targets
    places = np.sort(np.random.default_rng(seed).choice(len(asked), most, replace=False))
    return targets.merge(asked.iloc[places], on=["as_of", "customer_id"], how="inner")


def bought_by(bought: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """The rows of `bought` of the customers and cut-offs that `asked` holds."""
    days, wanted = to_days(bought["as_of"]), to_days(asked["as_of"])
    kept = np.zeros(len(bought), bool)
    for day in np.unique(wanted):
        at = np.flatnonzero(days == day)
        kept[at] = bought["customer_id"].iloc[at].isin(asked.loc[wanted == day, "customer_id"].unique())
    return bought[kept].assign(as_of=days[kept].astype(MICROSECONDS))


def eligible_targets(targets: pd.DataFrame, features: Features, exclude_bought: bool) -> pd.DataFrame:
    """The purchases that a list can be judged by: of customers with history; new to them where bought is left out."""
    key = ["as_of", "customer_id", "product_id"]
    pairs = targets[key].assign(as_of=to_days(targets["as_of"]).astype(MICROSECONDS)).drop_duplicates()
    bought = bought_by(features[BOUGHT], pairs)[key]
    known = pairs.merge(bought[key[:2]].drop_duplicates(), on=key[:2], how="inner")
    return without_bought(known, bought) if exclude_bought else known
