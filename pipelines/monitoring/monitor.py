"""Monitor: how tonight's champions did on the future of their training data, and tonight's volumes."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.publishing.release import last_release, scores_of
from pipelines.records import Row, model_performance, promotions


def monitor(home: Home, as_of: date) -> Row:
    """Gather the figures of the night's champions and the rows of each output against the last release."""
    return {
        "models": {output: champion_figures(home, output, as_of) for output in OUTPUTS},
        "volumes": volumes(home, as_of),
    }


def champion_figures(home: Home, output: str, as_of: date) -> Row | None:
    """An output's champion with every contestant's figures of its training, and what the gate found."""
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
    }


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
