"""Payments and tickets as of their own night: a brute-force reading of the versions gives the same rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import DATASETS
from pipelines.features import build as build_module
from pipelines.features.build import build_features, build_training_features
from pipelines.features.dbt import run_dbt
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from tests.features.conftest import load, new_home
from tests.features.events import HISTORY, NIGHTS, EventStore, from_the_future
from tests.features.events_reading import Payments
from tests.features.store import DAY, Row, midnight
from tests.features.tickets_reading import Tickets

SEEDS = (3,)
NEVER, LAST = date(1900, 1, 1), NIGHTS[-1]
FIT_CUTOFFS = [HISTORY - 20 * DAY, NIGHTS[1], LAST]
PAYMENT_DAYS, LABEL_MATURITY_DAYS = 1, 45  # the settings' defaults
BUILT = (
    "features_payments",
    "features_tickets",
    "features_ticket_replies",
    "features_ticket_facts",
    "features_ticket_products",
)
NIGHTLY = ("+int_payment_features", *(f"+{name}" for name in BUILT))


def rows(home: Home, table: str) -> dict[Any, Row]:
    """A table as rows by key."""
    key = DATASETS[table].key
    with home.warehouse.session() as session:
        found = session.read(f"select * from {DATASETS[table].layer}.{table}").to_pylist()
    named = {tuple(row.pop(name) for name in key): row for row in found}
    assert len(named) == len(found)
    return {name[0] if len(name) == 1 else name: row for name, row in named.items()}


def without_loaded(row: Row) -> Row:
    """A row of int_payment_features as features_payments has it."""
    return {name: value for name, value in row.items() if name != "loaded_as_of"}


def run_night(home: Home, night: date, known_after: date, *models: str) -> dict[str, dict[Any, Row]]:
    """What one night builds of payments and tickets; where models are named, only these are built."""
    variables = {"as_of": str(night), "known_after": str(known_after)}
    run_dbt(home, ["build", "--exclude-resource-type", "unit_test", "--select", *(models or NIGHTLY)], variables)
    return {} if models else {name: rows(home, name) for name in BUILT}


def differences(found: dict[Any, Row], expected: dict[Any, Row]) -> list[Any]:
    """Each value that is not what was expected, by key and column: easier to read than two tables."""
    assert sorted(found) == sorted(expected)
    return [
        (key, name, found[key].get(name), value)
        for key, row in expected.items()
        for name, value in (row | dict.fromkeys(found[key].keys() - row.keys())).items()
        if found[key].get(name) != value
    ]


Ran = tuple[EventStore, Home, dict[date, dict[str, dict[Any, Row]]]]


@pytest.fixture(scope="module", params=SEEDS)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A home that built night after night; the second one loaded other payments at first."""
    store, home = EventStore(request.param), new_home(tmp_path_factory.mktemp("events"))
    results, before = {}, NEVER
    for night in NIGHTS:
        if night == NIGHTS[1]:
            wrong = [row for row in from_the_future(store)["payments"] if row["known_at"] < midnight(night)]
            load(home, {"payments": [row | {"loaded_as_of": night} for row in wrong]}, night)
            run_night(home, night, before)
            with home.warehouse.session() as session:
                session.execute(f"delete from raw.payments where loaded_as_of = date '{night}'")
        load(home, store.loaded_by(night), night)
        results[night] = run_night(home, night, before)
        before = night
    return store, home, results


def test_payment_features_are_what_a_brute_force_reading_gives(ran: Ran) -> None:
    store, home, results = ran
    expected = Payments(store).features()
    found = rows(home, "int_payment_features")
    assert differences(found, expected) == []
    for night in NIGHTS:
        window = {
            name: without_loaded(row)
            for name, row in expected.items()
            if midnight(night - PAYMENT_DAYS * DAY) < row["known_at"] <= midnight(night)
            and row["loaded_as_of"] <= night
        }
        assert results[night]["features_payments"] == window
    assert any(results[night]["features_payments"] for night in NIGHTS)


