"""What the gate is tried on: the demo store's products, customers, payers and tickets, with models of equal worth.

Several models are fitted or written down, and judged on three windows. Which model's outcome a contestant has is drawn
anew for every entity: contestants differ as those models do, and none is better than another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from models import metrics
from models.metrics import DENOMINATOR, NUMERATOR
from pipelines.scoring.demand import NEW_DAYS
from pipelines.scoring.recommendations import FEW_PRODUCTS
from pipelines.training.cutoffs import EVALUATIONS, WINDOW_DAYS

Floats = NDArray[np.float64]
Tables = Mapping[str, pa.Table]
MODELS = 12
"""Models of an output whose outcomes are exchanged."""
WEEKS = 8


@dataclass(frozen=True)
class Window:
    """What came after one cut-off: numerators and denominators by entity, of the baseline and of each model."""

    cutoff: date
    entities: pd.Index
    members: pd.DataFrame
    below: Floats  # [n]
    above: Floats  # [MODELS, n]
    baseline: Floats  # [n]


def window(
    cutoff: date, outcomes: Sequence[pd.DataFrame], baseline: pd.DataFrame, segments: Mapping[str, pd.Series]
) -> Window:
    """Put together what the metric gave for each model; segments: by kind, of each entity."""
    entities = baseline.index
    members = pd.DataFrame({kind: found.reindex(entities).to_numpy(object) for kind, found in segments.items()})
    return Window(
        cutoff,
        entities,
        members.set_index(entities),
        baseline[DENOMINATOR].to_numpy(np.float64),
        np.stack([found.reindex(entities)[NUMERATOR].to_numpy(np.float64) for found in outcomes]),
        baseline[NUMERATOR].to_numpy(np.float64),
    )


def numbered(windows: Sequence[Window]) -> list[Window]:
    """The windows with entities by number, the same one at all cut-offs: numbers are compared quicker than names."""
    names = pd.Index(sorted({name for found in windows for name in found.entities}))
    numbers = [pd.Index(names.get_indexer(found.entities)) for found in windows]
    return [
        replace(found, entities=number, members=found.members.set_index(number))
        for found, number in zip(windows, numbers, strict=True)
    ]


def cutoffs_before(last: pd.Timestamp, days: int) -> list[pd.Timestamp]:
    """The cut-offs whose windows lie side by side before a day, in time order."""
    return [last - pd.Timedelta(days=days * step) for step in range(EVALUATIONS, 0, -1)]


def demand(tables: Tables) -> list[Window]:
    """Products by WAPE; the models are means of the last 3 to 25 weeks, the baseline is the same weeks last year."""
    sold = sales_of(tables)
    last = sold["ordered_at"].max().normalize()
    return [_demand_at(sold, cutoff) for cutoff in cutoffs_before(last, 7 * WEEKS)]


def _demand_at(sold: pd.DataFrame, cutoff: pd.Timestamp) -> Window:
    weeks_ago = -((sold["ordered_at"].dt.normalize() - cutoff).dt.days // 7)  # 1: the seven days before
    past = sold[weeks_ago.between(1, 52)]
    units = past.groupby(["product_id", weeks_ago[past.index]])["quantity"].sum().unstack(fill_value=0)
    history = units.reindex(columns=range(1, 53), fill_value=0)
    later = sold[weeks_ago.between(1 - WEEKS, 0)]
    came = later.groupby(["product_id", 1 - weeks_ago[later.index]])["quantity"].sum().unstack(fill_value=0)
    came = came.reindex(history.index, fill_value=0).reindex(columns=range(1, WEEKS + 1), fill_value=0)
    spans = range(3, 3 + 2 * MODELS, 2)
    models = [np.repeat(history.loc[:, :span].mean(axis=1).to_numpy()[:, None], WEEKS, axis=1) for span in spans]
    year_ago = history[[52 - step for step in range(WEEKS)]]
    first = sold.groupby("product_id")["ordered_at"].min().reindex(history.index)
    price = past.groupby("product_id")["unit_price"].median()
    segments = {
        "product": pd.Series(np.where((cutoff - first).dt.days < NEW_DAYS, "new", "old"), index=history.index),
        "price": pd.qcut(price, 3, labels=["low", "middle", "high"]).astype(object),
    }
    outcomes = [_errors(came, forecast) for forecast in models]
    return window(cutoff.date(), outcomes, _errors(came, year_ago.to_numpy()), segments)


def _errors(came: pd.DataFrame, forecast: Floats) -> pd.DataFrame:
    """WAPE by product."""
    product = np.repeat(came.index.to_numpy(object), WEEKS)
    scored = pd.DataFrame({"product_id": product, "units": came.to_numpy().ravel(), "units_p50": forecast.ravel()})
    return metrics.wape(scored)


def recommendations(tables: Tables) -> list[Window]:
    """Customers by NDCG at 20 of what they bought before, weighted by age with half-lives of 4 days to 3 years."""
    sold = sales_of(tables).dropna(subset="customer_id")
    last = sold["ordered_at"].max().normalize()
    return [_recommendations_at(sold, cutoff) for cutoff in cutoffs_before(last, WINDOW_DAYS)]


def _recommendations_at(sold: pd.DataFrame, cutoff: pd.Timestamp, k: int = 20) -> Window:
    day = pd.Timestamp(cutoff)
    past = sold[sold["ordered_at"] < day]
    later = sold[(sold["ordered_at"] >= day) & (sold["ordered_at"] < day + pd.Timedelta(days=WINDOW_DAYS))]
    later = later[later["customer_id"].isin(past["customer_id"])]
    past = past[past["customer_id"].isin(later["customer_id"])]
    bought = later[["customer_id", "product_id"]].drop_duplicates().assign(as_of=day)
    lists = [_lists(past, day, 4.0 * 1.66**step, k) for step in range(MODELS)]
    popular = sold[sold["ordered_at"] < day]["product_id"].value_counts().index[:k]
    everyone = pd.MultiIndex.from_product([bought["customer_id"].unique(), popular]).to_frame(index=False)
    everyone = everyone.set_axis(["customer_id", "product_id"], axis=1).assign(as_of=day)
    everyone["rank"] = everyone.groupby("customer_id").cumcount() + 1
    by_customer = past.groupby("customer_id")
    is_new = by_customer["ordered_at"].min().dt.normalize() == by_customer["ordered_at"].max().dt.normalize()
    size = np.where(by_customer["product_id"].nunique() <= FEW_PRODUCTS, "few", "many")
    segments = {
        "history": pd.Series(np.where(is_new, "new", size), index=is_new.index),
        "country": by_customer["ship_country"].last(),
    }
    outcomes = [metrics.ndcg_at_k(made, bought, k) for made in lists]
    return window(day.date(), outcomes, metrics.ndcg_at_k(everyone, bought, k), segments)


def _lists(past: pd.DataFrame, day: pd.Timestamp, half_life: float, k: int) -> pd.DataFrame:
    """The k products of each customer that were bought most, the later the more."""
    age = (day - past["ordered_at"]).dt.days.to_numpy()
    score = past[["customer_id", "product_id"]].assign(score=0.5 ** (age / half_life))
    score = score.groupby(["customer_id", "product_id"], sort=True)["score"].sum().reset_index()
    score = score.sort_values(["customer_id", "score", "product_id"], ascending=[True, False, True])
    score["rank"] = score.groupby("customer_id").cumcount() + 1
    return score[score["rank"] <= k].assign(as_of=day)


def support(tables: Tables) -> list[Window]:
    """Tickets by accuracy of linear models on words, each fitted on its own draw of those resolved before."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier

    tickets = _texts(tables)
    found = []
    for cutoff in cutoffs_before(tickets["opened_at"].max().normalize() - pd.Timedelta(days=14), WINDOW_DAYS):
        past = tickets[tickets["opened_at"] < cutoff]
        later = tickets[(tickets["opened_at"] >= cutoff) & (tickets["opened_at"] < cutoff + timedelta(WINDOW_DAYS))]
        words = TfidfVectorizer(min_df=2, sublinear_tf=True)
        learnt, asked = words.fit_transform(past["body"]), words.transform(later["body"])
        outcomes = []
        for seed in range(MODELS):
            drawn = np.random.default_rng(seed).integers(0, len(past), len(past))
            model = SGDClassifier(random_state=seed).fit(learnt[drawn], past["intent"].to_numpy(object)[drawn])
            outcomes.append(_right(later, model.predict(asked)))
        baseline = _right(later, np.repeat(past["intent"].mode()[0], len(later)))
        found.append(window(cutoff.date(), outcomes, baseline, {"channel": later.set_index("ticket_id")["channel"]}))
    return found


