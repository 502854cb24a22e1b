"""Made-up series that are the same at any size, and a run of the scale benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import demand_scale
from benchmarks.generated_series import PART, WEEKS, sales_of


def test_the_first_series_are_the_same_at_any_size() -> None:
    few, many = sales_of(30, 7), sales_of(PART + 30, 7)
    np.testing.assert_array_equal(few.values, many.values[:30])
    np.testing.assert_array_equal(few.groups["category"], many.groups["category"][:30])
    assert not np.array_equal(many.values[:30], many.values[PART:]), "each part is drawn anew"
    assert not np.array_equal(few.values, sales_of(30, 8).values)


def test_series_are_those_of_a_store() -> None:
    found = sales_of(PART, 7)
    assert found.values.shape == (PART, WEEKS)
    assert (found.values >= 0.0).all() and (found.values == np.round(found.values)).all()
    assert 0.2 < (found.first > 0).mean() < 0.6, "launches"
    assert 0.2 < (found.values == 0).mean() < 0.7, "weeks without a sale"
    assert (found.values[np.arange(PART), found.first] > 0).all()


def test_a_process_of_its_own_says_seconds_memory_and_error(tmp_path: Path) -> None:
    command = f"--series 40 80 --model seasonal_naive --out {tmp_path}/result.json"
    found = demand_scale.main(command.split())
    assert [one["series"] for one in found["measured"]] == [40, 80]
    assert all(one["peak_mib"] > 20 and 0.0 < one["wape"] < 3.0 for one in found["measured"])
    assert found["growth"]["seasonal_naive 40 to 80"]["series"] == 2.0
