"""Last year's periods by the holidays that they held."""

from __future__ import annotations

import numpy as np
import pytest

from models.demand.alignment import year_ago


def columns_ahead(as_of: str, periods: int, period_days: int, country: str | None = None) -> list[int]:
    ahead = -np.arange(1, periods + 1)
    found = year_ago(np.datetime64(as_of), ahead, period_days, country)
    return [int(column) for column in found]


def test_easter_is_compared_with_easter_and_plain_weeks_with_plain_weeks() -> None:
    # 2012: 8 April, the fourth week from 17 March; 2011: 24 April, two weeks later in the year
    found = columns_ahead("2012-03-17", 5, 7)
    assert found[:2] == [51, 50]  # plain weeks
    assert found[2:4] == [49 - 2, 48 - 2]  # the week before Easter, and Easter's own
    assert found[4] == 47 + 1  # last year's same week held Easter: the plain one before it


def test_a_day_keeps_its_weekday_unless_it_is_a_holiday() -> None:
    plain = columns_ahead("2012-06-04", 14, 1)
    assert plain == [364 - step for step in range(1, 15)]
    christmas = columns_ahead("2012-12-24", 3, 1, "GB")
    assert christmas[1] == 364  # 25 December 2011, 365 days before the night: a Sunday, for a Tuesday


def test_a_holiday_that_was_proclaimed_for_one_year_is_not_known_before() -> None:
    # 19 September 2022, a state funeral: proclaimed on 10 September, so a night in July cannot know of it
    assert columns_ahead("2022-07-25", 10, 7, "GB") == columns_ahead("2022-07-25", 10, 7, None)
    assert columns_ahead("2023-09-11", 3, 1, "GB") == [363, 362, 361]
    assert columns_ahead("2023-09-18", 3, 1, "GB") == [363, 362, 361]  # a year later it was a day like others


def test_months_and_quarters_are_compared_with_the_same_one() -> None:
    assert columns_ahead("2012-03-01", 3, 30, "GB") == [11, 10, 9]
    assert columns_ahead("2012-04-01", 2, 91, "GB") == [3, 2]


def test_a_country_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="country is XX, expected an ISO 3166 code"):
        columns_ahead("2012-03-17", 2, 7, "XX")


@pytest.mark.parametrize("country", ["US", "CN", "DE", None])
def test_the_period_lies_in_the_past_and_near(country: str | None) -> None:
    for as_of in ("2011-12-05", "2012-01-30", "2012-03-17", "2012-11-05"):
        found = columns_ahead(as_of, 52, 7, country)
        assert min(found) >= 0
        assert max(abs(column - (52 - step)) for step, column in enumerate(found, 1)) <= 5
