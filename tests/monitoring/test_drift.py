"""Drift: quiet where nights only differ as they always do, loud where something was planted, and told once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from pipelines.home import Home
from pipelines.monitoring.drift import LEAST_DISTANCE, LEAST_NIGHTS, LEVEL, Judged, judge_night
from pipelines.monitoring.drift_night import drift_reasons, find_drift, histograms_of, new_alarms
from pipelines.monitoring.histograms import DAY, NIGHTS
from pipelines.monitoring.monitor import monitor
from pipelines.monitoring.retraining import all_wanted, due
from pipelines.records import ALL, clock, data_drift, feature_histograms, nights, training_costs
from tests.publishing.generators import AS_OF, VERSIONS, crown, home_in, night
from tests.webhook import telling, webhook

Counts = dict[str, int]
SATURDAY = 5


def drawn(shares: Callable[[int], dict[str, float]], rows: Callable[[int], int], seed: int = 1) -> dict[date, Counts]:
    """A histogram a night, n nights before the last, from shares that differ a little from night to night."""
    random, found = np.random.default_rng(seed), {}
    for n in range(NIGHTS, -1, -1):
        expected = shares(n)
        tonight = random.dirichlet(500 * np.array(list(expected.values())))
        counts = random.multinomial(random.poisson(rows(n)), tonight)
        found[AS_OF - n * DAY] = dict(zip(expected, map(int, counts), strict=True))
    return found


def weekly(n: int) -> dict[str, float]:
    """Other shares on Saturdays."""
    is_saturday = (AS_OF - n * DAY).weekday() == SATURDAY
    return {"web": 0.3, "app": 0.6, "shop": 0.1} if is_saturday else {"web": 0.7, "app": 0.25, "shop": 0.05}


def judged(feature: str, histograms: dict[date, Counts]) -> Judged | None:
    return next(iter(judge_night({feature: histograms}, AS_OF)), None)


def is_alarm(feature: str, histograms: dict[date, Counts], tests: int = 100) -> bool:
    one = judged(feature, histograms)
    assert one is not None
    return one.value > one.threshold(LEVEL / tests)


def test_the_same_shares_are_quiet_though_weekdays_differ_and_the_store_grows() -> None:
    rows = lambda n: int(800 * 1.004 ** (NIGHTS - n))  # noqa: E731
    assert not any(is_alarm("orders.channel", drawn(weekly, rows, seed)) for seed in range(40))


def test_a_weekday_s_shares_on_another_weekday_are_an_alarm() -> None:
    assert AS_OF.weekday() == 1
    saturday = weekly((AS_OF.weekday() - SATURDAY) % 7)
    assert is_alarm("orders.channel", drawn(lambda n: weekly(n) if n else saturday, lambda n: 800))


def test_a_value_never_seen_before_is_an_alarm() -> None:
    histograms = drawn(weekly, lambda n: 800)
    histograms[AS_OF]["kiosk"] = 160
    assert is_alarm("orders.channel", histograms)
    one = judged("orders.channel", histograms)
    assert one is not None
    assert one.tonight["new"] == pytest.approx(160 / sum(histograms[AS_OF].values()))
    assert one.usual["new"] == one.tonight["other"] == 0


def test_however_many_rows_a_small_shift_is_none() -> None:
    shifted = {"web": 0.72, "app": 0.23, "shop": 0.05}
    histograms = drawn(lambda n: shifted if n == 0 else {"web": 0.7, "app": 0.25, "shop": 0.05}, lambda n: 10_000_000)
    one = judged("orders.channel", histograms)
    assert one is not None
    assert one.value < LEAST_DISTANCE <= one.threshold(LEVEL)


def test_too_few_nights_or_rows_are_not_judged() -> None:
    histograms = drawn(weekly, lambda n: 800)
    few = {day: counts for day, counts in histograms.items() if day > AS_OF - (2 * LEAST_NIGHTS - 1) * DAY}
    assert judged("orders.channel", few) is None
    assert judged("orders.channel", histograms | {AS_OF: {"kiosk": 49}}) is None
    assert judged("orders.channel", {}) is None


def test_a_state_is_compared_with_the_night_before() -> None:
    def wandering(n: int) -> dict[str, float]:
        return {"2^1": 0.2 + 0.005 * n, "2^2": 0.8 - 0.005 * n}

    def stock(n: int) -> Counts:
        return {name: round(5000 * share) for name, share in wandering(n).items()}

    histograms = {AS_OF - n * DAY: stock(n) for n in range(NIGHTS, -1, -1)}
    assert not is_alarm("stock_levels.on_hand", histograms)
    assert is_alarm("stock_levels.on_hand", histograms | {AS_OF: {"0": 5000}})


def test_volumes_follow_weekdays_and_growth() -> None:
    usual = {AS_OF - n * DAY: {"rows": 1000 + 3 * (NIGHTS - n) + 400 * (n % 7 == 3)} for n in range(NIGHTS, -1, -1)}
    assert not is_alarm("orders.rows", usual)
    assert is_alarm("orders.rows", usual | {AS_OF: {"rows": 500}})
    assert is_alarm("orders.rows", usual | {AS_OF: {"rows": 0}})
    assert not is_alarm("orders.rows", usual | {AS_OF: {"rows": 1500}})


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A night that has been scored, with a history of orders whose channels change tonight."""
    home = home_in(tmp_path_factory.mktemp("home"))
    for output in VERSIONS:
        crown(home, output)
    night(home)
    keep(home, "orders.channel", drawn(weekly, lambda n: 800) | {AS_OF: {"kiosk": 800}})
    return home


