"""The steps of a night by name, and how one is run: recorded with its seconds, memory and result."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.errors import NightcartError, UsageFault
from pipelines.home import Home
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
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        result = function(home, as_of, **options)
    except BaseException as error:
        _write(home, row | _cost(wall, cpu) | _failure(error))
        raise
    _write(home, row | _cost(wall, cpu) | {"status": "done", "result": result, "attempt": _attempt(home, as_of)})
    return result


def _attempt(home: Home, as_of: date) -> int:
    row = home.records.first(sa.select(nights.c.attempt).where(nights.c.as_of == as_of))
    return int(row["attempt"]) if row else 0


def _write(home: Home, row: Row) -> None:
    home.records.replace(steps, [row], sa.and_(steps.c.as_of == row["as_of"], steps.c.step == row["step"]))


def _cost(wall: float, cpu: float) -> Row:
    return {
        "wall_seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mib": round(_peak_mib(), 1),
    }


def _failure(error: BaseException) -> Row:
    known = isinstance(error, NightcartError)
    return {
        "status": "failed",
        "error": str(error) or type(error).__name__,
        "hint": error.hint if isinstance(error, NightcartError) else "",
        "exit_code": error.exit_code if known else 1,  # type: ignore[attr-defined]
    }


def _reset_peak() -> None:
    """Make the kernel count the peak of this process anew, where it lets us."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
