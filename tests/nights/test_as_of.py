"""As-of truth from the landing zone on: what the real steps give is what a brute-force reading of the files gives.

`Witness` reads the delivered files into the versions that each night must have loaded; `Reading` reads features off
them with plain loops. Neither runs any code of the pipelines.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.catalog import DATASETS
from pipelines.features.build import build_training_features
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.steps import run_step
from tests.features.reading import Reading, demand_targets, recommendation_targets
from tests.landing import DAY, Landing, Row, at, line, order, product, raw
from tests.nights.shop import HISTORY, NIGHTS, Shop, deliver
from tests.nights.witness import KEYS, Witness

SEED, CASES = 11, 2_000
STEPS = ("collect", "validate", "load", "build_features")
PERIOD_DAYS, HORIZON = 7, 8  # the settings' defaults
PAST = [HISTORY - days * DAY for days in (70, 35, 8, 0)] + [HISTORY + 5 * DAY]  # cut-offs that no night ran for
TABLES: dict[str, Callable[[Reading], dict[Any, Row]]] = {
    "features_demand_products": lambda reading: reading.demand_products(PERIOD_DAYS),
    "features_demand_periods": lambda reading: reading.demand_periods(PERIOD_DAYS),
    "features_product_popularity": Reading.popularity,
    "features_customer_products": Reading.customer_products,
    "features_customers": Reading.last_orders,
    "features_products": Reading.valid_products,
    "fct_daily_sales": Reading.daily_sales,
    "dim_customers": Reading.customers_mart,
}
MARTS = ("fct_daily_sales", "dim_customers")  # without as_of in their keys: tonight's only
Truth = Callable[[date], Reading]
Tables = dict[str, dict[Any, Row]]


@dataclass
class Ran:
    """A home with nights in it, and what each of their steps returned."""

    home: Home
    folders: Mapping[date, Path]
    witness: Witness
    truth: Truth
    results: dict[date, dict[str, Row]] = field(default_factory=dict)

    def built(self, night: date) -> Tables:
        """What the night's snapshot holds."""
        snapshot = Snapshot(self.home.storage, self.results[night]["build_features"]["snapshot"])
        return {table: rows_of(snapshot, table) for table in TABLES}

    def expected(self, night: date) -> Tables:
        """What it must hold."""
        return {table: read(self.truth(night)) for table, read in TABLES.items()}


def rows_of(snapshot: Snapshot, table: str) -> dict[Any, Row]:
    """A snapshot's table as rows by key, read off its files."""
    key, rows = DATASETS[table].key, [row for file in snapshot.files(table) for row in pq.read_table(file).to_pylist()]
    plain = [{name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()} for row in rows]
    found = {tuple(row[name] for name in key): {n: v for n, v in row.items() if n not in key} for row in plain}
    assert len(found) == len(rows), f"{table} has a key twice"
    return found


@contextmanager
def home_in(folder: Path) -> Iterator[Home]:
    """A fresh home with an empty landing zone, in the environment as long as it is open."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("NIGHTCART_", "MLFLOW_"))]:
            patch.delenv(name)
        patch.setenv("NIGHTCART_HOME", str(folder / "home"))
        patch.setenv("NIGHTCART_LANDING", str(folder / "landing"))
        patch.setenv("NIGHTCART__COMPUTE__THREADS", "2")
        yield Home.open()


def put(delivered: Path, landing: Path) -> None:
    """Put partitions into the landing zone, each in the place of what was there."""
    for partition in delivered.glob("*/dt=*"):
        target = landing / partition.relative_to(delivered)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(partition, target)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All nights of the shop, one after the other, the landing zone changing between them."""
    folder = tmp_path_factory.mktemp("as_of")
    folders = deliver(Shop(SEED), folder, SEED)
    witness = Witness(folders)
    with home_in(folder) as home:
        found = Ran(home, folders, witness, cache(lambda as_of: Reading(witness, as_of)))
        for night in NIGHTS:
            put(folders[night], home.landing)
            found.results[night] = {step: run_step(step, night) for step in STEPS}
        yield found


