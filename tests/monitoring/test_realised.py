"""Figures of what came true: the same however the labels come, and none used before it was known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pandas as pd
import pytest
from hypothesis import strategies as st

from pipelines.catalog import DATASETS
from pipelines.features.build import NEVER, night_variables
from pipelines.features.dbt import run_dbt
from pipelines.home import Home
from pipelines.monitoring.realised import judge
from pipelines.scoring.outputs import OUTPUTS, output_of
from pipelines.settings import Settings
from pipelines.training.cutoffs import judged_nights
from pipelines.training.evaluate import figures_of
from tests.features.conftest import load, new_home
from tests.features.store import DAY, Row
from tests.monitoring.deliveries import AS_OF, Delivery, Shop, Truth, delivered_anyhow
from tests.monitoring.said import VERSIONS, Said

STORES = 250  # in one warehouse, each with a permutation of its own
MATURITY, HORIZON = 20, 2
TARGETS = {name: output_of(name).targets for name in OUTPUTS}
SEEDS = st.lists(st.integers(0, 2**32), min_size=STORES, max_size=STORES, unique=True)
Figures = dict[str, list[Row]]


def home_in(folder: Path) -> Home:
    """A home with windows short enough for two months."""
    home = new_home(folder)
    settings = Settings(
        demand={"horizon": HORIZON},  # type: ignore[arg-type]
        risk={"label_maturity_days": MATURITY},  # type: ignore[arg-type]
        compute={"threads": 2},  # type: ignore[arg-type]
    )
    return Home(home.places, settings)


def built(home: Home, night: date) -> dict[str, pd.DataFrame]:
    """The targets of all outputs as a night builds them, from whatever lies in raw."""
    command = ["run", "--full-refresh", "--select", *(f"+{table}" for table in TARGETS.values())]
    run_dbt(home, command, night_variables(home, night, NEVER))
    with home.warehouse.session() as session:
        return {
            table: session.read(f"select * from features.{table}").to_pandas(date_as_object=False)
            for table in TARGETS.values()
        }


def load_all(home: Home, deliveries: Sequence[Delivery]) -> None:
    """All deliveries in raw, in their order."""
    rows: dict[str, list[Row]] = {}
    for delivery in deliveries:
        rows.setdefault(delivery.entity, []).append(delivery.version)
    load(home, rows, AS_OF)


def truth_of(home: Home, deliveries: Sequence[Delivery], night: date) -> dict[str, dict[Any, Row]]:
    """The same targets, read off the deliveries."""
    truth, nights = Truth(deliveries, night), judged_nights(home, night)
    return {
        "features_demand_targets": truth.demand(nights["demand"], HORIZON),
        "features_recommendation_targets": truth.recommendations(nights["recommendations"]),
        "features_payment_targets": truth.risk(nights["risk"], MATURITY),
        "features_ticket_targets": truth.support(nights["support"]),
    }


def as_rows(frame: pd.DataFrame, table: str) -> dict[Any, Row]:
    """A frame as rows by key, dates as dates."""
    frame = frame.astype(dict.fromkeys(frame, object))
    for name in ("known_as_of", "as_of"):
        if name in frame:
            frame[name] = [value.date() for value in frame[name]]
    rows = frame.where(frame.notna(), None).to_dict("records")
    return {tuple(row.pop(name) for name in DATASETS[table].key): row for row in rows}


def figures(home: Home, deliveries: Sequence[Delivery], truth: dict[str, pd.DataFrame], night: date) -> Figures:
    """Every figure of every output as the night would record it; the champion changes on the way."""
    found: Figures = {}
    for name, nights in judged_nights(home, night).items():
        output = output_of(name)
        said = {past: Said(deliveries, past, nights[len(nights) // 2]).told(name) for past in nights}
        evaluations = judge(home, output, nights, said.get, truth[output.targets], night)
        assert list(evaluations) == list(VERSIONS), name
        found[name] = [row | {"version": v} for v, one in evaluations.items() for row in figures_of(home, output, one)]
    return found


def check(seeds: Sequence[int], ahead: int) -> None:
    """Stores of these permutations: the last night's figures are those of labels in order; an earlier one's only of
    what was known."""
    shops = [delivery for number in range(len(seeds)) for delivery in Shop(number).deliveries]
    anyhow = [d for number, seed in enumerate(seeds) for d in delivered_anyhow(Shop(number).deliveries, seed)]
    with TemporaryDirectory() as folder:
        ordered, home = home_in(Path(folder, "ordered")), home_in(Path(folder, "anyhow"))
        load_all(ordered, shops)
        load_all(home, anyhow)
        expected, came = built(ordered, AS_OF), built(home, AS_OF)
        for table, frame in came.items():
            assert as_rows(frame, table) == as_rows(expected[table], table) == truth_of(home, anyhow, AS_OF)[table]
        found = figures(home, shops, came, AS_OF)
        assert found == figures(home, shops, expected, AS_OF)
        places = {(row["version"], row["segment"]) for row in found["recommendations"] if "=" in row["segment"]}
        assert {place for place in places if "history" not in place[1]} == {
            (VERSIONS[1], "country=DE"),
            (VERSIONS[1], "country=FR"),
        }

        night = AS_OF - ahead * DAY
        early = built(home, night)
        known = [delivery for delivery in anyhow if delivery.loaded <= night]
        for table, rows in truth_of(home, known, night).items():
            assert as_rows(early[table], table) == rows, table
            assert rows, table


@hypothesis.settings(max_examples=1, phases=[hypothesis.Phase.generate], database=None)
@hypothesis.given(seeds=SEEDS, ahead=st.integers(1, 20))
def test_figures_are_the_same_however_the_labels_come(seeds: list[int], ahead: int) -> None:
    check(seeds, ahead)


@pytest.mark.long
@hypothesis.settings(max_examples=4, phases=[hypothesis.Phase.generate], database=None)
@hypothesis.given(seeds=SEEDS, ahead=st.integers(1, 20))
def test_a_thousand_permutations_of_labels(seeds: list[int], ahead: int) -> None:
    check(seeds, ahead)
