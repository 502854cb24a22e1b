"""Training of the sequence network: deterministic, resumable, stopped by a future window."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.recommendations.sequence.checkpoint import read_checkpoint, write_checkpoint
from models.recommendations.sequence.loss import Negatives, shared_softmax
from models.recommendations.sequence.network import Network, Shape, to_batch
from models.recommendations.sequence.packing import Ints, Packed, Sequences, batches, windows
from models.recommendations.sequence.runtime import on_device
from models.recommendations.sequence.scoring import ndcg_of_next

Weights = dict[str, Tensor]
OnEpoch = Callable[[dict[str, float]], bool]
"""Told each epoch's figures; True ends the training."""


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    epochs: int = 60
    batch_tokens: int = 4_096
    """Tokens of a step, about."""
    negatives: int = 1_024
    """Items that all tokens of a step are told from; the whole catalogue where it has no more."""
    negative_power: float = 0.0
    """Negatives are drawn in proportion to their events to this power."""
    learning_rate: float = 1e-3
    final_share: float = 0.1
    """Of the learning rate, reached with the last epoch, falling as a cosine."""
    warmup: int = 200
    """Steps in which the learning rate rises."""
    average: float = 0.99
    """Decay a step of the averaged weights, which are those that serve."""
    dropout: float = 0.2
    unknown: float = 0.1
    """Share of items that are shown by their content alone, where they have content."""
    patience: int = 5
    """Epochs without a better NDCG, after which training ends."""
    judged: int = 2_000
    """Users whose last event is held out and judges."""
    hold_out_all: bool = False
    """Whether nobody's last event is learnt from."""
    checkpoint_steps: int = 500
    """Steps between two checkpoints within an epoch."""
    recompute: bool = False
    """Whether blocks are computed again in the backward pass: less memory, more time."""
    seed: int = 7
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_tokens, self.patience, self.judged, self.checkpoint_steps, self.threads) < 1:
            raise ValueError(f"found {self}, expected counts of at least 1")
        if not (0 <= self.average < 1 and 0 <= self.dropout < 1 and 0 <= self.unknown < 1 and self.learning_rate > 0):
            raise ValueError(f"found {self}, expected shares in [0, 1) and a learning rate above 0")


