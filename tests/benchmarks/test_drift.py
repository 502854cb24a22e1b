"""The benchmark of drift counts its store by the night's own SQL, and plants what it says."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift import PLANTS, as_of_night, by_feature, counted, new_home
from benchmarks.drift_store import Store, next_night, products
from pipelines.contract import OUTPUTS
from pipelines.monitoring.watched import WATCHED


def test_every_watched_table_is_counted(tmp_path: Path) -> None:
    store = Store(100, np.random.default_rng(1))
    with new_home(tmp_path / "home", 1).warehouse.session() as session:
        products(store, 2).to_parquet(tmp_path / "products.parquet")
        session.execute("create schema marts")
        table = session.parquet(tmp_path / "products.parquet")
        session.execute(f"create table marts.dim_products as select * from {table}")
        found = by_feature(counted(session, tmp_path, as_of_night(0), [next_night(store), next_night(store)]))
    assert {feature.split(".")[0] for feature in found} == set(WATCHED)
    assert set(found["orders.rows"]) == {as_of_night(0), as_of_night(1)}
    assert all(found[f"{table}.rows"][as_of_night(1)]["rows"] for table in WATCHED)
    assert set(found["order_lines.category"][as_of_night(1)]) == {f"category {letter}" for letter in "abcdefgh"}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_plant_changes_the_rows_of_its_output(plant: str) -> None:
    store = Store(300, np.random.default_rng(1))
    usual, planted = next_night(copy.deepcopy(store)), next_night(copy.deepcopy(store), plant)
    changed = [name for name in usual if not usual[name].equals(planted[name])]
    assert changed
    assert sorted(set(PLANTS.values())) == sorted(OUTPUTS)
    assert [*PLANTS.values()].count(PLANTS[plant]) == 2
