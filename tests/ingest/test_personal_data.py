"""Personal data never passes the border."""

from datetime import date

import pyarrow.parquet as pq

from pipelines.home import Home
from pipelines.ingest.collect import collect
from pipelines.ingest.manifest import need_manifest
from tests.landing import DAY, Landing, customer

FIRST = date(2011, 10, 3)
NIGHT = date(2011, 10, 6)


def test_no_clear_personal_value_reaches_the_home(home: Home, landing: Landing) -> None:
    canaries = ["canary.anna@example.org", "Canary Annasson", "+49 160 5550123"]
    row = customer("c1", FIRST, email=canaries[0], full_name=canaries[1], phone=canaries[2])
    landing.write_store(FIRST, 1)
    landing.write("customers", FIRST, [row])
    landing.write("customers", FIRST + DAY, [row], form="csv")
    uneven = f"customer_id,email,updated_at\nc2,{canaries[0]},2011-10-05,{canaries[1]}\n"
    landing.write_bytes("customers", FIRST + 2 * DAY, uneven.encode())
    headless = f"{canaries[1]},{canaries[0]}\n"
    landing.write_bytes("customers", FIRST + 3 * DAY, headless.encode())
    shifted = f"customer_id,updated_at,email\nc3,{canaries[0]},2011-10-05\n"
    landing.write_bytes("customers", FIRST + 4 * DAY, shifted.encode())
    result = collect(home, FIRST + 7 * DAY)
    assert result["faults"] == 2
    said = str(result) + str(need_manifest(home.storage, FIRST + 7 * DAY))
    assert not [canary for canary in canaries if canary in said]
    for file in home.root.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        if file.suffix == ".parquet":
            content = str(pq.read_table(file).to_pylist()).encode()
        assert not [canary for canary in canaries if canary.encode() in content], file


def test_the_same_person_has_one_pseudonym_across_partitions(home: Home, landing: Landing) -> None:
    landing.write("customers", FIRST, [customer("c1", FIRST, email="a@x.org")])
    landing.write("customers", FIRST + DAY, [customer("c1", FIRST, email=" A@x.org")], form="csv")
    collect(home, NIGHT)
    emails = {
        email
        for entry in need_manifest(home.storage, NIGHT).partitions
        for email in pq.read_table(home.storage.path(str(entry.key)))["email"].to_pylist()
    }
    assert len(emails) == 1
