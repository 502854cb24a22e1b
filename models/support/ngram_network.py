"""A text classifier from scratch: embeddings of hashed n-grams, pooled by attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.support.ngrams import Grams, Ints

MOST_LOGIT = 10.0
"""Of attention, so that its exponential stays small."""


@dataclass(frozen=True)
class Recipe:
    """How the network is trained: in steps, so that equal data gives equal bytes."""

    dim: int = 256
    hidden: int = 512
    epochs: int = 15
    batch: int = 64
    rate: float = 3e-3
    warm_up: int = 100  # steps
    most_drawn: int = 128  # n-grams of a text in a step
    gram_dropout: float = 0.3
    dropout: float = 0.4
    smoothing: float = 0.1  # of labels


class NgramNetwork(nn.Module):
    """fastText's bag (Joulin et al. 2017) with a weight for each n-gram by attention, layer norm and a hidden layer.

    vocabulary: buckets known [V]; row 0 stands for a text that has none of them.
    """

    def __init__(self, vocabulary: int, classes: int, recipe: Recipe) -> None:
        super().__init__()
        dim = recipe.dim
        self.embedding = nn.Parameter(0.1 * torch.randn(vocabulary + 1, dim))  # [1 + V, D]
        self.attention = nn.Parameter(torch.zeros(vocabulary + 1, 1))
        self.norm = nn.LayerNorm(dim)
        self.hidden = nn.Linear(dim, recipe.hidden)
        self.out = nn.Linear(recipe.hidden, classes)
        nn.init.zeros_(self.out.bias)

    def pooled(self, ids: torch.Tensor, texts: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """ids, texts [G], starts [n] -> [n, D]; every text has at least one id."""
        logit = functional.embedding(ids, self.attention, sparse=True)[:, 0].clamp(-MOST_LOGIT, MOST_LOGIT)
        weight = logit.exp()
        total = torch.zeros(len(starts)).index_add(0, texts, weight)
        share = weight / total[texts]
        bags = functional.embedding_bag(ids, self.embedding, starts, mode="sum", sparse=True, per_sample_weights=share)
        return torch.as_tensor(self.norm(bags))

    def forward(self, grams: Grams, dropout: float = 0.0) -> torch.Tensor:
        """[n, C] logits."""
        arrays = (grams.ids, grams.texts, grams.starts[:-1])
        pooled = self.pooled(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))
        hidden = functional.relu(self.hidden(functional.dropout(pooled, dropout, self.training)))
        return torch.as_tensor(self.out(functional.dropout(hidden, dropout, self.training)))


def known(grams: Grams, vocabulary: Ints) -> Grams:
    """Buckets as rows of the embedding; row 0 alone where a text has none that is known."""
    place = np.searchsorted(vocabulary, grams.ids).clip(max=len(vocabulary) - 1)
    found = Grams(place + 1, grams.starts).where(vocabulary[place] == grams.ids)
    return _never_empty(found)


def _never_empty(grams: Grams) -> Grams:
    is_empty = grams.starts[1:] == grams.starts[:-1]
    if not is_empty.any():
        return grams
    ids = np.insert(grams.ids, grams.starts[:-1][is_empty], 0)
    return Grams(ids, grams.starts + np.concatenate([[0], np.cumsum(is_empty)]))


def trained(grams: Grams, labels: Ints, sizes: tuple[int, int], recipe: Recipe, seed: int) -> NgramNetwork:
    """A network of (vocabulary, classes) trained on texts with labels [n], by one thread; the caller sets torch's."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = NgramNetwork(*sizes, recipe)
    sparse = [network.embedding, network.attention]
    dense = [parameter for part in (network.norm, network.hidden, network.out) for parameter in part.parameters()]
    optimisers = [torch.optim.SparseAdam(sparse, lr=recipe.rate), torch.optim.Adam(dense, lr=recipe.rate)]
    steps, step = recipe.epochs * -(-len(labels) // recipe.batch), 0
    network.train()
    for _ in range(recipe.epochs):
        order = random.permutation(len(labels))
        for at in range(0, len(order), recipe.batch):
            rows = order[at : at + recipe.batch]
            rate = recipe.rate * min(1.0, (step + 1) / recipe.warm_up) * (1.0 - step / steps)
            logits = network(_drawn(grams.take(rows), recipe, random), recipe.dropout)
            loss = functional.cross_entropy(logits, torch.from_numpy(labels[rows]), label_smoothing=recipe.smoothing)
            _step(optimisers, loss, rate)
            step += 1
    return network.eval()


def _step(optimisers: list[Any], loss: torch.Tensor, rate: float) -> None:
    for optimiser in optimisers:
        optimiser.zero_grad()
        for group in optimiser.param_groups:
            group["lr"] = rate
    loss.backward()  # type: ignore[no-untyped-call]
    for optimiser in optimisers:
        optimiser.step()


def _drawn(grams: Grams, recipe: Recipe, random: np.random.Generator) -> Grams:
    """Each n-gram stays with the same chance: 1 - gram_dropout, less in a text of more than most_drawn."""
    sizes = grams.starts[1:] - grams.starts[:-1]
    chance = np.minimum(1.0 - recipe.gram_dropout, recipe.most_drawn / np.maximum(sizes, 1))
    kept: NDArray[np.bool_] = random.random(len(grams.ids)) < chance[grams.texts]
    kept[grams.starts[:-1][sizes > 0]] = True
    return grams.where(kept)
