"""The price list follows lasting changes and never looks ahead."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from demo.price_list import UsualPrice, list_prices

A_DAY = date(2011, 6, 1)


def _usual(*prices: int, product_id: str = "85123A") -> list[UsualPrice]:
    return [UsualPrice(product_id, A_DAY + timedelta(days=day), Decimal(price)) for day, price in enumerate(prices)]


def test_the_third_day_in_a_row_moves_the_list() -> None:
    usual = _usual(5, 7, 7, 5, 7, 8, 7, 7)
    assert list(list_prices(usual)) == [usual[0], usual[6]]


def test_each_product_has_a_list_of_its_own() -> None:
    usual = _usual(5, 7, 7) + _usual(7, 7, product_id="85123B")
    assert list(list_prices(usual)) == [usual[0], usual[3]]


@given(st.lists(st.integers(1, 3), min_size=1), st.integers(1, 50))
def test_later_days_change_no_earlier_version(prices: list[int], days: int) -> None:
    usual = _usual(*prices)
    known = [version for version in list_prices(usual) if version in usual[:days]]
    assert list(list_prices(usual[:days])) == known
