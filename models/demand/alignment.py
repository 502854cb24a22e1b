"""Which period a year ago a period is compared with: the same one, or where its holidays then fell.

Easter moves by up to five weeks, Thanksgiving and bank holidays by one, Lunar New Year by three. A week is compared
with the nearest one around the same time last year that held the same holidays, a week without any with one without.
"""

from __future__ import annotations

from functools import lru_cache

import holidays
import numpy as np
from dateutil.easter import easter
from numpy.typing import NDArray

from models.demand.history import LENGTH, YEAR

REACH = {7: 5, 1: 35}
"""Periods on each side that are looked at; months and quarters are compared with the same one."""
WEEK = 7
RUN_UP = 7
"""Days before a holiday that people buy for it."""
EASTER = "Easter"


def year_ago(
    as_of: np.datetime64, columns: NDArray[np.int64], period_days: int, country: str | None
) -> NDArray[np.int64]:
    """[c] the columns of the history that stand for `columns` a year earlier.

    Column c covers [as_of - (c + 1) p days, as_of - c p days): below zero lies the future. country: an ISO 3166 code,
    whose public holidays count beside Easter; None: Easter alone. Those that recur are known years ahead: no leak. A
    funeral or a jubilee is not, and does not count.
    """
    year = YEAR[period_days]
    same = columns + year
    if period_days not in REACH:
        return same
    here = [_held(as_of, int(column), period_days, country) for column in columns]
    return np.array([_nearest(as_of, held, int(at), period_days, country) for held, at in zip(here, same, strict=True)])


def _nearest(as_of: np.datetime64, held: frozenset[str], at: int, period_days: int, country: str | None) -> int:
    """The column around `at` that held the same, `at` where there is none; a plain day keeps its weekday."""
    step = WEEK if period_days == 1 and not held else 1
    away = range(step, REACH[period_days] + 1, step)
    for column in (at, *(at + side * by for by in away for side in (-1, 1))):
        if 0 <= column < LENGTH[period_days] and _held(as_of, column, period_days, country) == held:
            return column
    return at


def _held(as_of: np.datetime64, column: int, period_days: int, country: str | None) -> frozenset[str]:
    """The holidays in a period, and those that it leads up to."""
    last = as_of.astype("datetime64[D]").astype(int) - column * period_days
    found: set[str] = set()
    for day in range(last - period_days, last):
        found |= _names(day, country)
        if period_days > 1:
            found |= {f"before {name}" for name in _names(day + RUN_UP, country)}
    return frozenset(found)


@lru_cache(maxsize=20_000)
def _names(day: int, country: str | None) -> frozenset[str]:
    """The holidays of a day, counted from 1970."""
    date = np.datetime64(day, "D").item()
    found = set(_calendar(country).get_list(date)) & _of_year(country, date.year - 1) if country else set()
    return frozenset(found | {EASTER}) if date == easter(date.year) else frozenset(found)


@lru_cache(maxsize=200)
def _of_year(country: str, year: int) -> frozenset[str]:
    """The holidays of a year; one of the next that is not among them is new, and was proclaimed late."""
    days = np.arange(np.datetime64(f"{year}-01-01"), np.datetime64(f"{year + 1}-01-01"))
    return frozenset(name for day in days for name in _calendar(country).get_list(day.item()))


@lru_cache(maxsize=8)
def _calendar(country: str) -> holidays.HolidayBase:
    """Raises ValueError where the package has no country of that code."""
    try:
        return holidays.country_holidays(country, observed=False)
    except NotImplementedError as error:
        raise ValueError(
            f"country is {country}, expected an ISO 3166 code such as GB whose holidays are known"
        ) from error
