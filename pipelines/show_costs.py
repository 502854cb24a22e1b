"""What the terminal shows of costs."""

from __future__ import annotations

from datetime import date

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from pipelines.costs import champion_costs, night_costs, summed
from pipelines.errors import NothingToDo
from pipelines.home import Home
from pipelines.records import ALL, Row

MIB = 2**20
COLUMNS = {
    "wall s": ("wall_seconds", 1, ",.1f"),
    "CPU s": ("cpu_seconds", 1, ",.1f"),
    "GPU s": ("gpu_seconds", 1, ",.1f"),
    "peak MiB": ("peak_mib", 1, ",.0f"),
    "read MiB": ("bytes_read", MIB, ",.1f"),
    "written MiB": ("bytes_written", MIB, ",.1f"),
    "Wh": ("energy_wh", 1, ",.3f"),
    "money": ("money", 1, ",.4f"),
}
"""Heading -> its figure, the unit and how it is written."""


def costs_tables(home: Home, as_of: date | None) -> Group:
    """A night's costs, or those of the current release's; and of those who served it.

    Raises:
        NothingToDo: no step of it has run here.
    """
    night = as_of or (home.records.current_release() or {}).get("as_of")
    if night is None or not night_costs(home, night):
        raise NothingToDo(f"no step of {night or 'any night'} has run", "run `nightcart night` first")
    return Group(night_table(home, night), champions_table(home, night))


def night_table(home: Home, as_of: date) -> Table:
    """What each step of a night took, and all together."""
    table, rows = _table("what the night cost", "step"), night_costs(home, as_of)
    for row in rows:
        table.add_row(row["step"], *_cells(row))
    if rows:
        table.add_row("together", *_cells(summed(rows)), style="bold")
    return table


def champions_table(home: Home, as_of: date) -> Table:
    """What the training of each champion of a night took; `of it` is the fit of the champion alone."""
    table = _table("what the training of those who serve cost", "output and model")
    for row in champion_costs(home, as_of):
        name = {ALL: row["output"], "fit": f"  of it {row['model']}"}.get(row["part"], f"shared: {row['part']}")
        table.add_row(name, *_cells(row))
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for heading in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(row: Row) -> list[str]:
    return [f"{row[name] / unit:{how}}" if row[name] is not None else "-" for name, unit, how in COLUMNS.values()]
