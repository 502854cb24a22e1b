"""The assets that Nightcart's DAGs hand to each other, and the as_of of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from airflow.sdk import Asset, AssetAlias

from pipelines.contract import OUTPUTS

RELEASE = Asset(name="nightcart_release", uri="nightcart://release")  # extra: as_of and release_id
CHAMPIONS = Asset(name="nightcart_champions", uri="nightcart://champions")  # extra: as_of and the decisions
WANTED = AssetAlias(name="nightcart_retrain_wanted")  # what `monitor` names of the four below; none on most nights
RETRAIN = {  # extra: as_of and the reason
    output: Asset(name=f"nightcart_retrain_wanted_{output}", uri=f"nightcart://retrain_wanted/{output}")
    for output in OUTPUTS
}

LATEST_START = timedelta(hours=6)  # after a scheduled run was due; later it was missed


def was_missed(context: Mapping[str, Any]) -> bool:
    """Whether a run that nobody asked for starts long after it was due, at its first try.

    Airflow makes such a run of the last due time after a backfill, or after an outage. A night newer than all before
    closes the door to those in between, so it must not come by accident.
    """
    run = context["dag_run"]
    is_asked = run.run_type != "scheduled" or context["ti"].try_number > 1
    return not is_asked and run.start_date - run.run_after > LATEST_START


def as_of(context: Mapping[str, Any]) -> date:
    """The night a run stands for: asked for, else of its partition, its newest event, its interval, or when it was due.

    A manual run may have no logical date, and an asset-triggered one no interval; `run_after` is always set and
    unchanged by a clear.
    """
    run = context["dag_run"]
    asked = (run.conf or {}).get("as_of") or (context.get("params") or {}).get("as_of")
    extra = max((extra["as_of"] for _, extra in _events(context) if extra.get("as_of")), default=None)
    found = asked or getattr(run, "partition_key", None) or extra
    if found:
        return date.fromisoformat(str(found)[:10])
    due = context.get("data_interval_end") or run.run_after
    return date.fromisoformat(due.isoformat()[:10])


def wanted(context: Mapping[str, Any]) -> dict[str, str]:
    """The outputs that `monitor` asked a run of `train` for, each with its newest reason; none in the weekly run."""
    reasons = {asset.name: str(extra.get("reason")) for asset, extra in _events(context)}
    return {output: reasons[asset.name] for output, asset in RETRAIN.items() if asset.name in reasons}


def _events(context: Mapping[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    """The events that started a run, oldest night first: each with its asset and what it was told."""
    groups = (context.get("triggering_asset_events") or {}).items()
    found = [(asset, event.extra or {}) for asset, events in groups for event in events]
    return sorted(found, key=lambda pair: str(pair[1].get("as_of")))
