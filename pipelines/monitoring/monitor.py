"""Monitor: how tonight's champions did in training and how that came true, tonight's volumes, and what drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from pipelines.alert import alarm_message, post
from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.monitoring.drift_night import drift_reasons, drift_words, find_drift, new_alarms
from pipelines.monitoring.exposure import exposure
from pipelines.monitoring.gaps import gaps, retrain_wanted, words
from pipelines.monitoring.realised import realised
from pipelines.monitoring.retraining import all_wanted
from pipelines.publishing.release import last_release, scores_of
from pipelines.records import Row, decisions, model_performance, promotions


def monitor(home: Home, as_of: date) -> Row:
    """Gather the figures of the champions, what came true, the rows of each output, and what has drifted.

    `realised` says how many past releases of each output were judged, and holds the gaps between realised and offline
    figures; `retrain_wanted` the outputs to train for an alarm among them or for a drift, with the reason.
    """
    came_true = {output: realised_figures(home, output, as_of) for output in OUTPUTS}
    reasons = {output: [reason] for output, found in came_true.items() if (reason := found.pop("retrain_wanted"))}
    drift = find_drift(home, as_of)
    drifted = new_alarms(home, as_of, drift["alarms"])
    tell(home, as_of, [*_missed(home, as_of, came_true), *map(drift_words, drifted)])
    return {
        "models": {output: champion_figures(home, output, as_of) for output in OUTPUTS},
        "volumes": volumes(home, as_of),
        "realised": came_true,
        "drift": drift,
        "retrain_wanted": all_wanted(home, as_of, reasons, drift_reasons(drifted)),
        "exposure": exposure(home, as_of),
    }


def realised_figures(home: Home, name: str, as_of: date) -> Row:
    """Judge an output's past releases, and hold what came true against what was promised."""
    from pipelines.scoring.outputs import output_of

    output = output_of(name)
    judged, found = realised(home, output, as_of), gaps(home, output, as_of)
    return judged | {"gaps": found, "retrain_wanted": retrain_wanted(home, output, as_of, found)}


def tell(home: Home, as_of: date, said: Sequence[str]) -> None:
    """Tell `alert.url` of alarms that the night before had not; a night that is made up for says nothing new."""
    url = home.settings.alert.url
    if url and said and as_of == home.records.newest_loaded_night():
        post(url, alarm_message("monitor", as_of, "; ".join(said)))


def _missed(home: Home, as_of: date, came_true: Mapping[str, Row]) -> list[str]:
    """The gaps between realised and offline figures that are an alarm and were none the night before."""
    before = home.records.result(as_of - timedelta(days=1), "monitor").get("realised", {})
    known = [_about(gap) for found in before.values() for gap in found["gaps"] if gap["is_alarm"]]
    alarms = [gap for found in came_true.values() for gap in found["gaps"] if gap["is_alarm"]]
    return [f"{alarm['output']}: {words(alarm)}" for alarm in alarms if _about(alarm) not in known]


def _about(gap: Row) -> list[str]:
    return [gap[name] for name in ("output", "model_version", "metric", "segment")]


def champion_figures(home: Home, output: str, as_of: date) -> Row | None:
    """An output's champion with the figures of its training, what the gate found, and who was refused since."""
    from pipelines.training.champions import champion_of

    champion = champion_of(home, output, as_of)
    if champion is None:
        return None
    trained = champion["trained_as_of"]
    measured, gate = model_performance.c, promotions.c
    figures = sa.select(model_performance).where(
        measured.output == output, measured.as_of == trained, measured.kind == "offline"
    )
    found = sa.select(promotions).where(gate.output == output, gate.as_of == trained)
    return {
        "model": champion["model"],
        "model_version": champion["model_version"],
        "trained_as_of": trained.isoformat(),
        "effective_from": champion["effective_from"].isoformat(),
        "reason": champion["reason"],
        "figures": [_jsonable(row) for row in home.records.rows(figures.order_by(measured.metric, measured.model))],
        "gate": [_jsonable(row) for row in home.records.rows(found.order_by(gate.id))],
        "refused": _last_refused(home, output, trained, as_of),
    }


def _last_refused(home: Home, output: str, trained: date, as_of: date) -> Row | None:
    """The last training since the champion's, where the gate refused the challenger."""
    table = decisions.c
    query = sa.select(table.as_of, table.challenger, table.reason, table.is_promoted)
    query = query.where(table.output == output, table.as_of > trained, table.as_of <= as_of)
    last = home.records.first(query.order_by(table.as_of.desc()))
    return _jsonable(last) if last and not last["is_promoted"] else None


def volumes(home: Home, as_of: date) -> list[Row]:
    """Rows of each output table tonight, and in the release of the night before."""
    last = last_release(home, as_of)
    before = last["rows"] if last else {}
    return [
        {
            "table": table,
            "rows": rows,
            "last_rows": before.get(table),
            "last_release_id": last["release_id"] if last else None,
        }
        for scored in scores_of(home, as_of).values()
        for table, rows in scored.rows.items()
    ]


def _jsonable(row: Row) -> dict[str, Any]:
    return {
        name: value if isinstance(value, bool | int | float | str | None) else str(value) for name, value in row.items()
    }
