"""Our models by name, on frames made of interactions as dbt makes them of a store's orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.interactions import AT, ITEM, TITLE, USER, Round
from models import recommendations
from models.recommendations.frames import EVERYONE
from models.recommendations.new_products import NewProducts
from models.recommendations.popular import BOUGHT, POPULARITY, PRODUCTS
from models.recommendations.ranker import Recipe, XGBoostRanker
from models.recommendations.ranker_design import LATELY
from models.recommendations.sequence_transformer import PURCHASES, SequenceTransformer

Frames = dict[str, pd.DataFrame]
LONGEST = 365
"""Days of popularity."""


@dataclass(frozen=True)
class Asked:
    """What a contestant is asked for."""

    rounds: list[Round]
    top_k: int
    seen_filtered: bool
    threads: int
    seed: int
    hold_out_all: bool
    tell: Callable[[dict[str, float]], bool]
    settings: dict[str, Any] = field(default_factory=dict)


MODELS: dict[str, Any] = {model.name: model for model in (*recommendations.CONTESTANTS, NewProducts)}


def lists_of(name: str, asked: Asked) -> tuple[pd.DataFrame, dict[str, Any]]:
    """customer_id, product_id, score of the test's users by the model `name`, and what it learnt.

    Fitted on what is known at the test's cut-off; outcomes of the earlier rounds alone are targets.
    """
    if name not in MODELS:
        raise ValueError(f"found no model {name!r}, expected one of {sorted(MODELS)}")
    model = _made(MODELS[name], asked)
    frames, targets = frames_of(asked.rounds)
    model.fit(frames, targets)
    last = asked.rounds[-1].as_of
    night = {key: frame[frame["as_of"] == last].reset_index(drop=True) for key, frame in frames.items()}
    everyone = night[BOUGHT]
    night[BOUGHT] = everyone[everyone[USER].isin(asked.rounds[-1].targets[USER])].reset_index(drop=True)
    found = model.predict(night | {EVERYONE: everyone})
    learnt = dict(getattr(model, "weights", {}))
    return found[[USER, ITEM, "score"]], learnt | ({"curve": model.curve} if hasattr(model, "curve") else {})


def _made(model: Any, asked: Asked) -> Any:
    shared = {"top_k": asked.top_k, "exclude_bought": asked.seen_filtered, "seed": asked.seed}
    if model is XGBoostRanker:
        return model(**shared, threads=asked.threads, recipe=Recipe(**asked.settings.get("ranker", {})))
    if model is not SequenceTransformer:
        return model(**shared)
    recipe = {"hold_out_all": asked.hold_out_all} | asked.settings.get("recipe", {})
    made = model(
        **shared,
        threads=asked.threads,
        device=asked.settings.get("device", "cpu"),
        sizes=asked.settings.get("sizes"),
        recipe=recipe,
    )
    made.checkpoint, made.on_epoch = asked.settings.get("checkpoint"), asked.tell
    return made


def frames_of(rounds: list[Round]) -> tuple[Frames, pd.DataFrame]:
    """Feature frames of all rounds, and the targets of all but the last."""
    parts = [_frames(one, is_last=one is rounds[-1]) for one in rounds]
    frames = {key: pd.concat([part[key] for part in parts], ignore_index=True) for key in parts[0]}
    earlier = [one.targets.assign(as_of=one.as_of) for one in rounds[:-1]]
    targets = pd.concat(earlier, ignore_index=True) if earlier else rounds[-1].targets.iloc[:0].assign(as_of=None)
    return frames, targets.assign(known_as_of=rounds[-1].as_of)


def _frames(one: Round, *, is_last: bool) -> Frames:
    known, as_of = one.known, one.as_of
    day = pd.to_datetime(known[AT]).dt.normalize()
    pairs = known.assign(day=day, order=known[AT]).groupby([USER, ITEM], sort=True)
    bought = pairs.agg(
        times=("order", "nunique"), first_bought_on=("day", "min"), last_bought_on=("day", "max")
    ).reset_index()
    for days in LATELY:
        is_late = day >= pd.Timestamp(as_of) - pd.Timedelta(days=days)
        late = known[is_late].groupby([USER, ITEM])[AT].nunique().rename(f"times_{days}")
        bought = bought.join(late, on=[USER, ITEM]).fillna({f"times_{days}": 0})
    ago = np.maximum(np.asarray((pd.Timestamp(as_of) - day) / np.timedelta64(1, "D"), np.int64), 1)
    daily = known.assign(days_ago=ago).groupby([ITEM, "days_ago"])[USER].nunique().rename("customers").reset_index()
    return {
        BOUGHT: bought.assign(
            as_of=as_of,
            first_bought_on=_dates(bought["first_bought_on"]),
            last_bought_on=_dates(bought["last_bought_on"]),
        ),
        POPULARITY: daily[daily["days_ago"] <= LONGEST].assign(as_of=as_of),
        PRODUCTS: _catalogue(one).assign(as_of=as_of, is_active=True),
        PURCHASES: (known if is_last else known.iloc[:0]).assign(as_of=as_of),
    }


def _catalogue(one: Round) -> pd.DataFrame:
    """What is known by the cut-off, and with titles what the window brings."""
    if one.titles is None:
        return pd.DataFrame({ITEM: np.sort(one.known[ITEM].unique())})
    return one.titles.rename(TITLE).rename_axis(ITEM).sort_index().reset_index()


def _dates(column: pd.Series) -> list[dt.date]:
    return list(pd.to_datetime(column).dt.date)
