"""The ranker's features: one row for each candidate, from the frames of its own cut-off alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.dates import to_days
from models.protocol import Features
from models.recommendations.frames import purchases_of_all
from models.recommendations.pool import Pool
from models.recommendations.popular import BOUGHT, POPULARITY, PRODUCTS
from models.recommendations.purchases import Purchases, purchases

Floats = NDArray[np.float64]
Columns = dict[str, Floats]
WINDOWS = {"week": (1, 7), "month": (1, 28), "quarter": (1, 91), "year": (1, 365), "next_month_last_year": (337, 365)}
"""Days before the cut-off, both ends included."""
MONTH = 28
STOCK = "stock"
"""as_of, product_id, on_hand: the frame may be missing."""
PRIOR = 10.0
"""Pairs that a share of 2% is believed in from the start with."""
LATELY = (28, 91, 182)
"""Days; `customer_products` may hold the times within each as times_28 and so on."""


def design(features: Features, pool: Pool) -> tuple[list[str], NDArray[np.float32]]:
    """Names of the features and their values [m, F]; NaN where unknown."""
    everyone = purchases(purchases_of_all(features), pool.known.products)
    columns = _sources(pool) | _pair(features, pool) | _customer(pool)
    product = _product(features, everyone) | _intervals(purchases_of_all(features), everyone)
    product |= _stock(features, everyone.products, product["product_month"])
    product |= _again(purchases_of_all(features), everyone, everyone.what, len(everyone.products), "product")
    columns |= {name: values[pool.what] for name, values in product.items()}
    again = _again(features[BOUGHT], pool.known, pool.known.who, len(pool.known.customers), "customer")
    columns |= {name: values[pool.who] for name, values in again.items()}
    columns |= _due(columns) | _prices(features, pool) | _category(features, pool)
    names = sorted(columns)
    return names, np.column_stack([columns[name].astype(np.float32) for name in names])


def _sources(pool: Pool) -> Columns:
    found: Columns = {}
    for name in sorted(pool.found):
        score = pool.score(name)
        best = np.zeros(len(pool.known.customers))
        np.maximum.at(best, pool.who, score)
        found |= {f"{name}_score": score, f"{name}_rank": pool.rank(name)}
        found[f"{name}_share"] = score / np.where(best > 0, best, 1.0)[pool.who]
    found["sources"] = np.sum([pool.places[name] >= 0 for name in pool.found], axis=0).astype(np.float64)
    return found


def _pair_places(pool: Pool) -> NDArray[np.int64]:
    """[m] the place among the purchases, -1 where the customer never bought the product."""
    size = len(pool.known.products)
    keys, asked = pool.known.who * size + pool.known.what, pool.who * size + pool.what
    place = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    return np.where(keys[place] == asked, place, -1) if len(keys) else np.full(len(asked), -1, np.int64)


def _pair(features: Features, pool: Pool) -> Columns:
    place, known = _pair_places(pool), pool.known
    new = place < 0
    found = {"own_times": np.where(new, 0.0, known.times[place]), "own_ago": np.where(new, np.nan, known.ago[place])}
    extra = _extra(features[BOUGHT], known)
    for name, values in extra.items():
        found[f"own_{name}"] = np.where(new, np.nan, values[place])
    return found


def _extra(bought: pd.DataFrame, known: Purchases) -> Columns:
    """[n] what `customer_products` holds beyond times and last day, in the order of `known`."""
    order = _order(bought, known)
    found: Columns = {}
    for days in LATELY:
        if f"times_{days}" in bought:
            found[f"times_{days}"] = bought[f"times_{days}"].to_numpy(np.float64)[order]
    if "first_bought_on" in bought:
        first = (to_days(bought["as_of"]) - to_days(bought["first_bought_on"])) / np.timedelta64(1, "D")
        found["interval"] = _interval(first[order], known)
    return found


def _order(bought: pd.DataFrame, known: Purchases) -> NDArray[np.int64]:
    """[n] rows of the frame in the order of `known`."""
    who = np.asarray(known.customers.get_indexer(pd.Index(bought["customer_id"])), dtype=np.int64)
    what = np.asarray(known.products.get_indexer(pd.Index(bought["product_id"])), dtype=np.int64)
    order = np.lexsort([what, who])
    return np.asarray(order[what[order] >= 0], dtype=np.int64)


def _interval(first_ago: Floats, known: Purchases) -> Floats:
    """[n] mean days between two purchases, NaN where there was one."""
    again = known.times > 1
    return np.where(again, (first_ago - known.ago) / np.where(again, known.times - 1, 1.0), np.nan)


def _customer(pool: Pool) -> Columns:
    known, size = pool.known, len(pool.known.customers)
    pairs = np.bincount(known.who, minlength=size).astype(np.float64)
    times = np.bincount(known.who, weights=known.times, minlength=size)
    again = np.bincount(known.who, weights=known.times > 1, minlength=size)
    last, most = np.full(size, np.inf), np.zeros(size)
    np.minimum.at(last, known.who, known.ago)
    np.maximum.at(most, known.who, known.times)
    figures = {"products": pairs, "times": times, "repeat_share": again / np.maximum(pairs, 1.0), "ago": last}
    figures["most_times"] = most
    return {f"customer_{name}": values[pool.who] for name, values in figures.items()}


def _product(features: Features, everyone: Purchases) -> Columns:
    """[P] popularity by window, trend, and how often customers buy it again."""
    size, frame = len(everyone.products), features[POPULARITY]
    place = np.asarray(everyone.products.get_indexer(pd.Index(frame["product_id"])), dtype=np.int64)
    ago, customers = frame["days_ago"].to_numpy(np.float64), frame["customers"].to_numpy(np.float64)
    found: Columns = {}
    for name, (first, last) in WINDOWS.items():
        kept = (place >= 0) & (ago >= first) & (ago <= last)
        found[f"product_{name}"] = np.bincount(place[kept], customers[kept], size).astype(np.float64)
    found["product_trend"] = np.log((found["product_month"] + 1.0) / (found["product_quarter"] * 28 / 91 + 1.0))
    found["product_trend_week"] = np.log((found["product_week"] + 1.0) / (found["product_month"] / 4 + 1.0))
    pairs = np.bincount(everyone.what, minlength=size)
    times = np.bincount(everyone.what, weights=everyone.times, minlength=size)
    again = np.bincount(everyone.what, weights=everyone.times > 1, minlength=size)
    found["product_times"] = times / np.maximum(pairs, 1)
    found["product_repeat_share"] = again / np.maximum(pairs, 1)
    return found


def _stock(features: Features, products: pd.Index, month: Floats) -> Columns:
    """[P] units on the shelf, and the days that they last at the last month's customers; NaN where unknown."""
    if STOCK not in features:
        return {}
    stock = features[STOCK].drop_duplicates("product_id").set_index("product_id")["on_hand"]
    units = stock.reindex(products).to_numpy(np.float64)
    return {"product_stock": units, "product_stock_days": units * MONTH / (month + 1.0)}


