"""Fine-tuning a sentence encoder on intents, in as many steps as the minutes allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.recommendations.sequence.runtime import on_device
from models.support.encoder import Encoder, pooled
from models.support.parts import Machine

Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
WEIGHTS_A_MINUTE = 7.0e11
"""Weights of layers times tokens that one core trains in a minute (measured with all-MiniLM-L6-v2)."""
GPU_FACTOR = 40
"""A GPU's by a core's: an assumption, not measured."""
FEWEST_EPOCHS = 2
FROZEN = "word_embeddings"
"""Rows of rare words would move by a few texts."""


@dataclass(frozen=True)
class Recipe:
    """How it is trained: AdamW, a linear rise and fall of the rate."""

    epochs: int = 3
    batch: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    warm_up: float = 0.1  # share of the steps
    most_tokens: int = 64  # of a text in a step, the first
    scale: float = 20.0**0.5  # length of an embedding before the head
    dropout: float = 0.1
    smoothing: float = 0.1  # of labels
    decay: float = 0.01


def epochs_within(minutes: float | None, weights: int, tokens: int, recipe: Recipe, device: str) -> int:
    """The recipe's epochs, or as many as `minutes` of one core (or of the GPU) are enough for; None: no limit.

    weights: of the layers; tokens: of an epoch. Raises ValueError where that is fewer than 2.
    """
    if minutes is None:
        return recipe.epochs
    rate = WEIGHTS_A_MINUTE * (GPU_FACTOR if device == "cuda" else 1) / max(weights, 1)
    epochs = min(recipe.epochs, int(minutes * rate / max(tokens, 1)))
    fewest = min(FEWEST_EPOCHS, recipe.epochs)
    if epochs < fewest:
        raise ValueError(
            f"too little time to fine-tune: {fewest} epochs of {tokens:,} tokens need about "
            f"{fewest * tokens / rate:.3g} minutes, train_minutes is {minutes:g}: raise it, or leave the encoder frozen"
        )
    return epochs


def fine_tuned(
    encoder: Encoder,
    texts: Sequence[str],
    labels: Ints,
    start: tuple[Floats32, Floats32],
    recipe: Recipe,
    machine: Machine,
) -> tuple[Floats32, Floats32]:
    """Train the encoder in place; gives weights [C, D] and intercepts [C] of the margins on its embeddings.

    start: those of the frozen encoder, so that the first steps don't undo what it knows (Kumar et al. 2022).
    """
    ids = [one[: recipe.most_tokens] for one in encoder.ids(texts)]
    layers = sum(tensor.numel() for name, tensor in encoder.network.named_parameters() if FROZEN not in name)
    epochs = epochs_within(machine.minutes, layers, sum(map(len, ids)), recipe, machine.device)
    with on_device(machine.device, machine.threads) as device:
        torch.manual_seed(machine.seed)
        network, head = encoder.network.to(device), nn.Linear(encoder.dim, len(start[1]))
        head.weight.data, head.bias.data = torch.from_numpy(start[0] / recipe.scale).float(), torch.from_numpy(start[1])
        head = head.to(device)
        _train(network, head, ids, labels, replace(recipe, epochs=epochs), machine.seed)
        encoder.network = network.to("cpu").eval().requires_grad_(False)
        weights = (head.weight * recipe.scale).detach().cpu().numpy()
        return weights.astype(np.float32), head.bias.detach().cpu().numpy().astype(np.float32)


def _train(network: Any, head: nn.Linear, ids: list[list[int]], labels: Ints, recipe: Recipe, seed: int) -> None:
    for name, tensor in network.named_parameters():
        tensor.requires_grad_(FROZEN not in name)
    own = [tensor for tensor in network.parameters() if tensor.requires_grad]
    rates = (recipe.rate, recipe.head_rate)
    groups = [{"params": params, "lr": rate} for params, rate in zip((own, head.parameters()), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(ids) // recipe.batch)
    network.train()
    for step, batch in enumerate(_batches([len(one) for one in ids], recipe, seed)):
        share = min(1.0, (step + 1) / max(recipe.warm_up * steps, 1.0)) * (1.0 - step / steps)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        vectors = recipe.scale * pooled(network, [ids[row] for row in batch], head.weight.device)
        logits = head(functional.dropout(vectors, recipe.dropout))
        wanted = torch.from_numpy(labels[batch]).to(logits.device)
        loss = functional.cross_entropy(logits, wanted, label_smoothing=recipe.smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()


def _batches(sizes: Sequence[int], recipe: Recipe, seed: int) -> list[Ints]:
    """Of all epochs: texts drawn, sorted by size within an eighth, so that little is padding; batches in any order."""
    random, length, found = np.random.default_rng(seed), np.asarray(sizes), []
    for _ in range(recipe.epochs):
        parts = np.array_split(random.permutation(len(length)), 8)
        order = np.concatenate([part[np.argsort(length[part], kind="stable")] for part in parts])
        batches = [order[at : at + recipe.batch] for at in range(0, len(order), recipe.batch)]
        found += [batches[place] for place in random.permutation(len(batches))]
    return found
