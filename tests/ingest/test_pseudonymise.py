import pyarrow as pa

from pipelines.ingest.pseudonymise import pseudonym, pseudonymise

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
