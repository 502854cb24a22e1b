"""Personal values become keyed pseudonyms at the border: the same value, the same pseudonym; nothing leads back."""

from __future__ import annotations

import hmac

import pyarrow as pa
import pyarrow.compute as pc

EMAIL = "email"


def pseudonym(value: str, key: bytes) -> str:
    """The HMAC-SHA-256 of a value, hexadecimal."""
    return hmac.digest(key, value.encode(), "sha256").hex()


def pseudonymise(values: pa.ChunkedArray, column: str, key: bytes) -> pa.ChunkedArray:
    """Pseudonyms of a text column. Null or blank stays null; an e-mail's case does not matter, nor space around it."""
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    if column == EMAIL:
        text = pc.utf8_lower(text)
    encoded = text.combine_chunks().dictionary_encode()
    distinct = [pseudonym(value, key) if value else None for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(distinct, pa.string()).take(encoded.indices)])
