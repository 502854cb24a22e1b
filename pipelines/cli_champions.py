"""Commands around champions: who serves and why, and a change of that by hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pipelines.records import Row

app = typer.Typer()
out = Console(highlight=False)
Output = Annotated[str, typer.Argument(metavar="OUTPUT", help="recommendations, demand, risk or support")]
Reason = Annotated[str, typer.Option(help="Why; kept on record.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]


@app.command("champions", epilog="Example: nightcart champions demand --as-of 2011-11-05")
def list_champions(
    output: Annotated[str | None, typer.Argument(metavar="[OUTPUT]", help="Only this one.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="AS_OF", help="The night that the arrow is for; else the newest."),
    ] = None,
) -> None:
    """List who served each output from which night on, who decided and why; an arrow marks who serves."""
    from pipelines.contract import OUTPUTS
    from pipelines.errors import NothingToDo
    from pipelines.home import Home
    from pipelines.scoring.outputs import output_of
    from pipelines.training.champions import champion_of, decisions_of

    names, home = [output_of(output).name] if output else list(OUTPUTS), Home.open()
    decisions = {name: decisions_of(home, name) for name in names}
    if not any(decisions.values()):
        raise NothingToDo("there is no champion yet", "run `nightcart night` first, it trains them")
    serving = {
        name: champion_of(home, name, as_of.date()) if as_of else rows[-1] for name, rows in decisions.items() if rows
    }
    out.print(champions_table(decisions, serving))


def champions_table(decisions: dict[str, list[Row]], serving: dict[str, Row | None]) -> Table:
    """All decisions, the newest first, those that serve marked."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "output", "version", "trained as of", "from", "decided by"):
        table.add_column(heading, overflow="fold")
    table.add_column("reason", overflow="fold", ratio=1)
    for name, rows in decisions.items():
        for row in reversed(rows):
            mark = "→" if (serving.get(name) or {}).get("id") == row["id"] else ""
            days = (str(row["trained_as_of"]), str(row["effective_from"]))
            table.add_row(mark, name, row["model_version"], *days, row["decided_by"], row["reason"])
    return table


@app.command(epilog='Example: nightcart promote demand recent_mean-0123456789ab --reason "calmer before Christmas"')
def promote(
    output: Output,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A stored version; a wrong one lists them.")],
    reason: Reason,
    is_dry_run: DryRun = False,
) -> None:
    """Let a version serve from the night after the newest one on; earlier nights keep theirs."""
    from pipelines.home import Home
    from pipelines.training.by_hand import promote as decide

    _show(decide(Home.open(), output, version, _who(), reason, is_dry_run))


@app.command(epilog='Example: nightcart demote demand --reason "forecasts of toys are off"')
def demote(output: Output, reason: Reason, is_dry_run: DryRun = False) -> None:
    """Go back to the champion before, or where there was none to the baseline, from the next night on."""
    from pipelines.home import Home
    from pipelines.night import night_lock
    from pipelines.training.by_hand import demote as decide

    home = Home.open()
    if is_dry_run:
        _show(decide(home, output, _who(), reason, is_dry_run))
        return
    with night_lock(home):  # a baseline that is fitted for it reads the warehouse
        found = decide(home, output, _who(), reason)
    _show(found)


def _who() -> str:
    """The login name of who runs this."""
    import getpass

    return getpass.getuser()


def _show(decision: Row) -> None:
    will = "would serve" if decision["is_dry_run"] else "serves"
    version, trained = decision["model_version"], decision["trained_as_of"]
    out.print(
        f"{version}, trained as of {trained}, {will} {decision['output']} from the night of", end=" ", markup=False
    )
    out.print(f"{decision['effective_from']} on, in the place of {decision['over'] or 'nobody'}", markup=False)
    out.print(f"  by {decision['decided_by']}: {decision['reason']}", markup=False)
    if decision["is_dry_run"]:
        out.print("nothing was changed; without --dry-run it is")
    elif not decision["is_in_mlflow"]:
        out.print("  [yellow]note[/]: MLflow knows no such version, its alias stays where it was")
