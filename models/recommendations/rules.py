"""What a shop allows on a list: a pure function from ranked lists and facts about products to the lists that are shown.

The audit proves the result with queries of its own (pipelines/publishing/audit_rules/business.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import to_days
from models.protocol import Features
from models.recommendations.lists import COLUMNS

LEVELS = " > "
FILL = 4
"""Lists filled up are looked for among this many times top_k products at first, then more."""
PINNED = "pinned"


@dataclass(frozen=True)
class Rules:
    """What may be shown, and what first.

    repeatable_categories: paths whose products, and those of the levels below, may be shown again though bought.
    max_per_category: products of one whole path; those without a category are not counted. min_margin: least
    (unit_price - unit_cost) / unit_price; where that is not known it is not enough. A product whose stock is not known
    counts as in stock.
    """

    top_k: int
    exclude_bought: bool = True
    repeatable_categories: tuple[str, ...] = ()
    max_per_category: int | None = None
    min_margin: float | None = None
    pinned: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


def apply_rules(
    lists: pd.DataFrame, popular: pd.DataFrame, products: pd.DataFrame, bought: pd.DataFrame, rules: Rules
) -> pd.DataFrame:
    """The lists with pinned products first, without what may not be shown, filled up from `popular`, at most top_k.

    One cut-off. lists: as_of, customer_id, rank, product_id, score, reason, reason_product_id; longer than top_k if the
    rules are to cost nothing. popular: rank, product_id, score, all of the catalogue. products: product_id, category,
    is_active, and on_hand, unit_price, unit_cost (nullable). bought: customer_id, product_id.
    A customer gets fewer than top_k, or no row, only where no other product may be shown.
    """
    facts = products.drop_duplicates("product_id").set_index("product_id")
    allowed = facts.index[may_be_shown(facts, rules)]
    kept = _in_order(_with_pinned(lists, rules), bought, facts, allowed, rules)
    ranked = popular.sort_values("rank", ignore_index=True)
    ranked = ranked[ranked["product_id"].isin(allowed)]
    start, end = 0, FILL * rules.top_k
    while len(short := _short(kept, lists, rules.top_k)) and start < len(ranked):
        more = _crossed(short, ranked.iloc[start:end], lists)
        touched = kept["customer_id"].isin(short)
        filled = _in_order(pd.concat([kept[touched], more], ignore_index=True), bought, facts, allowed, rules)
        kept = pd.concat([kept[~touched], filled], ignore_index=True)
        start, end = end, end * FILL
    return _finished(kept, lists)


def may_be_shown(facts: pd.DataFrame, rules: Rules) -> NDArray[np.bool_]:
    """[P] whether a product may be shown to anybody: active, in stock, margin enough, not banned."""
    shown = facts["is_active"].to_numpy(bool) & ~facts.index.isin(list(rules.banned))
    if "on_hand" in facts:
        on_hand = facts["on_hand"].astype("float64").to_numpy()
        shown &= np.isnan(on_hand) | (on_hand > 0)
    if rules.min_margin is not None:
        price, cost = (_units(facts, name) for name in ("unit_price", "unit_cost"))
        with np.errstate(invalid="ignore"):
            shown &= (price > 0) & (price - cost >= rules.min_margin * price)
    return np.asarray(shown, dtype=np.bool_)


def _units(facts: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Money in whole units of its last digit, so that a margin at the limit is no matter of rounding."""
    if name not in facts:
        return np.full(len(facts), np.nan)
    return np.asarray(np.rint(facts[name].astype("float64") * 10_000), dtype=np.float64)


def is_repeatable(category: pd.Series, rules: Rules) -> NDArray[np.bool_]:
    """Whether each category lies in one of repeatable_categories; false where there is none."""
    found = np.zeros(len(category), bool)
    names = category.astype("str").fillna("")
    for path in rules.repeatable_categories:
        found |= ((names == path) | names.str.startswith(path + LEVELS)).to_numpy(bool)
    return found


def shown_again(rows: pd.DataFrame, features: Features, rules: Rules) -> pd.DataFrame:
    """The rows (as_of, customer_id, product_id) of what a customer did not buy before, or may be shown again.

    features: `customer_products` and `products` of the same cut-offs. A `rank` is counted anew.
    """
    products, bought = features["products"], features["customer_products"]
    category = products.drop_duplicates("product_id", keep="last").set_index("product_id")["category"]
    free = is_repeatable(category.reindex(rows["product_id"]).reset_index(drop=True), rules)
    keys = [_pairs(frame) for frame in (rows, bought)]
    kept = rows[~keys[0].isin(keys[1]) | free].reset_index(drop=True)
    if "rank" in kept:
        kept["rank"] = kept.groupby(["as_of", "customer_id"], sort=False).cumcount().to_numpy(np.int64) + 1
    return kept


