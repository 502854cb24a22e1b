"""### One night: from the store's extracts to one published release

Each task calls the step of the same name; `nightcart step NAME AS_OF` calls it by hand. Tasks pass ids, never frames,
and every step can be cleared and run again: a retry gives the same release.

**When it fails.** *validate* stops on what the store delivered: its message names the entity, the rule, three values
and the command to go on with. *audit* stops on what would have been published. Yesterday's release stays readable in
both cases. Once the cause is mended, clear the failed task; after *validate*, clear *collect* and what follows: it is
*collect* that reads the files.

**Backfill.** A night newer than all before collects; an older one reads what was known by then and publishes without
moving the current release.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from assets import RELEASE, RETRAIN, WANTED, as_of, was_missed

from pipelines.contract import OUTPUTS
from pipelines.errors import AuditFault, IncomingFault, UsageFault


def run(step: str, **options: object) -> dict[str, Any]:
    """Run a step for this run's night; what a retry cannot mend fails at once."""
    from pipelines.steps import run_step

    context = get_current_context()
    try:
        return run_step(step, as_of(context), **options)
    except (IncomingFault, AuditFault, UsageFault) as error:
        raise AirflowFailException(f"{error}\n{error.hint}") from error


def tell(context: dict[str, Any]) -> None:
    """Tell `alert.url` of a task that failed for good."""
    from pipelines.alert import alert

    task_instance = context["task_instance"]
    alert(task_instance.dag_id, task_instance.task_id, as_of(context), context.get("exception"))


@dag(
    # no start_date: with one in the past, switching the schedule on would run the night of today at once
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["nightcart"],
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="the night; empty: the run's own"),
        "earliest": Param(
            None, type=["null", "string"], format="date", description="backfill: train first champions as of this night"
        ),
    },
    default_args={
        "owner": "data engineers",
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=2),
        "on_failure_callback": tell,
    },
)
def nightly() -> None:
    """Collect, validate, load, build features, score, audit, publish, report."""

    @task
    def collect() -> None:
        """New complete partitions of the landing zone, pseudonymised at the border; skipped where it was missed."""
        if was_missed(context := get_current_context()):
            raise AirflowSkipException(f"missed; to make it up, clear this task or backfill {as_of(context)}")
        run("collect")

    @task
    def validate() -> None:
        """Row faults to quarantine; a faulty partition stops the night before anything is loaded."""
        run("validate")

    @task(pool="warehouse")
    def load() -> None:
        """Accepted rows into raw, as versions."""
        run("load")

    @task(pool="warehouse")
    def build_features() -> str:
        """One dbt build, then the snapshot; returns its digest."""
        return str(run("build_features")["snapshot"])

    @task(pool="gpu")
    def train_first_champions() -> None:
        """Only for outputs that never had a champion; all other training is the `train` DAG's."""
        run("train_first_champions", earliest=(get_current_context()["params"] or {}).get("earliest"))

    @task(map_index_template="{{ task.op_kwargs['output'] }}")
    def score(output: str) -> dict[str, Any]:
        """Tonight's predictions of one output, business rules applied; skipped where what it needs is missing."""
        result = run(f"score_{output}")
        if result["skipped"]:
            raise AirflowSkipException(f"{output}: {result['skipped']}")
        return {"output": output, "release_id": result["release_id"]}

    # an output that was skipped stops nothing
    @task(trigger_rule="none_failed_min_one_success", outlets=[WANTED])
    def monitor(*, outlet_events: Any) -> None:
        """Figures, volumes and drift of the night; tells the `train` DAG which outputs it wants trained, and why."""
        night = as_of(get_current_context()).isoformat()
        for output, reason in run("monitor")["retrain_wanted"].items():
            outlet_events[WANTED].add(RETRAIN[output], extra={"as_of": night, "reason": reason})

    @task
    def audit() -> None:
        """What is about to leave: coverage, ranges, rules, volume."""
        run("audit")

    @task(outlets=[RELEASE])
    def publish(*, outlet_events: Any) -> str:
        """All tables at once; returns the release's id."""
        result = run("publish")
        outlet_events[RELEASE].extra = {"as_of": as_of(get_current_context()).isoformat(), **result}
        return str(result["release_id"])

    @task
    def render_report() -> str:
        """The static page of the night; returns where it lies."""
        return str(run("render_report")["report"])

    scored = score.expand(output=list(OUTPUTS))
    collect() >> validate() >> load() >> build_features() >> train_first_champions() >> scored
    scored >> monitor() >> audit() >> publish() >> render_report()


nightly()
