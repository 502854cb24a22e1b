"""Costs: energy and money from what was taken, by step, by output and by champion."""

from __future__ import annotations

import socket
from dataclasses import asdict, replace
from datetime import date
from io import StringIO
from pathlib import Path

import mlflow
import pytest
import sqlalchemy as sa
from rich.console import Console

from pipelines.costs import champion_costs, cost_metrics, night_costs, priced, record_training, summed, track_night
from pipelines.errors import NothingToDo
from pipelines.home import Home
from pipelines.metering import Usage
from pipelines.records import ALL, clock, steps
from pipelines.sections import Cost
from pipelines.show_costs import costs_tables
from pipelines.steps import run_step
from pipelines.training.champions import crown

AS_OF = date(2011, 11, 1)
HOUR = Usage(wall_seconds=3_600.0, cpu_seconds=7_200.0, peak_mib=2_048.0, bytes_read=10, bytes_written=4)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("NIGHTCART_HOME", str(tmp_path))
    return Home.open()


def test_energy_and_money_of_an_hour() -> None:
    found = priced(Cost(energy_price=0.5, machine_price=0.2, core_watts=10.0, memory_watts=1.0), asdict(HOUR))
    assert found["energy_wh"] == pytest.approx(2 * 10 + 2 * 1)
    assert found["money"] == pytest.approx(0.022 * 0.5 + 0.2)
    with_gpu = priced(Cost(), asdict(replace(HOUR, gpu_wh=500.0)))
    assert with_gpu["energy_wh"] - priced(Cost(), asdict(HOUR))["energy_wh"] == pytest.approx(500.0)


def test_what_an_older_version_did_not_record_costs_nothing() -> None:
    found = priced(Cost(), {"wall_seconds": 36.0, "cpu_seconds": None, "peak_mib": None})
    assert (found["bytes_read"], found["energy_wh"]) == (None, 0.0)
    assert found["money"] == pytest.approx(0.001)


def test_sums_take_the_highest_peak() -> None:
    rows = [priced(Cost(), asdict(HOUR)), priced(Cost(), asdict(replace(HOUR, peak_mib=4_096.0, bytes_read=None)))]
    found = summed(rows)
    assert (found["wall_seconds"], found["peak_mib"], found["bytes_read"]) == (7_200.0, 4_096.0, 10)
    assert found["money"] == pytest.approx(sum(row["money"] for row in rows))


def test_a_night_by_steps_and_outputs(home: Home) -> None:
    row = {"as_of": AS_OF, "attempt": 1, "status": "done", "started_at": clock()} | asdict(HOUR)
    names = ["publish", "score_demand", "collect"]
    home.records.replace(steps, [row | {"step": name} for name in names], sa.true())
    found = night_costs(home, AS_OF)
    assert [(one["step"], one["output"]) for one in found] == [
        ("collect", ALL),
        ("score_demand", "demand"),
        ("publish", ALL),
    ]
    assert found[0]["bytes_written"] == 4


def test_a_step_records_what_it_took(home: Home) -> None:
    with pytest.raises(Exception, match="publish"):
        run_step("render_report", AS_OF)
    (row,) = night_costs(home, AS_OF)
    assert row["wall_seconds"] > 0
    assert row["bytes_read"] > 0


def test_each_champion_by_its_training(home: Home) -> None:
    version = {"model": "ease", "model_version": "ease-1", "trained_as_of": AS_OF}
    crown(home, "recommendations", version, AS_OF, "test", "it is the best")
    spent = {"evaluate ease": HOUR, "evaluate popular_recent": HOUR, "fit ease": replace(HOUR, wall_seconds=60.0)}
    record_training(home, "recommendations", AS_OF, spent | {ALL: replace(HOUR, wall_seconds=9_000.0)})
    record_training(home, ALL, AS_OF, {"features": HOUR})
    found = [(row["output"], row["model"], row["part"], row["wall_seconds"]) for row in champion_costs(home, AS_OF)]
    assert found == [
        ("recommendations", "ease", ALL, 9_000.0),
        ("recommendations", "ease", "fit", 60.0),
        (ALL, None, "features", 3_600.0),
    ]


def test_the_terminal_shows_both(home: Home) -> None:
    with pytest.raises(NothingToDo, match="no step of any night has run"):
        costs_tables(home, None)
    test_each_champion_by_its_training(home)
    test_a_night_by_steps_and_outputs(home)
    shown = StringIO()
    Console(file=shown, width=80).print(costs_tables(home, AS_OF))
    lines = {line.strip().partition("  ")[0]: line.split() for line in shown.getvalue().splitlines()}
    assert lines["score_demand"][1:] == ["3,600.0", "7,200.0", "2,048", "0", "0", "8.750", "0.1026"]
    assert lines["together"][1] == "10,800.0"
    assert lines["of it ease"][3] == "60.0"
    assert lines["shared: features"][2] == "3,600.0"


def test_metrics_leave_out_what_is_not_known(home: Home) -> None:
    found = cost_metrics(home, "fit", replace(HOUR, bytes_read=None))
    assert found["cost/fit_wall_seconds"] == 3_600.0
    assert found["cost/fit_money"] > 0.1
    assert "cost/fit_bytes_read" not in found


def test_a_night_run_again_goes_on_with_its_run_in_mlflow(home: Home) -> None:
    row = {"as_of": AS_OF, "attempt": 1, "status": "done", "started_at": clock()}
    for factor in (1.0, 2.0):
        taken = {"wall_seconds": 36.0, "cpu_seconds": 10.0 * factor, "peak_mib": 100.0}
        home.records.replace(steps, [row | taken | {"step": name} for name in ("collect", "score_risk")], sa.true())
        assert track_night(home, AS_OF, "20111101-abc")
    (run,) = mlflow.search_runs(experiment_names=["nightcart/nights"], output_format="list")
    assert (run.info.run_name, run.data.tags["release_id"]) == ("night-2011-11-01", "20111101-abc")
    found = run.data.metrics
    assert (found["cost/score_risk_cpu_seconds"], found["cost/all_cpu_seconds"]) == (20.0, 40.0)
    assert "cost/collect_bytes_read" not in found


def test_a_silent_tracking_server_costs_no_night(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    away = Home(home.places.model_copy(update={"mlflow": address}), home.settings)
    assert not track_night(away, AS_OF, "20111101-abc")
    assert "MLflow has not taken the costs of 2011-11-01" in caplog.text
