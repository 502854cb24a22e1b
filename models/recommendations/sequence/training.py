"""Training of the sequence network: deterministic, resumable, stopped by a future window."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.recommendations.sequence.checkpoint import read_checkpoint, write_checkpoint
from models.recommendations.sequence.loss import Negatives, shared_softmax
from models.recommendations.sequence.network import Network, Shape, to_batch
from models.recommendations.sequence.packing import Ints, Packed, Sequences, pack, steps, windows
from models.recommendations.sequence.parallel import agreed, processes, share_of, sum_gradients
from models.recommendations.sequence.recipe import Progress, Recipe
from models.recommendations.sequence.runtime import on_device, peak_mib
from models.recommendations.sequence.scoring import ndcg_of_next

Weights = dict[str, Tensor]
OnEpoch = Callable[[dict[str, float]], bool]
"""Told each epoch's figures; True ends the training."""


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
    killed training of the same recipe goes on from, with the same outcome. In a process group (torch.distributed) each
    process calls this with the same arguments and trains on its share of every step; the first judges, tells
    `on_epoch` and writes the checkpoint, which all of them read. Raises ValueError with too little data.
    """
    if not sequences.inputs.any():
        raise ValueError("too little data to train a sequence model: nobody has two events, one after the other")
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
        self.rank, self.processes = processes()
        self.device = network.item.device
        self.average = copy.deepcopy(network).eval()
        self.best = _copied(self.average)
        self.judged = _drawn(sequences, recipe)
        held = np.flatnonzero(sequences.inputs > 1) if recipe.hold_out_all else self.judged
        self.targets = sequences.last(self.judged)
        self.learnt = sequences.without_last(held)
        self.asked = self.learnt.of(self.judged)
        self.negatives = Negatives(
            np.bincount(self.learnt.items, minlength=network.shape.items), recipe.negatives, recipe.negative_power
        )
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )
        tokens = int(self.learnt.lengths.sum())
        self.batch_tokens = recipe.tokens_a_step(tokens)
        self.steps = max(1, recipe.epochs * -(-tokens // self.batch_tokens))
        self.identity = {"recipe": asdict(recipe), "shape": asdict(network.shape), "events": len(sequences.items)}
        self.identity |= {"processes": self.processes} if self.processes > 1 else {}
        self.progress = (
            Progress(**read_checkpoint(checkpoint, self.identity, self._tensors())) if checkpoint else Progress()
        )

    def run(self, on_epoch: OnEpoch | None) -> None:
        """Train until the last epoch, until `patience` runs out, or until `on_epoch` says so."""
        progress = self.progress
        while not progress.is_done:
            cost = self._epoch()
            ndcg = self._judgement()
            figures = {"epoch": float(progress.epoch), "loss": progress.loss / progress.batch, "ndcg_at_10": ndcg}
            figures |= cost
            progress.curve.append(figures)
            is_better = ndcg > progress.best or not len(self.judged)
            if is_better:
                progress.best, self.best = ndcg, _copied(self.average)
            progress.waited = 0 if is_better else progress.waited + 1
            progress.epoch, progress.batch, progress.loss = progress.epoch + 1, 0, 0.0
            is_over = progress.epoch >= self.recipe.epochs or progress.waited >= self.recipe.patience
            is_told = on_epoch is not None and self.rank == 0 and on_epoch(figures)
            progress.is_done = bool(agreed(float(is_told), self.device)) or is_over
            self._save()

    def _judgement(self) -> float:
        """NDCG of the held out, which the first process finds for all."""
        is_ours = self.rank == 0 and len(self.judged) > 0
        return agreed(ndcg_of_next(self.average, self.asked, self.targets) if is_ours else 0.0, self.device)

    def _epoch(self) -> dict[str, float]:
        """The steps of one epoch that are not behind us; what they cost, which no outcome depends on."""
        random = np.random.default_rng([self.recipe.seed, self.progress.epoch])
        starts, lengths = windows(self.learnt, self.network.shape.length, random)
        order, tokens, begun = random.permutation(len(starts)), 0, time.perf_counter()
        for at, pieces in enumerate(steps(lengths, self.batch_tokens, order)):
            if at < self.progress.batch:
                continue
            ours, count = share_of(pieces, lengths), int(lengths[pieces].sum())
            self.progress.loss += self._step(pack(starts[ours], lengths[ours]), count)
            self.progress.batch, self.progress.step, tokens = at + 1, self.progress.step + 1, tokens + count
            if self.progress.step % self.recipe.checkpoint_steps == 0:
                self._save()
        rate = tokens / max(time.perf_counter() - begun, 1e-9)
        return {"tokens_per_second": round(rate, 1), "peak_mib": peak_mib(self.device)}

    def _step(self, packed: Packed, tokens: int) -> float:
        """One step of so many tokens, of which `packed` is our share; what is drawn follows from seed and number."""
        step, recipe = self.progress.step, self.recipe
        torch.manual_seed(recipe.seed * 1_000_003 + step + self.rank * 2**40)
        drawn, shift = self.negatives.draw(np.random.default_rng([recipe.seed, step, 1]))
        self.optimiser.param_groups[0]["lr"] = recipe.learning_rate * _warmth(step, self.steps, recipe)
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self.device)
        if len(packed.events):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                loss = self._loss(packed, drawn, torch.from_numpy(shift).to(self.device))
            loss = loss * (len(packed.events) / tokens)
            loss.backward()  # type: ignore[no-untyped-call]
        loss = sum_gradients(self.network, loss.detach())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        decay = min(recipe.average, (1 + step) / (10 + step))
        ours: list[Tensor] = list(self.average.parameters())
        theirs: list[Tensor] = list(self.network.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(ours, theirs, 1.0 - decay)
        return float(loss)

    def _loss(self, packed: Packed, drawn: Ints, shift: Tensor) -> Tensor:
        items, (first, count) = self.learnt.items, self.learnt.following
        drawn_place = np.random.default_rng([self.recipe.seed, self.progress.step, 3, self.rank]).random(
            len(packed.events)
        )
        next_event = first[packed.events] + (drawn_place * count[packed.events]).astype(np.int64)
        now, following = items[packed.events], items[next_event]
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
        if self.checkpoint and self.rank == 0:
            write_checkpoint(self.checkpoint, self.identity, asdict(self.progress), self._tensors())


def _drawn(sequences: Sequences, recipe: Recipe) -> Ints:
    """The users who judge: of those with two events and more before their last basket."""
    able = np.flatnonzero(sequences.inputs > 1)
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
