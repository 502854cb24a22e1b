"""Replies on a file of tickets with intent and answer: is the retrieved one of the right intent, all slots right?

python -m benchmarks.replies --responses FILE.parquet [--text instruction] [--intent intent] [--reply response]
    [--similarity NAME...] [--seed 7] --out result.json

A fifth of the rows is held out for the test, an eighth of the rest to choose the similarity on. The intent is the
model's guess (TF-IDF with linear support vectors), not the label. Slots: what stands in `{{...}}` that names an order
or invoice, and each order number and amount in an answer, belongs to the customer of the row that it was written for.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from models.support.checker import Checker
from models.support.facts import Facts, Titles
from models.support.figures import find_figures, plain
from models.support.parts import Machine
from models.support.reply_search import SIMILARITIES, ReplySearch
from models.support.slots import NoFact, filled, slotted
from models.support.tfidf_part import TfidfPart

AS_OF = date(2024, 1, 1)
NUMBER = re.compile(r"\{\{\s*(?:\d{6,}|(?:Order|Purchase|Bill|Invoice)\s?(?:Number|ID|No)?(?: Anonymized)?)\s*\}\}")
OWN = re.compile(r"\b\d{6,}\b|\b[A-Z]{3}-?\d{4,}\b")
STAND_IN = "900000000001"
"""An order's number where the row's text names none and its answer has a slot for one."""
CANDIDATES = 50
"""Answers tried for a ticket, the most alike first."""


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Choose a similarity on validation, judge it on the test rows; writes and gives the figures."""
    given = _parsed(arguments)
    rows = pd.read_parquet(given.responses).rename(
        columns={given.text: "text", given.intent: "intent", given.reply: "reply"}
    )
    order = np.random.default_rng(given.seed).permutation(len(rows))
    rows = rows.iloc[order].drop_duplicates("text").reset_index(drop=True)  # the same question is never on both sides
    test, rest = rows.iloc[: len(rows) // 5], rows.iloc[len(rows) // 5 :]
    validation, train = rest.iloc[: len(rest) // 8], rest.iloc[len(rest) // 8 :]
    tried = {name: _alike(name, train, validation, given.seed) for name in given.similarity}
    chosen = max(tried, key=lambda name: tried[name])
    result = {
        "protocol": {"rows": len(rows), "train": len(rest), "test": len(test), "seed": given.seed},
        "validation_likeness_to_the_true_reply": tried,
        "similarity": chosen,
        "test": _judged(chosen, rest, test, given.seed),
    }
    given.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "protocol"}, indent=1))  # noqa: T201
    return result


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replies", description=__doc__)
    parser.add_argument("--responses", type=Path, required=True, help="a Parquet file, one row a ticket")
    parser.add_argument("--text", default="instruction", help="its column of the customer's text")
    parser.add_argument("--intent", default="intent", help="of what the customer wants")
    parser.add_argument("--reply", default="response", help="of the answer")
    parser.add_argument("--similarity", nargs="+", default=list(SIMILARITIES), choices=SIMILARITIES)
    parser.add_argument("--seed", type=int, default=7, help="of the split")
    parser.add_argument("--out", type=Path, required=True, help="where the JSON goes")
    return parser.parse_args(arguments)


def _alike(similarity: str, known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> float:
    """Mean cosine (TF-IDF of words) of the retrieved and the true reply, of the same intent."""
    search = ReplySearch(similarity, seed).fit(list(known["text"]), list(known["intent"]), list(known["reply"]))
    ranked = search.ranked(list(asked["text"]), list(asked["intent"]), 1)
    weighed = TfidfVectorizer(sublinear_tf=True).fit(known["reply"])
    true, all_known = weighed.transform(asked["reply"]), weighed.transform(known["reply"])
    return round(
        float(np.mean([(true[[at]] @ all_known[[r[0]]].T).sum() if r else 0.0 for at, r in enumerate(ranked)])), 4
    )


def _judged(similarity: str, known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Shares over the test rows: of the right intent, all slots right, both."""
    start = time.process_time()
    part = TfidfPart(Machine(seed)).fit(list(known["text"]), known["intent"].to_numpy(object))
    guessed = np.array(part.classes)[part.view(list(asked["text"])).logits.argmax(axis=1)]
    search = ReplySearch(similarity, seed).fit(list(known["text"]), list(known["intent"]), list(known["reply"]))
    ranked = search.ranked(list(asked["text"]), list(guessed), CANDIDATES)
    found = [_first(row, known, ranks) for row, ranks in zip(asked.to_dict("records"), ranked, strict=True)]
    is_right = np.array(
        [
            at is not None and known["intent"].iloc[at] == want
            for (at, _), want in zip(found, asked["intent"], strict=True)
        ]
    )
    slots = np.array(
        [
            text is not None and _all_right(text, row)
            for (_, text), row in zip(found, asked.to_dict("records"), strict=True)
        ]
    )
    suggested = np.array([text is not None for _, text in found])
    checker = Checker(Titles())
    passes = np.array(
        [
            text is not None and not checker.faults(text, _facts(row["text"]), row["text"])
            for (_, text), row in zip(found, asked.to_dict("records"), strict=True)
        ]
    )
    with_slot = np.array([bool(text) and bool(_numbers(text or "")) for _, text in found])
    return {
        "tickets": len(asked),
        "intent_accuracy": round(float((guessed == asked["intent"]).mean()), 4),
        "suggested_share": round(float(suggested.mean()), 4),
        "right_intent": round(float(is_right[suggested].mean()), 4),
        "all_slots_right": round(float(slots[suggested].mean()), 4),
        "both": round(float((is_right & slots)[suggested].mean()), 4),
        "first_that_passes_the_checker": round(float(passes.mean()), 4),
        "with_an_order_number": int(with_slot.sum()),
        "slots_right_of_these": round(float(slots[with_slot].mean()), 4) if with_slot.any() else None,
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def _first(row: dict[str, Any], known: pd.DataFrame, ranks: list[int]) -> tuple[int | None, str | None]:
    """The first of the ranked answers whose slots this ticket has facts for."""
    facts = _facts(row["text"])
    for at in ranks:
        source = known.iloc[at]
        written_for = Facts(AS_OF, _facts(source["text"]).order_id or STAND_IN)
        reply = NUMBER.sub(str(written_for.order_id), source["reply"])
        try:
            return at, filled(slotted(reply, written_for, Titles()), facts)
        except NoFact:
            continue
    return None, None


def _facts(text: str) -> Facts:
    """What a Bitext row says of its customer: the order or invoice number that it names."""
    match = OWN.search(text)
    return Facts(AS_OF, match[0]) if match else Facts(AS_OF)


def _numbers(text: str) -> list[str]:
    return OWN.findall(text)


def _all_right(text: str, row: dict[str, Any]) -> bool:
    """Every number, amount and order in the answer is the customer's own; no slot is left that a fact was due for."""
    own = set(_numbers(row["text"]))
    money = [figure for figure in find_figures(plain(text)) if figure.kind == "amount"]
    return set(_numbers(text)) <= own and not money and not NUMBER.search(text)


if __name__ == "__main__":
    main()
