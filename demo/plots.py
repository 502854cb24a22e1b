"""One plot for each distribution that is simulated, in one self-contained page.

    python -m demo.plots LANDING OUT.html

LANDING is what `nightcart demo-store` or `nightcart simulate` wrote, with the truths beside it in `LANDING.truth`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import plotly.graph_objects as go
import pyarrow.parquet as pq
from plotly.subplots import make_subplots


@dataclass(frozen=True)
class Plot:
    """A plot: its title, what it draws as `select x, y`, and from which file set, `{landing}` or `{truth}`."""

    title: str
    sql: str
    is_line: bool = False


PLOTS = (
    Plot("Orders a day", "select ordered_at::date, count(distinct order_id) from {orders} group by 1 order by 1", True),
    Plot(
        "Payments by amount (powers of 2)",
        "select floor(log2(greatest(amount, 1)))::int, count(*) from {payments} group by 1 order by 1",
    ),
    Plot("Payments by method", "select method, count(*) from {payments} group by 1 order by 2 desc"),
    Plot("Frauds by scenario", "select scenario, sum(is_fraud::int) from {truth.payments} group by 1 order by 2 desc"),
    Plot(
        "True probability of fraud, payments above 1%",
        "select floor(fraud_probability * 20) / 20, count(*) from {truth.payments} "
        "where fraud_probability > 0.01 group by 1 order by 1",
    ),
    Plot(
        "Chargebacks by weeks after the payment",
        "select date_diff('day', paid_at, reported_at) // 7, count(*) from {chargebacks} "
        "join {payments} using (payment_id) group by 1 order by 1",
    ),
    Plot("Returns a day", "select returned_at::date, count(*) from {returns} group by 1 order by 1", True),
    Plot(
        "Products without stock, share a day",
        "select as_of_date, avg((on_hand <= 0)::int) from {stock_levels} group by 1 order by 1",
        True,
    ),
    Plot(
        "Stock on hand, median of a product a day",
        "select as_of_date, median(on_hand) from {stock_levels} group by 1 order by 1",
        True,
    ),
    Plot("Events by kind", "select kind, count(*) from {events} group by 1 order by 2 desc"),
    Plot("Events by hour", "select hour(occurred_at), count(*) from {events} group by 1 order by 1"),
    Plot("Tickets by true intent", "select intent, count(*) from {truth.tickets} group by 1 order by 2 desc"),
    Plot("Tickets opened a day", "select opened_at::date, count(*) from {tickets} group by 1 order by 1", True),
    Plot(
        "Messages of a ticket",
        "select n, count(*) from (select count(*) n from {ticket_messages} group by ticket_id) group by 1 order by 1",
    ),
    Plot(
        "Hours to the resolution (powers of 2)",
        "select floor(log2(greatest(date_diff('minute', opened_at, resolved_at) / 60, 0.5)))::int, count(*) "
        "from {tickets} join {ticket_resolutions} using (ticket_id) group by 1 order by 1",
    ),
    Plot("Tickets by urgency", "select urgency, count(*) from {ticket_resolutions} group by 1 order by 2 desc"),
)
COLUMNS = 2


def draw(landing: Path) -> go.Figure:
    """All plots of a store."""
    rows = (len(PLOTS) + COLUMNS - 1) // COLUMNS
    figure = make_subplots(rows, COLUMNS, subplot_titles=[plot.title for plot in PLOTS], vertical_spacing=0.05)
    with duckdb.connect() as connection:
        for place, plot in enumerate(PLOTS):
            values = connection.sql(_with_files(plot.sql, landing)).fetchall()
            x, y = [row[0] for row in values], [row[1] for row in values]
            trace = go.Scatter(x=x, y=y, mode="lines") if plot.is_line else go.Bar(x=x, y=y)
            figure.add_trace(trace, place // COLUMNS + 1, place % COLUMNS + 1)
    figures = json.loads((_truth(landing) / "figures.json").read_text("utf-8"))
    told = ", ".join(f"{name} {value}" for name, value in figures.items() if not isinstance(value, dict))
    figure.update_layout(
        height=300 * rows, showlegend=False, template="plotly_white", title=f"{_label(landing)}<br><sub>{told}</sub>"
    )
    return figure


def _truth(landing: Path) -> Path:
    return landing.with_name(landing.name + ".truth")


def _label(landing: Path) -> str:
    """What of the store is simulated, as its orders tell."""
    metadata = pq.read_schema(next((landing / "orders").glob("*/part-0.parquet"))).metadata or {}
    return "A simulated store" if b"simulated" in metadata else "Orders and returns are real, all else is simulated"


def _with_files(sql: str, landing: Path) -> str:
    """The query with the files of each entity and truth in the place of its name."""
    for entity in landing.iterdir():
        files = str(entity / "*" / "*.parquet").replace("'", "''")
        sql = sql.replace(f"{{{entity.name}}}", f"read_parquet('{files}', union_by_name = true)")
    for truth in _truth(landing).glob("*.parquet"):
        path = str(truth).replace("'", "''")
        sql = sql.replace(f"{{truth.{truth.stem}}}", f"read_parquet('{path}')")
    return sql


def main(arguments: list[str]) -> int:
    """Draw the store in the folder named first into the page named second."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m demo.plots LANDING OUT.html\n")
        return 2
    draw(Path(arguments[0])).write_html(arguments[1], include_plotlyjs=True)
    sys.stdout.write(f"{arguments[1]}: {len(PLOTS)} plots\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
