"""The second stage: gradient boosted trees order the union of what the retrieval sources find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from models.dates import to_days
from models.files import SETTINGS_FILE, corrupt, read_checked, read_settings, take, write_model
from models.protocol import Features
from models.recommendations.frames import at_cutoff, counted_targets, identity, with_purchases_of
from models.recommendations.lessons import Lesson, ndcg, outcomes
from models.recommendations.lists import PersonalLists
from models.recommendations.pool import Pool, build_pool, reasons
from models.recommendations.popular import BOUGHT
from models.recommendations.purchases import CANDIDATE_COLUMNS
from models.recommendations.ranker_design import design
from models.recommendations.retrieval import sources

RANKER = "ranker"
MOST_CUSTOMERS = 2_000
"""Customers with a purchase after it that a cut-off teaches by, drawn with the seed."""
SECONDS_A_CUTOFF = 20.0
"""Of one core, for 2,000 customers and 4,600 products: reckoned, not clocked, so that equal data gives equal bytes."""
FEWEST_HITS = 100
"""Candidates that were bought, under which the model refuses."""
CHUNK = 5_000
"""Customers scored at once."""
FILE = "ranker.ubj"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How the trees are grown; found on cut-offs before those reported (docs/experiments.md)."""

    cutoffs: int = 6
    """Cut-offs that are learnt from, the last."""
    rounds: int = 100
    learning_rate: float = 0.1
    pairs: int = 10
    """Candidates of a customer, the first by score, that are compared with all others."""
    max_depth: int = 6
    min_child_weight: float = 5.0
    column_share: float = 0.5
    row_share: float = 0.8
    max_bin: int = 64
    most: int = 100
    """Candidates of each source for a customer."""


