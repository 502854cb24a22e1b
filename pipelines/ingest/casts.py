"""Lossless casts of what a store delivered to the types of the contract, as SQL expressions over a file's rows."""

from __future__ import annotations

import pyarrow as pa

from pipelines.contract import Column, Type

ARROW: dict[Type, pa.DataType] = {
    Type.ID: pa.string(),
    Type.TEXT: pa.string(),
    Type.TS: pa.timestamp("us"),
    Type.DATE: pa.date32(),
    Type.N: pa.int64(),
    Type.MONEY: pa.decimal128(18, 4),
    Type.FLAG: pa.bool_(),
}
SQL: dict[Type, str] = {
    Type.ID: "varchar",
    Type.TEXT: "varchar",
    Type.TS: "timestamp",
    Type.DATE: "date",
    Type.N: "bigint",
    Type.MONEY: "decimal(18, 4)",
    Type.FLAG: "boolean",
}
EXPECTED: dict[Type, str] = {
    Type.ID: "text or an integer",
    Type.TEXT: "text or an integer",
    Type.TS: "a timestamp or a date",
    Type.DATE: "a date",
    Type.N: "an integer",
    Type.MONEY: "a decimal number",
    Type.FLAG: "true or false",
}
TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
MIDNIGHT = r"^\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0{1,9})?)?Z?)?$"
INTEGER = r"^[+-]?\d+(\.0*)?$"
DECIMAL = r"^[+-]?\d+(\.\d{0,4}0*)?$"
FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def is_castable(found: pa.DataType, wanted: Type) -> bool:
    """Whether a Parquet column of this type can be read as the contract's without loss, cell by cell."""
    kind = found.value_type if pa.types.is_dictionary(found) else found
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_integral = pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0)
    allowed = {
        Type.ID: is_text or is_integral,
        Type.TEXT: is_text or is_integral,
        Type.TS: pa.types.is_timestamp(kind) or pa.types.is_date(kind),
        Type.DATE: pa.types.is_date(kind) or pa.types.is_timestamp(kind),
        Type.N: is_integral or pa.types.is_floating(kind),
        Type.MONEY: pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind),
        Type.FLAG: pa.types.is_boolean(kind),
    }
    return bool(pa.types.is_null(kind) or allowed[wanted])


def cast_sql(column: Column, found: pa.DataType, is_csv: bool) -> tuple[str, str]:
    """Two expressions: the value in the contract's type, null where it cannot be, and the text that cannot be read."""
    name = f'"{column.name}"'
    if is_csv:
        value, present = _from_text(f"trim({name})", column.type, name), f"{name} is not null"
    elif pa.types.is_floating(found):
        value, present = _from_float(name, column.type), f"{name} is not null and not isnan({name})"
    elif pa.types.is_decimal(found) and column.type is Type.MONEY:
        value, present = f"try_cast(round_even({name}, 4) as decimal(18, 4))", f"{name} is not null"
    elif pa.types.is_timestamp(found):
        value, present = _from_timestamp(name, column.type, has_zone=bool(found.tz)), f"{name} is not null"
    else:
        value, present = f"try_cast({name} as {SQL[column.type]})", f"{name} is not null"
    return value, f"case when {present} and ({value}) is null then {name}::varchar end"


def _from_float(name: str, wanted: Type) -> str:
    """Money is rounded half-even to four decimals; a count must be integral. NaN is how pandas writes null."""
    if wanted is Type.MONEY:
        units = f"try_cast(try_cast(round_even({name}::double * 10000, 0) as bigint) as decimal(18, 0))"
        return f"case when isfinite({name}) then ({units} * 0.0001::decimal(5, 4))::decimal(18, 4) end"
    return f"case when isfinite({name}) and trunc({name}) = {name} then try_cast({name} as bigint) end"


def _from_timestamp(name: str, wanted: Type, *, has_zone: bool) -> str:
    """UTC; a date is a timestamp without a time of day."""
    moment = f"try_cast(try_cast({name} as timestamptz) as timestamp)" if has_zone else f"try_cast({name} as timestamp)"
    if wanted is Type.DATE:
        return f"case when date_trunc('day', {moment}) = {moment} then try_cast({moment} as date) end"
    return moment


def _from_text(text: str, wanted: Type, raw: str) -> str:
    if wanted in (Type.ID, Type.TEXT):
        return raw
    if wanted is Type.TS:
        return f"case when regexp_matches({text}, '{TIMESTAMP}') then try_cast({text} as timestamptz)::timestamp end"
    if wanted is Type.DATE:
        return f"case when regexp_matches({text}, '{MIDNIGHT}') then try_cast(left({text}, 10) as date) end"
    if wanted is Type.N:
        return f"case when regexp_matches({text}, '{INTEGER}') then try_cast(split_part({text}, '.', 1) as bigint) end"
    if wanted is Type.MONEY:
        exact = f"when regexp_matches({text}, '{DECIMAL}') then try_cast({text} as decimal(18, 4))"
        rounded = f"when regexp_matches({text}, '{FLOAT}') then {_from_float(f'try_cast({text} as double)', wanted)}"
        return f"case {exact} {rounded} end"
    return f"case lower({text}) when 'true' then true when 't' then true when '1' then true " + (
        "when 'false' then false when 'f' then false when '0' then false end"
    )
