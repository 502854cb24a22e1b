"""The steps of a night by name, and how one is run: recorded with its result and what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from importlib import import_module

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.errors import NightcartError, UsageFault
from pipelines.home import Home
from pipelines.metering import metered
from pipelines.records import Row, clock, nights, steps

# In the order of a night. Modules are imported when their step runs: a DAG file must parse quickly.
STEPS: dict[str, str] = {
    "collect": "pipelines.ingest.collect:collect",
    "validate": "pipelines.validate.validate:validate_incoming",
    "load": "pipelines.ingest.load:load",
    "build_features": "pipelines.features.build:build_features",
    "train_first_champions": "pipelines.training.train:train_first_champions",
    **{f"score_{output}": "pipelines.scoring.score:score" for output in OUTPUTS},
    "monitor": "pipelines.monitoring.monitor:monitor",
    "audit": "pipelines.publishing.audit:audit",
    "publish": "pipelines.publishing.publish:publish",
    "render_report": "pipelines.publishing.report:render_report",
}


def step_function(name: str) -> Callable[..., Row]:
    """The function behind a step's name.

    Raises:
        UsageFault: there is no such step.
    """
    if name not in STEPS:
        raise UsageFault(f"there is no step {name}", f"the steps are {', '.join(STEPS)}")
    module, function = STEPS[name].split(":")
    found: Callable[..., Row] = getattr(import_module(module), function)
    return found


def run_step(name: str, as_of: date, **options: object) -> Row:
    """Run one step of the night of as_of; what it returns, takes and costs is in the records."""
    home = Home.open()
    function = step_function(name)
    if name.startswith("score_"):
        options["output"] = name.removeprefix("score_")
    row = {"as_of": as_of, "step": name, "attempt": _attempt(home, as_of), "status": "running", "started_at": clock()}
    _write(home, row)
    with metered() as meter:
        try:
            result = function(home, as_of, **options)
        except BaseException as error:
            _write(home, row | asdict(meter.usage()) | _failure(error))
            raise
        done = {"status": "done", "result": result, "attempt": _attempt(home, as_of)}
        _write(home, row | asdict(meter.usage()) | done)
    return result


def _attempt(home: Home, as_of: date) -> int:
    row = home.records.first(sa.select(nights.c.attempt).where(nights.c.as_of == as_of))
    return int(row["attempt"]) if row else 0


def _write(home: Home, row: Row) -> None:
    home.records.replace(steps, [row], sa.and_(steps.c.as_of == row["as_of"], steps.c.step == row["step"]))


def _failure(error: BaseException) -> Row:
    known = isinstance(error, NightcartError)
    return {
        "status": "failed",
        "error": str(error) or type(error).__name__,
        "hint": error.hint if isinstance(error, NightcartError) else "",
        "exit_code": error.exit_code if known else 1,  # type: ignore[attr-defined]
    }
