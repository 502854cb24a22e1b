"""How many epochs fit into so many minutes: reckoned before training, so that equal data gives equal bytes."""

from __future__ import annotations

from models.recommendations.sequence.network import Shape
from models.recommendations.sequence.packing import Sequences
from models.recommendations.sequence.recipe import MOST_TOKENS, Recipe

TOKENS_A_MINUTE = 1_120_000
"""On one core at dim 128, 2 blocks and 1,024 negatives, in steps without end (measured: 900,000 in steps of 4,096)."""
STEP_TOKENS = 1_000
"""What a step costs beside its tokens (negatives, the optimiser), in tokens."""
DIM_POWER = 1.2
"""Time a token grows with dim to this power, between those two."""
SMALLEST_DIM, FEWEST_BLOCKS = 64, 2
"""Smaller networks count as these: below, what does not depend on the size takes the time."""
GPU_FACTOR = 40
"""A GPU's tokens a minute by those of a core: an assumption, not measured."""
FEWEST_EPOCHS = 3
"""Under which a training is not worth its time (a recipe may ask for fewer)."""


def tokens_of(sequences: Sequences) -> int:
    """Inputs of an epoch: the events that have a basket after their own."""
    return int(sequences.inputs.sum())


def tokens_a_minute(shape: Shape, device: str, a_step: int = MOST_TOKENS) -> float:
    """What one core, or a GPU, trains on in a minute, in steps of so many tokens."""
    size: float = (max(shape.dim, SMALLEST_DIM) / 128) ** DIM_POWER * max(shape.blocks, FEWEST_BLOCKS) / FEWEST_BLOCKS
    return TOKENS_A_MINUTE * (GPU_FACTOR if device == "cuda" else 1) / size * a_step / (a_step + STEP_TOKENS)


def epochs_within(minutes: float | None, tokens: int, shape: Shape, recipe: Recipe, model: str) -> int:
    """The recipe's epochs, or as many of them as `minutes` of one core (or of the GPU) are enough for; None: no limit.

    Raises ValueError where that is fewer than 3.
    """
    if minutes is None:
        return recipe.epochs
    rate = tokens_a_minute(shape, recipe.device, recipe.tokens_a_step(tokens))
    epochs = min(recipe.epochs, int(minutes * rate / max(tokens, 1)))
    fewest = min(FEWEST_EPOCHS, recipe.epochs)
    if epochs < fewest:
        raise ValueError(
            f"too little time to train {model}: {fewest} epochs of {tokens:,} purchases need about "
            f"{fewest * tokens / rate:.3g} minutes, train_minutes is {minutes:g}: raise it or choose a smaller dim"
        )
    return epochs
