"""Trends: cells by week, a broken product the next morning, few alarms where nothing is wrong."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks.trends import AS_OF, NO_GUESSES, broken, measured, store
from models.support.trends import COLUMNS, DAYS, HISTORY_WEEKS, WEEKS_SHOWN, ticket_trends

NEWEST = AS_OF - timedelta(days=7)


def test_a_broken_product_shows_the_next_morning_and_alone() -> None:
    quiet = store(np.random.default_rng(3), 200, 100)
    assert not ticket_trends(quiet, NO_GUESSES, AS_OF)["is_unusual"].any()
    table = ticket_trends(broken(quiet, "p7", 9), NO_GUESSES, AS_OF)
    found = table[table["is_unusual"]]
    assert found[["product_id", "intent", "week_start"]].to_numpy().tolist() == [["p7", "damaged", NEWEST]]
    assert (found["tickets"] > found["usual_high"]).all()


def test_stores_in_which_nothing_is_wrong_raise_few_alarms() -> None:
    assert measured(20, 200, 100, seed=5)["false_alarms_a_night"] <= 0.2


def test_weeks_end_with_the_night_and_count_each_ticket_once() -> None:
    tickets = store(np.random.default_rng(4), 30, 60)
    table = ticket_trends(tickets, NO_GUESSES, AS_OF)
    assert list(table.columns) == list(COLUMNS)
    assert sorted(set(table["week_start"])) == [AS_OF - timedelta(days=7 * n) for n in range(WEEKS_SHOWN, 0, -1)]
    since = pd.Timestamp(AS_OF - timedelta(days=7 * WEEKS_SHOWN))
    assert table["tickets"].sum() == (tickets["opened_at"] >= since).sum()
    assert not table.duplicated(["product_id", "intent", "week_start"]).any()
    assert DAYS == 7 * (HISTORY_WEEKS + WEEKS_SHOWN) == 238  # as in features_ticket_products.sql
    shuffled = ticket_trends(tickets.sample(frac=1, random_state=1), NO_GUESSES, AS_OF)
    pd.testing.assert_frame_equal(shuffled, table)


def test_open_tickets_count_by_tonights_intent_and_others_nowhere() -> None:
    tickets = store(np.random.default_rng(4), 30, 60)
    newest = pd.DataFrame(
        {"ticket_id": ["open", "unguessed", "tomorrow"], "product_id": "p1", "intent": None}
        | {"opened_at": pd.to_datetime(["2024-06-09 23:59", "2024-06-09 00:00", "2024-06-10 00:00"])}
    )
    guessed = pd.DataFrame({"ticket_id": ["open", "tomorrow"], "intent": "new kind"})
    table = ticket_trends(pd.concat([tickets, newest], ignore_index=True), guessed, AS_OF)
    own = table[table["intent"] == "new kind"]
    assert own[["product_id", "week_start", "tickets"]].to_numpy().tolist() == [["p1", NEWEST, 1]]


@pytest.mark.parametrize("since", [0, 30])
def test_without_eight_weeks_before_there_are_no_rows(since: int) -> None:
    tickets = store(np.random.default_rng(4), 30, 60)
    young = tickets[tickets["opened_at"] >= pd.Timestamp(AS_OF) - pd.Timedelta(days=since)]
    table = ticket_trends(young, NO_GUESSES, AS_OF)
    assert list(table.columns) == list(COLUMNS)
    assert table.empty
