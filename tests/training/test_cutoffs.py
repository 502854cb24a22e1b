"""Cut-offs: evaluation windows lie side by side before as_of, training reaches back as far as history goes."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.training.cutoffs import (
    EVALUATIONS,
    MAX_ROWS,
    MIN_HISTORY_DAYS,
    Sales,
    demand_cutoffs,
    event_cutoffs,
    recommendation_cutoffs,
)

AS_OF = date(2011, 11, 1)


def test_weekly_demo() -> None:
    cutoffs = demand_cutoffs(AS_OF, Sales(date(2009, 12, 1), 3000), 8, 7)
    assert cutoffs.evaluation == (date(2011, 5, 17), date(2011, 7, 12), date(2011, 9, 6))
    assert set(cutoffs.evaluation) <= set(cutoffs.training)
    assert cutoffs.training[0] >= date(2009, 12, 1) + timedelta(days=MIN_HISTORY_DAYS)


def test_of_very_many_products_fewer_cutoffs_reach_as_far_back() -> None:
    few = demand_cutoffs(AS_OF, Sales(AS_OF - timedelta(days=364), 100), 8, 7)
    many = demand_cutoffs(AS_OF, Sales(AS_OF - timedelta(days=364), 20_000), 8, 7)
    assert many.evaluation == few.evaluation
    assert len(many.training) == MAX_ROWS // (20_000 * 8) < len(few.training)
    assert set(many.training) <= set(few.training)
    assert many.training[0] == few.training[0] < many.evaluation[0]
    assert many.training[-1] == few.training[-1]


def test_without_sales_there_are_none() -> None:
    assert demand_cutoffs(AS_OF, Sales(None, 0), 8, 7).all == []
    assert recommendation_cutoffs(AS_OF, Sales(None, 0)).all == []


@given(
    history=st.integers(0, 2000),
    products=st.integers(1, 100_000),
    horizon=st.integers(1, 92),
    days=st.sampled_from([1, 7]),
)
def test_windows_end_by_as_of_and_start_after_history(history: int, products: int, horizon: int, days: int) -> None:
    first = AS_OF - timedelta(days=history)
    cutoffs = demand_cutoffs(AS_OF, Sales(first, products), horizon, days)
    window = timedelta(days=horizon * days)
    assert len(cutoffs.evaluation) <= EVALUATIONS
    assert all(cutoff + window <= AS_OF for cutoff in cutoffs.evaluation)
    assert all(cutoff - window >= first + timedelta(days=MIN_HISTORY_DAYS) for cutoff in cutoffs.evaluation)
    assert all(first < cutoff < AS_OF for cutoff in cutoffs.all)
    assert len(cutoffs.training) * products * horizon <= max(MAX_ROWS, 2 * products * horizon)


@given(history=st.integers(0, 1000))
def test_recommendation_windows_do_not_overlap(history: int) -> None:
    cutoffs = recommendation_cutoffs(AS_OF, Sales(AS_OF - timedelta(days=history), 10))
    days = [*cutoffs.all, AS_OF]
    assert all(later - earlier == timedelta(days=28) for earlier, later in itertools.pairwise(days))
    assert set(cutoffs.evaluation) <= set(cutoffs.training)


@given(history=st.integers(0, 1000), mature=st.integers(1, 120))
def test_windows_of_events_lie_side_by_side_and_have_matured(history: int, mature: int) -> None:
    first = AS_OF - timedelta(days=history)
    cutoffs = event_cutoffs(AS_OF, first, mature).evaluation
    days = [*cutoffs, AS_OF - timedelta(days=mature)]
    assert all(later - earlier == timedelta(days=28) for earlier, later in itertools.pairwise(days))
    assert all(day - timedelta(days=mature) >= first + timedelta(days=MIN_HISTORY_DAYS) for day in cutoffs)
    assert len(cutoffs) == EVALUATIONS or history < MIN_HISTORY_DAYS + 2 * mature + 28 * EVALUATIONS


def test_without_events_there_are_none() -> None:
    assert event_cutoffs(AS_OF, None, 45).all == []
