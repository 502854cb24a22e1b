"""What the terminal shows: a night's progress, its summary, and rows of tables."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines.contract import OUTPUTS
from pipelines.errors import NothingToDo
from pipelines.home import Home
from pipelines.night import run_night
from pipelines.records import Row, model_performance, promotions, releases, steps
from pipelines.steps import STEPS

MARKS = {"done": "[green]✓[/]", "failed": "[red]✗[/]"}


def run_and_show(home: Home, as_of: date, console: Console, earliest: date | None = None) -> None:
    """Run a night with its steps on the terminal, then say what it published."""
    console.print(f"[bold]night of {as_of}[/]  [dim]home {home.root}, landing zone {home.landing}[/]")
    for key in home.settings.not_in_effect():
        console.print(f"[yellow]note[/]: {key} is set, but nothing built so far reads it")
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        seen = _Lines(console, live)
        release = run_night(home, as_of, earliest, seen.show)
        live.update("")
    if release["was_published"]:
        console.print(f"already published: {release['release_id']}, nothing to do\n")
    else:
        console.print(summary(home, release))


class _Lines:
    """One line a step; a spinner on the one that runs, where the terminal can show it."""

    def __init__(self, console: Console, live: Live) -> None:
        self.console, self.live, self.printed = console, live, set[str]()

    def show(self, rows: list[Row]) -> None:
        for row in rows:
            if row["status"] in MARKS and row["step"] not in self.printed:
                self.printed.add(row["step"])
                self.console.print(f"  {MARKS[row['status']]} {row['step']:<24}{row['wall_seconds']:7.1f} s")
        running = [row["step"] for row in rows if row["status"] == "running"]
        self.live.update(Spinner("dots", f"{running[-1] if running else 'Airflow'} ...") if self._waits(rows) else "")

    def _waits(self, rows: list[Row]) -> bool:
        return self.console.is_terminal and not any(row["status"] == "failed" for row in rows)


def summary(home: Home, release: Row) -> RenderableType:
    """What was published, who served it, what it took and where to look next."""
    return Group("", _served(home, release), "", _published(release), "", _seconds(home, release["as_of"]), _next(home))


def _served(home: Home, release: Row) -> Table:
    table = Table(title=f"release {release['release_id']}", title_style="bold", title_justify="left")
    for heading in ("output", "served by", "metric", "figure [95%]", "baseline", "gain [95%] over"):
        table.add_column(heading)
    for output in OUTPUTS:
        if reason := release["skipped"].get(output):
            table.add_row(output, "skipped", reason)
        else:
            table.add_row(output, *figures_of(home, output, release["model_versions"][output], release["as_of"]))
    return table


def figures_of(home: Home, output: str, version: str, as_of: date) -> tuple[str, ...]:
    """The serving model's figure, its baseline's and the gain between them, as the last training found them."""
    from pipelines.scoring.outputs import output_of

    spec, rows, gains = output_of(output), model_performance.c, promotions.c
    baseline = spec.contestants()[0].name
    query = sa.select(model_performance).where(rows.output == output, rows.metric == spec.metric, rows.as_of <= as_of)
    found = home.records.rows(query.order_by(rows.as_of))
    own = next((row for row in reversed(found) if row["model_version"] == version), None)
    if own is None:
        return version, spec.metric, "too little data to judge", baseline, "-"
    base = next((row for row in found if row["model"] == baseline and row["as_of"] == own["as_of"]), own)
    query = sa.select(promotions).where(
        gains.output == output,
        gains.as_of == own["as_of"],
        gains.challenger == own["model"],
        gains.role != "champion",
    )
    compared = home.records.rows(query.order_by(gains.role))
    return (
        version,
        spec.label(home, spec.metric),
        _interval(own["value"], own["ci_low"], own["ci_high"], ".3f"),
        f"{base['model']} {base['value']:.3f}",
        "\n".join(
            f"{_interval(row['gain'], row['ci_low'], row['ci_high'], '+.1%')} {row['against']}" for row in compared
        )
        or "it is the baseline",
    )


def _interval(value: float, low: float, high: float, how: str) -> str:
    return f"{value:{how}} [{low:{how}}, {high:{how}}]"


def _published(release: Row) -> Table:
    table = Table(title="published", title_style="bold", title_justify="left")
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in sorted(release["rows"].items()):
        table.add_row(name, f"{rows:,}")
    return table


def _seconds(home: Home, as_of: date) -> Table:
    table = Table(title="seconds a step", title_style="bold", title_justify="left")
    for heading in ("step", "wall s", "CPU s", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    found = {row["step"]: row for row in home.records.rows(sa.select(steps).where(steps.c.as_of == as_of))}
    for step in STEPS:
        if row := found.get(step):
            table.add_row(step, *(f"{row[key] or 0:,.1f}" for key in ("wall_seconds", "cpu_seconds", "peak_mib")))
    return table


def _next(home: Home) -> Text:
    start = f"NIGHTCART_HOME={home.root}"
    return Text.from_markup(
        f"\n[bold]where to look next[/]\n"
        f"  the report        {home.root / 'reports' / 'latest.html'}\n"
        f"  what came in      {home.root / 'data_docs' / 'index.html'}\n"
        f'  SQL               {start} .venv/bin/nightcart query "select * from demand_forecasts limit 5"\n'
        f"  runs in MLflow    .venv/bin/mlflow ui --backend-store-uri {home.places.mlflow}\n"
    )


def releases_table(home: Home, count: int) -> Table:
    """The last releases, the current one marked."""
    current = (home.records.current_release() or {}).get("release_id")
    table = Table()
    for heading in ("", "release", "published at (UTC)", "status", "attempt", "rows", "models"):
        table.add_column(heading)
    query = sa.select(releases).order_by(releases.c.as_of.desc(), releases.c.published_at.desc()).limit(count)
    for row in home.records.rows(query):
        table.add_row(
            "→" if row["release_id"] == current else "",
            row["release_id"],
            f"{row['published_at']:%Y-%m-%d %H:%M:%S}",
            row["status"],
            str(row["attempt"]),
            f"{sum(row['rows'].values()):,}",
            ", ".join(str(version) for version in row["model_versions"].values()),
        )
    if not table.row_count:
        raise NothingToDo("nothing has been published yet", "run `nightcart night` first")
    return table


def print_rows(rows: pa.Table, how: str, console: Console) -> None:
    """Rows as a table for people, or as CSV or JSON for programs."""
    if how == "json":
        print_plain(json.dumps(rows.to_pylist(), default=str, ensure_ascii=False, indent=1))
        return
    if how == "csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(rows.column_names)
        writer.writerows(row.values() for row in rows.to_pylist())
        print_plain(buffer.getvalue().rstrip("\n"))
        return
    table = Table()
    for field in rows.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        table.add_column(field.name, justify="right" if is_number else "left", overflow="fold")
    for row in rows.slice(0, 200).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)
    more = ", the first 200 shown (--format csv gives all)" if rows.num_rows > 200 else ""
    console.print(f"[dim]{rows.num_rows:,} rows{more}[/]")


def print_plain(text: str) -> None:
    """Text for a program, without colours or wrapping."""
    Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print(text)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def findings_table(findings: list[Any]) -> Table:
    """What the doctor found."""
    table = Table()
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row("[red]✗[/]" if finding.is_wrong else "[green]✓[/]", finding.what, finding.found, finding.advice)
    return table
