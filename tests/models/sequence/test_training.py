"""Training: it learns, the same each time, also after a kill, and from an older model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

from models.recommendations.sequence import training
from models.recommendations.sequence.growth import grown
from models.recommendations.sequence.network import Network, Shape
from models.recommendations.sequence.packing import Sequences, from_events
from models.recommendations.sequence.recipe import Recipe
from models.recommendations.sequence.scoring import score_top_k
from models.recommendations.sequence.training import fit_sequences

ITEMS = 40
SHAPE = Shape(items=ITEMS, dim=16, blocks=1, heads=2, hidden=16, length=10)
RECIPE = Recipe(
    epochs=3, batch_tokens=128, negatives=20, learning_rate=5e-3, warmup=5, judged=40, checkpoint_steps=2, seed=3
)


def chains(users: int = 80, seed: int = 0) -> Sequences:
    """Each item has one that follows it nine times in ten."""
    random = np.random.default_rng(seed)
    follows, who, what = random.permutation(ITEMS), [], []
    for user in range(users):
        item = random.integers(ITEMS)
        for _ in range(random.integers(3, 18)):
            who.append(user)
            what.append(item)
            item = follows[item] if random.random() < 0.9 else random.integers(ITEMS)
    return from_events(np.array(who), np.array(what), users)


def weights(network: Network) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def learnt(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    """The curve without what it cost."""
    assert all(epoch["tokens_per_second"] > 0 and epoch["peak_mib"] > 0 for epoch in curve)
    return [{name: epoch[name] for name in ("epoch", "loss", "ndcg_at_10")} for epoch in curve]


def test_it_learns_what_follows() -> None:
    recipe = Recipe(epochs=12, batch_tokens=128, learning_rate=5e-3, warmup=5, judged=80, patience=12, dropout=0.1)
    _, curve = fit_sequences(chains(), SHAPE, recipe)
    assert curve[-1]["ndcg_at_10"] > 0.6
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_the_same_seed_gives_the_same_weights_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first, curve = fit_sequences(chains(), SHAPE, RECIPE)
    assert torch.equal(before, torch.get_rng_state())
    second, again = fit_sequences(chains(), SHAPE, RECIPE)
    assert weights(first) == weights(second)
    assert learnt(curve) == learnt(again)


class Killed(Exception):
    """In place of the signal."""


@pytest.mark.parametrize("steps", [3, 7, 13])
def test_a_killed_training_goes_on_to_the_same_weights(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, curve = fit_sequences(chains(), SHAPE, RECIPE)
    whole = training._Training._step

    def dies(self: training._Training, packed: object, tokens: int) -> float:
        if self.progress.step == steps:
            raise Killed
        return whole(self, packed, tokens)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(training._Training, "_step", dies)
        fit_sequences(chains(), SHAPE, RECIPE, checkpoint=tmp_path / "state.safetensors")
    taken = 0

    def counted(self: training._Training, packed: object, tokens: int) -> float:
        nonlocal taken
        taken += 1
        return whole(self, packed, tokens)  # type: ignore[arg-type]

    monkeypatch.setattr(training._Training, "_step", counted)
    resumed, again = fit_sequences(chains(), SHAPE, RECIPE, checkpoint=tmp_path / "state.safetensors")
    assert weights(resumed) == weights(expected)
    assert learnt(again) == learnt(curve)
    finished = taken
    done, _ = fit_sequences(chains(), SHAPE, RECIPE, checkpoint=tmp_path / "state.safetensors")
    assert weights(done) == weights(expected)
    assert taken == finished, "a finished training has nothing left to do"


LONG = replace(RECIPE, epochs=1, batch_tokens=32, checkpoint_steps=4)
"""About a hundred steps: long enough to be killed among them."""
PROGRAM = """
import sys
from pathlib import Path
from tests.models.sequence.test_training import LONG, SHAPE, chains
from models.recommendations.sequence.training import fit_sequences
fit_sequences(chains(250), SHAPE, LONG, checkpoint=Path(sys.argv[1]))
"""


def test_kill_9_in_mid_epoch_and_resumed_gives_the_same_weights(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    project = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=project, env=os.environ | {"PYTHONPATH": str(project)}
    )
    while not path.exists():
        assert process.poll() is None, "it ended before its first checkpoint"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with safe_open(path, framework="pt") as found:
        progress = json.loads(found.metadata()["progress"])
    assert progress["epoch"] == 0
    assert progress["batch"] >= 4
    resumed, again = fit_sequences(chains(250), SHAPE, LONG, checkpoint=path)
    expected, curve = fit_sequences(chains(250), SHAPE, LONG)
    assert weights(resumed) == weights(expected)
    assert learnt(again) == learnt(curve)


def test_a_checkpoint_of_another_training_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    fit_sequences(chains(), SHAPE, Recipe(epochs=1, judged=10), checkpoint=path)
    with pytest.raises(ValueError, match="is of another training"):
        fit_sequences(chains(), SHAPE, Recipe(epochs=1, judged=10, dropout=0.4), checkpoint=path)
    with pytest.raises(ValueError, match="is of another training"):
        fit_sequences(chains(seed=1), SHAPE, Recipe(epochs=1, judged=10), checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="cannot be read"):
        fit_sequences(chains(), SHAPE, Recipe(epochs=1, judged=10), checkpoint=path)


def test_a_warm_start_begins_where_the_older_one_ended() -> None:
    recipe = Recipe(epochs=8, batch_tokens=128, learning_rate=5e-3, warmup=5, judged=80, patience=8, dropout=0.1)
    older, cold = fit_sequences(chains(), SHAPE, recipe)
    _, warm = fit_sequences(chains(), SHAPE, recipe, start=older.state_dict())
    assert warm[0]["loss"] < 0.7 * cold[0]["loss"]


def test_an_epoch_from_an_older_model_over_fewer_items_beats_one_from_scratch() -> None:
    """The older one knows half of the users and all but five of the items; both epochs are of the same recipe."""
    found = chains(300)
    kept = found.of(np.arange(150))
    is_old = kept.items >= 5
    old = from_events(np.repeat(np.arange(150), kept.lengths)[is_old], kept.items[is_old] - 5, 150)
    recipe = Recipe(epochs=6, batch_tokens=128, learning_rate=5e-3, warmup=5, judged=150, patience=6, dropout=0.1)
    older, _ = fit_sequences(old, replace(SHAPE, items=ITEMS - 5), recipe)
    start = grown(older, pd.Index(range(5, ITEMS)), pd.Index(range(ITEMS)), None).state_dict()
    once = replace(recipe, epochs=1, learning_rate=1e-3)
    _, cold = fit_sequences(found, SHAPE, once)
    _, warm = fit_sequences(found, SHAPE, once, start=start)
    assert len(cold) == len(warm) == 1
    assert warm[0]["ndcg_at_10"] > 1.1 * cold[0]["ndcg_at_10"]


def test_it_learns_the_next_basket_and_nothing_of_what_came_at_once() -> None:
    """Baskets of two, in an order of their own: a, a + 1; then a + 10, a + 11; and so on."""
    first = 2 * np.random.default_rng(1).integers(0, ITEMS // 2, 300)
    items = np.stack([(first + step) % ITEMS for step in (0, 1, 10, 11, 20, 21, 30, 31)], axis=1)
    at = np.tile(np.repeat(np.arange(4), 2), len(first))
    found = from_events(np.repeat(np.arange(len(first)), 8), items.ravel(), len(first), at)
    recipe = Recipe(epochs=12, batch_tokens=128, learning_rate=5e-3, warmup=5, judged=80, patience=12, dropout=0.1)
    network, _ = fit_sequences(found, SHAPE, recipe)
    asked = found.without_last(np.arange(len(first)))
    best, _ = score_top_k(network, asked, 2, seen=asked)
    right = [set(row) == set(had[-2:]) for row, had in zip(best.tolist(), items.tolist(), strict=True)]
    assert np.mean(right) > 0.9


def test_what_was_held_out_teaches_nothing() -> None:
    found = chains()
    everyone = np.arange(len(found))
    items = found.items.copy()
    items[found.starts[1:] - 1] = (items[found.starts[1:] - 1] + 5) % ITEMS
    recipe = Recipe(epochs=1, judged=len(everyone), average=0.5, batch_tokens=128)
    first, _ = fit_sequences(found, SHAPE, recipe)
    second, _ = fit_sequences(Sequences(items, found.starts), SHAPE, recipe)
    assert weights(first) == weights(second)


def test_training_stops_when_patience_runs_out_or_it_is_told_to() -> None:
    nothing_to_learn = Sequences(np.random.default_rng(0).integers(0, ITEMS, 400), np.arange(0, 401, 5))
    _, curve = fit_sequences(nothing_to_learn, SHAPE, Recipe(epochs=40, patience=2, judged=80, learning_rate=1e-9))
    assert len(curve) < 40
    _, curve = fit_sequences(chains(), SHAPE, RECIPE, on_epoch=lambda figures: figures["epoch"] >= 1)
    assert len(curve) == 2


def test_too_little_data_and_settings_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="too little data"):
        fit_sequences(Sequences(np.arange(3), np.arange(4)), SHAPE, RECIPE)
    with pytest.raises(ValueError, match="expected counts of at least 1"):
        Recipe(epochs=0)
    with pytest.raises(ValueError, match="expected a multiple"):
        Shape(items=3, dim=10, heads=3)
    with pytest.raises(ValueError, match="device is 'tpu'"):
        fit_sequences(chains(), SHAPE, Recipe(device="tpu"))
