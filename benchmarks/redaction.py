"""Precision and recall of the redaction of free text, by kind and language, and what it costs.

python -m benchmarks.redaction --texts 300 --seed 7 --timed 100000 --out result.json

Found: no word of the value is left and its mark is there; exact: nothing else went but a full stop. Precision: of the
marks of a kind, those that stand for such a value. Survived: the facts of the store beside it, unchanged. The patterns
and the texts have one author.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.redaction_texts import AROUND, FACTS, HARMLESS, LANGUAGES, MAKERS, SAID, UNSAID, facts
from pipelines.ingest.redact import redact, redact_text

MARK = re.compile(r"\[(email|phone|card|iban|address|name)\]")
STOPS = re.compile(r"[\s.,]")
TIMED_VALUES = 0.2  # share of the timed texts that hold a personal value


def measured(texts: int, seed: int) -> dict[str, Any]:
    """By language and kind: precision, recall, and the survival of facts."""
    rows: dict[str, Any] = {}
    for language in LANGUAGES:
        random, counts = Random(f"{seed} {language}"), Counter[str]()
        for kind in MAKERS:
            for place in range(texts):
                _count(counts, random, language, kind, place)
        for place in range(texts):
            known = facts(random, language)
            text = HARMLESS[language][place % len(HARMLESS[language])].format(**known)
            _judge(counts, text, redact_text(text), known)
        for place in range(texts):
            value = MAKERS["name"](random, language)
            text = UNSAID[language][place % len(UNSAID[language])].format(x=value, lower=value.lower())
            counts["name, unsaid tried"] += 1
            counts["name, unsaid found"] += value not in redact_text(text) and value.lower() not in redact_text(text)
        rows[language] = _shares(counts)
    return rows


def _count(counts: Counter[str], random: Random, language: str, kind: str, place: int) -> None:
    value, known = MAKERS[kind](random, language), facts(random, language)
    said = random.choice(SAID[language][kind])
    around = AROUND[language][place % len(AROUND[language])]
    text = around.format(said=said.format(x=value), **known)
    out = redact_text(text)
    rest, left = MARK.sub("", out), around.format(said=said.format(x=""), **known)
    is_found = f"[{kind}]" in out and not any(part in rest and part not in left for part in _parts(value))
    counts[f"{kind} tried"] += 1
    counts[f"{kind} found"] += is_found
    counts[f"{kind} exact"] += is_found and STOPS.sub("", rest) == STOPS.sub("", left)
    counts[f"{kind} marked right"] += is_found
    _judge(counts, text, out, known)


def _judge(counts: Counter[str], text: str, out: str, known: dict[str, str]) -> None:
    counts.update(f"{kind} marked" for kind in MARK.findall(out))
    for fact, value in zip(FACTS, known.values(), strict=True):
        counts[f"{fact} there"] += value in text
        counts[f"{fact} survived"] += value in text and value in out


def _parts(value: str) -> list[str]:
    """What a part of the value would be recognised by: its words, in Chinese each two signs."""
    words = re.findall(r"[A-Za-z\u00c0-\u024f]{3,}|[0-9]{3,}", value)
    return words + [
        value[at : at + 2] for at in range(len(value) - 1) if re.fullmatch("[\u4e00-\u9fff]{2}", value[at : at + 2])
    ]


def _shares(counts: Counter[str]) -> dict[str, Any]:
    kinds = {
        kind: {
            "precision": round(counts[f"{kind} marked right"] / max(counts[f"{kind} marked"], 1), 4),
            "recall": round(counts[f"{kind} found"] / counts[f"{kind} tried"], 4),
            "exact": round(counts[f"{kind} exact"] / counts[f"{kind} tried"], 4),
        }
        for kind in MAKERS
    }
    kinds["name, unsaid"] = {"recall": round(counts["name, unsaid found"] / counts["name, unsaid tried"], 4)}
    survived = {fact: round(counts[f"{fact} survived"] / counts[f"{fact} there"], 4) for fact in FACTS}
    return {"kinds": kinds, "survived": survived}


def timed(count: int, seed: int) -> float:
    """CPU seconds to redact a column of that many different messages in the three languages."""
    random, texts = Random(f"{seed} timed"), []
    for place in range(count):
        language = LANGUAGES[place % len(LANGUAGES)]
        said, kind = "", random.choice(list(MAKERS))
        if random.random() < TIMED_VALUES:
            said = random.choice(SAID[language][kind]).format(x=MAKERS[kind](random, language))
        texts.append(random.choice(AROUND[language]).format(said=said, **facts(random, language)))
    column = pa.chunked_array([texts])
    start = time.process_time()
    redact(column)
    return round(time.process_time() - start, 2)


def shown(found: dict[str, Any]) -> Table:
    """The figures as a table: precision / recall by kind, survival by fact."""
    table = Table("", *LANGUAGES, title="precision / recall / recall with nothing else taken; facts that survived")
    for kind in [*MAKERS, "name, unsaid"]:
        cells = [found["languages"][language]["kinds"][kind] for language in LANGUAGES]
        table.add_row(kind, *(" / ".join(f"{value:.3f}" for value in cell.values()) for cell in cells))
    for fact in FACTS:
        table.add_row(fact, *(f"{found['languages'][language]['survived'][fact]:.4f}" for language in LANGUAGES))
    return table


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=300, help="texts by kind and language")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--timed", type=int, default=100_000, help="messages to time; 0: none")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found: dict[str, Any] = {"texts": asked.texts, "seed": asked.seed, "languages": measured(asked.texts, asked.seed)}
    if asked.timed:
        found |= {"timed": asked.timed, "seconds": timed(asked.timed, asked.seed)}
    console = Console()
    console.print(shown(found))
    if asked.timed:
        console.print(f"{found['seconds']} CPU s for {asked.timed:,} messages")
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