@pytest.mark.long
def test_ten_thousand_payments_are_what_a_brute_force_reading_gives(tmp_path: Path) -> None:
    """Stores of other seeds, rows from the future beside the others, each built at once."""
    compared, seed = 0, 100
    while compared < 10_000:
        store, home = EventStore(seed), new_home(tmp_path / str(seed))
        for night in NIGHTS:
            load(home, store.loaded_by(night), night)
        load(home, from_the_future(store), LAST)
        run_night(home, LAST, NEVER, "+int_payment_features")
        expected = Payments(store).features()
        assert differences(not_planted(rows(home, "int_payment_features")), expected) == []
        compared, seed = compared + len(expected), seed + 1
    print(f"{compared} payments of {seed - 100} stores, 0 differences")  # noqa: T201


def test_the_store_has_every_trouble(ran: Ran) -> None:
    """A feature that is always the same would be tested by nothing."""
    expected = Payments(ran[0]).features().values()
    for name in next(iter(expected)):
        assert len({row[name] for row in expected}) > 1, name
    assert len({row["known_at"] - midnight(row["paid_at"].date()) for row in expected}) > 3


def test_tickets_are_what_a_brute_force_reading_gives(ran: Ran) -> None:
    store, _, results = ran
    tickets = Tickets(store)
    for night in NIGHTS:
        assert results[night]["features_tickets"] == tickets.open(night)
        assert results[night]["features_ticket_replies"] == tickets.replies(night)
        assert results[night]["features_ticket_products"] == tickets.products(night)
        assert results[night]["features_ticket_facts"] == tickets.facts(night)
    assert sum(len(results[night]["features_ticket_replies"]) for night in NIGHTS) > 2
    facts = [row for night in NIGHTS for row in results[night]["features_ticket_facts"].values()]
    assert len(facts) > 3
    assert any(row["returned_units"] for row in facts)
    about = [row["product_id"] for row in results[LAST]["features_ticket_products"].values()]
    assert len(set(about) - {None}) > 1
    found = [row["order_id"] for night in NIGHTS for row in results[night]["features_tickets"].values()]
    assert len(set(found) - {None}) > 2  # each from a text: no ticket of this store is delivered with an order


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parts of a build, small ones, as dbt is asked for them."""
    asked: list[Any] = []
    monkeypatch.setattr(build_module, "MOST_PAYMENTS", 40)
    monkeypatch.setattr(build_module, "run_dbt", lambda *args: asked.append(args[2]) or run_dbt(*args))
    return asked


@pytest.fixture(scope="module")
def full(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that builds all at once, with rows from the future beside the others."""
    store, home = ran[0], new_home(tmp_path_factory.mktemp("full"))
    for night in NIGHTS:
        load(home, store.loaded_by(night), night)
    load(home, from_the_future(store), LAST)
    return home


def test_one_full_build_in_parts_with_rows_from_the_future_gives_the_same(
    ran: Ran, full: Home, built: list[Any]
) -> None:
    _, home, results = ran
    build_features(full, LAST)
    assert len(built) > 2
    assert not_planted(rows(full, "int_payment_features")) == rows(home, "int_payment_features")
    assert {name: rows(full, name) for name in results[LAST]} == results[LAST]


def not_planted(found: dict[Any, Row]) -> dict[Any, Row]:
    """The rows without those of planted payments."""
    return {key: row for key, row in found.items() if not (key[-1] if isinstance(key, tuple) else key).startswith("Z")}


def test_training_reads_each_as_of_its_own_night_and_leaves_what_nights_built(ran: Ran, full: Home) -> None:
    before = rows(full, "int_payment_features")
    built = build_training_features(full, LAST, [], [], payment_fit_cutoffs=FIT_CUTOFFS, ticket_fit_cutoffs=FIT_CUTOFFS)
    assert rows(full, "int_payment_features") == before
    payments, tickets = Payments(ran[0]), Tickets(ran[0])
    assert not_planted(rows(full, "features_payments")) == {
        name: without_loaded(row) for name, row in payments.features().items()
    }
    assert not_planted(rows(full, "features_payment_targets")) == {
        key: row for day in FIT_CUTOFFS for key, row in payments.targets(day, LABEL_MATURITY_DAYS).items()
    }
    assert rows(full, "features_tickets") == tickets.all(LAST)
    assert rows(full, "features_ticket_targets") == {
        key: row for day in FIT_CUTOFFS for key, row in tickets.targets(day).items()
    }
    parts = Snapshot(full.storage, built["snapshot"]).parts["features_payment_targets"]
    assert set(parts) == {str(day) for day in FIT_CUTOFFS}
