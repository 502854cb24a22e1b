"""A store without drift, night by night: weekdays, growth, and nights that differ by themselves, as real ones do.

Volumes and shares wander (an autoregressive step a night), customers come again with their own country, device and
usual amount, one night in twenty has an offer in a category, words come in tickets and tickets in intents. What is
planted changes rows; scores of payments and tickets are functions of the rows, so they follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.monitoring.watched import PAYMENT_NUMBERS, PAYMENT_TEXTS

Floats = NDArray[np.float64]
FIRST = date(2023, 1, 2)
DAY = timedelta(days=1)
WEEKDAYS = np.array([1.0, 0.95, 0.95, 1.0, 1.1, 1.4, 1.2])
GROWTH = 1.0015  # a night
CHANNELS, COUNTRIES = ("web", "app", "shop"), ("GB", "DE", "FR", "ES", "NL", "IE")
CATEGORIES = tuple(f"category {letter}" for letter in "abcdefgh")
SHARES: Mapping[str, tuple[float, ...]] = {
    "channel": (0.55, 0.35, 0.10),
    "country": (0.45, 0.20, 0.15, 0.10, 0.06, 0.04),
    "category": (0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.04),
    "intent": tuple(np.full(12, 1 / 12)),
}
PRODUCTS, CUSTOMERS = 800, 4000
LASTING = 0.5  # of last night's step away from the usual
OPEN_NIGHTS = 3


@dataclass
class Store:
    """What lasts from night to night."""

    orders: int  # on the first night
    random: np.random.Generator
    night: int = 0
    steps: dict[str, Floats] = field(default_factory=dict)
    open_tickets: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        pick = self.random
        self.country = pick.choice(len(COUNTRIES), CUSTOMERS, p=SHARES["country"])
        self.usual = pick.lognormal(3.4, 0.6, CUSTOMERS)
        self.favour = pick.dirichlet(np.full(CUSTOMERS, 0.5))
        self.since = pick.integers(1, 1500, CUSTOMERS)
        self.category = pick.choice(len(CATEGORIES), PRODUCTS, p=SHARES["category"])
        self.price = pick.lognormal(2.0, 0.8, PRODUCTS)
        self.age = pick.integers(30, 1200, PRODUCTS)
        self.level = pick.lognormal(1.5, 1.2, PRODUCTS)
        self.vocabulary = [[f"i{intent}w{word}" for word in range(25)] for intent in range(12)]
        self.common = [f"common{word}" for word in range(60)]
        self.scores = pick.lognormal(-2, 0.7, 5 * CUSTOMERS)
        self.reasons = pick.choice(["bought_together", "like_recent", "buy_again", "popular"], 5 * CUSTOMERS)

    def wander(self, name: str, size: int, spread: float) -> Floats:
        """Tonight's step away from the usual."""
        fresh = self.random.normal(0, spread * np.sqrt(1 - LASTING**2), size)
        step: Floats = LASTING * self.steps.get(name, np.zeros(size)) + fresh
        self.steps[name] = step
        return step

    def shares(self, name: str, spread: float = 0.08) -> Floats:
        """Tonight's shares."""
        raw = np.array(SHARES[name]) * np.exp(self.wander(name, len(SHARES[name]), spread))
        if name == "channel":
            raw *= np.array([1.0, 1.0 + 0.3 * (self.night % 7 >= 5), 1.0])
        if name == "category" and self.random.random() < 0.05:
            raw[self.random.integers(len(raw))] *= 1.6
        shares: Floats = raw / raw.sum()
        return shares


Night = dict[str, pd.DataFrame]
"""Rows by relation, and scored tables by name."""