def test_the_shop_has_every_trouble(ran: Ran) -> None:
    """Otherwise the other tests would prove little."""
    assert sum(ran.witness.late.values()) >= 12
    assert sum(ran.witness.again.values()) >= 6
    for night, done in ran.results.items():
        assert done["collect"]["late"] == ran.witness.late[night]
        assert sum(done["validate"]["quarantined"].values()) == ran.witness.quarantined[night]
        assert done["build_features"]["orphan_lines"] == ran.truth(night).waiting() > 0
    assert sum(ran.witness.quarantined.values()) >= 20
    assert sum(done["validate"]["collapsed"] for done in ran.results.values()) >= 20
    assert sum(row["status"] == "cancelled" for row in ran.witness.versions["orders"]) > 10
    assert overridden(ran.witness) > 10


def overridden(witness: Witness) -> int:
    """Versions that came after a newer one and must not count."""
    versions = [(entity, row) for entity, rows in witness.versions.items() for row in rows]
    newest: dict[Any, date] = {}
    count = 0
    for entity, row in sorted(versions, key=lambda version: version[1]["loaded_as_of"]):
        key = (entity, *(row[column] for column in KEYS[entity]))
        count += key in newest and newest[key] > row["dt"]
        newest[key] = max(row["dt"], newest.get(key, row["dt"]))
    return count


def test_raw_holds_the_versions_that_the_files_make(ran: Ran) -> None:
    """Each with its known_at and the night that loaded it; nothing twice."""
    for entity in KEYS:
        found, expected = raw(ran.home, entity), ran.witness.versions[entity]
        assert sorted(map(comparable, found)) == sorted(map(comparable, expected)), entity
        assert len({comparable(row) for row in found}) == len(found), entity


