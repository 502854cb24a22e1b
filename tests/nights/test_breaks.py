"""A store breaks in three ways in one night: alarms, trainings and decisions follow, on a real scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.records import champions, data_drift, decisions
from pipelines.servers import api_of, down, up
from tests.landing import DAY, Landing
from tests.nights.breaks import BROKEN, BROKEN_NIGHT, QUIET, write_store
from tests.nights.conftest import walk
from tests.nights.kills import Night, until
from tests.nights.test_servers import free_port

pytestmark = pytest.mark.night
SETTINGS = "demand: {horizon: 2}\nrecommendations: {top_k: 5}\nrisk: {label_maturity_days: 30}\ncompute: {threads: 1}\n"
FOLLOWS = {  # what rings, and who is trained for it
    f"order_lines.unit_price:category={BROKEN}": ("demand", "recommendations"),
    "features_payments.device_payments_7d": ("risk",),
    "ticket_messages.word": ("support",),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    for name in ("HOME", "LANDING", "SETTINGS"):
        place = {"HOME": "home", "LANDING": "landing", "SETTINGS": "settings.yaml"}[name]
        monkeypatch.setenv(f"NIGHTCART_{name}", str(tmp_path / place))
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    home = Home.open()
    yield home
    down(home)


@pytest.mark.long
def test_what_follows_from_a_break(home: Home, tmp_path: Path) -> None:
    """A quiet night trains the first champions and rings nothing; the next one breaks, and a training starts."""
    write_store(Landing(tmp_path / "landing"))
    walk(QUIET)
    assert not home.records.rows(sa.select(data_drift).where(data_drift.c.alarm))
    assert home.records.result(QUIET, "monitor")["retrain_wanted"] == {}

    servers, _ = up(home)
    api = api_of(home, servers)
    night = Night(home, servers, api, BROKEN_NIGHT)
    assert night.state() == "success", [(task["task_id"], task["state"]) for task in night.tasks()]
    rung = {row["feature"] for row in home.records.rows(sa.select(data_drift).where(data_drift.c.alarm))}
    assert set(FOLLOWS) <= rung
    assert set(home.records.result(BROKEN_NIGHT, "monitor")["retrain_wanted"]) == set(OUTPUTS)
    page = (home.root / "reports" / f"{BROKEN_NIGHT}.html").read_text()
    assert all(f"{output.capitalize()} is to be trained before the week is over" in page for output in OUTPUTS)

    runs = until(lambda: [run for run in _trainings(api) if run["state"] in ("success", "failed")])
    assert [(run["run_type"], run["state"]) for run in runs] == [("asset_triggered", "success")]
    decided = home.records.rows(sa.select(decisions).where(decisions.c.as_of == BROKEN_NIGHT))
    assert sorted(row["output"] for row in decided) == sorted(OUTPUTS)
    for row in decided:
        crowned = home.records.rows(sa.select(champions).where(champions.c.output == row["output"]))
        assert len(crowned) == 1 + row["is_promoted"]
        assert row["effective_from"] == (BROKEN_NIGHT + DAY if row["is_promoted"] else None)


def _trainings(api: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("dags/train/dagRuns")["dag_runs"]
    return found
