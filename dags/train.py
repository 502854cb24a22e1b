"""### Training: challengers against champions, weekly, or when `monitor` wants it

Features are built at past cut-offs, every contestant of an output is fitted on what was known at each cut-off and
judged on the weeks after it; the gate lets a challenger become champion only when the interval of its gain lies above
the minimum effect. A new champion serves from the night after. Every run is in MLflow, experiment `nightcart/<output>`.

**When monitor wants it.** `nightly` names the asset `nightcart_retrain_wanted_<output>` with its reason, and this DAG
starts: it trains those outputs alone, each at most once a day; the others are skipped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CHAMPIONS, RETRAIN, as_of, wanted

from pipelines.contract import OUTPUTS


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * 0", timezone="UTC", run_immediately=timedelta(0)),
        assets=AssetAny(*RETRAIN.values()),
    ),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["nightcart"],
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="the cut-off; empty: the run's own")
    },
    default_args={
        "owner": "ML engineers",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(hours=6),
    },
)
def train() -> None:
    """Build features at past cut-offs, then fit, evaluate and gate each output."""

    @task
    def choose_outputs() -> dict[str, str]:
        """The outputs to train, with the reason: all, or those that are wanted and were not trained today."""
        from pipelines.home import Home
        from pipelines.monitoring.retraining import due

        context = get_current_context()
        if not (asked := wanted(context)):
            return dict.fromkeys(OUTPUTS, "train")
        chosen, not_due = due(Home.open(), asked, as_of(context))
        if not chosen:
            raise AirflowSkipException("; ".join(not_due))
        return chosen

    @task(pool="warehouse")
    def build_training_features() -> str:
        """Features at past cut-offs; returns the digest of their snapshot."""
        from pipelines.home import Home
        from pipelines.training.train import training_snapshot

        return training_snapshot(Home.open(), as_of(get_current_context()))

    @task(pool="gpu", outlets=[CHAMPIONS], map_index_template="{{ task.op_kwargs['output'] }}")
    def train_output(output: str, chosen: dict[str, str], snapshot: str, *, outlet_events: Any) -> dict[str, Any]:
        """Fit, evaluate and gate one output; returns the decision."""
        from pipelines.home import Home
        from pipelines.training.train import train_output as fit_and_gate

        if output not in chosen:
            raise AirflowSkipException(f"{output}: not wanted today, or trained today already")
        night = as_of(get_current_context())
        decision = fit_and_gate(Home.open(), output, night, snapshot, decided_by=chosen[output])
        if decision["untrained"]:
            raise AirflowSkipException(f"{output}: {decision['untrained']}")
        outlet_events[CHAMPIONS].extra = {"as_of": night.isoformat(), **decision}
        return decision

    chosen, snapshot = choose_outputs(), build_training_features()
    chosen >> snapshot
    train_output.partial(chosen=chosen, snapshot=snapshot).expand(output=list(OUTPUTS))


train()
