"""The replay: what is ordered arrives after its lead time, and whoever knows the sales pays least."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import reorder
from benchmarks.reorder import Shop, replay
from tests.benchmarks.test_demand import some_sales


def told(units: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"product_id": "p", "horizon": [1, 2], "units_mean": units, "units_p10": units, "units_p90": units}
    )


def test_one_product_by_hand() -> None:
    products = pd.DataFrame(
        [{"product_id": "p", "unit_price": 10.0, "unit_cost": 6.0, "lead_time_days": 7, "order_multiple": 1}]
    )
    shop = Shop(np.array([[4.0, 4.0, 4.0]]), products, np.array([5]))
    found = replay(shop, [told(4.0)] * 3, 0.5)
    # ordered up to 12 (lead, review and a week of cover): 7, then nothing at 8 + 0, below 8 again only in week 3
    assert found.units_lost.tolist() == [0.0]
    assert found.stock.tolist() == [(1.0 + 4.0 + 0.0) / 3]
    assert found.holding.tolist() == [0.25 * 6.0 * 5.0 * 7 / 365]


def test_the_command_writes_costs_of_every_policy(tmp_path: Path) -> None:
    frame = some_sales(series=25, weeks=80).assign(price=2.0)
    frame.to_parquet(tmp_path / "sales.parquet")
    command = f"--sales {tmp_path}/sales.parquet --id id --time at --value sold --price price --weeks 5 --horizon 4"
    found = reorder.main([*command.split(), "--levels", "0.9", "--refit", "5", "--out", str(tmp_path / "result.json")])
    policies = found["levels"]["0.9"]
    assert policies["oracle"]["cost"] < policies["xgboost_quantiles"]["cost"]
    assert 0.0 < policies["xgboost_quantiles"]["fill_rate"] <= 1.0
