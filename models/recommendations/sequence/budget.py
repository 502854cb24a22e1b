"""How many epochs fit into so many minutes: reckoned before training, so that equal data gives equal bytes."""

from __future__ import annotations

from models.recommendations.sequence.network import Shape
from models.recommendations.sequence.packing import Sequences
from models.recommendations.sequence.recipe import Recipe

TOKENS_A_MINUTE = 900_000
"""On one core at dim 128, 2 blocks and 1,024 negatives (measured; 2,100,000 at dim 64 and 512)."""
DIM_POWER = 1.2
"""Time a token grows with dim to this power, between those two."""
SMALLEST_DIM, FEWEST_BLOCKS = 64, 2
"""Smaller networks count as these: below, what does not depend on the size takes the time."""
GPU_FACTOR = 40
"""A GPU's tokens a minute by those of a core: an assumption, not measured."""
FEWEST_EPOCHS = 3
"""Under which a training is not worth its time (a recipe may ask for fewer)."""


def tokens_of(sequences: Sequences) -> int:
    """Inputs of an epoch: the events that have a next one."""
    return int((sequences.lengths - 1).clip(min=0).sum())


def tokens_a_minute(shape: Shape, device: str) -> float:
    """What one core, or a GPU, trains on in a minute."""
    size: float = (max(shape.dim, SMALLEST_DIM) / 128) ** DIM_POWER * max(shape.blocks, FEWEST_BLOCKS) / FEWEST_BLOCKS
    return TOKENS_A_MINUTE * (GPU_FACTOR if device == "cuda" else 1) / size


def epochs_within(minutes: float | None, tokens: int, shape: Shape, recipe: Recipe, model: str) -> int:
    """The recipe's epochs, or as many of them as `minutes` of one core (or of the GPU) are enough for; None: no limit.

    Raises ValueError where that is fewer than 3.
    """
    if minutes is None:
        return recipe.epochs
    rate = tokens_a_minute(shape, recipe.device)
    epochs = min(recipe.epochs, int(minutes * rate / max(tokens, 1)))
    fewest = min(FEWEST_EPOCHS, recipe.epochs)
    if epochs < fewest:
        raise ValueError(
            f"too little time to train {model}: {fewest} epochs of {tokens:,} purchases need about "
            f"{fewest * tokens / rate:.3g} minutes, train_minutes is {minutes:g}: raise it or choose a smaller dim"
        )
    return epochs
