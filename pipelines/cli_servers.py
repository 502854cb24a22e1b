"""Commands around the nights: the servers up and down, and the store pruned."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from pipelines.home import Home
    from pipelines.servers import Servers

app = typer.Typer()
out = Console(highlight=False)


@app.command(epilog="Example: AIRFLOW_PORT=8081 nightcart up")
def up() -> None:
    """Start Airflow, with the nightly schedule, and MLflow on this machine's loopback; wait until both are healthy."""
    from pipelines.airflow_api import USER
    from pipelines.home import Home
    from pipelines.servers import running
    from pipelines.servers import up as start

    home = Home.open()
    was_up = running(home) is not None
    with out.status("starting the servers") as status:
        servers, password = start(home, status.update)
    out.print("the servers run already, nothing was started" if was_up else "the servers are up")
    for name, url in servers.urls.items():
        out.print(f"  {name:<8} {url}")
    if password:
        out.print(f"  log in as {USER} with {password}, which is shown only now", markup=False)
    out.print(f"  (the password is kept in {home.root / 'airflow' / 'secrets.json'}, mode 0600)", soft_wrap=True)
    out.print("  nights are scheduled at 02:00 UTC; `nightcart down` stops all of it")


@app.command(epilog="Example: nightcart down")
def down() -> None:
    """Stop what `nightcart up` started, with every task that runs."""
    from pipelines.home import Home
    from pipelines.servers import down as stop

    home = Home.open()
    with out.status("stopping the servers"):
        was_running = stop(home)
    out.print("the servers are stopped; no process is left" if was_running else "no servers ran, nothing to stop")


@app.command(epilog="Example: NIGHTCART_STORAGE=s3://shop/nightcart nightcart bucket")
def bucket() -> None:
    """Make the bucket that NIGHTCART_STORAGE names, where it is missing."""
    from pipelines.errors import UsageFault
    from pipelines.home import Home
    from pipelines.s3 import Bucket, S3Url, parse_place

    place = parse_place(Home.open().places.storage)
    if not isinstance(place, S3Url):
        raise UsageFault(f"the store {place} is a folder", "NIGHTCART_STORAGE=s3://bucket/prefix names a bucket")
    was_missing = Bucket(place).make()
    out.print(f"the bucket {place.bucket} is {'made' if was_missing else 'there'}")


@app.command(epilog="Example: nightcart prune --dry-run")
def prune(
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove from the store what no retained release or champion names; `release.keep_days` says how long they are."""
    from pipelines.home import Home
    from pipelines.night import night_lock
    from pipelines.prune import prune as remove
    from pipelines.show import pruned_table

    home = Home.open()
    with night_lock(home):
        found = remove(home, is_dry_run)
    out.print(pruned_table(found))
    if is_dry_run:
        out.print("nothing was removed; without --dry-run it is")


def backfill_and_show(home: Home, servers: Servers, first: date, last: date, is_reversed: bool, at_once: int) -> None:
    """Run a backfill in Airflow, a line a night that ends, then say what was published."""
    from pipelines.backfill import backfill
    from pipelines.servers import api_of

    out.print(f"[bold]nights of {first} to {last}[/] through Airflow, {at_once} at a time")
    with out.status("Airflow ...") as status:
        api, show = api_of(home, servers), lambda states: status.update(_states(states))
        found = backfill(home, api, first, last, is_reversed, at_once, show)
    for night, release in sorted(found.items()):
        out.print(f"  [green]✓[/] {night}  {release['release_id']}")


def _states(states: dict[date, str]) -> str:
    return ", ".join(f"{night} {state}" for night, state in sorted(states.items())) or "Airflow ..."
