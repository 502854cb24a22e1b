"""Commands of the demo: the store's landing zone, stores of any size, and the best that anyone could have done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.errors import UsageFault

if TYPE_CHECKING:
    from pipelines.training.oracle import Judged

app = typer.Typer()
out = Console(highlight=False)


@app.command("demo-store", epilog="Example: nightcart demo-store ./landing")
def demo_store(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the landing zone goes.")],
) -> None:
    """Write the landing zone of the demo store: a real shop's orders (UCI Online Retail II, CC BY 4.0), more on top."""
    from demo.oracle import told
    from demo.store import write_demo_store

    with out.status("writing the demo store") as status:
        figures = write_demo_store(folder, status.update)
    out.print("\n".join(told(figures)))
    out.print(f"the demo store's landing zone is {folder}; orders are real, all that follows from them is simulated")


@app.command(epilog="Example: nightcart simulate ./landing --customers 2000 --products 300 --days 60 --seed 7")
def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the landing zone goes: a new or empty folder.")],
    customers: Annotated[int, typer.Option(min=10, help="How many customers.")] = 2_000,
    products: Annotated[int, typer.Option(min=10, help="How many products.")] = 300,
    days: Annotated[int, typer.Option(min=5, help="How many days; the first 60% are the history partition.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same bytes.")] = 7,
    failing: Annotated[
        float, typer.Option(min=0, max=1, help="Share of products whose supplier fails for weeks, each half year.")
    ] = 0.0,
) -> None:
    """Write the landing zone of a store that does not exist, of any size; what was planted goes to DIR.truth."""
    from demo.oracle import told
    from demo.simulate import simulate as write

    if folder.exists() and any(folder.iterdir()):
        raise UsageFault(f"{folder} is not empty", "name a new folder, or empty this one first")
    with out.status("simulating a store") as status:
        figures = write(folder, customers, products, days, seed, status.update, failing)
    for entity, rows in figures["rows"].items():
        out.print(f"{rows:>12,}  {entity}")
    out.print("\n".join(told(figures)))
    out.print(f"the landing zone is {folder}, the truths that were planted lie in {folder}.truth")


@app.command("oracle", epilog="Example: NIGHTCART_LANDING=./landing nightcart oracle")
def oracle() -> None:
    """Judge the simulator's own truth like a model, on the same windows: what was planted lies in LANDING.truth."""
    from pipelines.home import Home
    from pipelines.training.oracle import judge_oracle

    with out.status("judging the oracle"):
        found = judge_oracle(Home.open())
    out.print(oracle_table(found))
    out.print("outputs that are not named come from real orders, or nobody knows the best figure there", style="dim")


def oracle_table(found: Sequence[Judged]) -> Table:
    """Every contestant beside the oracle."""
    table = Table(title="the best anyone could do", title_style="bold", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("output", "model", "figure [95%]", "of the oracle's"):
        table.add_column(heading)
    for one in found:
        for model, figure in one.figures.items():
            shown = f"{figure.value:.3f} {escape(f'[{figure.low:.3f}, {figure.high:.3f}]')}"
            table.add_row(f"{one.output}, {one.metric}", model, shown, f"{one.share(model):.0%}")
    return table
