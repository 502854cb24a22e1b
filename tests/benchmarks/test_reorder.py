"""The replay: what is ordered arrives after its lead time, and whoever knows the sales pays least."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import reorder
from benchmarks.replay import Outcome, Shop, fill_at_equal_stock, replay
from models.reorder import Costs
from tests.benchmarks.test_demand import some_sales
from tests.benchmarks.test_landing import write


def told(units: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"product_id": "p", "horizon": [1, 2], "units_mean": units, "units_p10": units, "units_p90": units}
    )


def test_one_product_by_hand() -> None:
    products = pd.DataFrame(
        [{"product_id": "p", "unit_price": 10.0, "unit_cost": 6.0, "lead_time_days": 7, "order_multiple": 1}]
    )
    shop = Shop(np.array([[4.0, 4.0, 4.0]]), products, np.array([5]), Costs(order_cost=3.0))
    found = replay(shop, [told(4.0)] * 3, 0.5)
    # ordered up to 12 (lead, review and a week of cover): 7, then nothing at 8 + 0, below 8 again only in week 3
    assert found.units_lost.tolist() == [0.0]
    assert found.stock.tolist() == [(1.0 + 4.0 + 0.0) / 3]
    assert found.holding.tolist() == [0.25 * 6.0 * 5.0 * 7 / 365]
    assert found.ordering.tolist() == [6.0]


def outcome(stock: list[float], lost: list[float]) -> Outcome:
    nothing = np.zeros(2)
    return Outcome(nothing, nothing, nothing, np.array(stock), np.array(lost))


def test_fill_rate_at_equal_stock_lies_between_two_of_ours() -> None:
    wanted = np.full((2, 1), 50.0)
    ours = [outcome([10, 10], [20, 20]), outcome([30, 30], [0, 0])]  # fill .6 at 20 units, 1 at 60
    (found,) = fill_at_equal_stock(ours, [outcome([20, 20], [30, 30]), outcome([50, 50], [0, 0])], wanted, 7)
    assert (found["mean_stock"], found["naive"], found["ours"], found["higher"]) == (40.0, 0.4, 0.8, 0.4)
    assert found["low"] <= 0.4 <= found["high"]


def test_the_command_writes_costs_of_every_policy(tmp_path: Path) -> None:
    frame = some_sales(series=25, weeks=80).assign(price=2.0)
    frame.to_parquet(tmp_path / "sales.parquet")
    command = f"--sales {tmp_path}/sales.parquet --id id --time at --value sold --price price --weeks 5 --horizon 4"
    found = reorder.main([*command.split(), "--levels", "0.9", "--refit", "5", "--out", str(tmp_path / "result.json")])
    policies = found["levels"]["0.9"]
    assert policies["oracle"]["cost"] < policies["xgboost_quantiles"]["cost"]
    assert 0.0 < policies["xgboost_quantiles"]["fill_rate"] <= 1.0


def test_a_landing_zone_is_replayed_with_its_own_costs_and_what_stock_outs_lost(tmp_path: Path) -> None:
    landing, frame = tmp_path / "store", some_sales(series=25, weeks=60)
    numbers = [f"o{place}" for place in range(len(frame))]
    orders = {"order_id": numbers, "ordered_at": frame["at"], "status": "paid"}
    write(landing, "orders", "2021-01-01", pd.DataFrame(orders).to_dict("records"))
    lines = {"order_id": numbers, "line_number": 1, "product_id": frame["id"], "quantity": frame["sold"]}
    write(landing, "order_lines", "2021-01-01", pd.DataFrame(lines).to_dict("records"))
    told = {"category": None, "brand": None, "unit_price": 4.0, "unit_cost": 1.0, "order_multiple": 6}
    goods = [{"product_id": name, "lead_time_days": 3} | told for name in sorted(set(frame["id"]) - {"s00"})]
    write(landing, "products", "2021-01-01", [*goods, goods[0] | {"product_id": "s00", "unit_cost": None}])
    landing.with_name("store.truth").mkdir()
    outs = {"product_id": ["s01"], "day": [frame["at"].max().date()], "units_wanted": [107], "units_sold": [7]}
    pd.DataFrame(outs).to_parquet(tmp_path / "store.truth/stock_outs.parquet")
    command = f"--landing {landing} --weeks 5 --horizon 4 --refit 5 --least 1 --levels costs --out {tmp_path}/o.json"
    found = reorder.main(command.split())
    sold = frame[frame["at"] > frame["at"].max() - pd.Timedelta(days=35)].groupby("id")["sold"].sum()
    assert found["units_wanted"] == sold.reindex([row["product_id"] for row in goods]).sum() + 100
    assert found["products"] == 24  # one tells no cost
    assert found["levels"]["costs"]["oracle"]["cost"] < found["levels"]["costs"]["seasonal_naive"]["cost"]


def test_a_sales_file_needs_its_columns_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reorder.parsed(["--sales", "x.parquet", "--out", "o.json"])
    assert "--sales needs --id, --time, --value and --price" in capsys.readouterr().err
