"""Intents on any labelled texts: our models and other ways under one protocol, figures with intervals.

python -m benchmarks.support --train FILE.parquet --validation FILE.parquet --test FILE.parquet --text COL --label COL
    [--oos-label NAME] --model NAME... [--peers NAME...] --threads N --out result.json

One file that holds all: `--train FILE --train-where "split == 'train'" --validation-where ... --test-where ...`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.recommendations import cpu_seconds, peak_mib
from benchmarks.support_metrics import Answers, Truth, figures
from benchmarks.support_peers import PEERS, Wanted
from models import support
from models.support.stack import softmax

Texts = tuple[list[str], Truth]
MODELS: dict[str, Any] = {model.name: model for model in (*support.CONTESTANTS, *support.WITH_ENCODER)}
SHOWN = ("accuracy", "macro_f1", "out_of_scope_auroc", "out_of_scope_recall", "automatic_share", "automatic_accuracy")


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the protocol that the arguments name; writes and gives the figures."""
    given = parsed(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    train, validation, test = (read_texts(given, name) for name in ("train", "validation", "test"))
    train = _in_scope(train)
    result: dict[str, Any] = {"protocol": _protocol(given, train, validation, test), "models": {}}
    for name in [*given.model, *given.peers]:
        learn = _peer if name in PEERS else _ours
        answer, fitting = _timed(lambda name=name, learn=learn: learn(name, given, train))
        told = answer(validation[0])
        found, answering = _timed(lambda answer=answer: answer(test[0]))
        judged = figures((told, validation[1]), (found, test[1]), seed=given.seed, resamples=given.resamples)
        per_second = {"texts_per_cpu_second": round(len(test[0]) / max(answering["cpu_seconds"], 1e-3), 1)}
        result["models"][name] = judged | {"fit": fitting, "answer": answering, "peak_mib": peak_mib()} | per_second
        print(json.dumps({"model": name} | result["models"][name]), flush=True)  # noqa: T201
        given.out.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    show(result)
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.support", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="a Parquet file, one row a text")
    for name in ("validation", "test"):
        parser.add_argument(f"--{name}", type=Path, help="the same; by default the file of --train")
    for name in ("train", "validation", "test"):
        parser.add_argument(f"--{name}-where", help="rows that count, as pandas' query takes it")
    parser.add_argument("--text", required=True, help="the column of the text")
    parser.add_argument("--label", required=True, help="the column of the intent")
    parser.add_argument("--oos-label", help="the label of what is out of scope: never learnt from, only told apart")
    parser.add_argument("--automatic-accuracy", type=float, default=0.98, help="share right where no person looks")
    parser.add_argument("--encoder", type=Path, help="folder of a sentence encoder")
    parser.add_argument("--encoder-sha256", help="of its weights; by default those of all-MiniLM-L6-v2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="a fit's ceiling, as reckoned beforehand; none by default")
    parser.add_argument("--model", nargs="*", default=[], choices=sorted(MODELS), help="ours")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def read_texts(given: argparse.Namespace, name: str) -> Texts:
    """Texts and truth of train, validation or test; raises ValueError where columns or rows are missing."""
    file, where = getattr(given, name) or given.train, getattr(given, f"{name}_where")
    rows = pd.read_parquet(file)
    if missing := [column for column in (given.text, given.label) if column not in rows.columns]:
        raise ValueError(f"{file}: found no column {missing[0]!r} in {list(rows.columns)}: name another")
    rows = rows.query(where) if where else rows
    if rows.empty:
        raise ValueError(f"{file}: found no rows for --{name}, expected at least one: look at --{name}-where")
    labels = rows[given.label].astype(str).to_numpy(object)
    return [str(text) for text in rows[given.text]], Truth(labels, np.asarray(labels == given.oos_label))


def _in_scope(texts: Texts) -> Texts:
    kept = np.flatnonzero(~texts[1].outside)
    return [texts[0][place] for place in kept], Truth(texts[1].intent[kept], texts[1].outside[kept])


def _protocol(given: argparse.Namespace, *parts: Texts) -> dict[str, Any]:
    kept = ("oos_label", "automatic_accuracy", "threads", "seed", "train_where", "validation_where", "test_where")
    sizes = {
        name: {"texts": len(texts), "out_of_scope": int(truth.outside.sum())}
        for name, (texts, truth) in zip(("train", "validation", "test"), parts, strict=True)
    }
    return {name: getattr(given, name) for name in kept} | sizes | {"intents": len(set(parts[0][1].intent))}


def _timed(make: Any) -> tuple[Any, dict[str, float]]:
    before, begun = cpu_seconds(), time.perf_counter()
    made = make()
    return made, {
        "cpu_seconds": round(cpu_seconds() - before, 2),
        "wall_seconds": round(time.perf_counter() - begun, 2),
    }


def _ours(name: str, given: argparse.Namespace, train: Texts) -> Any:
    """One of our models, fitted on tickets opened in an order drawn by the seed: the later ones calibrate it."""
    kind = MODELS[name]
    settings: dict[str, Any] = {"automatic_accuracy": given.automatic_accuracy, "seed": given.seed}
    if issubclass(kind, support.Stacked):
        settings |= {"threads": given.threads, "minutes": given.minutes}
        settings |= {"encoder": given.encoder, "encoder_sha256": given.encoder_sha256}
    tickets = _tickets(train[0])
    order = np.random.default_rng(given.seed).permutation(len(tickets))
    tickets["opened_at"] = pd.Timestamp("2000-01-01") + pd.to_timedelta(order, unit="min")
    targets = tickets[["ticket_id"]].assign(intent=train[1].intent, urgency=None, is_known=True)
    model = kind(**settings).fit({"tickets": tickets}, targets)

    def answer(texts: list[str]) -> Answers:
        guess = model.guess(_tickets(texts))
        return Answers(guess.intent, guess.probability, guess.certain, guess.certain >= model.threshold)

    return answer


def _tickets(texts: list[str]) -> pd.DataFrame:
    ids = [f"t{place:09d}" for place in range(len(texts))]
    return pd.DataFrame({"ticket_id": ids, "text": texts, "messages": 1, "unanswered_messages": 1})


def _peer(name: str, given: argparse.Namespace, train: Texts) -> Any:
    """A peer: its certainty is its greatest logit, its probability their softmax."""
    intents, labels = np.unique(train[1].intent.astype(str), return_inverse=True)
    logits = PEERS[name](train[0], labels.astype(np.int64), Wanted(given.threads, given.seed, given.encoder))

    def answer(texts: list[str]) -> Answers:
        found = np.asarray(logits(texts), dtype=np.float64)
        return Answers(intents[found.argmax(axis=1)].astype(object), softmax(found).max(axis=1), found.max(axis=1))

    return answer


def show(result: dict[str, Any]) -> None:
    """Print the figures of all models."""
    table = Table("model", *SHOWN, "calibration", "fit CPU s", "texts / CPU s")
    for model, found in result["models"].items():
        values = [f"{found[name][0]:.4f}" if name in found else "" for name in SHOWN]
        costs = [f"{found['fit']['cpu_seconds']:.1f}", f"{found['texts_per_cpu_second']:.0f}"]
        table.add_row(model, *values, f"{found['calibration_error']:.4f}", *costs)
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
