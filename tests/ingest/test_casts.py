from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contract import Column, Type
from pipelines.ingest.casts import cast_sql, is_castable

at = datetime.fromisoformat


def cast(values: pa.Array, wanted: Type, *, is_csv: bool = False) -> list[tuple[Any, str | None]]:
    """Each value as the contract's type, beside the text that could not be read."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("rows_given", pa.table({"x": values}))
    value, unread = cast_sql(Column("x", wanted, ""), values.type, is_csv)
    table = connection.sql(f"select {value} as a, {unread} as b from rows_given").to_arrow_table()
    return list(zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True))


def cast_text(text: str, wanted: Type) -> Any:
    ((value, unread),) = cast(pa.array([text], pa.string()), wanted, is_csv=True)
    return value if unread is None else f"cannot read {unread}"


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [
        ("2011-11-01", Type.TS, at("2011-11-01 00:00")),
        ("2011-11-01 10:30", Type.TS, at("2011-11-01 10:30")),
        ("2011-11-01T10:30:00Z", Type.TS, at("2011-11-01 10:30")),
        ("2011-11-01T10:30:00+02:00", Type.TS, at("2011-11-01 08:30")),
        ("2011-11-31", Type.TS, "cannot read 2011-11-31"),
        ("01.11.2011", Type.TS, "cannot read 01.11.2011"),
        ("infinity", Type.TS, "cannot read infinity"),
        ("2011-11-01", Type.DATE, date(2011, 11, 1)),
        ("2011-11-01 00:00:00", Type.DATE, date(2011, 11, 1)),
        ("2011-11-01 10:30", Type.DATE, "cannot read 2011-11-01 10:30"),
        ("2011-11-31", Type.DATE, "cannot read 2011-11-31"),
        ("12", Type.N, 12),
        (" 12 ", Type.N, 12),
        ("12.0", Type.N, 12),
        ("12.5", Type.N, "cannot read 12.5"),
        ("three", Type.N, "cannot read three"),
        ("1_000", Type.N, "cannot read 1_000"),
        ("99999999999999999999", Type.N, "cannot read 99999999999999999999"),
        ("12.34", Type.MONEY, Decimal("12.3400")),
        ("0.03125", Type.MONEY, Decimal("0.0312")),
        ("1e2", Type.MONEY, Decimal("100.0000")),
        ("12,34", Type.MONEY, "cannot read 12,34"),
        ("nan", Type.MONEY, "cannot read nan"),
        ("TRUE", Type.FLAG, True),
        ("0", Type.FLAG, False),
        ("maybe", Type.FLAG, "cannot read maybe"),
        (" as is ", Type.TEXT, " as is "),
    ],
)
def test_text(text: str, wanted: Type, value: Any) -> None:
    assert cast_text(text, wanted) == value


@pytest.mark.parametrize(
    ("values", "wanted", "expected"),
    [
        (pa.array([7]), Type.ID, ["7"]),
        (pa.array(["a"]).dictionary_encode(), Type.TEXT, ["a"]),
        (pa.array([2.0, float("nan"), None]), Type.N, [2, None, None]),
        (pa.array([0.03125, 12.34565, 0.1]), Type.MONEY, [Decimal("0.0312"), Decimal("12.3456"), Decimal("0.1000")]),
        (pa.array([0.1], pa.float32()), Type.MONEY, [Decimal("0.1000")]),
        (pa.array([3]), Type.MONEY, [Decimal("3.0000")]),
        (pa.array([Decimal("1.00005")]), Type.MONEY, [Decimal("1.0000")]),
        (pa.array([date(2011, 11, 1)]), Type.TS, [at("2011-11-01 00:00")]),
        (pa.array([0], pa.timestamp("ns", "Europe/Berlin")), Type.TS, [at("1970-01-01 00:00")]),
        (pa.array([date(2011, 11, 1)]), Type.DATE, [date(2011, 11, 1)]),
        (pa.array([at("2011-11-01 00:00")]), Type.DATE, [date(2011, 11, 1)]),
        (pa.array([0], pa.timestamp("ns", "Europe/Berlin")), Type.DATE, [date(1970, 1, 1)]),
        (pa.nulls(1), Type.FLAG, [None]),
    ],
)
def test_lossless_casts_of_parquet(values: pa.Array, wanted: Type, expected: list[Any]) -> None:
    assert is_castable(values.type, wanted)
    assert cast(values, wanted) == [(value, None) for value in expected]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (pa.float64(), Type.ID),
        (pa.string(), Type.TS),
        (pa.string(), Type.DATE),
        (pa.string(), Type.N),
        (pa.string(), Type.MONEY),
        (pa.int64(), Type.FLAG),
        (pa.bool_(), Type.N),
        (pa.int64(), Type.TS),
        (pa.binary(), Type.TEXT),
    ],
)
def test_anything_else_is_a_type_fault(found: pa.DataType, wanted: Type) -> None:
    assert not is_castable(found, wanted)


def test_a_float_that_is_no_integer_is_a_row_fault() -> None:
    assert cast(pa.array([2.5, float("inf"), 1e30]), Type.N) == [(None, "2.5"), (None, "inf"), (None, "1e+30")]


def test_a_moment_is_no_date() -> None:
    assert cast(pa.array([at("2011-11-01 10:30")]), Type.DATE) == [(None, "2011-11-01 10:30:00")]


@settings(max_examples=20)
@given(st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=50))
def test_a_price_as_text_is_the_price_as_double(prices: list[float]) -> None:
    from_double = [value for value, _ in cast(pa.array(prices), Type.MONEY)]
    texts = pa.array([repr(price) for price in prices])
    assert [value for value, _ in cast(texts, Type.MONEY, is_csv=True)] == from_double
    for price, value in zip(prices, from_double, strict=True):
        assert abs(value - Decimal(price)) <= Decimal("0.00005") + Decimal(abs(price)) * Decimal("1e-15")
