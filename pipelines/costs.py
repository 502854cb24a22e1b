"""Costs: what a night and each model took, with an estimate of energy and money at the stated prices."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.metering import Usage
from pipelines.records import ALL, Row, steps, training_costs
from pipelines.sections import Cost

TAKEN = tuple(field.name for field in fields(Usage))
COSTS = (*TAKEN, "energy_wh", "money")
HOUR = 3_600.0  # seconds
log = logging.getLogger(__name__)


def priced(prices: Cost, usage: Row) -> Row:
    """What was taken, with `energy_wh` and `money`.

    The energy is that of busy cores and of the memory at its peak, by the stated watts, and what the GPUs counted
    themselves; what the machine draws idle, cooling and network are left out. The money is that energy and the
    machine's wall time: two steps at once on one machine pay for it twice.
    """
    taken = {name: usage.get(name) for name in TAKEN}
    wall, gib = taken["wall_seconds"] or 0.0, (taken["peak_mib"] or 0.0) / 1_024
    watt_seconds = (taken["cpu_seconds"] or 0.0) * prices.core_watts + wall * gib * prices.memory_watts
    energy = watt_seconds / HOUR + (taken["gpu_wh"] or 0.0)
    money = energy / 1_000 * prices.energy_price + wall / HOUR * prices.machine_price
    return taken | {"energy_wh": energy, "money": money}


def summed(rows: Sequence[Row]) -> Row:
    """The costs of all; of the peaks the highest, and nothing where nothing was measured."""
    found: Row = {}
    for name in COSTS:
        known = [row[name] for row in rows if row[name] is not None]
        found[name] = (max(known) if name == "peak_mib" else sum(known)) if known else None
    return found


def night_costs(home: Home, as_of: date) -> list[Row]:
    """`step`, the `output` that it is for (all: shared) and its costs, of each step of a night that ended."""
    from pipelines.steps import STEPS

    query = sa.select(steps).where(steps.c.as_of == as_of, steps.c.wall_seconds.is_not(None))
    found = {row["step"]: row for row in home.records.rows(query)}
    return [
        {"step": step, "output": step.removeprefix("score_") if step.startswith("score_") else ALL}
        | priced(home.settings.cost, found[step])
        for step in STEPS
        if step in found
    ]


def champion_costs(home: Home, as_of: date) -> list[Row]:
    """What the training of each output's champion of a night took: `output`, `model`, `trained_as_of`, `part`.

    part: all (every contestant judged, the gate, the fit), fit (of the champion alone), and for all outputs together
    the features of past cut-offs. Empty of what was trained before costs were recorded.
    """
    from pipelines.training.champions import champion_of

    found = []
    for output in OUTPUTS:
        if champion := champion_of(home, output, as_of):
            trained = {"output": output, "model": champion["model"], "trained_as_of": champion["trained_as_of"]}
            parts = _parts(home, output, champion["trained_as_of"])
            names = {ALL: ALL, "fit": f"fit {champion['model']}"}
            found += [trained | {"part": part} | parts[name] for part, name in names.items() if name in parts]
    for day in sorted({row["trained_as_of"] for row in found}):
        shared = {"output": ALL, "model": None, "trained_as_of": day}
        found += [shared | {"part": part} | row for part, row in _parts(home, ALL, day).items()]
    return found


def _parts(home: Home, output: str, as_of: date) -> dict[str, Row]:
    table = training_costs.c
    query = sa.select(training_costs).where(table.output == output, table.as_of == as_of)
    return {row["part"]: priced(home.settings.cost, row) for row in home.records.rows(query)}


def cost_metrics(home: Home, part: str, usage: Usage) -> dict[str, float]:
    """The costs of a part of a training for MLflow, as `cost/<part>_<what>`; what could not be measured is left out."""
    return _metrics(part, priced(home.settings.cost, asdict(usage)))


def _metrics(part: str, costs: Row) -> dict[str, float]:
    return {f"cost/{part}_{name}": float(value) for name, value in costs.items() if value is not None}


def track_night(home: Home, as_of: date, release_id: str) -> bool:
    """Log the costs of the steps up to the report, and their sum, to the night's run in MLflow's `nightcart/nights`.

    A night that is run again goes on with its run. Where MLflow does not answer the night goes on without: what it took
    is in the records. Returns whether MLflow has it.
    """
    rows = night_costs(home, as_of)
    metrics = _metrics(ALL, summed(rows))
    for row in rows:
        metrics |= _metrics(row["step"], {name: row[name] for name in COSTS})
    try:
        _log_night(home, as_of, release_id, metrics)
    except Exception as error:  # whatever a server does that no table needs
        log.warning("MLflow has not taken the costs of %s: %s", as_of, type(error).__name__)
        return False
    return True


def _log_night(home: Home, as_of: date, release_id: str, metrics: dict[str, float]) -> None:
    import mlflow

    from pipelines.training.tracking import tracking

    _be_impatient()
    with tracking(home, "nights") as experiment:
        known = mlflow.search_runs([experiment], f"tags.as_of = '{as_of}'", max_results=1, output_format="list")
        run_id = known[0].info.run_id if known else None
        with mlflow.start_run(run_id, experiment_id=experiment, run_name=f"night-{as_of}"):
            mlflow.set_tags({"as_of": str(as_of), "release_id": release_id})
            mlflow.log_metrics(metrics)


def _be_impatient() -> None:
    """Have this process ask a silent server twice at most, not for minutes, where nobody has set it otherwise."""
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT

    for variable, value in ((MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1), (MLFLOW_HTTP_REQUEST_TIMEOUT, 10)):
        if not variable.is_set():  # type: ignore[no-untyped-call]
            variable.set(value)  # type: ignore[no-untyped-call]


def record_training(home: Home, output: str, as_of: date, spent: Mapping[str, Usage]) -> None:
    """Put what a training took into the records, by part."""
    rows = [{"output": output, "as_of": as_of, "part": part} | asdict(usage) for part, usage in spent.items()]
    same = sa.and_(training_costs.c.output == output, training_costs.c.as_of == as_of)
    home.records.replace(training_costs, rows, same)
