"""Gaps between promised and realised figures: which raise an alarm, and whom it tells."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from models.bootstrap import Estimate
from pipelines.home import Home
from pipelines.monitoring import gaps as module
from pipelines.monitoring.gaps import gaps, retrain_wanted
from pipelines.records import Row, model_performance
from pipelines.scoring.outputs import output_of
from tests.publishing.generators import AS_OF, VERSIONS, crown, home_in

FIRST = AS_OF - timedelta(days=90)  # training of the champions


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home whose outputs have champions, each with a figure of .5 [.45, .55] on its own metric."""
    home = home_in(tmp_path)
    for output in VERSIONS:
        crown(home, output, effective_from=FIRST)
    return home


def record(home: Home, output: str, estimate: tuple[float, float, float], **other: Any) -> None:
    """Record a figure, of tonight and realised where nothing else is said."""
    row = {"output": output, "model": VERSIONS[output].rsplit("-", 1)[0], "model_version": VERSIONS[output]}
    row |= {"metric": output_of(output).metric, "segment": "all", "as_of": AS_OF, "n": 400, "kind": "realised"}
    row |= dict(zip(("value", "ci_low", "ci_high"), estimate, strict=True)) | {"labels_mature_until": AS_OF} | other
    with home.records.begin() as connection:
        connection.execute(sa.insert(model_performance), [row])


def found(home: Home, output: str) -> list[Row]:
    return gaps(home, output_of(output), AS_OF)


@pytest.mark.parametrize(("output", "bad", "good"), [("demand", 0.7, 0.3), ("support", 0.3, 0.7)])
def test_only_a_gap_in_the_bad_direction_and_beyond_both_intervals_alarms(
    home: Home, output: str, bad: float, good: float
) -> None:
    for value, is_alarm in ((bad, True), (good, False), (0.5 + (bad - 0.5) * 0.25, False)):
        with home.records.begin() as connection:
            connection.execute(sa.delete(model_performance).where(model_performance.c.kind == "realised"))
        record(home, output, (value, value - 0.05, value + 0.05))
        (gap,) = found(home, output)
        assert gap["is_alarm"] is is_alarm
        assert (gap["offline"], gap["realised"], gap["segment"], gap["n"]) == (0.5, value, "all", 400)
        assert gap["ci_high"] - gap["gap"] == pytest.approx(np.hypot(0.05, 0.05))


def test_many_segments_widen_every_interval(home: Home) -> None:
    record(home, "support", (0.42, 0.38, 0.46))
    assert found(home, "support")[0]["is_alarm"]
    for number in range(30):
        segment = {"segment": f"channel={number:02d}"}
        record(home, "support", (0.5, 0.45, 0.55), **segment)
        record(home, "support", (0.5, 0.45, 0.55), **segment, kind="offline", as_of=FIRST)
    record(home, "support", (0.1, 0.05, 0.15), segment="channel=bad")
    record(home, "support", (0.5, 0.45, 0.55), segment="channel=bad", kind="offline", as_of=FIRST)
    record(home, "support", (0.1, 0.05, 0.15), segment="channel=not promised")
    record(home, "support", (0.1, 0.05, 0.15), segment="channel=few", n=module.LEAST_TOLD - 1)
    record(home, "support", (0.5, 0.45, 0.55), segment="channel=few", kind="offline", as_of=FIRST)
    alarms = [gap["segment"] for gap in found(home, "support") if gap["is_alarm"]]
    assert alarms == ["channel=bad"]


def test_guarded_metrics_are_looked_at_and_lower_is_better_there(home: Home) -> None:
    record(home, "risk", (0.5, 0.45, 0.55))
    for kind, value, night in (("offline", 100.0, FIRST), ("realised", 150.0, AS_OF)):
        record(home, "risk", (value, value - 9, value + 9), metric="cost_per_night", n=28, kind=kind, as_of=night)
        record(home, "risk", (value, value - 9, value + 9), metric="brier", kind=kind, as_of=night)
    assert [(gap["metric"], gap["is_alarm"]) for gap in found(home, "risk")] == [
        ("average_precision", False),
        ("cost_per_night", True),
    ]


def test_a_model_that_no_longer_serves_raises_no_alarm(home: Home) -> None:
    record(home, "support", (0.1, 0.05, 0.15))
    crown(home, "support", "other-333333333333", effective_from=AS_OF)
    assert found(home, "support") == []


def test_training_is_wanted_unless_one_was_tried_lately(home: Home) -> None:
    output = output_of("support")
    record(home, "support", (0.1, 0.05, 0.15))
    reason = retrain_wanted(home, output, AS_OF, found(home, "support"))
    assert reason == "accuracy of all is 0.100, promised was 0.500: -0.400 [-0.471, -0.329], n 400"
    lost = {"kind": "offline", "model_version": "challenger-444444444444", "as_of": AS_OF - timedelta(days=27)}
    record(home, "support", (0.1, 0.05, 0.15), **lost)
    assert retrain_wanted(home, output, AS_OF, found(home, "support")) is None
    assert retrain_wanted(home, output, AS_OF, []) is None


@pytest.mark.parametrize("segments", [1, 10])
def test_alarms_without_a_cause_are_as_rare_as_the_confidence_says(segments: int) -> None:
    """Both figures are means of the same distribution; of nights with several segments, as many have any alarm."""
    random, nights, wrong = np.random.default_rng(7), 2_000, 0
    wider = module._wider(0.95, segments)
    output = output_of("support")
    for _ in range(nights):
        rows = [[_mean(random.random(n) < 0.8) for n in (600, 200)] for _ in range(segments)]
        wrong += any(module._gap(output, promised, came, wider)["is_alarm"] for promised, came in rows)
    assert wrong / nights < 0.035  # one side of 5%


def _mean(values: Any) -> Row:
    mean, spread = float(np.mean(values)), 1.96 * float(np.std(values)) / len(values) ** 0.5
    estimate = Estimate(mean, mean - spread, mean + spread)
    return dict(zip(("value", "ci_low", "ci_high"), estimate, strict=True)) | {
        "model_version": "one",
        "metric": "accuracy",
        "segment": "all",
        "n": len(values),
    }
