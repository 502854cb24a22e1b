"""A decision of the gate with what it rests on: one row, its figures in long form, and one artifact in MLflow."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from models.bootstrap import Estimate
from pipelines.home import Home
from pipelines.records import ALL, LEFT_OUT, Row
from pipelines.scoring.outputs import Output
from pipelines.training.evaluate import LEAST_ENTITIES, stated
from pipelines.training.gate import Comparison, Decision, breaks, decides, holds

NOTHING = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Evidence:
    """A decision with what it was made on and what it led to."""

    output: Output
    as_of: date
    cutoffs: tuple[date, ...]
    decision: Decision
    version: Row  # of the model that was fitted: the challenger, or the baseline in its place
    effective_from: date | None = None  # null: it does not serve by this
    decided_by: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)  # contestant -> why it was not judged

    @property
    def shared(self) -> Row:
        """What all rows say of it."""
        decision = self.decision
        return {
            "output": self.output.name,
            "as_of": self.as_of,
            "challenger": decision.best,
            "is_promoted": decision.is_promoted and decision.best == decision.challenger,
            "reason": decision.reason,
        }


def row_of(home: Home, evidence: Evidence) -> Row:
    """The decision as one row: the gain over the champion, or where there was none the baseline, and all figures."""
    output, comparisons, floor = evidence.output, evidence.decision.comparisons, home.settings.gate.segment_floor
    main = next((one for one in comparisons if decides(output, one)), None)  # the champion comes first
    below = "; ".join(f"{one.metric} of {one.segment}" for one in comparisons if breaks(output, one, floor))
    return evidence.shared | {
        "model_version": evidence.version["model_version"],
        "metric": output.metric,
        "against": main.opponent if main else None,
        "role": main.role if main else None,
        **stated(main.gain if main else NOTHING, "gain"),
        "effective_from": evidence.effective_from,
        "decided_by": evidence.decided_by,
        **_worst([one for one in comparisons if main and (one.role, one.metric) == (main.role, main.metric)]),
        "below_floor": below or None,
        "figures": [
            _compared(one)
            | {"among": one.among, "by": "gain" if decides(output, one) else "floor" if holds(output, one) else None}
            for one in comparisons
        ],
    }


def _worst(comparisons: list[Comparison]) -> Row:
    """The segment with the least gain; nulls where there is none."""
    known = [one for one in comparisons if one.segment != ALL and math.isfinite(one.gain.value)]
    worst = min(known, key=lambda one: one.gain.value, default=None)
    figures = stated(worst.gain if worst else NOTHING, "gain")
    return {"worst_segment": worst.segment if worst else None} | {f"worst_{name}": figures[name] for name in figures}


def _compared(comparison: Comparison) -> Row:
    return {
        "against": comparison.opponent,
        "role": comparison.role,
        "segment": comparison.segment,
        "metric": comparison.metric,
        **stated(comparison.gain, "gain"),
    }


def rows_of(evidence: Evidence) -> list[Row]:
    """A row a comparison, and one a contestant that was left out."""
    absent = {"against": "", "role": LEFT_OUT, "segment": ALL, "metric": evidence.output.metric, "is_promoted": False}
    absent |= stated(NOTHING, "gain")
    compared = [_compared(one) for one in evidence.decision.comparisons]
    left_out = [absent | {"challenger": model, "reason": why} for model, why in evidence.left_out.items()]
    return [evidence.shared | row for row in (*compared, *left_out)]


def told(home: Home, evidence: Evidence) -> Row:
    """The decision as its artifact has it: its row, with the rules that it was made by."""
    output = evidence.output
    return row_of(home, evidence) | {
        "label": output.label(home, output.metric),
        "higher_is_better": output.higher_is_better,
        "cutoffs": evidence.cutoffs,
        **home.settings.gate.model_dump(mode="json"),
        "least_entities": LEAST_ENTITIES,
        "left_out": evidence.left_out,
    }


def log_evidence(home: Home, evidence: Evidence) -> None:
    """The decision as one folder of the run in progress: figures and picture."""
    import mlflow
    from plotly.io import write_html

    from pipelines.publishing.report.gate import gate_figure

    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(told(home, evidence), indent=2, allow_nan=False, default=str)
        (Path(folder) / "gate.json").write_text(text + "\n", "utf-8")
        figure = gate_figure(rows_of(evidence), home.settings.gate)
        if figure is not None:
            write_html(figure, Path(folder) / "gate.html", include_plotlyjs=True)
        mlflow.log_artifacts(folder, "gate")
