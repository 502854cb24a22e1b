"""How often the gate promotes what is no better, and the gain it finds 80% of the time: simulated, on its own code.

python -m benchmarks.gate --out result.json

Products, customers, payers and tickets are the demo store's, on three windows side by side (gate_worlds, gate_risk).
`same`: champion and every contestant but the baseline are equally good in truth and differ as real models do; promoted
is whichever looks best. `one`: a single challenger. `first`: no champion, and nobody is better than the baseline.
A planted gain is one contestant's, on every entity alike; all others are as good as the champion.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks import gate_risk, gate_worlds
from models.metrics import DENOMINATOR, INFLUENCE, NUMERATOR
from pipelines.home import Home
from pipelines.places import Places
from pipelines.scoring.outputs import Output, output_of
from pipelines.settings import Settings
from pipelines.training.evaluate import Evaluation
from pipelines.training.gate import decide

WANTED = 0.8
PRECISION = 0.04
"""Of the planted gain that is found, relative to it."""
SCENARIOS = ("same", "one", "first")
Random = np.random.Generator


@dataclass(frozen=True)
class World:
    """The entities of an output; draw: so many equally good contestants on them, the baseline first."""

    output: Output
    draw: Callable[[Random, int, bool], list[Evaluation]]

    def pair(self, random: Random, scenario: str, gain: float, with_floors: bool) -> tuple[list[Evaluation], Any]:
        """Contestants, and the champion where there is one; gain: of the second contestant."""
        others = 1 if scenario == "one" else len(self.output.contestants()) - 1
        baseline, champion, *contestants = self.draw(random, 1 + others, with_floors)
        if gain:
            better(contestants[0], self.output, gain)
        if scenario == "first":
            for found, measures in zip(champion.measures.values(), baseline.measures, strict=True):
                baseline.measures[measures] = found
            return [baseline, *contestants], None
        return [baseline, *contestants], champion


def better(evaluation: Evaluation, output: Output, gain: float) -> None:
    """Let a contestant's own metric be better by a share."""
    factor = 1.0 + gain if output.higher_is_better else 1.0 - gain
    for measures in evaluation.measures.values():
        frame = measures[output.metric]
        above = frame.columns.intersection([NUMERATOR, INFLUENCE])
        measures[output.metric] = frame.assign(**(frame[above] * factor))


def exchanged(
    windows: Sequence[gate_worlds.Window], output: Output, random: Random, count: int, with_floors: bool
) -> list[Evaluation]:
    """The baseline, and contestants each of which has a model's outcome drawn anew for every entity."""
    entities = 1 + max(int(window.entities.max()) for window in windows)
    model_of = random.random((entities, gate_worlds.MODELS)).argsort(axis=1)
    names = names_of(output, count)
    found = [Evaluation(name) for name in names]
    for window in windows:
        rows = model_of[window.entities]
        drawn = [window.above[rows[:, at], np.arange(len(rows))] for at in range(len(names) - 1)]
        for evaluation, numerators in zip(found, [window.baseline, *drawn], strict=True):
            columns = {NUMERATOR: numerators, DENOMINATOR: window.below}
            evaluation.measures[window.cutoff] = {output.metric: pd.DataFrame(columns, index=window.entities)}
            if with_floors:
                evaluation.members[window.cutoff] = window.members
    return found


def noisy(
    windows: Sequence[gate_risk.Night28], output: Output, random: Random, count: int, with_floors: bool
) -> list[Evaluation]:
    """The baseline, and contestants whose probabilities have an error of their own."""
    found = [Evaluation(name) for name in names_of(output, count)]
    for at, evaluation in enumerate(found):
        for window in windows:
            evaluation.measures[window.cutoff] = window.measures(random if at else None, with_floors)
            if with_floors:
                evaluation.members[window.cutoff] = window.members
    return found


def names_of(output: Output, count: int) -> list[str]:
    """The baseline, the champion and the others."""
    baseline, *others = [kind.name for kind in output.contestants()]
    return [baseline, "champion_of_before", *others[: count - 1]]