def comparable(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A row without its nulls and without what is personal."""
    shown = {name: value for name, value in row.items() if value is not None and name != "email"}
    return tuple(sorted((name, str(round(value, 4) if name in MONEY else value)) for name, value in shown.items()))


MONEY = ("unit_price", "discount")


def test_random_keys_of_all_nights(ran: Ran) -> None:
    """Keys at random, half of them of rows that are there, half of any product, customer, day or period."""
    pick, differences, present = random.Random(SEED), [], 0
    built = {night: ran.built(night) for night in NIGHTS}
    expected = {night: ran.expected(night) for night in NIGHTS}
    cases = pick.sample(sorted(keys_there(built) | keys_there(expected), key=str), CASES // 2)
    cases += pick.sample(sorted(keys_possible() - set(cases), key=str), CASES // 2)
    for night, table, key in cases:
        found, wanted = built[night][table].get(key), expected[night][table].get(key)
        present += wanted is not None
        if found != wanted:
            differences.append((night, table, key, found, wanted))
    print(f"\n{len(cases)} random (key, as_of), {present} with a row: {len(differences)} differences")  # noqa: T201
    assert differences == []
    assert len(set(cases)) == CASES and present >= CASES // 2


def keys_there(tables: Mapping[date, Tables]) -> set[tuple[date, str, Any]]:
    return {(night, table, key) for night, found in tables.items() for table, rows in found.items() for key in rows}


def keys_possible() -> set[tuple[date, str, Any]]:
    """Keys that a table could have, whether or not it has them."""
    shop, found = Shop(SEED), set()
    products = [key[0] for key in shop.state["products"]]
    customers = [key[0] for key in shop.state["customers"]] + ["c99"]
    for night in NIGHTS:
        for product_id in products:
            keys = {"features_demand_products": [(night, product_id)], "features_products": [(night, product_id)]}
            keys["features_demand_periods"] = [(night, product_id, ago) for ago in range(18)]
            keys["features_product_popularity"] = [(night, product_id, ago) for ago in range(115)]
            keys["features_customer_products"] = [(night, customer_id, product_id) for customer_id in customers]
            keys["features_customers"] = [(night, customer_id) for customer_id in customers]
            keys["fct_daily_sales"] = [(product_id, night - ago * DAY) for ago in range(-3, 115)]
            found |= {(night, table, key) for table, of_table in keys.items() for key in of_table}
    return found


def test_whole_tables_of_each_night(ran: Ran) -> None:
    rows = 0
    for night in NIGHTS:
        built, expected = ran.built(night), ran.expected(night)
        for table in TABLES:
            assert built[table] == expected[table], f"{table} of {night}"
        rows += sum(map(len, expected.values()))
    print(f"\n{rows} rows of {len(TABLES)} tables and {len(NIGHTS)} nights: no difference")  # noqa: T201


def test_past_cutoffs_as_of_the_last_night(ran: Ran) -> None:
    """Cut-offs within the history, and each night's once more: what came late then was not known."""
    cutoffs, fit_cutoffs = [*PAST, *NIGHTS], [HISTORY, NIGHTS[3], NIGHTS[-1]]
    digest = build_training_features(ran.home, NIGHTS[-1], cutoffs, fit_cutoffs)["snapshot"]
    snapshot = Snapshot(ran.home.storage, digest)
    for table in TABLES.keys() - set(MARTS):
        expected = {key: row for cutoff in cutoffs for key, row in TABLES[table](ran.truth(cutoff)).items()}
        assert rows_of(snapshot, table) == expected, table
    pairs = [(ran.truth(cutoff), ran.truth(fit)) for fit in fit_cutoffs for cutoff in cutoffs if cutoff < fit]
    targets: Row = {}
    bought: Row = {}
    for then, later in pairs:
        targets |= demand_targets(then, later, PERIOD_DAYS, HORIZON)
        bought |= recommendation_targets(then.as_of, later)
    assert rows_of(snapshot, "features_demand_targets") == targets
    assert rows_of(snapshot, "features_recommendation_targets") == bought
    assert targets and bought


def plant(landing: Landing, night: date) -> list[Path]:
    """Rows of the night's future: partitions from its day on, and rows that happen later in those before it."""
    cancelled = [order(f"o{number}", HISTORY, status="cancelled") for number in range(0, 250, 3)]
    many = [line(f"o{number}", quantity=999, product_id=f"p{number % 15}") for number in range(250)]
    off_sale = [product(f"p{number}", night, is_active=False, title="From the future") for number in range(15)]
    sets = {"orders": cancelled, "order_lines": many, "products": off_sale}
    planted = []
    for dt in (night, night + DAY, night + 400 * DAY):
        free = [entity for entity in sets if not landing.folder(entity, dt).exists()]
        planted += [landing.write(entity, dt, sets[entity]).parent for entity in free]
    if (landing.folder("orders", night - DAY) / "_SUCCESS").exists():
        to_come = order(f"x{night:%m%d}", night, ordered_at=at(night + DAY))
        landing.add("orders", night - DAY, [to_come], name="planted")
        landing.add("order_lines", night - DAY, [line(to_come["order_id"], quantity=99)], name="planted")
        landing.add("products", night - DAY, [product("p3", night + 2 * DAY, is_active=False)], name="planted")
    return planted


def test_rows_of_the_future_change_nothing(ran: Ran, tmp_path: Path) -> None:
    """A landing zone in which the future lies already gives the same snapshots, digest by digest."""
    with home_in(tmp_path) as home:
        quarantined = []
        for night in NIGHTS[:2]:
            put(ran.folders[night], home.landing)
            planted = plant(Landing(home.landing), night)
            done = {step: run_step(step, night) for step in STEPS}
            assert done["build_features"]["snapshot"] == ran.results[night]["build_features"]["snapshot"], night
            quarantined.append(sum(done["validate"]["quarantined"].values()) - ran.witness.quarantined[night])
            assert planted
            for partition in planted:
                shutil.rmtree(partition)
    assert max(quarantined) > 0