@dataclass
class Progress:
    """Where a training is; with the tensors, all that a resumed one needs."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    best: float = -1.0
    waited: int = 0
    is_done: bool = False
    curve: list[dict[str, float]] = field(default_factory=list)


def fit_sequences(
    sequences: Sequences,
    shape: Shape,
    recipe: Recipe,
    *,
    content: Ints | None = None,
    start: Weights | None = None,
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[Network, list[dict[str, float]]]:
    """The network that predicts each user's next event best, and its learning curve.

    content [N, M]: word buckets of each item, 0 for none. start: weights to begin with. checkpoint: a file that a
    killed training of the same recipe goes on from, with the same outcome. Raises ValueError with too little data.
    """
    if not (sequences.lengths > 1).any():
        raise ValueError("too little data to train a sequence model: nobody has two events")
    with on_device(recipe.device, recipe.threads) as device:
        torch.manual_seed(recipe.seed)
        words = None if content is None else torch.from_numpy(content)
        network = Network(shape, words, recipe.dropout)
        if start is not None:
            network.load_state_dict(start, strict=False)
        network.recompute = recipe.recompute
        training = _Training(network.to(device), sequences, recipe, checkpoint)
        training.run(on_epoch)
        training.network.load_state_dict(training.best)
        return training.network.eval().cpu(), training.progress.curve


class _Training:
    """One training: the network, its average, the best average so far, and where it is."""

    def __init__(self, network: Network, sequences: Sequences, recipe: Recipe, checkpoint: Path | None) -> None:
        self.network, self.recipe, self.checkpoint = network, recipe, checkpoint
        self.device = network.item.device
        self.average = copy.deepcopy(network).eval()
        self.best = _copied(self.average)
        self.judged = _drawn(sequences, recipe)
        held = np.flatnonzero(sequences.lengths > 2) if recipe.hold_out_all else self.judged
        self.targets = sequences.last(self.judged)
        self.learnt = sequences.without_last(held)
        self.asked = self.learnt.of(self.judged)
        self.negatives = Negatives(
            np.bincount(self.learnt.items, minlength=network.shape.items), recipe.negatives, recipe.negative_power
        )
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )
        self.steps = max(1, recipe.epochs * -(-int(self.learnt.lengths.sum()) // recipe.batch_tokens))
        self.identity = {"recipe": asdict(recipe), "shape": asdict(network.shape), "events": len(sequences.items)}
        self.progress = (
            Progress(**read_checkpoint(checkpoint, self.identity, self._tensors())) if checkpoint else Progress()
        )

    def run(self, on_epoch: OnEpoch | None) -> None:
        """Train until the last epoch, until `patience` runs out, or until `on_epoch` says so."""
        progress = self.progress
        while not progress.is_done:
            self._epoch()
            ndcg = ndcg_of_next(self.average, self.asked, self.targets) if len(self.judged) else 0.0
            figures = {"epoch": float(progress.epoch), "loss": progress.loss / progress.batch, "ndcg_at_10": ndcg}
            progress.curve.append(figures)
            is_better = ndcg > progress.best or not len(self.judged)
            if is_better:
                progress.best, self.best = ndcg, _copied(self.average)
            progress.waited = 0 if is_better else progress.waited + 1
            progress.epoch, progress.batch, progress.loss = progress.epoch + 1, 0, 0.0
            is_over = progress.epoch >= self.recipe.epochs or progress.waited >= self.recipe.patience
            progress.is_done = (on_epoch is not None and on_epoch(figures)) or is_over
            self._save()

    def _epoch(self) -> None:
        """The batches of one epoch that are not behind us."""
        random = np.random.default_rng([self.recipe.seed, self.progress.epoch])
        starts, lengths = windows(self.learnt, self.network.shape.length, random)
        order = random.permutation(len(starts))
        for at, packed in enumerate(batches(starts, lengths, self.recipe.batch_tokens, order)):
            if at < self.progress.batch:
                continue
            self.progress.loss += self._step(packed)
            self.progress.batch, self.progress.step = at + 1, self.progress.step + 1
            if self.progress.step % self.recipe.checkpoint_steps == 0:
                self._save()

    def _step(self, packed: Packed) -> float:
        """One step; whatever is drawn in it follows from the seed and its number."""
        step, recipe = self.progress.step, self.recipe
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        drawn, shift = self.negatives.draw(np.random.default_rng([recipe.seed, step, 1]))
        self.optimiser.param_groups[0]["lr"] = recipe.learning_rate * _warmth(step, self.steps, recipe)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self._loss(packed, drawn, torch.from_numpy(shift).to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        decay = min(recipe.average, (1 + step) / (10 + step))
        ours: list[Tensor] = list(self.average.parameters())
        theirs: list[Tensor] = list(self.network.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(ours, theirs, 1.0 - decay)
        return float(loss.detach())

    def _loss(self, packed: Packed, drawn: Ints, shift: Tensor) -> Tensor:
        items = self.learnt.items
        now, following = items[packed.events], items[packed.events + 1]
        named, at = np.unique(np.concatenate([now, following, drawn]), return_inverse=True)
        place = torch.from_numpy(at).to(self.device)
        vectors = self.network.vectors(torch.from_numpy(named).to(self.device), self.recipe.unknown)
        before, after, other = torch.split(place, [len(now), len(following), len(drawn)])
        sought = self.network(vectors.index_select(0, before), to_batch(packed, self.device))
        same = torch.from_numpy(_same(following, drawn)).to(self.device)
        return shared_softmax(sought, vectors.index_select(0, after), vectors.index_select(0, other), shift, same)

    def _tensors(self) -> Weights:
        """Every tensor of the state, by name; the moments of Adam are made where there are none yet."""
        parts = {"network": self.network.state_dict(), "average": self.average.state_dict(), "best": self.best}
        named = {f"{part}.{name}": value for part, found in parts.items() for name, value in found.items()}
        for name, weight in self.network.named_parameters():
            state = self.optimiser.state[weight]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=self.device)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(weight), torch.zeros_like(weight)
            named |= {f"adam.{name}.{key}": value for key, value in state.items()}
        return named

    def _save(self) -> None:
        if self.checkpoint:
            write_checkpoint(self.checkpoint, self.identity, asdict(self.progress), self._tensors())


def _drawn(sequences: Sequences, recipe: Recipe) -> Ints:
    """The users who judge: of those with three events and more."""
    able = np.flatnonzero(sequences.lengths > 2)
    random = np.random.default_rng([recipe.seed, 2])
    return np.sort(random.choice(able, min(recipe.judged, len(able)), replace=False))


def _same(following: Ints, drawn: Ints) -> Ints:
    """[2, S] (token, negative) pairs that are one item."""
    first = np.searchsorted(drawn, following, side="left")
    count = np.searchsorted(drawn, following, side="right") - first
    token = np.repeat(np.arange(len(following)), count)
    base = np.repeat(np.cumsum(count) - count, count)
    return np.stack([token, np.repeat(first, count) + np.arange(len(token)) - base])


def _warmth(step: int, steps: int, recipe: Recipe) -> float:
    """The share of the learning rate that a step takes."""
    rest = 0.5 * (1.0 + math.cos(math.pi * min(step / steps, 1.0)))
    return min(1.0, (step + 1) / recipe.warmup) * (recipe.final_share + (1.0 - recipe.final_share) * rest)


def _copied(network: Network) -> Weights:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