def promotes(home: Home, world: World, seed: Sequence[int], scenario: str, gain: float = 0.0) -> bool:
    """Whether the gate promotes a contestant that is not the baseline.

    Floors can only refuse: they are asked where the gain alone would pass.
    """
    baseline = world.output.contestants()[0].name
    for with_floors in (False, True):
        evaluations, champion = world.pair(np.random.default_rng(seed), scenario, gain, with_floors)
        decision = decide(home, world.output, evaluations, champion, baseline)
        if not decision.is_promoted or decision.challenger == baseline:
            return False
    return True


def share(home: Home, world: World, pairs: int, scenario: str, gain: float = 0.0) -> float:
    """How many of so many pairs promote."""
    return sum(promotes(home, world, [7, number], scenario, gain) for number in range(pairs)) / pairs


def least_found(home: Home, world: World, pairs: int) -> dict[str, Any]:
    """The smallest planted gain that is promoted at least 80% of the time, by halving, and what was tried."""
    tried: dict[float, float] = {}
    low, high = 0.0, 0.01
    while tried.setdefault(high, share(home, world, pairs, "same", high)) < WANTED:
        low, high = high, 2.0 * high
    while high - low > PRECISION * high:
        middle = round((low + high) / 2.0, 5)
        tried[middle] = share(home, world, pairs, "same", middle)
        low, high = (low, middle) if tried[middle] >= WANTED else (middle, high)
    return {"gain": high, "share": tried[high], "pairs": pairs, "tried": dict(sorted(tried.items()))}


def worlds() -> dict[str, World]:
    """All outputs' entities, from the demo store's orders and what it simulates on top."""
    from demo.store import demo_tables
    from demo.trim_orders import ORDERS_FILE

    tables, truths = demo_tables(ORDERS_FILE)
    found = {}
    for name in ("support", "recommendations", "demand"):
        output, windows = output_of(name), gate_worlds.numbered(getattr(gate_worlds, name)(tables))
        found[name] = World(output, partial(exchanged, windows, output))
    output, payments = output_of("risk"), gate_risk.risk(tables, truths["payments"].to_pandas())
    return found | {"risk": World(output, partial(noisy, payments, output))}


def judged(home: Home, world: World, part: str, pairs: int, planted: int) -> dict[str, Any]:
    """One part of an output's figures: a scenario, or the gain that is found."""
    if part == "planted":
        return {part: least_found(home, world, planted)}
    number = pairs if part == SCENARIOS[0] else pairs // 4
    return {part: {"share": share(home, world, number, part), "pairs": number}}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000, help="pairs of equally good models")
    parser.add_argument("--planted", type=int, default=100, help="pairs at each size of a planted gain; 0: none")
    parser.add_argument("--output", nargs="+", help="only these")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"outputs": {}}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Places.from_environment({"NIGHTCART_HOME": folder}), Settings())
        made = worlds()
        asked = {name: made[name] for name in given.output or made}
        for part in ("same", *(["planted"] if given.planted else []), "one", "first"):
            for name, world in asked.items():
                start, found = time.process_time(), result["outputs"].setdefault(name, {})
                found |= judged(home, world, part, given.pairs, given.planted)
                found["cpu_seconds"] = round(found.get("cpu_seconds", 0.0) + time.process_time() - start, 1)
                given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    show(result)
    return result


def show(result: dict[str, Any]) -> None:
    """Print the shares promoted and the gain that is found."""
    table = Table("output", "contestants", *(f"A/A, {name}" for name in SCENARIOS), "found 80% of the time", "CPU s")
    for name, found in result["outputs"].items():
        shares = [f"{found[scenario]['share']:.1%} of {found[scenario]['pairs']}" for scenario in SCENARIOS]
        planted = f"{found['planted']['gain']:+.2%}" if "planted" in found else ""
        contestants = str(len(output_of(name).contestants()))
        table.add_row(name, contestants, *shares, planted, f"{found['cpu_seconds']:.0f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
