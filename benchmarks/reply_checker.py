"""The checker of replies: how many of 500 planted wrong facts it publishes, and of 500 right ones.

python -m benchmarks.reply_checker [--count 500] [--seed 7] --out result.json
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.reply_cases import WRONG, Case, cases
from models.support.checker import Checker
from models.support.facts import Titles


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Judge both sets; writes and gives the counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reply_checker", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="replies of each set")
    parser.add_argument("--seed", type=int, default=7, help="of the replies")
    parser.add_argument("--out", type=Path, required=True, help="where the JSON goes")
    given = parser.parse_args(arguments)
    result = {
        "protocol": {"count": given.count, "seed": given.seed},
        "wrong": judged(*cases(given.count, given.seed, WRONG)),
        "right": judged(*cases(given.count, given.seed + 1, ("right",))),
    }
    given.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for name, found in result.items():
        if name != "protocol":
            print(f"{name}: {found['published']} of {found['replies']} published")  # noqa: T201
    return result


def judged(replies: list[Case], titles: list[str]) -> dict[str, Any]:
    """How many are published, by kind and language; why right ones are withheld, and which wrong ones are published."""
    checker = Checker(Titles.of(titles))
    faults = [checker.faults(case.reply, case.facts, case.asked) for case in replies]
    published = [case for case, found in zip(replies, faults, strict=True) if not found]
    reasons = Counter(fault.partition(":")[0] for found in faults for fault in found[:1])
    return {
        "replies": len(replies),
        "published": len(published),
        "published_share": len(published) / len(replies),
        "by_kind": dict(sorted(Counter(case.kind for case in published).items())),
        "by_language": dict(sorted(Counter(case.language for case in published).items())),
        "withheld_for": dict(sorted(reasons.items())),
        "published_wrong": [case.reply for case in published if case.kind != "right"][:20],
        "withheld_right": [
            {"reply": case.reply, "faults": found}
            for case, found in zip(replies, faults, strict=True)
            if found and case.kind == "right"
        ][:20],
    }


if __name__ == "__main__":
    main()
