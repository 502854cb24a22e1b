"""A backfill through Airflow, where the scheduler lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from pipelines.airflow_api import AirflowApi, ApiFault
from pipelines.errors import Busy, NightcartError, UsageFault
from pipelines.home import Home
from pipelines.night import nights_between
from pipelines.publishing.release import is_published
from pipelines.records import Row, steps

POLL_SECONDS = 1.0
PAGE = 100  # runs an answer, at most
ENDED = ("success", "failed")
Show = Callable[[dict[date, str]], None]


def backfill(
    home: Home, api: AirflowApi, first: date, last: date, is_reversed: bool, at_once: int, show: Show
) -> dict[date, Row]:
    """Run the nights from first to last in Airflow, and wait for them; returns their releases.

    Raises:
        Busy: another backfill runs.
        UsageFault: the DAG is paused, so that its runs would wait for ever.
        NightcartError: what stopped a night, with its exit code and what to do.
    """
    nights = nights_between(first, last, False)
    waiting = [night for night in nights if is_published(home, night) is None]
    if waiting:
        _need_switched_on(api)
        ident = _create(api, waiting[0], waiting[-1], first, is_reversed, at_once)
        states = _wait(api, ident, waiting[0], waiting[-1], show)
        _raise_failure(home, states)
    found = {night: is_published(home, night) for night in nights}
    if missing := [str(night) for night, release in found.items() if release is None]:
        raise NightcartError(f"nights without a release: {', '.join(missing)}", "look at their runs in Airflow's UI")
    return {night: release for night, release in found.items() if release}


def _need_switched_on(api: AirflowApi) -> None:
    if api.get("dags/nightly")["is_paused"]:
        raise UsageFault("the nightly DAG is paused in Airflow", "switch it on in its UI, or with `nightcart up`")


def _create(api: AirflowApi, first: date, last: date, earliest: date, is_reversed: bool, at_once: int) -> int:
    """A night runs at 02:00 of its as_of, so the last day is asked for to its end."""
    body = {
        "dag_id": "nightly",
        "from_date": f"{first}T00:00:00Z",
        "to_date": f"{last}T23:59:59Z",
        "run_backwards": is_reversed,
        "dag_run_conf": {"earliest": str(earliest)},
        "reprocess_behavior": "completed",
        "max_active_runs": at_once,
    }
    try:
        return int(api.ask("POST", "backfills", body)["id"])
    except ApiFault as fault:
        if fault.status != 409:
            raise
        raise Busy(
            "another backfill of the nightly DAG runs", "wait until it has ended, then run this again"
        ) from fault


def _wait(api: AirflowApi, ident: int, first: date, last: date, show: Show) -> dict[date, str]:
    """The state of each night's run once all have ended."""
    while True:
        is_done = api.get(f"backfills/{ident}")["completed_at"] is not None
        states = _states(api, first, last)
        show(states)
        if is_done and all(state in ENDED for state in states.values()):
            return states
        time.sleep(POLL_SECONDS)


def _states(api: AirflowApi, first: date, last: date) -> dict[date, str]:
    since, until = quote(f"{first}T00:00:00Z"), quote(f"{last}T23:59:59Z")
    path = f"dags/nightly/dagRuns?run_type=backfill&logical_date_gte={since}&logical_date_lte={until}"
    runs: list[dict[str, Any]] = []
    while len(runs) % PAGE == 0:
        page = api.get(f"{path}&limit={PAGE}&offset={len(runs)}&order_by=logical_date")["dag_runs"]
        if not page:
            break
        runs += page
    return {date.fromisoformat(run["logical_date"][:10]): run["state"] for run in runs}


def _raise_failure(home: Home, states: dict[date, str]) -> None:
    for night in (night for night, state in sorted(states.items()) if state == "failed"):
        row = home.records.first(sa.select(steps).where(steps.c.as_of == night, steps.c.status == "failed"))
        found = row or {"step": "a task", "error": "it ended without saying why", "hint": "", "exit_code": 1}
        hint = found["hint"] or "look at the run in Airflow's UI, mend the cause and run this again"
        error = NightcartError(f"{night}: {found['step']}: {found['error']}", hint)
        error.exit_code = found["exit_code"] or 1
        raise error