def _texts(tables: Tables) -> pd.DataFrame:
    """Resolved tickets with their first message."""
    tickets = tables["tickets"].select(["ticket_id", "opened_at", "channel", "subject"]).to_pandas()
    messages = tables["ticket_messages"].select(["ticket_id", "message_number", "body"]).to_pandas()
    first = messages.sort_values("message_number").drop_duplicates("ticket_id")[["ticket_id", "body"]]
    resolved = tables["ticket_resolutions"].select(["ticket_id", "intent"]).to_pandas()
    found = tickets.merge(first, on="ticket_id").merge(resolved, on="ticket_id")
    return found.assign(body=found["subject"].fillna("") + " " + found["body"])


def _right(later: pd.DataFrame, guesses: NDArray[np.object_]) -> pd.DataFrame:
    """Whether each guess is right, by ticket."""
    right = (guesses == later["intent"].to_numpy(object)).astype(np.float64)
    return pd.DataFrame({NUMERATOR: right, DENOMINATOR: 1.0}, index=later["ticket_id"].to_numpy(object))


def sales_of(tables: Tables) -> pd.DataFrame:
    """Order lines with their order's customer, country and time."""
    orders = tables["orders"].select(["order_id", "customer_id", "ordered_at", "ship_country"]).to_pandas()
    lines = tables["order_lines"].select(["order_id", "product_id", "quantity", "unit_price"]).to_pandas()
    sold = lines.merge(orders, on="order_id", validate="many_to_one").sort_values("ordered_at", ignore_index=True)
    return sold.assign(unit_price=sold["unit_price"].astype(np.float64))
