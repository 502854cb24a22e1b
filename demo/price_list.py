"""What each product costs on the list, told from what customers paid: nothing looks past its own day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Single days stray from the list (a bulk buyer's price, a marketplace's), so one of them does not move it.
DAYS_UNTIL_LASTING = 3


@dataclass(frozen=True)
class UsualPrice:
    """What a product usually cost on a day it sold: the price of most of its lines."""

    product_id: str
    day: date
    price: Decimal


def list_prices(usual_prices: Iterable[UsualPrice]) -> Iterator[UsualPrice]:
    """The days a product's list price begins or changes, from its usual prices ordered by product and day.

    The first day sold begins it. It changes on the third selling day in a row whose usual price is another one.
    """
    listed: UsualPrice | None = None
    days_away = 0
    for usual in usual_prices:
        if listed is None or usual.product_id != listed.product_id:
            is_new = True
        else:
            days_away = days_away + 1 if usual.price != listed.price else 0
            is_new = days_away == DAYS_UNTIL_LASTING
        if is_new:
            listed, days_away = usual, 0
            yield usual
