"""Past releases of a home, judged by what its night knows: recorded, held against the promise, and told."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.catalog import DATASETS
from pipelines.home import Home
from pipelines.monitoring.monitor import monitor
from pipelines.monitoring.realised import releases_of, told
from pipelines.publishing.manifest import table_key
from pipelines.publishing.publish import rollback
from pipelines.publishing.release import last_release
from pipelines.records import Row, model_performance
from pipelines.scoring.outputs import output_of
from tests.publishing.generators import AS_OF, VERSIONS, Rows, crown, done, home_in, night, publish_night
from tests.webhook import telling, webhook

DAY = timedelta(days=1)
PAST = [AS_OF - 20 * DAY, AS_OF - 19 * DAY]  # of support's weeks, and of no other output's
RIGHT, WRONG = "invoice", "damaged_item"
TICKETS = 60


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two past releases: each opens 60 tickets, and the second tells of those of the first again."""
    home = home_in(tmp_path)
    for output in VERSIONS:
        crown(home, output, effective_from=AS_OF - 60 * DAY)
    opened: list[str] = []
    for past in PAST:
        opened += [f"{past}-{number:02d}" for number in range(TICKETS)]
        publish(home, past, opened)
    night(home, change_snapshot=lambda tables: tables.update(known(opened)))
    return home


def publish(home: Home, past: date, opened: list[str], **options: Any) -> Row:
    """A release that says the same of every ticket: the first night the right intent of one in three."""
    rights = 3 if past == PAST[0] else 1

    def tickets(tables: dict[str, Rows]) -> None:
        moment = datetime.combine(past - 2 * DAY, time(9))
        tables["features_tickets"] = [
            {"ticket_id": name, "as_of": past, "channel": "chat", "opened_at": moment, "text": ""} for name in opened
        ]

    def triage(tables: dict[str, Rows]) -> None:
        row = dict.fromkeys(DATASETS["ticket_triage"].column_names) | tables["ticket_triage"][0]
        tables["ticket_triage"] = [
            row | {"ticket_id": name, "intent": WRONG if place % rights else RIGHT} for place, name in enumerate(opened)
        ]

    return publish_night(home, past, change=triage, change_snapshot=tickets, **options)


def known(opened: list[str]) -> dict[str, Rows]:
    """What the night knows of them: every fifth is not resolved yet."""
    return {
        "features_ticket_targets": [
            {"known_as_of": AS_OF, "ticket_id": name, "intent": RIGHT, "urgency": "low", "is_known": True}
            if place % 5
            else {"known_as_of": AS_OF, "ticket_id": name, "intent": None, "urgency": None, "is_known": False}
            for place, name in enumerate(opened)
        ],
    }


def figures(home: Home) -> list[Row]:
    """The realised rows."""
    return home.records.rows(sa.select(model_performance).where(model_performance.c.kind == "realised"))


def test_a_ticket_is_judged_once_by_the_release_that_spoke_first_and_not_before_it_is_resolved(home: Home) -> None:
    result = monitor(home, AS_OF)
    (accuracy,) = [row for row in figures(home) if (row["metric"], row["segment"]) == ("accuracy", "all")]
    resolved = [place for place in range(2 * TICKETS) if place % 5]
    right = [place for place in resolved if place >= TICKETS or place % 3 == 0]
    assert accuracy["n"] == len(resolved)
    assert accuracy["value"] == pytest.approx(len(right) / len(resolved))
    assert accuracy["ci_low"] < accuracy["value"] < accuracy["ci_high"]
    assert accuracy["model_version"] == VERSIONS["support"]
    assert accuracy["labels_mature_until"] == AS_OF - 14 * DAY
    assert "channel=chat" in {row["segment"] for row in figures(home)}
    assert result["realised"]["support"]["nights"] == 2
    assert result["realised"]["demand"] == {
        "nights": 0,
        "missing": {"no release": 4},
        "labels_mature_until": str(AS_OF - 28 * DAY),
        "gaps": [],
    }
    json.dumps(result)


def test_the_same_night_again_gives_the_same_rows(home: Home) -> None:
    first = monitor(home, AS_OF)
    rows = figures(home)
    assert monitor(home, AS_OF) == first
    assert figures(home) == rows


def test_a_release_taken_back_is_not_judged(home: Home) -> None:
    before = last_release(home, PAST[1])
    assert before
    rollback(home, before["release_id"])
    result = monitor(home, AS_OF)["realised"]["support"]
    assert (result["nights"], result["missing"]) == (1, {"no release": 27})
    assert {row["n"] for row in figures(home) if row["metric"] == "accuracy"} == {48}


def test_a_release_that_is_pruned_is_said_and_the_others_are_judged(home: Home) -> None:
    before = last_release(home, PAST[1])
    assert before
    home.storage.drop([table_key(before["release_id"], "ticket_triage")])
    result = monitor(home, AS_OF)["realised"]["support"]
    assert result["nights"] == 1
    assert sorted(result["missing"].values()) == [1, 26]


@pytest.mark.parametrize("has_table", [True, False])
def test_a_release_made_before_customers_were_told_apart_is_judged_all_the_same(home: Home, has_table: bool) -> None:
    def snapshot(tables: dict[str, Rows]) -> None:
        tables["features_product_popularity"] = [{"as_of": PAST[0], "product_id": "P00"}]
        if has_table:
            tables["features_customers"] = [{"as_of": PAST[0], "customer_id": "C00", "country": "FR", "channel": "web"}]

    publish_night(home, PAST[0], change_snapshot=snapshot)
    output = output_of("recommendations")
    frames = told(home, output, releases_of(home, [PAST[0]])[PAST[0]]).frames
    assert set(frames) - set(output.features.values()) == ({"features_customers"} if has_table else set())


def promise(home: Home, value: float) -> None:
    """Another offline figure of support's champion."""
    mine = model_performance.c.model_version == VERSIONS["support"]
    with home.records.begin() as connection:
        connection.execute(
            sa.update(model_performance).where(mine).values(value=value, ci_low=value - 0.02, ci_high=value + 0.02)
        )


def test_a_broken_promise_wants_a_training_and_is_told_once(home: Home) -> None:
    with webhook() as server:
        home = telling(home, server)
        monitor(home, AS_OF)
        assert server.received == []
        promise(home, 0.95)
        result = monitor(home, AS_OF)
        (gap,) = [gap for gap in result["realised"]["support"]["gaps"] if gap["segment"] == "all"]
        assert gap["is_alarm"] and gap["offline"] == 0.95
        assert list(result["retrain_wanted"]) == ["support"]
        (told,) = server.received
        assert told["what"] == "alarm" and "support: accuracy of all is 0.6" in told["text"]
        done(home, AS_OF - DAY, "monitor", result)
        monitor(home, AS_OF)
        assert len(server.received) == 1
