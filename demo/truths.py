"""What was planted in a simulated store, written beside its landing zone for tests to check against."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo.catalogue import DEPARTMENTS, Catalogue, seasons
from demo.draws import Ints
from demo.oracle import payment_figures, rounded, ticket_figures
from demo.shoppers import TASTE, Shoppers

SIMULATED = {"simulated": "true"}


class Truths:
    """`<folder>/<truth>.parquet`, grown day by day."""

    def __init__(self, folder: Path, last_day: int) -> None:
        self.folder, self.last_day = folder, last_day
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._frauds: list[pa.Table] = []
        self._tickets: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Truths:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()

    def plant(self, catalogue: Catalogue, shoppers: Shoppers) -> None:
        """The truths that hold from the first day: preferences and seasons."""
        ids = {"product_id": catalogue.product_id, "log_appeal": catalogue.appeal}
        self._add("product_preferences", pa.table(ids | _factors(catalogue.factors)))
        self._add(
            "customer_preferences", pa.table({"customer_id": shoppers.customer_id} | _factors(shoppers.factors * TASTE))
        )
        amplitude, phase = seasons(catalogue.seed)
        season = {"department": list(DEPARTMENTS), "log_amplitude": amplitude, "peak_day_of_year": phase}
        self._add("seasonality", pa.table(season))

    def add_day(self, day: int, catalogue: Catalogue, wanted: Ints, sold: Ints) -> None:
        """The products that could not serve a day's whole demand; on the first day of a week, its promotions."""
        short = np.flatnonzero(wanted > sold)
        dates = np.full(len(short), np.datetime64(day, "D"))
        self._add(
            "stock_outs",
            pa.table(
                {
                    "product_id": catalogue.product_id.take(pa.array(short)),
                    "day": pa.array(dates),
                    "units_wanted": wanted[short],
                    "units_sold": sold[short],
                }
            ),
        )
        if (day - catalogue.first_day) % 7 == 0:
            self._add_promotions(day, catalogue)

    def _add_promotions(self, day: int, catalogue: Catalogue) -> None:
        rows = np.flatnonzero(catalogue.discount(day) > 0)
        first = np.full(len(rows), np.datetime64(day, "D"))
        table = {
            "product_id": catalogue.product_id.take(pa.array(rows)),
            "first_day": pa.array(first),
            "last_day": pa.array(first + 6),
            "discount_share": catalogue.discount(day)[rows],
            "uplift": catalogue.uplift(day)[rows],
        }
        self._add("promotions", pa.table(table))

    def add_payments(self, truth: pa.Table) -> None:
        """Scenario, probability and outcome of the day's payments."""
        self._add("payments", truth)
        self._frauds.append(truth.select(["is_fraud", "fraud_probability"]))

    def add_tickets(self, tickets: pa.Table, messages: pa.Table, truth: pa.Table) -> None:
        """Intents of the tickets that the day's orders lead to by the last day."""
        if truth.num_rows:
            self._tickets.append(ticket_figures(tickets, messages, truth))
        end = np.datetime64(self.last_day + 1, "D").astype("datetime64[us]")
        self._add("tickets", truth.filter(pa.array(truth["opened_at"].to_numpy() < end)))

    def figures(self) -> dict[str, Any]:
        """Base rates and the figures of oracle and keyword rule over all days."""
        if not self._frauds:
            raise ValueError("nobody ordered anything: ask for more customers or days")
        figures: dict[str, Any] = payment_figures(pa.concat_tables(self._frauds))
        counts = np.array([day["tickets"] for day in self._tickets])
        for name in ("keyword_accuracy", "oracle_accuracy"):
            values = np.array([day[name] for day in self._tickets])
            figures[name] = rounded(float((values * counts).sum() / counts.sum())) if len(counts) else None
        return figures

    def _add(self, name: str, table: pa.Table) -> None:
        if name not in self._writers:
            schema = table.schema.with_metadata(SIMULATED)
            self._writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", schema, compression="zstd")
        self._writers[name].write_table(table.replace_schema_metadata(SIMULATED))


def _factors(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {f"factor_{number}": values[:, number] for number in range(values.shape[1])}
