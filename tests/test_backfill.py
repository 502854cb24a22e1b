"""Backfills through Airflow's REST API: what is asked of it, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.airflow_api import AirflowApi, ApiFault
from pipelines.backfill import backfill
from pipelines.errors import Busy, NightcartError, UsageFault
from pipelines.home import Home
from pipelines.records import clock, steps
from tests.publishing.generators import AS_OF, VERSIONS, crown, home_in, publish_night

DAY = timedelta(days=1)
LAST = AS_OF + 2 * DAY


class Airflow(AirflowApi):
    """An Airflow that takes two questions to run its nights, and then has them in one state."""

    def __init__(self, home: Home, state: str = "success", refusal: int = 0) -> None:
        super().__init__(0, "")
        self.home, self.state, self.refusal = home, state, refusal
        self.asked: dict[str, Any] = {}
        self.polls = 0
        self.is_paused = False

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if method == "POST":
            if self.refusal:
                raise ApiFault(self.refusal, "There is already a running backfill")
            self.asked = dict(body or {})
            return {"id": 7}
        if path == "dags/nightly":
            return {"is_paused": self.is_paused}
        if path == "backfills/7":
            self.polls += 1
            return {"completed_at": "2011-12-01" if self.polls > 1 else None}
        first = date.fromisoformat(self.asked["from_date"][:10])
        days = (date.fromisoformat(self.asked["to_date"][:10]) - first).days + 1
        state = self.state if self.polls > 1 else "running"
        if self.polls == 1 and self.state == "success":
            for ahead in range(days):
                publish_night(self.home, first + ahead * DAY)
        runs = [{"logical_date": f"{first + n * DAY}T02:00:00Z", "state": state} for n in range(days)]
        offset, limit = (int(path.partition(f"{name}=")[2].partition("&")[0]) for name in ("offset", "limit"))
        return {"dag_runs": runs[offset : offset + limit]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("pipelines.backfill.POLL_SECONDS", 0)
    home = home_in(tmp_path / "home")
    for output in VERSIONS:
        crown(home, output)
    return home


def test_the_whole_last_day_is_asked_for(home: Home) -> None:
    """A night runs at 02:00 of its as_of: a bare date would leave the last one out."""
    airflow, seen = Airflow(home), list[dict[date, str]]()
    found = backfill(home, airflow, AS_OF, LAST, True, 2, seen.append)
    assert sorted(found) == [AS_OF, AS_OF + DAY, LAST]
    assert airflow.asked == {
        "dag_id": "nightly",
        "from_date": "2011-11-01T00:00:00Z",
        "to_date": "2011-11-03T23:59:59Z",
        "run_backwards": True,
        "dag_run_conf": {"earliest": "2011-11-01"},
        "reprocess_behavior": "completed",
        "max_active_runs": 2,
    }
    assert [set(states.values()) for states in seen] == [{"running"}, {"success"}]


def test_more_nights_than_an_answer_holds(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.backfill.PAGE", 2)
    seen = list[dict[date, str]]()
    backfill(home, Airflow(home), AS_OF, AS_OF + 3 * DAY, False, 2, seen.append)
    assert [len(states) for states in seen] == [4, 4]


def test_a_paused_dag_is_refused(home: Home) -> None:
    airflow = Airflow(home)
    airflow.is_paused = True
    with pytest.raises(UsageFault, match="paused"):
        backfill(home, airflow, AS_OF, LAST, False, 1, lambda states: None)
    assert airflow.asked == {}


def test_published_nights_are_not_asked_for(home: Home) -> None:
    publish_night(home, AS_OF)
    airflow = Airflow(home)
    backfill(home, airflow, AS_OF, LAST, False, 1, lambda states: None)
    assert airflow.asked["from_date"] == "2011-11-02T00:00:00Z"
    assert airflow.asked["dag_run_conf"] == {"earliest": "2011-11-01"}
    airflow = Airflow(home)
    backfill(home, airflow, AS_OF, LAST, False, 1, lambda states: None)
    assert airflow.asked == {}


def test_what_stopped_a_night_is_the_error(home: Home) -> None:
    row = {"as_of": AS_OF, "step": "audit", "attempt": 1, "status": "failed", "started_at": clock(), "exit_code": 4}
    home.records.replace(steps, [row | {"error": "too few rows", "hint": "accept it"}], sa.false())
    with pytest.raises(NightcartError, match="2011-11-01: audit: too few rows") as stopped:
        backfill(home, Airflow(home, "failed"), AS_OF, LAST, False, 1, lambda states: None)
    assert (stopped.value.exit_code, stopped.value.hint) == (4, "accept it")


def test_another_backfill(home: Home) -> None:
    with pytest.raises(Busy, match="another backfill"):
        backfill(home, Airflow(home, refusal=409), AS_OF, LAST, False, 1, lambda states: None)
