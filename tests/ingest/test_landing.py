from datetime import date
from pathlib import Path

import pytest

from pipelines.contract import ORDERS
from pipelines.errors import IncomingFault
from pipelines.ingest.landing import complete_partitions, list_landing
from tests.landing import Landing, order

DAY = date(2011, 10, 3)


def test_only_partitions_with_success_are_complete(landing: Landing) -> None:
    landing.write("orders", DAY, [order("1", DAY)])
    landing.write("orders", date(2011, 10, 4), [order("2", DAY)], success=False)
    landed = list_landing(landing.root)
    assert [partition.dt for partition in landed.partitions] == [DAY]
    assert [partition.dt for partition in landed.incomplete] == [date(2011, 10, 4)]
    assert complete_partitions(landing.root, ORDERS) == landed.partitions


def test_what_is_not_of_the_contract_is_ignored_with_a_warning(landing: Landing) -> None:
    for folder in ("order/dt=2011-10-03", "orders/dt=20111003", "orders/dt=2011-13-03", "orders/backup", ".trash/x"):
        (landing.root / folder).mkdir(parents=True)
        (landing.root / folder / "_SUCCESS").touch()
    landed = list_landing(landing.root)
    assert landed.partitions == []
    assert landed.warnings == [
        "order: no entity of the contract, ignored; did you mean orders?",
        "orders/backup: not dt=YYYY-MM-DD, ignored",
        "orders/dt=2011-13-03: not dt=YYYY-MM-DD, ignored",
        "orders/dt=20111003: not dt=YYYY-MM-DD, ignored",
    ]


def test_landing_zone_gone(tmp_path: Path) -> None:
    with pytest.raises(IncomingFault, match=r"landing zone .*gone is not there") as stopped:
        list_landing(tmp_path / "gone")
    assert "NIGHTCART_LANDING" in stopped.value.hint


def test_a_changed_file_changes_the_fingerprint(landing: Landing) -> None:
    landing.write("orders", DAY, [order("1", DAY)])
    before = list_landing(landing.root).partitions[0].fingerprint()
    assert list_landing(landing.root).partitions[0].fingerprint() == before
    landing.add("orders", DAY, [order("2", DAY)], name="part-1")
    assert list_landing(landing.root).partitions[0].fingerprint() != before
