"""`nightcart`: run nights, look at what they published, and mend what stopped them."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines import cli_champions, cli_demo, cli_servers
from pipelines.errors import Busy, NightcartError, UsageFault

app = typer.Typer(
    help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False
)
out, err = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)  # one line stays one line

DAY = ["%Y-%m-%d"]
AsOf = Annotated[datetime, typer.Argument(formats=DAY, metavar="AS_OF", help="Night, as YYYY-MM-DD.")]


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(epilog="Example: nightcart night 2011-11-01")
def night(
    as_of: Annotated[
        datetime | None, typer.Argument(formats=DAY, metavar="[AS_OF]", help="Night; else the next with data.")
    ] = None,
) -> None:
    """Run one night: collect, validate, build features, score, audit and publish one release."""
    from pipelines.home import Home
    from pipelines.night import next_night
    from pipelines.show import run_and_show

    home = Home.open()
    run_and_show(home, as_of.date() if as_of else next_night(home), out)


@app.command(epilog="Example: nightcart backfill 2011-11-01 2011-11-05 --reverse")
def backfill(
    first: Annotated[datetime, typer.Argument(formats=DAY, metavar="FROM", help="First night.")],
    last: Annotated[datetime, typer.Argument(formats=DAY, metavar="TO", help="Last night.")],
    reverse: Annotated[bool, typer.Option("--reverse", help="The newest night first.")] = False,
    at_once: Annotated[int, typer.Option(min=1, help="Nights at a time, where `nightcart up` runs.")] = 1,
) -> None:
    """Run every night from FROM to TO, each as it would have been; the current release never moves back."""
    from pipelines.home import Home
    from pipelines.night import nights_between
    from pipelines.servers import running
    from pipelines.show import run_and_show

    if first > last:
        raise UsageFault(f"{first.date()} lies after {last.date()}", "give the earlier night first")
    home = Home.open()
    if servers := running(home):
        cli_servers.backfill_and_show(home, servers, first.date(), last.date(), reverse, at_once)
        return
    for as_of in nights_between(first.date(), last.date(), reverse):
        run_and_show(Home.open(), as_of, out, earliest=first.date(), is_brief=True)


@app.command(epilog="Example: nightcart step build_features 2011-11-01")
def step(
    name: Annotated[str, typer.Argument(help="collect, validate, load, build_features, ...")],
    as_of: AsOf,
    earliest: Annotated[
        datetime | None, typer.Option(formats=DAY, help="train_first_champions: train as of this night.")
    ] = None,
) -> None:
    """Run one step of a night: the function that the Airflow task calls."""
    from pipelines.home import Home
    from pipelines.night import night_lock, refuse_scheduler
    from pipelines.steps import run_step, step_function

    step_function(name)
    home = Home.open()
    options = {"earliest": earliest.date()} if earliest else {}
    refuse_scheduler(home)
    with night_lock(home):
        out.print_json(data=run_step(name, as_of.date(), **options), default=str)


@app.command(epilog="Example: nightcart train demand 2011-11-06")
def train(output: Annotated[str, typer.Argument(help="recommendations, demand, risk or support")], as_of: AsOf) -> None:
    """Train the contestants of an output, and let the gate decide; a new champion serves from the night after."""
    from pipelines.home import Home
    from pipelines.night import night_lock
    from pipelines.scoring.outputs import output_of
    from pipelines.training.train import train_output, training_snapshot

    output_of(output)
    home = Home.open()
    with night_lock(home), out.status(f"training {output} as of {as_of.date()}"):
        decision = train_output(home, output, as_of.date(), training_snapshot(home, as_of.date()), "nightcart train")
    out.print_json(data=decision, default=str)


@app.command(epilog="Example: nightcart releases")
def releases(count: Annotated[int, typer.Option("--last", help="How many.")] = 20) -> None:
    """List the releases, the newest first; an arrow marks the one that readers see."""
    from pipelines.home import Home
    from pipelines.show import releases_table

    out.print(releases_table(Home.open(), count))


@app.command(epilog="Example: nightcart costs 2011-11-01")
def costs(
    as_of: Annotated[
        datetime | None, typer.Argument(formats=DAY, metavar="[AS_OF]", help="Night; else that of the current release.")
    ] = None,
) -> None:
    """What a night took, step by step, and the training of each model that served it: energy and money too."""
    from pipelines.home import Home
    from pipelines.show_costs import costs_tables

    out.print(costs_tables(Home.open(), as_of.date() if as_of else None))


@app.command(epilog='Example: nightcart query "select * from demand_forecasts limit 5" --format csv')
def query(
    sql: Annotated[str, typer.Argument(help="A query on the published tables.")],
    how: Annotated[Format, typer.Option("--format", help="How the rows are printed.")] = Format.TABLE,
) -> None:
    """Read what is published, with SQL; nothing can be written through it."""
    from pipelines.home import Home
    from pipelines.publishing.publish import query as read
    from pipelines.show import print_rows

    print_rows(read(Home.open(), sql), how.value, out)


@app.command(epilog="Example: nightcart export ./tomorrow")
def export(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")]) -> None:
    """Write each published table of the current release as <table>.parquet; empty ones are typed too."""
    from pipelines.home import Home
    from pipelines.publishing.publish import export as write

    written = write(Home.open(), folder)
    for name, rows in written["tables"].items():
        out.print(f"{rows:>12,}  {folder / name}.parquet")
    out.print(f"release {written['release_id']}")


@app.command(epilog="Example: nightcart rollback 2011-11-01-1a2b3c4d")
def rollback(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="Its id; `nightcart releases` lists them.")],
) -> None:
    """Let readers see an older release again, until a night newer than any before is published."""
    from pipelines.home import Home
    from pipelines.night import night_lock
    from pipelines.publishing.publish import rollback as back

    home = Home.open()
    with night_lock(home):
        back(home, release)
    out.print(f"readers see {release} now")


@app.command(epilog="Example: nightcart quarantine --entity orders")
def quarantine(
    entity: Annotated[str | None, typer.Option(help="Only this entity.")] = None,
    how: Annotated[Format, typer.Option("--format", help="How the rows are printed.")] = Format.TABLE,
) -> None:
    """List the rows that were rejected, with the reason."""
    from pipelines.home import Home
    from pipelines.show import print_rows
    from pipelines.validate.quarantine import quarantine_rows

    print_rows(quarantine_rows(Home.open(), entity), how.value, out)


@app.command(epilog='Example: nightcart accept orders 2011-11-01 --reason "bank holiday"')
def accept(
    entity: Annotated[str, typer.Argument(help="orders, ...; or an output's table.")],
    dt: Annotated[datetime, typer.Argument(formats=DAY, metavar="DT", help="The partition's day, or the night.")],
    reason: Annotated[str, typer.Option(help="Why it is right; kept on record.")],
) -> None:
    """Let through, on record, what stopped a night: a partition that came in, or a table thinner than the last."""
    from pipelines.contract import ENTITIES
    from pipelines.home import Home
    from pipelines.publishing.audit import accept as let_out
    from pipelines.validate.quarantine import accept as let_in

    (let_in if entity in ENTITIES else let_out)(Home.open(), entity, dt.date(), reason)
    out.print(f"accepted {entity} of {dt.date()}; run the night again")


@app.command(epilog="Example: nightcart doctor")
def doctor() -> None:
    """Check settings, versions, disk, ports and device: what is wrong, and what to do about it."""
    from pipelines.doctor import examine
    from pipelines.show import findings_table

    findings = examine()
    out.print(findings_table(findings))
    if any(finding.is_wrong for finding in findings):
        raise NightcartError("something is wrong", "the last column says what to do")


for more in (cli_champions, cli_servers, cli_demo):
    app.add_typer(more.app)


def main() -> None:
    """Run the command; an error says what to do in its last line, and has its own exit code."""
    try:
        app(standalone_mode=False)
    except NightcartError as error:
        err.print(f"[red]{type(error).__name__ if isinstance(error, Busy) else 'error'}[/]: ", end="")
        err.print(str(error), markup=False)
        err.print(f"what to do: {error.hint or 'read the log'}", markup=False)
        sys.exit(error.exit_code)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a usage error of the parser
            err.print(f"error: {error.format_message()}", markup=False)
            err.print("what to do: add --help to the command for its arguments and an example", markup=False)
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