class XGBoostRanker(PersonalLists):
    """LambdaMART (Burges 2010) over candidates of own history, EASE, nearest customers, co-purchase and popularity.

    The sources count in the frames of each cut-off, with weights that are fixed, so nothing that a lesson is built from
    lies after its cut-off. The last cut-off judges: where NDCG is not better than the best source's by more than the
    standard error of the paired difference, that source serves (`serves`); then all cut-offs teach. minutes: of one
    core that a fit may take, about: fewer cut-offs teach, at least two.
    """

    name: ClassVar[str] = "xgboost_ranker"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"popularity": (0.0,)}

    def __init__(
        self,
        *,
        top_k: int = 20,
        exclude_bought: bool = True,
        seed: int = 7,
        threads: int = 0,
        minutes: float | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(top_k=top_k, exclude_bought=exclude_bought, seed=seed)
        self.threads = threads
        self.recipe = recipe or Recipe()
        self.minutes = minutes
        self.serves = RANKER
        self.figures: dict[str, float] = {}
        """NDCG of each source and of the ranker on the last cut-off, `gain` over the best source and its `error`."""
        self.names: list[str] = []
        self._booster: xgb.Booster | None = None
        self.sources = sources(top_k, exclude_bought, seed)

    def fit(self, features: Features, targets: pd.DataFrame) -> Self:
        """Learn from the matured cut-offs, decide by the last one who serves, learn from all.

        Raises ValueError where fewer than two cut-offs have 28 known days after them, or hardly a candidate was bought.
        """
        within = int(60.0 * self.minutes / SECONDS_A_CUTOFF) if self.minutes else self.recipe.cutoffs
        cutoffs = min(self.recipe.cutoffs, max(within, 2))
        counted = counted_targets(features, targets, self.exclude_bought, cutoffs)
        days = np.unique(to_days(counted["as_of"])) if len(counted) else np.zeros(0, "datetime64[D]")
        if len(days) < 2:
            raise ValueError(f"too little data to train {self.name}: found {len(days)} cut-offs with purchases, not 2")
        lessons = [self._lesson(features, counted, day) for day in days]
        hits = sum(int(lesson.bought.sum()) for lesson in lessons[:-1])
        if hits < FEWEST_HITS:
            raise ValueError(f"too little data to train {self.name}: found {hits} candidates bought, not {FEWEST_HITS}")
        self.names = lessons[-1].names
        self._booster = self._trained(lessons[:-1])
        self.serves, self.figures = self._judged(lessons[-1])
        self._booster = self._trained(lessons)
        return self

    def _lesson(self, features: Features, counted: pd.DataFrame, day: np.datetime64) -> Lesson:
        asked = counted[to_days(counted["as_of"]) == day]
        customers = np.sort(asked["customer_id"].unique())
        if len(customers) > MOST_CUSTOMERS:
            random = np.random.default_rng([self.seed, int(day.astype(np.int64)) & 0xFFFFFFFF])
            asked = asked[asked["customer_id"].isin(random.choice(customers, MOST_CUSTOMERS, replace=False))]
        night = with_purchases_of(at_cutoff(features, day), asked["customer_id"])
        designed = self._designed(night)
        return Lesson(*designed, *outcomes(designed[0], asked))

    def _designed(self, features: Features) -> tuple[Pool, list[str], NDArray[np.float32]]:
        """The candidates of one cut-off with their features' names and values."""
        key = (self.name, self.seed, self.exclude_bought, self.recipe.most, identity(features))
        return self.shared(key, lambda: (pool := self._pool(features), *design(features, pool)))

    def _pool(self, features: Features) -> Pool:
        for source in self.sources.values():
            source.shelf = self.shelf
        found = {name: source.weighed(features) for name, source in self.sources.items()}
        return build_pool(features, found, self.exclude_bought, self.recipe.most)

    def _trained(self, lessons: list[Lesson]) -> xgb.Booster:
        rows, labels, groups = [], [], []
        for place, lesson in enumerate(lessons):
            teaches = np.bincount(lesson.pool.who, weights=lesson.bought, minlength=len(lesson.relevant)) > 0
            kept = teaches[lesson.pool.who]
            rows.append(lesson.rows[kept])
            labels.append(lesson.bought[kept].astype(np.float32))
            groups.append(lesson.pool.who[kept] + place * 10_000_000)
        matrix = xgb.QuantileDMatrix(
            np.concatenate(rows),
            np.concatenate(labels),
            qid=np.concatenate(groups),
            max_bin=self.recipe.max_bin,
            nthread=self.threads or None,
        )
        return xgb.train(self._parameters(), matrix, self.recipe.rounds)

    def _parameters(self) -> dict[str, Any]:
        recipe = self.recipe
        return {
            "objective": "rank:ndcg",
            "lambdarank_pair_method": "topk",
            "lambdarank_num_pair_per_sample": recipe.pairs,
            "tree_method": "hist",
            "nthread": self.threads or None,
            "seed": self.seed,
            "learning_rate": recipe.learning_rate,
            "max_depth": recipe.max_depth,
            "min_child_weight": recipe.min_child_weight,
            "colsample_bytree": recipe.column_share,
            "subsample": recipe.row_share,
            "max_bin": recipe.max_bin,
        }

    def _judged(self, lesson: Lesson) -> tuple[str, dict[str, float]]:
        """Who serves, and the figures of the last cut-off."""
        gains = {name: ndcg(lesson, -lesson.pool.rank(name), self.top_k) for name in self.sources}
        best = max(gains, key=lambda name: float(gains[name].mean()))
        own = ndcg(lesson, self._scores(lesson.rows), self.top_k)
        more = own - gains[best]
        error = float(more.std(ddof=1) / np.sqrt(len(more))) if len(more) > 1 else 0.0
        figures = {name: float(gain.mean()) for name, gain in gains.items()} | {RANKER: float(own.mean())}
        figures |= {"gain": float(more.mean()), "error": error}
        return (RANKER if figures["gain"] > error else best), figures

    def _scores(self, rows: NDArray[np.float32]) -> Floats:
        if self._booster is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        self._booster.set_param({"nthread": self.threads, "device": "cpu"})
        return np.asarray(self._booster.inplace_predict(rows), dtype=np.float64)

    def candidates(self, features: Features) -> pd.DataFrame:
        """The union with the ranker's score, exp(margin); or what the source finds that serves instead."""
        parts = [self._of(part) for part in self._chunks(features)]
        return pd.concat(parts, ignore_index=True)[CANDIDATE_COLUMNS]

    def _chunks(self, features: Features) -> Iterator[Features]:
        customers = np.sort(features[BOUGHT]["customer_id"].unique())
        with self._keeping_sources():
            for start in range(0, max(len(customers), 1), CHUNK):
                yield with_purchases_of(features, pd.Series(customers[start : start + CHUNK], dtype="str"))

    def _of(self, features: Features) -> pd.DataFrame:
        if self.serves != RANKER:
            return self.sources[self.serves].weighed(features)
        pool, _, rows = self._designed(features)
        score = np.exp(self._scores(rows)) if len(rows) else np.zeros(0)
        return reasons(pool).assign(score=score)

    def _keeping_sources(self) -> ExitStack:
        stack = ExitStack()
        for source in self.sources.values():
            stack.enter_context(source.keeping())
        return stack

    def save(self, folder: Path) -> None:
        """Write `settings.json`, with the digest of the other file, and the booster in UBJ."""
        if self._booster is None:
            raise ValueError(f"{self.name} has not been fitted: call fit or load first")
        keys = ("top_k", "exclude_bought", "seed", "weights", "serves", "figures", "names")
        settings = {"model": self.name, "recipe": asdict(self.recipe)} | {key: getattr(self, key) for key in keys}
        write_model(folder, settings, {FILE: bytes(self._booster.save_raw("ubj"))})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises ValueError where a file is missing or corrupt."""
        model = super().load(folder)
        settings = read_settings(folder, cls.name)
        try:
            model.recipe = Recipe(**take(settings, "recipe", dict, folder))
        except TypeError as error:
            raise corrupt(folder / SETTINGS_FILE, cls.name, str(error)) from error
        model.serves = take(settings, "serves", str, folder)
        if model.serves not in {RANKER, *model.sources}:
            raise corrupt(folder / SETTINGS_FILE, cls.name, f"serves is {model.serves}, expected a source or {RANKER}")
        model.figures, model.names = take(settings, "figures", dict, folder), take(settings, "names", list, folder)
        model._booster = xgb.Booster(model_file=bytearray(read_checked(folder, settings, FILE)))
        return model
