"""What a trained model is shown by in MLflow, beside its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CALIBRATION = "calibration.html"


def log_calibration(model: Any) -> None:
    """The reliability of a model's probabilities and the drift of its base rate, where it has kept them."""
    if not getattr(model, "reliability", None):
        return
    import mlflow

    mlflow.log_figure(calibration(model.reliability, model.base_rates, model.calibration.kind), CALIBRATION)


def calibration(reliability: list[list[float]], base_rates: dict[str, float], kind: str) -> Figure:
    """Share of frauds by probability, on payments that the trees had not seen, and by 28 days."""
    from plotly.subplots import make_subplots

    given, happened, counts = zip(*reliability, strict=True)
    titles = ("frauds by probability, as the trees alone say it", "share of frauds by 28 days of matured payments")
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles)
    most = max(*given, *happened)
    figure.add_scatter(x=[0, most], y=[0, most], mode="lines", name="as it says", row=1, col=1)
    texts = [f"{count:.0f} payments" for count in counts]
    figure.add_scatter(x=given, y=happened, text=texts, mode="lines+markers", name="as it came", row=1, col=1)
    starts, shares = list(base_rates), list(base_rates.values())
    figure.add_scatter(x=starts, y=shares, mode="lines+markers", name="base rate", row=1, col=2)
    figure.update_layout(title=f"calibration that serves: {kind}", template="plotly_white")
    return figure
