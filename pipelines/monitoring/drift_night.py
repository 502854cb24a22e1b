"""The drift of a night, in the records and for the report, and which outputs should be trained for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from pipelines.home import Home
from pipelines.monitoring.drift import LEVEL, Judged, judge_night
from pipelines.monitoring.histograms import DAY, NIGHTS, write_prediction_histograms
from pipelines.monitoring.watched import PREDICTIONS, table_of
from pipelines.records import Row, data_drift, feature_histograms

SHOWN = 10  # of the strongest drifts in the report
SHOWN_BINS = 12
By = dict[str, dict[date, dict[str, int]]]


def find_drift(home: Home, as_of: date) -> Row:
    """Judge tonight's histograms, record each with its threshold, and return what the report shows."""
    write_prediction_histograms(home, as_of)
    judged = judge_night(histograms_of(home, as_of), as_of)
    level = LEVEL / max(len(judged), 1)
    rows = [drift_row(one, one.threshold(level), as_of) for one in judged]
    home.records.replace(data_drift, rows, data_drift.c.as_of == as_of)
    shown = sorted(zip(judged, rows, strict=True), key=lambda pair: -pair[1]["value"] / pair[1]["threshold"])
    return {
        "judged": len(judged),
        "alarms": [_shown(one, row) for one, row in shown if row["alarm"]],
        "strongest": [_shown(one, row) for one, row in shown[:SHOWN] if not row["alarm"]],
    }


def histograms_of(home: Home, as_of: date) -> By:
    """The histograms that tonight's are judged by, by feature and night; of predictions those of tonight's model."""
    kept = feature_histograms.c
    window = sa.select(feature_histograms).where(kept.as_of <= as_of, kept.as_of >= as_of - NIGHTS * DAY)
    rows = home.records.rows(window.order_by(kept.feature, kept.as_of))
    tonight = {row["feature"]: row["model_version"] for row in rows if row["as_of"] == as_of}
    found: By = defaultdict(dict)
    for row in rows:
        if tonight.get(row["feature"]) == row["model_version"]:
            found[row["feature"]][row["as_of"]] = row["counts"]
    return found


def drift_row(judged: Judged, threshold: float, as_of: date) -> Row:
    """A row of `data_drift`."""
    return {
        "feature": judged.feature,
        "as_of": as_of,
        "statistic": judged.statistic,
        "value": judged.value,
        "threshold": threshold,
        "alarm": judged.value > threshold,
    }


def new_alarms(home: Home, as_of: date, alarms: Sequence[Row]) -> list[Row]:
    """Those that did not ring the night before: a change that stays rings until it has become usual."""
    drifted = data_drift.c
    before = sa.select(drifted.feature).where(drifted.as_of == as_of - DAY, drifted.alarm)
    known = {row["feature"] for row in home.records.rows(before)}
    return [alarm for alarm in alarms if alarm["feature"] not in known]


def drift_reasons(alarms: Sequence[Row]) -> dict[str, list[str]]:
    """Why each output should be trained, by alarms of what it uses; asked for once, then the weekly training has it."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for alarm in alarms:
        for output in table_of(alarm["feature"]).outputs:
            reasons[output].append(drift_words(alarm))
    return dict(reasons)


def drift_words(alarm: Row) -> str:
    """An alarm as a person reads it."""
    return f"{alarm['feature']} has drifted: {alarm['value']:.2f}, usual up to {alarm['threshold']:.2f}"


def _shown(judged: Judged, row: Row) -> Row:
    """A row with its histograms, where it has any."""
    bins = sorted(judged.tonight, key=lambda name: -max(judged.tonight[name], judged.usual[name]))[:SHOWN_BINS]
    return {
        "feature": judged.feature,
        "is_prediction": table_of(judged.feature) in PREDICTIONS,
        "statistic": row["statistic"],
        "value": row["value"],
        "threshold": row["threshold"],
        "tonight": {name: judged.tonight[name] for name in bins},
        "usual": {name: judged.usual[name] for name in bins},
    }
