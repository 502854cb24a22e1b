"""What the terminal shows: a night's progress, its summary, and rows of tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from pipelines.contract import OUTPUTS
from pipelines.errors import NothingToDo
from pipelines.home import Home
from pipelines.night import run_night
from pipelines.prune import KINDS, Pruned
from pipelines.publishing.words import metric_name
from pipelines.records import ALL, Row, model_performance, promotions, releases
from pipelines.show_costs import night_table

MARKS = {"done": "[green]✓[/]", "failed": "[red]✗[/]"}


def run_and_show(
    home: Home, as_of: date, console: Console, earliest: date | None = None, is_brief: bool = False
) -> None:
    """Run a night with its steps on the terminal, then say what it published."""
    console.print(
        f"[bold]night of {as_of}[/]\n  [dim]home         {home.root}\n  landing zone {home.landing}[/]", soft_wrap=True
    )
    for key in home.settings.not_in_effect():
        console.print(f"[yellow]note[/]: {key} is set, but nothing built so far reads it")
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        seen = _Lines(console, live)
        release = run_night(home, as_of, earliest, seen.show)
        live.update("")
    if release["was_published"]:
        console.print(f"  already published: {release['release_id']}, nothing to do")
    console.print(f"  {release['release_id']}" if is_brief else summary(home, release))


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
    as_of = release["as_of"]
    parts = [_served(home, release), _published(release), night_table(home, as_of), _next(home, as_of)]
    if release["skipped"]:
        parts.insert(1, _skipped(release["skipped"]))
    return Group(*parts)


def _served(home: Home, release: Row) -> Table:
    table = _table(f"release {release['release_id']}", "output and model", "figure [95%]", "gain over it [95%]")
    for output in OUTPUTS:
        if output in release["skipped"]:
            table.add_row(f"[bold]{output}[/]", "skipped")
        else:
            version = release["model_versions"][output]
            rows = figures_of(home, output, version, release["as_of"])
            table.add_row(f"[bold]{output}[/]", rows[0][0] if rows else "", "" if rows else "too little data to judge")
            for _, model, figure, gain in rows or [("", version.rpartition("-")[0], "", "")]:
                table.add_row(f"  {model}", figure, gain)
    return table


def _skipped(skipped: Mapping[str, str]) -> Table:
    """Outputs, and single tables of others, that are empty tonight, with the reason."""
    table = _table("skipped: typed and empty", "output or table", "why")
    table.columns[1].no_wrap, table.columns[1].overflow, table.columns[1].justify = False, "fold", "left"
    for name, reason in skipped.items():
        table.add_row(name, reason)
    return table


def figures_of(home: Home, output: str, version: str, as_of: date) -> list[tuple[str, str, str, str]]:
    """Metric, model, figure and the champion's gain over it, of every contestant, as the last training found them.

    The champion comes first; empty where there was too little data to judge.
    """
    from pipelines.scoring.outputs import output_of

    spec, found, gains = output_of(output), model_performance.c, promotions.c
    query = sa.select(model_performance).where(
        found.output == output, found.metric == spec.metric, found.segment == ALL
    )
    judged = home.records.rows(query.where(found.as_of <= as_of).order_by(found.as_of))
    own = next((row for row in reversed(judged) if row["model_version"] == version), None)
    if own is None:
        return []
    same = [own, *(row for row in judged if row["as_of"] == own["as_of"] and row["model"] != own["model"])]
    query = sa.select(promotions).where(
        gains.output == output, gains.as_of == own["as_of"], gains.metric == spec.metric, gains.segment == ALL
    )
    over = {row["against"]: row for row in home.records.rows(query.where(gains.challenger == own["model"]))}
    metric = metric_name(spec.label(home, spec.metric))
    return [
        (
            metric,
            row["model"],
            _interval(row["value"], row["ci_low"], row["ci_high"], ".3f"),
            "serves" if row is own else _gain(over.get(row["model"])),
        )
        for row in same
    ]


def _gain(row: Row | None) -> str:
    return _interval(row["gain"], row["ci_low"], row["ci_high"], "+.1%") if row else "-"


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at and "[" not in heading else "left", no_wrap=True)
    return table


def _interval(value: float | None, low: float | None, high: float | None, how: str) -> str:
    if value is None or low is None or high is None:
        return "nothing to judge by"  # nobody bought anything that might have been shown
    return f"{value:{how}} [{low:{how}}, {high:{how}}]"


def _published(release: Row) -> Table:
    table = _table("published", "table", "rows")
    for name, rows in sorted(release["rows"].items()):
        table.add_row(name, f"{rows:,}")
    return table


def _next(home: Home, as_of: date) -> RenderableType:
    table = _table("where to look next", "what", "where")
    table.columns[1].no_wrap, table.columns[1].overflow, table.columns[1].justify = False, "fold", "left"
    table.add_row("the report", str(home.root / "reports" / "latest.html"))
    table.add_row("what came in", str(home.root / "data_docs" / str(as_of) / "index.html"))
    sql = "select * from demand_forecasts limit 5"
    table.add_row("SQL", f'NIGHTCART_HOME={home.root} .venv/bin/nightcart query "{sql}"')
    table.add_row("runs in MLflow", f".venv/bin/mlflow ui --backend-store-uri {home.places.mlflow}")
    return table


def releases_table(home: Home, count: int) -> Table:
    """The last releases, the current one marked."""
    current = (home.records.current_release() or {}).get("release_id")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "release", "published", "status", "rows"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "rows" else "left")
    table.add_column("models", overflow="fold")
    query = sa.select(releases).order_by(releases.c.as_of.desc(), releases.c.published_at.desc()).limit(count)
    for row in home.records.rows(query):
        table.add_row(
            "→" if row["release_id"] == current else "",
            row["release_id"],
            f"{row['published_at']:%m-%d %H:%M}",
            row["status"],
            f"{sum(row['rows'].values()):,}",
            "\n".join(str(version).rpartition("-")[0] for version in row["model_versions"].values()),
        )
    if not table.row_count:
        raise NothingToDo("nothing has been published yet", "run `nightcart night` first")
    return table


def pruned_table(found: Pruned) -> Table:
    """What `nightcart prune` removes, by kind."""
    title = f"{len(found.kept)} releases stay: as_of {found.cutoff} and newer, and the current one"
    table = _table(title if found.kept else "nothing is published: nothing to remove", "what", "files", "MiB")
    for kind in KINDS:
        rows = found.of(kind)
        table.add_row(kind, f"{len(rows):,}", f"{sum(stored.size for stored in rows) / 2**20:,.1f}")
    table.add_row("all", f"{len(found.removed):,}", f"{found.size / 2**20:,.1f}", style="bold")
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
    return f"{value:{'.0f' if abs(value) >= 1e3 else '.4g'}}" if isinstance(value, float) else str(value)


def findings_table(findings: list[Any]) -> Table:
    """What the doctor found."""
    table = Table()
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row("[red]✗[/]" if finding.is_wrong else "[green]✓[/]", finding.what, finding.found, finding.advice)
    return table
