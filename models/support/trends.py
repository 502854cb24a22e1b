"""Trends: tickets by product, intent and week, and which rose beyond their usual range.

Weeks are the 7 days before the night, the 7 before those, and so on: the newest is whole every night, so that what
broke yesterday is in it this morning.

A cell's usual rate is that of the 26 weeks before, by the store's tickets of a week, drawn towards what its product
and its intent have each by themselves: gamma-Poisson, as in DuMouchel (1999), Bayesian data mining in large frequency
tables. What it predicts is negative binomial, wider by how much products and intents differ from week to week. The
range leaves out so little that all cells of a store together exceed theirs once in ten nights where nothing is wrong
(Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import nbinom

HISTORY_WEEKS, WEEKS_SHOWN, FEWEST_WEEKS = 26, 8, 8
DAYS = 7 * (HISTORY_WEEKS + WEEKS_SHOWN)
"""Days before the night whose tickets are needed."""
ALARMS_A_WEEK = 0.1
"""False alarms of a store's newest week that are put up with, expected."""
FEWEST = 3
"""Tickets of a week under which nothing is said to be unusual."""
COLUMNS = ("product_id", "intent", "week_start", "tickets", "usual_low", "usual_high", "is_unusual")
UNKNOWN = ""  # stands for no product
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Tickets by product, intent and week: codes of each ticket; weeks count back from the newest, 0."""

    product: NDArray[np.int64]
    intent: NDArray[np.int64]
    week: NDArray[np.int64]
    shape: tuple[int, int]  # products, intents

    def by_product(self, first: int, last: int) -> Floats:
        """[products, weeks] tickets of the weeks from first on, before last."""
        return self._table(self.product, self.shape[0], first, last)

    def by_intent(self, first: int, last: int) -> Floats:
        """[intents, weeks] tickets."""
        return self._table(self.intent, self.shape[1], first, last)

    def by_both(self, first: int, last: int) -> Floats:
        """[products, intents] tickets."""
        own = (self.week >= first) & (self.week < last)
        place = self.product[own] * self.shape[1] + self.intent[own]
        return np.bincount(place, minlength=self.shape[0] * self.shape[1]).reshape(self.shape).astype(float)

    def _table(self, code: NDArray[np.int64], codes: int, first: int, last: int) -> Floats:
        own = (self.week >= first) & (self.week < last)
        place = code[own] * (last - first) + self.week[own] - first
        return np.bincount(place, minlength=codes * (last - first)).reshape(codes, last - first).astype(float)


def ticket_trends(tickets: pd.DataFrame, guessed: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The cells with tickets in each of the last 8 weeks, with their usual range.

    tickets: ticket_id, product_id (null: not known), intent (null: not resolved) and opened_at of the last 238 days;
    guessed: ticket_id and the intent of open ones; others without an intent count nowhere. Weeks with fewer than 8
    before them have no rows.
    """
    rows = tickets.merge(guessed.rename(columns={"intent": "guessed"}), on="ticket_id", how="left")
    rows["intent"] = rows["intent"].fillna(rows["guessed"])
    age = (pd.Timestamp(as_of) - pd.to_datetime(rows["opened_at"]).dt.normalize()).dt.days - 1
    rows = rows.assign(week=age // 7)
    rows = rows[rows["intent"].notna() & (age >= 0) & (age < DAYS)]
    products, intents = (pd.factorize(rows[name].fillna(UNKNOWN), sort=True) for name in ("product_id", "intent"))
    week = rows["week"].to_numpy(np.int64)
    cells = Cells(products[0].astype(np.int64), intents[0].astype(np.int64), week, (len(products[1]), len(intents[1])))
    first = int(week.max()) if len(week) else 0
    shown = [one for one in range(WEEKS_SHOWN) if first - one >= FEWEST_WEEKS]
    found = [_of_week(cells, one).assign(week=one) for one in shown]
    table = pd.concat(found) if found else pd.DataFrame({name: [] for name in (*COLUMNS, "week", "product")})
    names = np.array([None if name == UNKNOWN else name for name in products[1]], dtype=object)
    starts = pd.Timestamp(as_of) - pd.to_timedelta(7 * (table["week"].astype(int) + 1), unit="D")
    table = table.assign(
        product_id=pd.Series(names[table["product"].astype(int)], index=table.index, dtype="str"),
        intent=pd.Series(np.array(intents[1], object)[table["intent"].astype(int)], index=table.index, dtype="str"),
        week_start=pd.Series(starts, index=table.index).dt.date,
        tickets=table["tickets"].astype(np.int64),
        is_unusual=table["is_unusual"].astype(bool),
    )
    return table.sort_values(["week_start", "intent", "product_id"], ignore_index=True)[list(COLUMNS)]


def _of_week(cells: Cells, week: int) -> pd.DataFrame:
    """The cells of one week that have tickets, with their range from the weeks before."""
    until = week + 1 + HISTORY_WEEKS
    now, past = cells.by_both(week, week + 1), cells.by_both(week + 1, until)
    exposure = cells.by_product(week, until).sum(axis=0)  # [27] tickets of the store by week, the judged one first
    before = exposure[1:].sum()
    share = (past.sum(axis=1) + 1) / (before + past.shape[0])
    prior = share[:, None] * ((past.sum(axis=0) + 1) / (before + past.shape[1]))[None, :]  # by a ticket of the store
    strength = _strength(past, prior * before)
    product, intent = np.nonzero(now)
    mine, its_prior = past[product, intent], prior[product, intent]
    shape = strength + mine
    expected = shape / (strength / its_prior + before) * _exposure(exposure[0], now.sum(axis=1), share)[product]
    noise = _noise(cells.by_product(week + 1, until), exposure[1:]) + _noise(
        cells.by_intent(week + 1, until), exposure[1:]
    )
    size = 1 / (1 / shape + noise)
    left_out = ALARMS_A_WEEK / now.size
    chance = size / (size + expected)
    tickets, high = now[product, intent], nbinom.isf(left_out, size, chance)
    return pd.DataFrame(
        {"product": product, "intent": intent, "tickets": tickets, "usual_low": nbinom.ppf(left_out, size, chance)}
        | {"usual_high": high, "is_unusual": (tickets > high) & (tickets >= FEWEST)}
    )


def _strength(past: Floats, expected: Floats) -> float:
    """The shape of the prior: how near cells are to what their product and intent have, by moments."""
    weight = 1 / (1 + expected)
    beyond = float((weight * ((past - expected) ** 2 - expected)).sum())
    return float(np.clip((weight * expected**2).sum() / max(beyond, 1e-9), 0.05, 100.0))


def _noise(table: Floats, exposure: Floats) -> float:
    """Variance, by the squared mean, beyond Poisson's from week to week, of [rows, weeks], by moments."""
    mean = table.sum(axis=1, keepdims=True) / max(exposure.sum(), 1) * exposure[None, :]
    return float(np.clip(((table - mean) ** 2 - mean).sum() / max((mean**2).sum(), 1e-9), 0.0, 1.0))


def _exposure(tickets: float, own: Floats, share: Floats) -> Floats:
    """[products] tickets that the store would have had, going by those of other products: a rise hides not itself."""
    others = (tickets - own) / np.maximum(1 - share, 0.5)
    return np.where(share < 0.5, others, tickets)