def keep(home: Home, feature: str, histograms: dict[date, Counts], version: str = "") -> None:
    rows = [{"as_of": day, "feature": feature, "model_version": version, "counts": n} for day, n in histograms.items()]
    home.records.replace(feature_histograms, rows, feature_histograms.c.feature == feature)


def test_a_night_s_drift_is_recorded_and_asks_for_the_outputs_that_use_it(home: Home) -> None:
    found = find_drift(home, AS_OF)
    rows = {row["feature"]: row for row in home.records.rows(sa.select(data_drift))}
    assert rows["orders.channel"]["alarm"]
    assert rows["orders.channel"]["value"] > rows["orders.channel"]["threshold"]
    assert [alarm["feature"] for alarm in found["alarms"]] == ["orders.channel"]
    assert set(drift_reasons(new_alarms(home, AS_OF, found["alarms"]))) == {"recommendations", "demand"}
    assert find_drift(home, AS_OF) == found
    assert len(home.records.rows(sa.select(data_drift))) == found["judged"]


def test_an_alarm_that_stays_asks_once(home: Home) -> None:
    alarms = find_drift(home, AS_OF)["alarms"]
    yesterday = {"feature": "orders.channel", "as_of": AS_OF - DAY, "statistic": "jensen_shannon", "alarm": True}
    home.records.replace(data_drift, [yesterday], data_drift.c.as_of == AS_OF - DAY)
    assert drift_reasons(new_alarms(home, AS_OF, alarms)) == {}


def test_predictions_are_counted_and_compared_within_one_model(home: Home) -> None:
    find_drift(home, AS_OF)
    kept = feature_histograms.c
    scored = home.records.rows(sa.select(feature_histograms).where(kept.feature == "demand_forecasts.units_mean"))
    assert [(row["model_version"], sum(row["counts"].values())) for row in scored] == [(VERSIONS["demand"], 10)]
    before = AS_OF - DAY
    for version, expected in {"other-000000000000": {AS_OF}, VERSIONS["demand"]: {AS_OF, before}}.items():
        row = scored[0] | {"as_of": before, "model_version": version}
        home.records.replace(feature_histograms, [row], (kept.as_of == before) & (kept.feature == row["feature"]))
        assert set(histograms_of(home, AS_OF)["demand_forecasts.units_mean"]) == expected


def test_reasons_of_all_causes_are_told_together_and_never_for_a_night_made_up_for(home: Home) -> None:
    causes = ({"risk": ["one"], "demand": []}, {"risk": ["two", "three", "four"]})
    assert all_wanted(home, AS_OF, *causes) == {"risk": "one; two; three; and 1 more"}
    later = AS_OF + timedelta(days=1)
    home.records.replace(nights, [{"as_of": later, "attempt": 1, "loaded_at": clock()}], nights.c.as_of == later)
    assert all_wanted(home, AS_OF, *causes) == {}


def test_an_output_that_was_trained_today_is_not_due(home: Home) -> None:
    row = {"output": "risk", "as_of": AS_OF, "part": ALL}
    home.records.replace(training_costs, [row], training_costs.c.output == "risk")
    chosen, not_due = due(home, {"risk": "one", "demand": "two"}, AS_OF)
    assert chosen == {"demand": "train: two"}
    assert not_due == [f"risk was trained as of {AS_OF} already"]
    assert due(home, {"risk": "one"}, AS_OF + DAY) == ({"risk": "train: one"}, [])
    assert due(home, {"risk": "one"}, AS_OF - DAY) == ({"risk": "train: one"}, [])
    assert due(home, {"risk": "one"}, AS_OF - 2 * DAY)[0] == {}


def test_a_drift_is_told_once(home: Home) -> None:
    with webhook() as server:
        home = telling(home, server)
        monitor(home, AS_OF)
        (told,) = server.received
        assert told["what"] == "alarm" and "orders.channel has drifted: " in told["text"]
        yesterday = {"feature": "orders.channel", "as_of": AS_OF - DAY, "statistic": "jensen_shannon", "alarm": True}
        home.records.replace(data_drift, [yesterday], data_drift.c.as_of == AS_OF - DAY)
        monitor(home, AS_OF)
        assert len(server.received) == 1