def next_night(store: Store, plant: str = "", strength: float = 1.0) -> Night:
    """One night's rows; the store has moved on by it."""
    pick, day = store.random, FIRST + store.night * DAY
    level = GROWTH**store.night * WEEKDAYS[store.night % 7] * np.exp(store.wander("volume", 1, 0.07)[0])
    if plant == "a step in sales":
        level *= 1 + 0.6 * strength
    known = {"known_at": pd.Timestamp(day + DAY)}
    orders = _orders(store, pick.poisson(store.orders * level), plant, strength)
    payments = _payments(store, orders, plant, strength)
    tickets, messages = _tickets(store, pick.poisson(0.2 * store.orders * level), plant, strength)
    lines = _lines(store, pick.poisson(2.4 * len(orders)), plant, strength)
    moment = pd.Timestamp(day) + pd.Timedelta(hours=12)
    events = pd.DataFrame({"kind": pick.choice(["view", "search", "add_to_cart"], 8 * len(orders), p=[0.7, 0.2, 0.1])})
    stock = pd.DataFrame({"on_hand": pick.poisson(store.level * 9), "on_order": pick.poisson(store.level)})
    found = {
        "staging.stg_store__orders": orders[["customer_id", "channel", "ship_country"]].assign(ordered_at=moment),
        "staging.stg_store__events": events.assign(placement="home", occurred_at=moment),
        "staging.stg_store__stock_levels": stock.assign(as_of_date=day),
        "staging.stg_store__tickets": tickets[["channel"]].assign(opened_at=moment),
        "staging.stg_store__ticket_messages": messages.assign(author="customer", sent_at=moment),
        "intermediate.int_order_lines_changes": lines.assign(day=day, sign=1),
        "intermediate.int_payment_features": payments[[*PAYMENT_NUMBERS, *PAYMENT_TEXTS]].assign(paid_at=moment),
    }
    store.open_tickets = [*store.open_tickets[1 - OPEN_NIGHTS :], tickets]
    scored = _scored(store, payments)
    store.night += 1
    return {name: rows.assign(**known) for name, rows in found.items()} | scored


def _orders(store: Store, count: int, plant: str, strength: float) -> pd.DataFrame:
    pick = store.random
    who = pick.choice(CUSTOMERS, count, p=store.favour)
    channel = pick.choice(CHANNELS, count, p=store.shares("channel")).astype(object)
    country = np.where(pick.random(count) < 0.9, store.country[who], pick.choice(6, count, p=store.shares("country")))
    guest = pick.random(count) < 0.2 * np.exp(store.wander("guest", 1, 0.1)[0])
    if plant == "a new channel's customers":
        new = pick.random(count) < 0.15 * strength
        channel[new], country[new], guest[new] = "marketplace", 1, True
    ids = [None if is_guest else str(one) for one, is_guest in zip(who, guest, strict=True)]
    frame = {"customer_id": ids, "channel": channel, "ship_country": np.array(COUNTRIES)[country], "who": who}
    return pd.DataFrame(frame | {"is_guest": guest})


def _lines(store: Store, count: int, plant: str, strength: float) -> pd.DataFrame:
    """Products of the first night, and the one that comes new each night; see `products`."""
    pick = store.random
    weight = store.level * store.shares("category")[store.category] / np.array(SHARES["category"])[store.category]
    product = pick.choice(PRODUCTS, count, p=weight / weight.sum())
    price = store.price[product] * np.exp(store.wander("price", 1, 0.02)[0])
    if plant == "prices times 100":
        price = np.where((store.category[product] == 3) & (pick.random(count) < strength), 100 * price, price)
    is_new, nights_ago = pick.random(count) < 0.03, pick.integers(0, 60, count)
    if plant == "catalogue turn-over":
        of_the_week = pick.random(count) < 0.3 * strength
        is_new, nights_ago = is_new | of_the_week, np.where(of_the_week, pick.integers(0, 7, count), nights_ago)
    ids = np.where(is_new, PRODUCTS + np.maximum(store.night - nights_ago, 0), product)
    quantity = 1 + pick.poisson(0.8, count)
    return pd.DataFrame({"product_id": ids.astype(str), "quantity": quantity, "revenue": (price * quantity).round(2)})


def products(store: Store, nights: int) -> pd.DataFrame:
    """marts.dim_products of the first night's products, and of one more a night."""
    category = [*store.category, *(night % len(CATEGORIES) for night in range(nights))]
    first = [*(FIRST - int(age) * DAY for age in store.age), *(FIRST + night * DAY for night in range(nights))]
    names = [CATEGORIES[place] for place in category]
    return pd.DataFrame({"product_id": [str(i) for i in range(len(first))], "category": names, "first_sold_on": first})


