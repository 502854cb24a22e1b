"""The gate: a challenger becomes champion only when its gain is beyond doubt, and no segment pays for it.

Ties keep the champion. The challenger is the best of several contestants, and the best of several equals looks better
than they are: what decides has an interval that holds for all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.bootstrap import Estimate, paired_gain
from pipelines.home import Home
from pipelines.records import ALL
from pipelines.scoring.outputs import Output, by_segment
from pipelines.training.evaluate import Evaluation

DECIDING = ("champion", "baseline")
RESAMPLES = 1_000  # of an interval, for each contestant that it holds for
RUNNER_UP, CONTESTANT = "runner_up", "contestant"
"""Roles for the record: the best of the other contestants, and the rest."""


@dataclass(frozen=True)
class Comparison:
    """The challenger's relative gain over one opponent on the same entities and cut-offs."""

    challenger: str
    opponent: str
    role: str
    metric: str
    segment: str
    gain: Estimate
    among: int = 1  # contestants that the interval holds for, where it decides


@dataclass(frozen=True)
class Decision:
    """Who serves from now on, and why."""

    challenger: str  # the best contestant; where it must not serve and nobody did, the baseline
    is_promoted: bool
    reason: str
    comparisons: tuple[Comparison, ...] = ()

    @property
    def best(self) -> str:
        """The best contestant, which was compared."""
        return self.comparisons[0].challenger if self.comparisons else self.challenger


def gain(
    home: Home, output: Output, challenger: Evaluation, opponent: Evaluation, metric: str, segment: str, among: int = 1
) -> Estimate:
    """Relative gain on a metric; above 0 the challenger is better. Paired bootstrap over the segment's entities.

    among: how many contestants the challenger is the best of; they share the interval's tails (Bonferroni).
    """
    return paired_gain(
        challenger.pooled(metric, segment),
        opponent.pooled(metric, segment),
        higher_is_better=output.higher_is_better and metric not in output.guarded,
        resamples=RESAMPLES * among,
        confidence=1.0 - (1.0 - home.settings.gate.confidence) / among,
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
    """Compare the best contestant with the champion, if there is one, and with the baseline.

    A gain beyond doubt on both promotes, unless a floor breaks. What else is compared is for the record.
    """
    challenger = best_of(output, evaluations)
    opponents = [("champion", champion)] if champion else []
    opponents += _others(output, [one for one in evaluations if one is not challenger], baseline)
    comparisons = tuple(_compared(home, output, challenger, opponents, len(evaluations)))
    least = home.settings.gate.minimum_effect
    deciding = [comparison for comparison in comparisons if decides(output, comparison)]
    lost = [comparison for comparison in deciding if not comparison.gain.low > least]
    floor = home.settings.gate.segment_floor
    if not lost and (broken := [comparison for comparison in comparisons if breaks(output, comparison, floor)]):
        where = "; ".join(f"{one.metric} of {one.segment} {_words(one)}" for one in broken)
        reason = f"{broken[0].opponent} stays; {challenger.model} is worse by more than {floor:.1%}: {where}"
        return Decision(challenger.model, False, reason, comparisons)
    if not lost:
        against = ", ".join(_words(comparison) for comparison in deciding) or "it is the baseline"
        return Decision(challenger.model, True, f"best on {output.metric}: {against}", comparisons)
    why = f"{_words(lost[0])}: not beyond {least:.1%}"
    if champion is None:
        return Decision(baseline, True, f"the baseline serves; {challenger.model} {why}", comparisons)
    return Decision(challenger.model, False, f"{champion.model} stays; {challenger.model} {why}", comparisons)


def decides(output: Output, comparison: Comparison) -> bool:
    """Whether the gate decides by it: all entities, the output's own metric, champion or baseline."""
    is_main = comparison.metric == output.metric and comparison.segment == ALL
    return is_main and comparison.role in DECIDING


def holds(output: Output, comparison: Comparison) -> bool:
    """Whether the floor holds the challenger to it: worse than the champion beyond the floor, it is not promoted.

    That is the output's own metric on segments, and its guarded metrics, on all and per segment. A champion that is
    the baseline holds nobody: it treats all alike, for it knows nothing of them.
    """
    own = comparison.metric == output.metric and comparison.segment != ALL
    is_baseline = comparison.opponent == output.contestants()[0].name
    return comparison.role == "champion" and not is_baseline and (own or comparison.metric in output.guarded)


def breaks(output: Output, comparison: Comparison, floor: float) -> bool:
    """Whether the floor holds the challenger to it, and it is worse by more than that beyond doubt."""
    return holds(output, comparison) and comparison.gain.high < -floor


def _others(output: Output, others: list[Evaluation], baseline: str) -> list[tuple[str, Evaluation]]:
    """The contestants beside the challenger with their roles."""
    second = best_of(output, others).model if others else None
    roles = {baseline: "baseline"}
    return [(roles.get(one.model, RUNNER_UP if one.model == second else CONTESTANT), one) for one in others]


def _compared(
    home: Home, output: Output, challenger: Evaluation, opponents: Sequence[tuple[str, Evaluation]], contestants: int
) -> Iterator[Comparison]:
    """On all entities over every opponent; per segment over those that decide and the runner-up."""
    picked_from = {"champion": contestants, "baseline": contestants - 1}
    for metric in (metric for metric in by_segment(output) if metric in challenger.metrics):
        for segment in (ALL, *challenger.segments(metric)):
            for role, opponent in opponents:
                if segment == ALL or role != CONTESTANT:
                    is_main = metric == output.metric and segment == ALL
                    among = picked_from.get(role, 1) if is_main else 1
                    found = gain(home, output, challenger, opponent, metric, segment, among)
                    yield Comparison(challenger.model, opponent.model, role, metric, segment, found, among)


def _words(comparison: Comparison) -> str:
    gain = comparison.gain
    return f"{gain.value:+.1%} [{gain.low:+.1%}, {gain.high:+.1%}] on the {comparison.role} {comparison.opponent}"
