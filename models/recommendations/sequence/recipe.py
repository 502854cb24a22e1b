"""How the network is trained, and where a training is."""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS, LEAST_TOKENS, MOST_TOKENS = 400, 256, 4_096
"""Of an epoch, and of a step, where the recipe leaves it open."""


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    epochs: int = 60
    batch_tokens: int = 0
    """Tokens of a step, about; 0: as many as give about 400 steps an epoch, 256 to 4,096 (`tokens_a_step`)."""
    negatives: int = 1_024
    """Items that all tokens of a step are told from; the whole catalogue where it has no more."""
    negative_power: float = 0.0
    """Negatives are drawn in proportion to their events to this power."""
    learning_rate: float = 2e-3
    final_share: float = 0.1
    """Of the learning rate, reached with the last epoch, falling as a cosine."""
    warmup: int = 200
    """Steps in which the learning rate rises."""
    average: float = 0.99
    """Decay a step of the averaged weights, which are those that serve."""
    dropout: float = 0.3
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
        if min(self.epochs, self.batch_tokens + 1, self.patience, self.judged, self.checkpoint_steps, self.threads) < 1:
            raise ValueError(f"found {self}, expected counts of at least 1")
        if not (0 <= self.average < 1 and 0 <= self.dropout < 1 and 0 <= self.unknown < 1 and self.learning_rate > 0):
            raise ValueError(f"found {self}, expected shares in [0, 1) and a learning rate above 0")

    def tokens_a_step(self, tokens: int) -> int:
        """Of an epoch of so many: an epoch of few steps learns little."""
        return self.batch_tokens or min(max(tokens // STEPS, LEAST_TOKENS), MOST_TOKENS)


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
