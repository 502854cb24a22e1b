from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import IncomingFault
from pipelines.ingest.manifest import (
    ALWAYS,
    Entry,
    Manifest,
    known_at_of,
    need_manifest,
    read_manifest,
    write_manifest,
)
from pipelines.storage import FolderStorage

days = st.dates(date(2010, 1, 1), date(2020, 1, 1))


@given(dt=days, wait=st.integers(1, 400), is_late=st.booleans(), is_history=st.booleans(), is_always=st.booleans())
def test_nothing_is_known_after_the_night_that_loads_it(
    dt: date, wait: int, is_late: bool, is_history: bool, is_always: bool
) -> None:
    as_of = dt + timedelta(days=wait)
    known_at = known_at_of(dt, as_of=as_of, is_late=is_late, is_history=is_history, is_always_known=is_always)
    assert known_at is None or known_at <= as_of
    if is_late:
        assert known_at == as_of
    elif not is_history:
        assert known_at == dt + timedelta(days=1)
    else:
        assert known_at == (ALWAYS if is_always else None)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    storage, as_of = FolderStorage(tmp_path), date(2011, 10, 3)
    fault = {"rule": "readable", "column": None, "text": "x.csv has no bytes"}
    entries = (
        Entry("orders", date(2011, 10, 1), "f", "d", 3, True, False, None, "incoming/x", None, ("odd",)),
        Entry("orders", date(2011, 10, 2), "g", None, 0, False, True, as_of, None, fault),
    )
    manifest = Manifest(as_of, entries, None, "code", ("orders 2011-10-02",), ("warned",))
    write_manifest(storage, manifest)
    assert read_manifest(storage, as_of) == manifest


def test_a_step_before_collect_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(IncomingFault, match="has not collected") as stopped:
        need_manifest(FolderStorage(tmp_path), date(2011, 10, 3))
    assert "nightcart step collect 2011-10-03" in stopped.value.hint
