"""What a model is shown by in MLflow."""

from __future__ import annotations

from pipelines.training.plots import calibration


def test_calibration_shows_what_came_beside_what_was_said() -> None:
    figure = calibration([[0.01, 0.02, 500.0], [0.4, 0.3, 500.0]], {"2024-01-01": 0.01, "2024-01-29": 0.02}, "platt")
    said, came, base = figure.data
    assert list(said.y) == [0, 0.4]
    assert (list(came.x), list(came.y), came.text[0]) == ([0.01, 0.4], [0.02, 0.3], "500 payments")
    assert list(base.x) == ["2024-01-01", "2024-01-29"]
    assert "platt" in figure.layout.title.text
