"""Figures of the night's champions, and volumes against the last release."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.monitoring.monitor import monitor
from tests.publishing.generators import AS_OF, FIRST, crown, home_in, night, publish_night


def test_the_figures_are_of_the_champion_s_training(home: Home) -> None:
    crown(home, "demand", "recent_mean-111111111111", effective_from=AS_OF)
    crown(home, "demand", "later-222222222222", effective_from=AS_OF + timedelta(days=1))
    night(home)
    result = monitor(home, AS_OF)
    demand = result["models"]["demand"]
    assert (demand["model"], demand["trained_as_of"]) == ("recent_mean", str(AS_OF))
    assert {row["as_of"] for row in demand["figures"] + demand["gate"]} == {str(AS_OF)}
    assert result["models"]["recommendations"]["trained_as_of"] == str(FIRST)
    json.dumps(result)


def test_an_output_without_a_champion_has_no_figures(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    night(home)
    assert monitor(home, AS_OF)["models"] == dict.fromkeys(OUTPUTS)


def test_volumes_stand_beside_the_last_release(home: Home) -> None:
    night(home, date(2011, 10, 30))
    assert {row["last_rows"] for row in monitor(home, date(2011, 10, 30))["volumes"]} == {None}
    last = publish_night(home, date(2011, 10, 31))
    night(home, change=lambda tables: tables["demand_forecasts"].pop())  # type: ignore[arg-type,return-value]
    found = {row["table"]: row for row in monitor(home, AS_OF)["volumes"]}
    assert found["demand_forecasts"] == {
        "table": "demand_forecasts",
        "rows": 39,
        "last_rows": 40,
        "last_release_id": last["release_id"],
    }
