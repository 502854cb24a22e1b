"""What forecasts miss of the demand that empty shelves hid, on a simulated store whose true demand is known.

python -m benchmarks.censored --landing DIR --out FILE.json

DIR is what `nightcart simulate` wrote; what was wanted lies in DIR.truth. Every model is taught three times: by what
sold (`as_sold`), by the same with the days out of stock known (`corrected`), and by what was wanted (`wanted`), which
no store knows. All are judged by what was wanted in the weeks after the cut-offs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.censored_store import (
    OPENED,
    RULES,
    WEEK,
    YEAR,
    Floats,
    Store,
    features_at,
    read_store,
    targets_after,
    weekly,
)
from models.bootstrap import interval, paired_gain
from models.demand import CONTESTANTS
from models.demand.censored import AROUND, restored
from models.demand.forecasts import MEAN, P50
from models.metrics import DENOMINATOR, NUMERATOR

AS_SOLD, CORRECTED, WANTED = "as_sold", "corrected", "wanted"
LEAST_WEEKS = 8
"""Before the first cut-off that is learnt from, as the store has."""
MAX_CUTOFFS = 60
WEEKS_OUT = 4
"""In the year before a cut-off, from which a product counts as one that was out of stock for long."""


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Judge all models; writes and gives the figures."""
    given = parsed(arguments)
    store = read_store(given.landing)
    result: dict[str, Any] = {"history": _history(store), "models": {}}
    print(json.dumps(result["history"]), flush=True)  # noqa: T201
    for kind in CONTESTANTS:
        if given.models and kind.name not in given.models:
            continue
        rows = pd.concat(list(_judged(kind, store, given)), ignore_index=True)
        result["models"][kind.name] = {group: _compared(rows[rows[group]], given.seed) for group in GROUPS}
        print(json.dumps({kind.name: result["models"][kind.name]}), flush=True)  # noqa: T201
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.censored", description=__doc__)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--models", nargs="+", help="names of the models; all by default")
    parser.add_argument("--folds", type=int, default=3, help="windows that are judged")
    parser.add_argument("--horizon", type=int, default=8, help="weeks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _history(store: Store) -> dict[str, Any]:
    """What the shelves hid, and how much of what was wanted each rule of a day out of stock gives back."""
    days = store.sold.shape[1] // WEEK * WEEK
    wanted, sold = store.wanted[:, -days:].sum(), store.sold[:, -days:].sum()
    found: dict[str, Any] = {"wanted": float(wanted), "sold_share": round(float(sold / wanted), 4)}
    units = weekly(store.sold[:, -days:]).astype(np.float32)
    known = np.cumsum(units, axis=1) > 0
    for rule in RULES:
        out = store.out_of_stock(rule)[:, -days:]
        back = restored(units, (weekly(out) / WEEK).astype(np.float32), known, AROUND[WEEK])
        hidden = (store.wanted[:, -days:] * out).sum() - (store.sold[:, -days:] * out).sum()
        share = {"days_out_share": out.mean(), "hidden_then": hidden / wanted, "restored_share": back.sum() / wanted}
        found[rule] = {name: round(float(value), 4) for name, value in share.items()}
    return found


def _judged(kind: Any, store: Store, given: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Per window and product: what was wanted, and errors of each teaching."""
    days, stride = store.sold.shape[1], max(given.horizon // 4, 1) * WEEK
    out, none = store.out_of_stock(OPENED), np.zeros(store.sold.shape, np.bool_)
    taught = {AS_SOLD: (store.sold, none), CORRECTED: (store.sold, out), WANTED: (store.wanted, none)}
    for fold in range(given.folds, 0, -1):
        cut = days - fold * given.horizon * WEEK
        before = list(range(cut - stride, LEAST_WEEKS * WEEK, -stride))[:MAX_CUTOFFS][::-1]
        rows = store.scope(cut)
        truth = weekly(store.wanted[rows, cut : cut + given.horizon * WEEK])
        days_out = out[rows, max(cut - YEAR, 0) : cut].sum(axis=1)
        frame = pd.DataFrame({"product_id": store.ids[rows], "units": truth.sum(axis=1)})
        frame = frame.assign(all=True, ever_out=days_out > 0, long_out=days_out >= WEEKS_OUT * WEEK)
        for name, (units, hidden) in taught.items():
            model = kind(horizon=given.horizon, period_days=WEEK, threads=given.threads, seed=given.seed)
            targets = targets_after(store, units, hidden, before, cut, given.horizon)
            model.fit(features_at(store, units, hidden, before), targets)
            frame = frame.assign(**_errors(model.predict(features_at(store, units, hidden, [cut])), truth, name))
        yield frame


GROUPS = ("all", "ever_out", "long_out")
"""All products; those with a day out of stock in the year before the cut-off; those with four weeks of them."""


def _errors(said: pd.DataFrame, truth: Floats, name: str) -> dict[str, NDArray[np.float64]]:
    """[n] each: error and absolute error of mean and median, summed over the weeks."""
    found: dict[str, NDArray[np.float64]] = {}
    for forecast in (MEAN, P50):
        over = said[forecast].to_numpy().reshape(truth.shape) - truth
        found |= {f"{name}/{forecast}/bias": over.sum(axis=1), f"{name}/{forecast}/wape": np.abs(over).sum(axis=1)}
    return found


def _compared(rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Bias and WAPE of each teaching with intervals over products, and what the correction changes."""
    sums = rows.drop(columns=list(GROUPS)).groupby("product_id").sum()

    def ratio(numerator: pd.Series) -> pd.DataFrame:
        return pd.DataFrame({NUMERATOR: numerator, DENOMINATOR: sums["units"]})

    found: dict[str, Any] = {"products": len(sums), "wanted": float(sums["units"].sum())}
    for forecast in (MEAN, P50):
        for metric in ("bias", "wape"):
            of = {name: ratio(sums[f"{name}/{forecast}/{metric}"]) for name in (AS_SOLD, CORRECTED, WANTED)}
            figures = {name: interval(one, seed=seed) for name, one in of.items()}
            if metric == "bias":
                figures["moved"] = interval(ratio(of[CORRECTED][NUMERATOR] - of[AS_SOLD][NUMERATOR]), seed=seed)
            else:
                figures["better"] = paired_gain(of[CORRECTED], of[AS_SOLD], seed=seed)
            found[f"{forecast}/{metric}"] = {name: [round(x, 4) for x in one] for name, one in figures.items()}
    return found


if __name__ == "__main__":
    main()
