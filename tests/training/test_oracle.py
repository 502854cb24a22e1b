"""The oracle is judged by the figures of the output, and each contestant's share of its figure is shown."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from models import metrics
from models.bootstrap import Estimate
from pipelines.cli_demo import oracle_table
from pipelines.home import Home
from pipelines.scoring.outputs import output_of
from pipelines.training.oracle import MEASURES, ORACLE, Judged
from tests.training.test_preferences import AS_OF, frames, write


def judged(best: float) -> Judged:
    figures = {"popular": Estimate(0.1, 0.08, 0.12), "ranker": Estimate(0.3, 0.28, 0.32)}
    return Judged("recommendations", "recall_at_20", date(2024, 6, 1), figures | {ORACLE: Estimate(best, 0.3, 0.5)})


def test_shares_are_of_the_oracles_figure() -> None:
    shares = {model: judged(0.4).share(model) for model in judged(0.4).figures}
    assert shares == pytest.approx({"popular": 0.25, "ranker": 0.75, ORACLE: 1.0})
    for nothing in (0.0, float("nan")):
        assert pd.isna(judged(nothing).share("ranker"))


def test_the_table_shows_each_figure_with_its_share() -> None:
    shown = StringIO()
    Console(file=shown, width=120).print(oracle_table([judged(0.4)]))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "output model figure [95%] of the oracle's" in lines
    assert "recommendations, recall_at_20 ranker 0.300 [0.280, 0.320] 75%" in lines
    assert "recommendations, recall_at_20 oracle 0.400 [0.300, 0.500] 100%" in lines


def test_recommendations_have_all_figures_of_the_output(home: Home, tmp_path: Path) -> None:
    """The oracle's first two are a and b (for the second customer c and a); bought are b, and d, which is third."""
    folder, output = write(tmp_path, {"c": (0.0, 0.0), "e": (0.0, 2.5)}), output_of("recommendations")
    settings = home.settings.recommendations.model_copy(update={"top_k": 2, "exclude_bought": False})
    home = Home(home.places, home.settings.model_copy(update={"recommendations": settings}))
    truth = pd.DataFrame({"as_of": AS_OF, "customer_id": ["c", "e"], "product_id": ["b", "d"]})
    measured = MEASURES["recommendations"](home, output, frames([("c", "a"), ("e", "a")]), truth, folder)
    found = {metric: metrics.value(rows) for metric, rows in measured.items()}
    assert found == pytest.approx(
        {"ndcg": 0.5 / 1.5849625007, "recall": 0.5, "hit_rate": 0.5, "ndcg_new": 0.5, "recall_new": 0.5}
    )
