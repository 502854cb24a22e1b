"""What the simulator works on: orders and lines as arrays, and what makes Arrow columns of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Ints, Times

GUEST = -1


@dataclass(frozen=True)
class Orders:
    """Orders, one row each, with what was known of the customer when the order came."""

    number: Ints  # unique in the store: all that is random about an order is drawn from it
    order_id: pa.Array
    customer: Ints  # unique number of the customer, or GUEST
    customer_id: pa.Array
    ordered_at: Times
    cents: Ints
    country: pa.Array  # never null
    prior_returns: Ints  # of the customer, before the order
    same_day: Ints  # orders of the customer on that day

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Ints) -> Orders:
        """Some of the orders."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Orders(
            **{name: v.take(pa.array(rows)) if isinstance(v, pa.Array) else v[rows] for name, v in values.items()}
        )


@dataclass(frozen=True)
class Lines:
    """Lines of orders, ordered by their order."""

    order: Ints  # row of its order
    product: Ints  # row of its product
    quantity: Ints

    def between(self, first: int, last: int) -> Lines:
        """The lines of the orders `first` to `last` - 1, whose rows count from `first`."""
        start, end = np.searchsorted(self.order, [first, last])
        return Lines(self.order[start:end] - first, self.product[start:end], self.quantity[start:end])


@dataclass(frozen=True)
class Products:
    """What lines name."""

    product_id: pa.Array
    title: Sequence[str]


def money(cents: Ints) -> pa.Array:
    """Cents as decimal(18, 4)."""
    low = np.asarray(cents, np.int64) * 100
    words = np.stack([low, low >> 63], axis=1)
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(low), [None, pa.py_buffer(np.ascontiguousarray(words))])


def timestamps(times: Times) -> pa.Array:
    """Times as a column."""
    return pa.array(times.astype("datetime64[us]"))


def names(prefix: str, numbers: Ints, digits: int) -> pa.Array:
    """Ids such as O000000017."""
    return pa.array([f"{prefix}{number:0{digits}d}" for number in numbers.tolist()], pa.string())


def only_where(mask: Flags, column: pa.Array) -> pa.Array:
    """The column, null where the mask does not hold."""
    rows = np.arange(len(mask))
    return column.take(pa.array(rows, mask=~mask))


def words(choices: Sequence[str], places: Ints) -> pa.Array:
    """The words at these places."""
    return pa.array(choices, pa.string()).take(pa.array(places))