def _payments(store: Store, orders: pd.DataFrame, plant: str, strength: float) -> pd.DataFrame:
    pick, count, who = store.random, len(orders), orders["who"].to_numpy()
    frame: dict[str, Any] = {name: pick.poisson(1.0, count).astype(float) for name in PAYMENT_NUMBERS}
    amount = store.usual[who] * pick.lognormal(0, 0.5, count) * np.exp(store.wander("amount", 1, 0.03)[0])
    new_device, country = pick.random(count) < 0.12, orders["ship_country"].to_numpy()
    if plant == "amounts in one country":
        amount = np.where((country == "DE") & (pick.random(count) < strength), 3 * amount, amount)
    frame |= {"device_customers_30d": 1.0 + pick.poisson(0.1, count), "device_age_days": pick.exponential(200, count)}
    if plant == "shared devices":
        shared = pick.random(count) < 0.1 * strength
        new_device = new_device | shared
        frame["device_customers_30d"] = np.where(shared, 25.0, frame["device_customers_30d"])
        frame["device_age_days"] = np.where(shared, 1.0, frame["device_age_days"])
        frame["device_payments_7d"] = np.where(shared, 40.0, frame["device_payments_7d"])
    frame |= {"amount": amount, "amount_over_usual": amount / store.usual[who]}
    frame |= {"account_age_days": store.since[who] + store.night, "most_expensive_unit_price": amount * 0.6}
    frame |= {"products_new_to_customer_share": pick.random(count).round(1)}
    frame |= {
        "product_chargeback_rate_90d": pick.beta(1, 80, count),
        "customer_payments_before": pick.poisson(6, count),
    }
    hours = np.clip(pick.normal(14, 4, count), 0, 23).astype(int)
    frame |= {"billing_country": country, "hour_of_day": hours, "is_guest": orders["is_guest"].to_numpy().astype(int)}
    frame |= {name: (pick.random(count) < 0.05).astype(int) for name in PAYMENT_TEXTS[3:]}
    return pd.DataFrame(frame | {"is_device_new_to_customer": new_device.astype(int)})


def _tickets(store: Store, count: int, plant: str, strength: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    pick = store.random
    intent = pick.choice(12, count, p=store.shares("intent", 0.15))
    is_new, is_foreign = np.zeros((2, count), bool)
    if plant == "a new intent":
        is_new = pick.random(count) < 0.2 * strength
    if plant == "another language":
        is_foreign = pick.random(count) < 0.25 * strength
    bodies = [_text(store, *row) for row in zip(intent, is_new, is_foreign, strict=True)]
    unsure = is_new | is_foreign
    told = np.where(unsure | (pick.random(count) < 0.1), pick.integers(0, 12, count), intent)
    probability = np.where(unsure, pick.beta(3, 4, count), pick.beta(8, 2, count))
    urgency = pick.choice(["low", "normal", "high"], count, p=[0.2, 0.6, 0.2])
    frame = {"channel": pick.choice(["mail", "chat"], count), "intent": [f"intent {i}" for i in told]}
    frame |= {"intent_probability": probability, "urgency": urgency, "needs_human": probability < 0.7}
    return pd.DataFrame(frame), pd.DataFrame({"body": bodies})


def _text(store: Store, intent: int, is_new: bool, is_foreign: bool) -> str:
    pick, length = store.random, 4 + store.random.poisson(14)
    if is_foreign:
        return " ".join(f"autre{word}" for word in pick.zipf(1.4, length))
    own = [f"new{word}" for word in range(25)] if is_new else store.vocabulary[intent]
    common = pick.choice(store.common, length, p=(rank := 1 / np.arange(1, 61)) / rank.sum())
    return " ".join(np.where(pick.random(length) < 0.35, pick.choice(own, length), common))


def _scored(store: Store, payments: pd.DataFrame) -> Night:
    pick = store.random
    logit = -5 + np.log(payments["amount_over_usual"]) + 1.5 * payments["is_device_new_to_customer"]
    logit += np.log1p(payments["device_customers_30d"] - 1) + pick.normal(0, 0.7, len(payments))
    probability = 1 / (1 + np.exp(-logit))
    decision = np.select([probability > 0.5, probability > 0.05], ["block", "review"], "accept")
    renewed = pick.random(len(store.scores)) < 0.03
    store.scores = np.where(renewed, pick.lognormal(-2, 0.7, len(store.scores)), store.scores)
    units = store.level * np.exp(store.wander("units", PRODUCTS, 0.2))
    ordered = np.where(pick.random(PRODUCTS) < 0.15, np.ceil(4 * units), 0)
    return {
        "recommendations": pd.DataFrame({"reason": store.reasons, "score": store.scores}),
        "demand_forecasts": pd.DataFrame({"horizon": 1, "units_mean": units}),
        "reorder_plan": pd.DataFrame({"order_quantity": ordered, "reason": np.where(ordered > 0, "low", "enough")}),
        "risk_flags": pd.DataFrame({"fraud_probability": probability, "decision": decision}),
        "ticket_triage": pd.concat(store.open_tickets, ignore_index=True),
    }
