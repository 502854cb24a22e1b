import pyarrow as pa
import pytest

from pipelines.ingest.pseudonymise import network_of, pseudonym, pseudonymise, pseudonymise_prefix

KEY = b"k" * 32


def values(*texts: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


def test_the_same_value_gives_the_same_pseudonym_and_another_key_another() -> None:
    first, second = pseudonymise(values("Anna", "Anna"), "full_name", KEY).to_pylist()
    assert first == second == pseudonym("Anna", KEY)
    assert first != pseudonym("Anna", b"x" * 32)
    assert len(first) == 64


def test_case_and_space_of_an_email_do_not_matter() -> None:
    assert len(set(pseudonymise(values("a@x.org", " A@X.org "), "email", KEY).to_pylist())) == 1
    assert len(set(pseudonymise(values("anna", "Anna"), "full_name", KEY).to_pylist())) == 2


def test_null_and_blank_stay_null() -> None:
    assert pseudonymise(values(None, "", "  "), "email", KEY).to_pylist() == [None, None, None]


def test_an_integer_phone_is_its_text() -> None:
    numbers = pa.chunked_array([pa.array([49123], pa.int64())])
    assert pseudonymise(numbers, "phone", KEY).to_pylist() == [pseudonym("49123", KEY)]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("2001:DB8:1:2::3", "2001:db8:1::/48"),
        ("198.51.100", None),
        ("unknown", None),
    ],
)
def test_the_network_of_an_address(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_addresses_of_one_network_share_a_pseudonym_that_is_no_address_s() -> None:
    addresses = values("198.51.100.7", " 198.51.100.200 ", "198.51.101.7", "no address", None)
    first, second, other, *rest = pseudonymise_prefix(addresses, KEY).to_pylist()
    assert first == second != other
    assert rest == [None, None]
    assert first not in pseudonymise(values("198.51.100.0", "198.51.100.7"), "ip_address", KEY).to_pylist()
