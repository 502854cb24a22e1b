from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import Entry, Manifest
from pipelines.sections import Validate
from pipelines.validate.partitions import (
    Delivered,
    age_faults,
    missing_faults,
    share_fault,
    too_few,
    volume_faults,
)

TUESDAY = date(2011, 10, 25)
WEEK = timedelta(days=7)


def entry(dt: date, rows: int, entity: str = "orders", *, is_history: bool = False) -> Entry:
    return Entry(entity, dt, "f", f"digest {dt}", rows, is_history, False, dt, "key")


def weeks(*rows: int, is_history: bool = False) -> list[Delivered]:
    """Partitions of the Tuesdays before, the last one last."""
    return [
        Delivered(TUESDAY - back * WEEK, n, is_history) for back, n in zip(range(len(rows), 0, -1), rows, strict=True)
    ]


def test_a_third_of_the_last_tuesdays_is_too_few() -> None:
    fault = too_few(entry(TUESDAY, 30), weeks(80, 90, 100, 110), 0.5)
    assert fault is not None
    assert fault.text == "30 rows, expected at least 0.5 of the median of the last 4 Tuesdays, 95"
    assert fault.is_acceptable


@pytest.mark.parametrize(
    "others",
    [
        weeks(100, 100, 100),
        weeks(100, 0, 100, 100),
        weeks(100, 100, 100, 100, is_history=True),
        [Delivered(TUESDAY - WEEK * back + timedelta(days=1), 100, False) for back in range(1, 6)],
        [Delivered(TUESDAY + WEEK * back, 100, False) for back in range(1, 6)],
    ],
    ids=["three only", "one of them empty", "history", "another weekday", "later ones"],
)
def test_fewer_than_four_of_the_weekday_say_nothing(others: list[Delivered]) -> None:
    assert too_few(entry(TUESDAY, 1), others, 0.5) is None


def test_an_empty_partition_means_that_nothing_changed() -> None:
    assert too_few(entry(TUESDAY, 0), weeks(100, 100, 100, 100), 0.5) is None


@given(rows=st.integers(1, 200), others=st.lists(st.integers(0, 200), min_size=4, max_size=12))
def test_only_the_last_four_with_rows_count(rows: int, others: list[int]) -> None:
    with_rows = sorted([n for n in others if n][-4:])
    is_low = len(with_rows) == 4 and rows < 0.5 * (with_rows[1] + with_rows[2]) / 2
    assert (too_few(entry(TUESDAY, rows), weeks(*others), 0.5) is not None) == is_low


def test_volume_is_judged_for_the_last_week_and_for_orders_and_lines_only() -> None:
    past = [entry(TUESDAY - back * WEEK, 100, name) for back in range(2, 7) for name in ("orders", "order_lines")]
    low = [entry(TUESDAY - WEEK, 10), entry(TUESDAY, 10), entry(TUESDAY, 10, "products")]
    manifest = Manifest(TUESDAY + timedelta(days=1), tuple(past + low))
    (fault,) = volume_faults(manifest, Ledger({}, None), Validate())
    assert (fault.entity, fault.dt) == ("orders", TUESDAY)


def test_a_ratio_of_zero_turns_it_off() -> None:
    assert too_few(entry(TUESDAY, 1), weeks(100, 100, 100, 100), 0.0) is None


def test_a_required_entity_that_was_never_delivered() -> None:
    manifest = Manifest(TUESDAY, (entry(TUESDAY, 1),), incomplete=("products 2011-10-24",))
    row = {"entity": "customers", "dt": TUESDAY, "rows": 1, "is_history": True}
    faults = missing_faults(manifest, Ledger({("customers", TUESDAY): row}, None))
    assert [fault.entity for fault in faults] == ["products", "order_lines"]
    assert "1 without _SUCCESS don't count, such as products 2011-10-24" in faults[0].text


@pytest.mark.parametrize(("max_age_days", "stops"), [(None, False), (3, False), (2, True)])
def test_orders_that_are_too_old(max_age_days: int | None, stops: bool) -> None:
    manifest = Manifest(TUESDAY, (entry(TUESDAY - timedelta(days=3), 5), entry(TUESDAY - timedelta(days=1), 0)))
    faults = age_faults(manifest, Ledger({}, None), max_age_days)
    assert [fault.rule for fault in faults] == (["max_age_days"] if stops else [])


@pytest.mark.parametrize(("rows", "bad", "stops"), [(19, 19, False), (20, 1, False), (20, 2, True), (100, 5, False)])
def test_a_share_counts_from_twenty_rows_on(rows: int, bad: int, stops: bool) -> None:
    count = {"rule": "above_0(quantity)", "rows": bad, "expected": "more than 0", "samples": ["quantity is -1"]}
    faults = share_fault(entry(TUESDAY, rows), [count] if bad else [], 0.05)
    assert bool(faults) == stops
    if stops:
        assert (faults[0].column, faults[0].rows, faults[0].share) == ("quantity", bad, bad / rows)