def _pairs(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([to_days(rows["as_of"]), rows["customer_id"], rows["product_id"]])


def _with_pinned(lists: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The lists in order, each customer's pinned products before all others."""
    ordered = lists.sort_values(["customer_id", "rank"], ignore_index=True)
    pinned = list(dict.fromkeys(rules.pinned))
    if not pinned or ordered.empty:
        return ordered
    first = ordered.drop_duplicates("customer_id").reset_index(drop=True)
    places = np.tile(np.arange(len(pinned)), len(first))
    top = first.loc[np.repeat(np.arange(len(first)), len(pinned))].reset_index(drop=True)
    above = top["score"].to_numpy(np.float64) + (len(pinned) - places)
    names = pd.Series(pinned, dtype=lists["product_id"].dtype).take(places).reset_index(drop=True)
    top = top.assign(product_id=names, score=above, reason=PINNED, reason_product_id=None)
    rest = ordered[~ordered["product_id"].isin(pinned)]
    both = pd.concat([top.astype({"reason_product_id": lists["reason_product_id"].dtype}), rest], ignore_index=True)
    return both.sort_values("customer_id", kind="stable", ignore_index=True)


def _in_order(
    lists: pd.DataFrame, bought: pd.DataFrame, facts: pd.DataFrame, allowed: pd.Index, rules: Rules
) -> pd.DataFrame:
    """The rows that may stay, by customer and in the order given, at most top_k for each."""
    kept = lists.sort_values("customer_id", kind="stable", ignore_index=True)
    kept = kept[kept["product_id"].isin(allowed)].drop_duplicates(["customer_id", "product_id"])
    category = facts["category"].reindex(kept["product_id"]).reset_index(drop=True)
    if rules.exclude_bought:
        pairs = pd.MultiIndex.from_frame(bought[["customer_id", "product_id"]])
        is_bought = pd.MultiIndex.from_frame(kept[["customer_id", "product_id"]]).isin(pairs)
        free = ~is_bought | is_repeatable(category, rules)
        kept, category = kept[free], category[free]
    if rules.max_per_category is not None:
        codes = pd.factorize(category)[0]
        place = pd.Series(codes, index=kept.index).groupby([kept["customer_id"], codes]).cumcount().to_numpy()
        kept = kept[(codes < 0) | (place < rules.max_per_category)]
    place = kept.groupby("customer_id", sort=False).cumcount()
    return kept[place < rules.top_k].reset_index(drop=True)


def _short(kept: pd.DataFrame, lists: pd.DataFrame, top_k: int) -> pd.Series:
    """The customers of `lists` with fewer than top_k rows left."""
    customers = pd.Series(lists["customer_id"].unique(), dtype=lists["customer_id"].dtype)
    rows = kept["customer_id"].value_counts().reindex(customers).fillna(0).to_numpy()
    return customers[rows < top_k]


def _crossed(customers: pd.Series, ranked: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Each of the customers with each of the popular products, in order, below all that a list held."""
    rows = pd.DataFrame({"customer_id": customers}).merge(ranked[["product_id", "score"]], how="cross")
    share = rows["score"] / (max(float(ranked["score"].max()), 0.0) + 1.0)
    lowest = lists.groupby("customer_id")["score"].min().reindex(rows["customer_id"]).to_numpy(np.float64)
    return rows.assign(
        as_of=lists["as_of"].iloc[0],
        rank=0,
        score=np.where(lowest >= 0, lowest * share, lowest - 1.0 + share),
        reason="popular",
        reason_product_id=pd.Series([None] * len(rows), dtype=lists["reason_product_id"].dtype),
    )[list(lists.columns)]


def _finished(kept: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Ranked anew, with the columns and types of the lists."""
    kept = kept.sort_values("customer_id", kind="stable", ignore_index=True)
    kept["rank"] = kept.groupby("customer_id", sort=False).cumcount().to_numpy(np.int64) + 1
    return kept[COLUMNS].astype({name: lists[name].dtype for name in COLUMNS})
