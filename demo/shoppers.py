"""The customers of a simulated store, and what they buy on a day.

The preference model: a shopper meets CANDIDATES products, by appeal x season x promotion, and takes the one with the
greatest TASTE x (customer factors . product factors) + Gumbel noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demo.catalogue import FACTORS, Catalogue
from demo.draws import Floats, Ints, choice, integers, normal, uniform
from demo.frames import names, timestamps, words
from demo.wording import FIRST, LAST

COUNTRIES = ("United Kingdom", "Germany", "France", "Netherlands", "Spain", "Ireland")
SHARES = (0.6, 0.13, 0.1, 0.08, 0.05, 0.04)
ORDERS_A_DAY = 0.012  # of a customer, on average
GUESTS = 0.05  # of the orders
CANDIDATES = 48
TASTE = 2.2
WEEKDAYS = (1.1, 1.0, 0.95, 0.95, 1.0, 0.85, 1.15)  # from Monday


@dataclass(frozen=True)
class Shoppers:
    """Customers, one row each."""

    customer_id: pa.Array
    country: Ints
    signup: Ints  # days after the first; before it: 0
    rate: Floats  # orders a day
    factors: npt.NDArray[np.float32]  # [customers, FACTORS]
    first_name: Ints
    last_name: Ints

    def rows(self, which: Ints, first_day: int) -> pa.Table:
        """Rows of the entity `customers`; nobody has these addresses and numbers."""
        opened = (first_day + self.signup[which]).astype("datetime64[D]").astype("datetime64[us]")
        people = [
            (FIRST[a], LAST[b])
            for a, b in zip(self.first_name[which].tolist(), self.last_name[which].tolist(), strict=True)
        ]
        numbered = list(zip(people, which.tolist(), strict=True))
        return pa.table(
            {
                "customer_id": self.customer_id.take(pa.array(which)),
                "signed_up_at": timestamps(opened),
                "country": words(COUNTRIES, self.country[which]),
                "email": [f"{a}.{b}{n}@example.com".lower() for (a, b), n in numbered],
                "full_name": [f"{a} {b}" for a, b in people],
                "phone": [f"+44 7700 900{n % 1000:03d}" for n in which.tolist()],
                "updated_at": timestamps(opened),
            }
        )


@dataclass(frozen=True)
class Wishes:
    """What shoppers want on a day: orders by (who, when), and their lines before the shelf has its say."""

    customer: Ints  # a guest has one too, who is not told
    is_guest: npt.NDArray[np.bool_]
    second: Ints  # of the day
    order: Ints
    product: Ints
    quantity: Ints


def make_shoppers(customers: int, days: int, seed: int) -> Shoppers:
    """Make the customers; three in ten sign up after the first day."""
    rows = np.arange(customers)
    is_late = uniform(seed, "signs up late", rows) < 0.3
    factors = [normal(seed, "taste", rows, np.full(customers, f)) for f in range(FACTORS)]
    return Shoppers(
        customer_id=names("C", rows, 7),
        country=choice(seed, "country", SHARES, rows),
        signup=np.where(is_late, integers(seed, "signup", max(days, 1), rows), 0),
        rate=ORDERS_A_DAY * np.exp(0.9 * normal(seed, "rate", rows) - 0.405),
        factors=np.stack(factors, axis=1).astype(np.float32),
        first_name=integers(seed, "first name", len(FIRST), rows),
        last_name=integers(seed, "last name", len(LAST), rows),
    )


def wishes_of(day: int, shoppers: Shoppers, catalogue: Catalogue, seed: int) -> Wishes:
    """Who comes on a day, and what for."""
    rows = np.arange(len(shoppers.rate))
    offset = day - catalogue.first_day
    # 1970-01-01 was a Thursday
    level = WEEKDAYS[(day + 3) % 7] * float(catalogue.season(day).mean())
    comes = (uniform(seed, "comes", rows, day) < shoppers.rate * level) & (shoppers.signup <= offset)
    customer = np.flatnonzero(comes)
    is_busy = uniform(seed, "busy", customer, day) < 0.02
    customer = np.repeat(customer, np.where(is_busy, 2 + integers(seed, "burst", 4, customer, day), 1))
    place = np.arange(len(customer))
    second = np.clip((15 + 4.5 * normal(seed, "hour", place, day)) * 3600, 0, 86_000).astype(np.int64)
    by_time = np.argsort(second, kind="stable")
    customer, second = customer[by_time], second[by_time]
    lines = 1 + choice(seed, "lines", (30, 25, 18, 12, 8, 4, 3), place, day)
    order = np.repeat(place, lines)
    product = _chosen(day, customer[order], shoppers, catalogue, seed)
    twice = np.unique(order * len(catalogue.leaf) + product)  # one line a product
    order, product = np.divmod(twice, len(catalogue.leaf))
    quantity = np.array([1, 2, 3, 4, 6, 12])[choice(seed, "quantity", (60, 20, 8, 5, 4, 3), np.arange(len(order)), day)]
    return Wishes(customer, uniform(seed, "guest", place, day) < GUESTS, second, order, product, quantity)


def _chosen(day: int, customer: Ints, shoppers: Shoppers, catalogue: Catalogue, seed: int) -> Ints:
    """The product of each line, by the preference model."""
    met = np.exp(catalogue.appeal) * catalogue.season(day)[catalogue.department] * catalogue.uplift(day)
    met *= catalogue.launch <= day - catalogue.first_day
    steps = np.cumsum(met) / met.sum()
    place, slot = np.arange(len(customer))[:, None], np.arange(CANDIDATES)[None, :]
    # [lines, CANDIDATES]
    candidates = np.searchsorted(steps, uniform(seed, "meets", place, slot, day)).clip(0, len(met) - 1)
    taste = np.einsum("lf,lcf->lc", shoppers.factors[customer], catalogue.factors.astype(np.float32)[candidates])
    noise = -np.log(-np.log(uniform(seed, "whim", place, slot, day)))
    best = np.argmax(TASTE * taste + noise, axis=1)
    return np.asarray(candidates[np.arange(len(customer)), best], np.int64)
