"""What leads to a person leaves a delivered table, whatever column it is in."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.contract import ENTITIES
from pipelines.ingest.persons import may_hold_persons, without_misplaced, without_persons

ORDERS = pa.table({"customer_id": ["a@x.org", "c2"], "status": ["refunded", "Zofia C"], "channel": ["web", "a@x.org"]})


@pytest.mark.parametrize(
    ("entity", "more", "may"),
    [("customers", [], True), ("orders", [], False), ("orders", ["buyer"], True), ("products", ["note"], False)],
)
def test_which_files_may_hold_persons(entity: str, more: list[str], may: bool) -> None:
    assert may_hold_persons(ENTITIES[entity], [*ENTITIES[entity].delivered, *more]) is may


def test_other_texts_are_redacted_where_persons_may_be() -> None:
    wary = without_persons(ORDERS, ENTITIES["orders"], b"k" * 32, is_wary=True)
    assert wary.to_pydict() == {
        "customer_id": ["a@x.org", "c2"],  # an id is the store's own
        "status": ["refunded", "[text]"],
        "channel": ["web", "[email]"],
    }
    assert without_persons(ORDERS, ENTITIES["orders"], b"k" * 32, is_wary=False).equals(ORDERS)


def test_rows_that_could_not_be_read_keep_redacted_ids_alone() -> None:
    found = without_misplaced(ORDERS, ENTITIES["orders"], pa.chunked_array([[True, False]]))
    assert found.to_pylist()[0] == {"customer_id": "[email]", "status": None, "channel": None}
    assert found.slice(1).to_pylist() == ORDERS.slice(1).to_pylist()
