"""The DAGs: they parse, quickly and without heavy imports; they hold the steps of the night in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]

PARSE = """
import json, sys, time
sys.path.insert(0, "dags")
import airflow.sdk, pendulum
from airflow.dag_processing.dagbag import DagBag
start = time.perf_counter()
bag = DagBag("dags")
seconds = time.perf_counter() - start
heavy = [m for m in ("great_expectations", "mlflow", "xgboost", "torch", "pandas", "dbt", "duckdb") if m in sys.modules]
order = {i: [t.task_id for t in d.topological_sort()] for i, d in bag.dags.items()}
docs = [t.task_id for d in bag.dags.values() for t in d.tasks if not (t.doc_md or t.python_callable.__doc__)]
found = {"errors": bag.import_errors, "seconds": seconds, "heavy": heavy, "order": order, "undocumented": docs}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run(
        [sys.executable, "-c", PARSE], cwd=PROJECT, env=os.environ | home, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_dags_parse_within_a_second_and_import_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert parsed["heavy"] == []
    assert parsed["seconds"] < 1


def test_nightly_holds_the_steps_in_order(parsed: dict[str, Any]) -> None:
    from pipelines.steps import STEPS

    expected = list(dict.fromkeys("score" if step.startswith("score_") else step for step in STEPS))
    assert parsed["order"]["nightly"] == expected
    assert parsed["order"]["train"] == ["choose_outputs", "build_training_features", "train_output"]
    assert parsed["undocumented"] == []


def run(**given: Any) -> SimpleNamespace:
    due = datetime(2011, 11, 9, 2, tzinfo=UTC)
    return SimpleNamespace(**{"conf": None, "partition_key": None, "run_after": due} | given)


def event(as_of: str, reason: str = "drift") -> SimpleNamespace:
    return SimpleNamespace(extra={"as_of": as_of, "reason": reason})


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"dag_run": run(conf={"as_of": "2011-11-01"})}, date(2011, 11, 1)),
        ({"dag_run": run(), "params": {"as_of": "2011-11-02"}}, date(2011, 11, 2)),
        ({"dag_run": run(partition_key="2011-11-03")}, date(2011, 11, 3)),
        (
            {"dag_run": run(), "triggering_asset_events": {"a": [event("2011-11-04"), event("2011-11-03")]}},
            date(2011, 11, 4),
        ),
        ({"dag_run": run(), "data_interval_end": datetime(2011, 11, 5, 2, tzinfo=UTC)}, date(2011, 11, 5)),
        ({"dag_run": run()}, date(2011, 11, 9)),  # a manual run without a logical date
    ],
)
def test_as_of_of_a_run(context: dict[str, Any], expected: date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "dags"))
    from assets import as_of

    assert as_of(context) == expected


def test_what_a_run_of_train_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "dags"))
    from assets import RETRAIN, wanted

    events = {
        RETRAIN["risk"]: [event("2011-11-04", "new"), event("2011-11-03", "old")],
        RETRAIN["demand"]: [event("2011-11-03")],
    }
    assert wanted({"triggering_asset_events": events}) == {"risk": "new", "demand": "drift"}
    assert wanted({}) == {}


@pytest.mark.parametrize(
    ("run_type", "hours", "tries", "expected"),
    [("scheduled", 9, 1, True), ("scheduled", 1, 1, False), ("scheduled", 9, 2, False), ("backfill", 9999, 1, False)],
)
def test_a_scheduled_night_that_was_missed(
    run_type: str, hours: int, tries: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a backfill Airflow makes a run of the last due time: nobody asked for it, and it would close the door."""
    monkeypatch.syspath_prepend(str(PROJECT / "dags"))
    from assets import was_missed

    given = run(run_type=run_type, start_date=datetime(2011, 11, 9, 2, tzinfo=UTC) + timedelta(hours=hours))
    assert was_missed({"dag_run": given, "ti": SimpleNamespace(try_number=tries)}) is expected
