"""What the terminal shows of costs."""

from __future__ import annotations

from collections.abc import Sequence
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
    "MiB": ("peak_mib", 1, ",.0f"),
    "read": ("bytes_read", MIB, ",.0f"),
    "written": ("bytes_written", MIB, ",.0f"),
    "Wh": ("energy_wh", 1, ",.3f"),
    "money": ("money", 1, ",.4f"),
}
"""Heading -> its figure, the unit and how it is written: seconds, MiB (at most, read and written), Wh and money."""


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
    rows = night_costs(home, as_of)
    table = _table("what the night cost", "step", rows)
    for row in rows:
        table.add_row(row["step"], *_cells(row, rows))
    if rows:
        table.add_row("together", *_cells(summed(rows), rows), style="bold")
    return table


def champions_table(home: Home, as_of: date) -> Table:
    """What the training of each champion of a night took; `of it` is the fit of the champion alone."""
    rows = champion_costs(home, as_of)
    table = _table("what the training of those who serve cost", "output and model", rows)
    for row in rows:
        name = {ALL: row["output"], "fit": f"  of it {row['model']}"}.get(row["part"], f"shared: {row['part']}")
        table.add_row(name, *_cells(row, rows))
    return table


def _table(title: str, first: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column(first, no_wrap=True)
    for heading in _columns(rows):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _columns(rows: Sequence[Row]) -> dict[str, tuple[str, int, str]]:
    """A terminal is narrow: without a GPU there is no column for it."""
    has_gpu = any(row["gpu_seconds"] for row in rows)
    return {heading: about for heading, about in COLUMNS.items() if has_gpu or about[0] != "gpu_seconds"}


def _cells(row: Row, rows: Sequence[Row]) -> list[str]:
    shown = _columns(rows).values()
    return [f"{row[name] / unit:{how}}" if row[name] is not None else "-" for name, unit, how in shown]
