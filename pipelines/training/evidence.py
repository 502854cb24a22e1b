"""What a decision of the gate rests on: rows for the records, and one artifact in MLflow with figures and picture."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.records import ALL, LEFT_OUT, Row
from pipelines.scoring.outputs import Output
from pipelines.training.evaluate import LEAST_ENTITIES, stated
from pipelines.training.gate import Decision, decides, holds


@dataclass(frozen=True)
class Evidence:
    """A decision with what it was made on."""

    output: Output
    as_of: date
    cutoffs: tuple[date, ...]
    decision: Decision
    left_out: dict[str, str] = field(default_factory=dict)  # contestant -> why it was not judged


def rows_of(evidence: Evidence) -> list[Row]:
    """A row a comparison, and one a contestant that was left out."""
    decision, output = evidence.decision, evidence.output
    shared = {"output": output.name, "as_of": evidence.as_of}
    compared = [
        {
            "challenger": one.challenger,
            "against": one.opponent,
            "role": one.role,
            "segment": one.segment,
            "metric": one.metric,
            **stated(one.gain, "gain"),
            "is_promoted": decision.is_promoted and one.challenger == decision.challenger,
            "reason": decision.reason,
        }
        for one in decision.comparisons
    ]
    absent = {"against": "", "role": LEFT_OUT, "segment": ALL, "metric": output.metric, "is_promoted": False}
    absent |= dict.fromkeys(("gain", "ci_low", "ci_high"))
    left_out = [absent | {"challenger": model, "reason": why} for model, why in evidence.left_out.items()]
    return [shared | row for row in (*compared, *left_out)]


def told(home: Home, evidence: Evidence, version: Row) -> dict[str, Any]:
    """The decision with its figures, as JSON keeps it."""
    output, decision, gate = evidence.output, evidence.decision, home.settings.gate
    comparisons = zip(decision.comparisons, rows_of(evidence), strict=False)
    return {
        "output": output.name,
        "as_of": evidence.as_of.isoformat(),
        "cutoffs": [cutoff.isoformat() for cutoff in evidence.cutoffs],
        "challenger": decision.challenger,
        "model_version": version["model_version"],
        "is_promoted": decision.is_promoted,
        "reason": decision.reason,
        "metric": output.label(home, output.metric),
        "higher_is_better": output.higher_is_better,
        **gate.model_dump(mode="json"),
        "least_entities": LEAST_ENTITIES,
        "comparisons": [
            {name: row[name] for name in COMPARED}
            | {"among": one.among, "by": "gain" if decides(output, one) else "floor" if holds(output, one) else None}
            for one, row in comparisons
        ],
        "left_out": evidence.left_out,
    }


COMPARED = ("challenger", "against", "role", "segment", "metric", "gain", "ci_low", "ci_high")


def log_evidence(home: Home, evidence: Evidence, version: Row) -> None:
    """The decision as one folder of the run in progress: figures and picture."""
    import mlflow
    from plotly.io import write_html

    from pipelines.publishing.report.gate import gate_figure

    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(told(home, evidence, version), indent=2, allow_nan=False)
        (Path(folder) / "gate.json").write_text(text + "\n", "utf-8")
        figure = gate_figure(rows_of(evidence), home.settings.gate)
        if figure is not None:
            write_html(figure, Path(folder) / "gate.html", include_plotlyjs=True)
        mlflow.log_artifacts(folder, "gate")
