"""What lies on the shelves: a simple replenishment policy that follows the sales of each product."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Floats, Ints, integers, uniform

SOLD_LATELY = 90  # days
COVER = 14  # days of sales that an order adds
LATE_SHARE = 0.04  # of the orders to suppliers: they take three times as long
FAILURES_EVERY, FAILURE_DAYS = 182, 42  # a supplier fails at most once in so many days, and then for so many


@dataclass
class Shelves:
    """Units on hand and on their way, product by product; `step` moves them one day on."""

    lead_time: Ints
    order_multiple: Ints
    seed: int
    failing: float = 0.0  # share of the products whose supplier fails, in each half year
    on_hand: Ints = field(init=False)
    due: Ints = field(init=False)  # [days ahead, products]
    mean: Floats = field(init=False)  # units a day, exponentially smoothed
    days_unsold: Ints = field(init=False)

    def __post_init__(self) -> None:
        products = len(self.lead_time)
        self.on_hand = np.zeros(products, np.int64)
        self.due = np.zeros((3 * int(self.lead_time.max()) + 2, products), np.int64)
        self.mean = np.zeros(products)
        self.days_unsold = np.full(products, SOLD_LATELY + 1)

    def stock_up(self, products: Flags, expected: Floats) -> None:
        """Put a first delivery on the shelf for units a day that are expected."""
        wanted = expected[products] * (self.lead_time[products] + COVER) + 1
        self.on_hand[products] += self._rounded(wanted, products)
        self.mean[products] = expected[products]

    def step(self, day: int, sold: Ints) -> None:
        """Take the day's sales away, receive what is due, and order what will be needed."""
        is_new = (self.days_unsold > SOLD_LATELY) & (self.mean == 0) & (sold > 0)
        if is_new.any():
            self.stock_up(is_new, sold / 4.0)
        held_back = np.where(self.is_failing(day), self.due[0], 0)
        self.on_hand = np.maximum(self.on_hand - sold, 0) + self.due[0] - held_back
        self.due = np.roll(self.due, -1, axis=0)
        self.due[-1] = 0
        self.due[0] += held_back
        self.mean += 0.08 * (sold - self.mean)
        self.days_unsold = np.where(sold > 0, 0, self.days_unsold + 1)
        on_order = self.due.sum(axis=0)
        reorder_point = self.mean * (self.lead_time + 5)
        orders = np.flatnonzero((self.on_hand + on_order <= reorder_point) & (self.days_unsold <= SOLD_LATELY))
        wanted = (reorder_point + COVER * self.mean - self.on_hand - on_order)[orders]
        is_late = uniform(self.seed, "late", orders, day) < LATE_SHARE
        arrives = np.where(is_late, 3, 1) * self.lead_time[orders] + integers(self.seed, "lead", 2, orders, day) - 1
        self.due[np.maximum(arrives, 0), orders] += self._rounded(wanted, orders)

    def is_failing(self, day: int) -> Flags:
        """Products that nothing arrives of that day, because their supplier fails."""
        number = np.arange(len(self.lead_time))
        half_year, since = divmod(day, FAILURES_EVERY)
        first = integers(self.seed, "failure", FAILURES_EVERY - FAILURE_DAYS, number, half_year)
        fails: Flags = uniform(self.seed, "supplier fails", number, half_year) < self.failing
        return fails & (since >= first) & (since < first + FAILURE_DAYS)

    def levels(self, day: int, product_id: pa.Array, always: bool = False) -> pa.Table:
        """The day's closing stock of what sold lately."""
        rows = np.flatnonzero((self.days_unsold <= SOLD_LATELY) | always)
        as_of = np.full(len(rows), np.datetime64(day, "D"))
        return pa.table(
            {
                "product_id": product_id.take(pa.array(rows)),
                "as_of_date": pa.array(as_of),
                "on_hand": self.on_hand[rows],
                "on_order": self.due.sum(axis=0)[rows],
            }
        )

    def _rounded(self, units: Floats, products: Ints | Flags) -> Ints:
        multiple = self.order_multiple[products]
        return (np.ceil(np.maximum(units, 1) / multiple) * multiple).astype(np.int64)