def _intervals(bought: pd.DataFrame, everyone: Purchases) -> Columns:
    """[P] the mean days between two purchases of one customer."""
    interval = _extra(bought, everyone).get("interval")
    if interval is None:
        return {}
    kept = ~np.isnan(interval)
    size = len(everyone.products)
    total = np.bincount(everyone.what[kept], weights=interval[kept], minlength=size)
    pairs = np.bincount(everyone.what[kept], minlength=size)
    return {"product_interval": np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan)}


def _again(bought: pd.DataFrame, known: Purchases, group: NDArray[np.int64], size: int, name: str) -> Columns:
    """[size] of the pairs of each group known for over a month: how many, what share was bought again in the last one.

    And how many were new in the last month, and the days since the group's first.
    """
    if not {"first_bought_on", "times_28"} <= set(bought.columns):
        return {}
    order = _order(bought, known)
    ago = np.asarray((to_days(bought["as_of"]) - to_days(bought["first_bought_on"])) / np.timedelta64(1, "D"))[order]
    is_old, lately = ago > MONTH, bought["times_28"].to_numpy(np.float64)[order] > 0
    old, again, new = (
        np.asarray(np.bincount(group, weights=chosen, minlength=size), np.float64)
        for chosen in (is_old, is_old & lately, ~is_old)
    )
    oldest = np.zeros(size)
    np.maximum.at(oldest, group, ago)
    share = (again + 0.02 * PRIOR) / (old + PRIOR)
    found: Columns = {"old": old, "again_month": again, "new_month": new, "again_share": share, "age": oldest}
    return {f"{name}_{key}": values for key, values in found.items()}


def _due(columns: Columns) -> Columns:
    """Days since the last purchase by the usual days between two: the customer's own, and the product's."""
    found: Columns = {"own_ago_share": columns["own_ago"] / (columns["customer_ago"] + 1.0)}
    for name in ("own_interval", "product_interval"):
        if name in columns:
            found[f"{name}_due"] = columns["own_ago"] / np.maximum(columns[name], 1.0)
    return found


def _prices(features: Features, pool: Pool) -> Columns:
    """The product's price, and by what the customer usually pays (logarithms)."""
    products, own = features[PRODUCTS], pool.known
    if "mean_price" not in products:
        return {}
    paid = products.set_index("product_id")["mean_price"].reindex(own.products).to_numpy(np.float64)
    price = np.log(np.maximum(paid, 0.01))
    known = ~np.isnan(price[own.what])
    size, who = len(own.customers), own.who[known]
    pairs = np.bincount(who, minlength=size)
    usual = np.bincount(who, weights=price[own.what[known]], minlength=size) / np.maximum(pairs, 1)
    return {"price": price[pool.what], "price_difference": price[pool.what] - usual[pool.who]}


def _category(features: Features, pool: Pool) -> Columns:
    """The share of a customer's purchases in the product's category; nothing where no product has one."""
    products = features[PRODUCTS]
    if "category" not in products or not products["category"].notna().any():
        return {}
    category = products.set_index("product_id")["category"].reindex(pool.known.products)
    codes = pd.factorize(category, sort=True)[0]
    own, kinds = pool.known, int(codes.max()) + 1
    in_one = codes[own.what] >= 0
    key = own.who[in_one] * kinds + codes[own.what[in_one]]
    times = np.bincount(key, weights=own.times[in_one], minlength=len(own.customers) * kinds)
    total = np.maximum(np.bincount(own.who, weights=own.times, minlength=len(own.customers)), 1.0)
    asked = codes[pool.what]
    share = times[pool.who * kinds + np.maximum(asked, 0)] / total[pool.who]
    return {"category_share": np.where(asked < 0, np.nan, share)}
