"""Personal values become keyed pseudonyms at the border: the same value, the same pseudonym; nothing leads back."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

EMAIL = "email"
PREFIXES = {4: 24, 6: 48}  # bits of an address that its network keeps


def pseudonym(value: str, key: bytes) -> str:
    """The HMAC-SHA-256 of a value, hexadecimal."""
    return hmac.digest(key, value.encode(), "sha256").hex()


def pseudonymise(values: pa.ChunkedArray, column: str, key: bytes) -> pa.ChunkedArray:
    """Pseudonyms of a text column. Null or blank stays null; an e-mail's case does not matter, nor space around it."""
    return _of_distinct(values, lambda value: pseudonym(value, key) if value else None, is_lower=column == EMAIL)


def pseudonymise_prefix(values: pa.ChunkedArray, key: bytes) -> pa.ChunkedArray:
    """Pseudonyms of the networks of IP addresses; null where a value is no address."""

    def of_network(value: str) -> str | None:
        network = network_of(value)
        return pseudonym(network, key) if network else None

    return _of_distinct(values, of_network)


def network_of(address: str) -> str | None:
    """The network of an IP address: /24 of IPv4, also where IPv6 wraps it, /48 of IPv6; None if it is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network(f"{found}/{PREFIXES[found.version]}", strict=False))


def _of_distinct(
    values: pa.ChunkedArray, change: Callable[[str], str | None], *, is_lower: bool = False
) -> pa.ChunkedArray:
    """Trim a text column and change each distinct value once."""
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    encoded = (pc.utf8_lower(text) if is_lower else text).combine_chunks().dictionary_encode()
    distinct = [None if value is None else change(value) for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(distinct, pa.string()).take(encoded.indices)])
