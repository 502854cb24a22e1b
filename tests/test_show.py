"""What the terminal shows."""

from __future__ import annotations

import json
import re
from datetime import date
from io import StringIO

import pyarrow as pa
import pytest
import sqlalchemy as sa
from rich.console import Console

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.publishing.words import metric_name, metric_words
from pipelines.records import model_performance, promotions
from pipelines.show import figures_of, print_rows, summary

AS_OF = date(2011, 11, 1)


def performance(model: str, version: str, value: float | None) -> dict[str, object]:
    low, high = (None, None) if value is None else (value - 0.1, value + 0.1)
    row = {"output": "demand", "model": model, "model_version": version, "metric": "wape", "segment": "all"}
    row |= {"as_of": AS_OF, "value": value, "ci_low": low, "ci_high": high, "n": 3}
    return row | {"labels_mature_until": AS_OF, "kind": "offline"}


def test_figures_of_the_champion_come_first(home: Home) -> None:
    rows = [performance("seasonal_naive", "seasonal_naive", 1.2), performance("xgboost_quantiles", "x-1", 0.7)]
    rows += [row | {"segment": "product=new", "value": 9.0} for row in rows]
    home.records.replace(model_performance, rows, sa.true())
    gain = {"output": "demand", "as_of": AS_OF, "challenger": "xgboost_quantiles", "against": "seasonal_naive"}
    gain |= {"role": "baseline", "segment": "all", "metric": "wape", "gain": 0.4, "ci_low": 0.3, "ci_high": 0.5}
    gain |= {"is_promoted": True, "reason": "", "decided_at": pa.scalar(0, pa.timestamp("us")).as_py()}
    lesser = gain | {"gain": -0.5, "ci_low": -0.6, "ci_high": -0.4}
    aside = [lesser | {"segment": "product=new"}, lesser | {"metric": "mase"}]
    home.records.replace(promotions, [gain, *aside], sa.true())
    assert figures_of(home, "demand", "x-1", AS_OF) == [
        ("WAPE", "xgboost_quantiles", "0.700 [0.600, 0.800]", "serves"),
        ("WAPE", "seasonal_naive", "1.200 [1.100, 1.300]", "+40.0% [+30.0%, +50.0%]"),
    ]
    assert figures_of(home, "demand", "other", AS_OF) == []


def test_a_figure_without_truth_says_so(home: Home) -> None:
    home.records.replace(model_performance, [performance("popular_ever", "x-1", None)], sa.true())
    ((_, _, figure, _),) = figures_of(home, "demand", "x-1", AS_OF)
    assert figure == "nothing to judge by"


def test_what_is_skipped_is_told_with_the_reason(home: Home) -> None:
    reasons = {output: f"nothing is known of {output}" for output in OUTPUTS}
    skipped = reasons | {"reorder_plan": "no stock_levels are known"}
    release = {"release_id": "r", "as_of": AS_OF, "rows": {"reorder_plan": 0}, "skipped": skipped, "model_versions": {}}
    shown = StringIO()
    Console(file=shown, width=120).print(summary(home, release))
    assert re.search(r"skipped: typed and empty *\n *\n +output or table +why", shown.getvalue())
    assert all(re.search(rf"^ +{name} +{reason} *$", shown.getvalue(), re.M) for name, reason in skipped.items())
    shown = StringIO()
    Console(file=shown, width=120).print(summary(home, release | {"skipped": reasons}))
    assert "no stock_levels" not in shown.getvalue()


def test_metrics_have_names() -> None:
    labels = ["ndcg_at_20", "average_precision", "roc_auc", "customer_precision_at_50", "macro_f1", "accuracy"]
    assert [metric_name(label) for label in labels] == [
        "NDCG at 20",
        "average precision",
        "ROC AUC",
        "customer precision at 50",
        "macro F1",
        "accuracy",
    ]
    assert metric_words("accuracy", True) == "accuracy: share of tickets with the right intent; higher is better"


def test_rows_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = pa.table({"a": [1, None], "b": ["x,y", "ü"], "c": [0.123456, 2.0]})
    shown = StringIO()
    print_rows(rows, "table", Console(file=shown, width=60))
    assert "2 rows" in shown.getvalue()
    print_rows(rows, "csv", Console())
    assert capsys.readouterr().out.splitlines() == ["a,b,c", '1,"x,y",0.123456', ",ü,2.0"]
    print_rows(rows, "json", Console())
    assert json.loads(capsys.readouterr().out)[1] == {"a": None, "b": "ü", "c": 2.0}
