"""Which release readers see, over any order of nights, backfills, retries and rollbacks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.publishing.placement import Placement, place, place_back

START = datetime(2011, 11, 1)  # noqa: DTZ001
NIGHTS = st.tuples(st.just("publish"), st.integers(1, 5), st.integers(0, 2))
ROLLBACKS = st.tuples(st.just("rollback"), st.integers(0, 20), st.just(0))


def row(day: int, variant: int, at: int) -> dict[str, Any]:
    """A release of a day; the variant stands for other settings or models."""
    return {
        "release_id": f"{day}-{variant}",
        "as_of": date(2011, 11, day),
        "published_at": START + timedelta(minutes=at),
        "attempt": 1,
    }


class Store:
    """Rows and pointer, as the records keep them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.pointer: dict[str, Any] | None = None
        self.clock = 0

    def take(self, placement: Placement) -> None:
        """Write a placement down."""
        self.rows = placement.rows
        self.pointer = {"release_id": placement.current, "is_rollback": placement.is_rollback}

    def publish(self, day: int, variant: int = 0) -> None:
        """Publish a night's release."""
        self.clock += 1
        self.take(place(self.rows, self.pointer, row(day, variant, self.clock)))

    def rollback(self, release_id: str) -> None:
        """Go back to a release."""
        assert self.pointer is not None
        self.take(place_back(self.rows, self.pointer, release_id))

    @property
    def current(self) -> str:
        """The release that readers see."""
        assert self.pointer is not None
        return str(self.pointer["release_id"])

    def status(self, release_id: str) -> str:
        """The status of a release."""
        return str(next(row["status"] for row in self.rows if row["release_id"] == release_id))


def newest(store: Store) -> str:
    """The release of the greatest as_of, of that the one published last."""
    return str(max(store.rows, key=lambda row: (row["as_of"], row["published_at"]))["release_id"])


@given(st.lists(st.one_of(NIGHTS, ROLLBACKS), min_size=1, max_size=25))
def test_one_release_is_current_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    store = Store()
    for kind, number, variant in steps:
        before, nights = store.pointer, {row["as_of"].day for row in store.rows}
        if kind == "publish":
            store.publish(number, variant)
            if before and before["is_rollback"] and number <= max(nights):
                assert store.pointer == before, "a rollback holds until a night newer than any before"
        elif store.rows:
            store.rollback(store.rows[number % len(store.rows)]["release_id"])
        if store.rows:
            assert [row["release_id"] for row in store.rows if row["status"] == "published"] == [store.current]
            assert store.pointer is not None
            assert store.pointer["is_rollback"] or store.current == newest(store)


@given(st.lists(NIGHTS, min_size=1, max_size=12))
def test_a_retry_changes_nothing(steps: list[tuple[str, int, int]]) -> None:
    store = Store()
    for _, day, variant in steps:
        store.publish(day, variant)
        rows, current = store.rows, store.current
        store.publish(day, variant)
        assert (store.rows, store.current) == (rows, current)


def test_a_backfill_of_an_older_night_leaves_the_pointer() -> None:
    store = Store()
    store.publish(3)
    store.publish(1)
    assert store.current == "3-0"
    assert store.status("1-0") == "superseded"


def test_of_one_night_the_release_published_last_is_current() -> None:
    store = Store()
    for variant in (0, 1, 0):
        store.publish(3, variant)
    assert store.current == "3-0"
    assert store.status("3-1") == "superseded"


def test_a_rollback_holds_until_a_newer_night_and_can_be_undone() -> None:
    store = Store()
    for day in (1, 2, 3):
        store.publish(day)
    store.rollback("1-0")
    assert (store.status("3-0"), store.status("2-0")) == ("rolled_back", "superseded")
    store.publish(3, 1)
    assert store.current == "1-0"
    store.publish(4)
    assert (store.current, store.pointer) == ("4-0", {"release_id": "4-0", "is_rollback": False})
    store.rollback("1-0")
    store.rollback("4-0")
    assert store.pointer == {"release_id": "4-0", "is_rollback": False}
    assert store.status("1-0") == "superseded"
