"""The gate: a challenger becomes champion only when its gain is beyond doubt. Ties keep the champion."""

from __future__ import annotations

from dataclasses import dataclass

from models.bootstrap import Estimate, paired_gain
from pipelines.home import Home
from pipelines.scoring.outputs import Output
from pipelines.training.evaluate import Evaluation


@dataclass(frozen=True)
class Comparison:
    """The challenger's relative gain over one opponent on the same entities and cut-offs."""

    opponent: str
    role: str  # champion and baseline decide; another contestant is for the record
    gain: Estimate


@dataclass(frozen=True)
class Decision:
    """Who serves from now on, and why."""

    challenger: str
    is_promoted: bool
    reason: str
    comparisons: tuple[Comparison, ...] = ()


def gain(home: Home, output: Output, challenger: Evaluation, opponent: Evaluation) -> Estimate:
    """Relative gain on the output's metric; above 0 the challenger is better. Paired bootstrap over entities."""
    return paired_gain(
        challenger.pooled(output.metric),
        opponent.pooled(output.metric),
        higher_is_better=output.higher_is_better,
        confidence=home.settings.gate.confidence,
        seed=home.settings.compute.seed,
    )


def best_of(output: Output, evaluations: list[Evaluation]) -> Evaluation:
    """The contestant with the best pooled figure; of equals the earlier, that is the simpler."""
    from models.metrics import value

    sign = -1.0 if output.higher_is_better else 1.0
    return min(evaluations, key=lambda evaluation: sign * value(evaluation.pooled(output.metric)))


def decide(
    home: Home, output: Output, evaluations: list[Evaluation], champion: Evaluation | None, baseline: str
) -> Decision:
    """Compare the best contestant with the champion, if there is one, and with the baseline."""
    by_name = {evaluation.model: evaluation for evaluation in evaluations}
    challenger = best_of(output, evaluations)
    opponents = [("champion", champion)] if champion else []
    opponents += [
        ("baseline" if name == baseline else "contestant", evaluation)
        for name, evaluation in by_name.items()
        if name != challenger.model
    ]
    comparisons = tuple(
        Comparison(opponent.model, role, gain(home, output, challenger, opponent)) for role, opponent in opponents
    )
    least = home.settings.gate.minimum_effect
    deciding = [comparison for comparison in comparisons if comparison.role != "contestant"]
    lost = [comparison for comparison in deciding if not comparison.gain.low > least]
    if not lost:
        against = ", ".join(_words(comparison) for comparison in deciding) or "it is the baseline"
        return Decision(challenger.model, True, f"best on {output.metric}: {against}", comparisons)
    why = f"{_words(lost[0])}: not beyond {least:.1%}"
    if champion is None:
        return Decision(baseline, True, f"the baseline serves; {challenger.model} {why}", comparisons)
    return Decision(challenger.model, False, f"{champion.model} stays; {challenger.model} {why}", comparisons)


def _words(comparison: Comparison) -> str:
    gain = comparison.gain
    return f"{gain.value:+.1%} [{gain.low:+.1%}, {gain.high:+.1%}] on the {comparison.role} {comparison.opponent}"
