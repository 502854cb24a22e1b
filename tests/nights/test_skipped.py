"""A store that lacks optional entities loses the outputs that need them, and nothing else; the run says why."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from pipelines.catalog import OUTPUT_TABLES
from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.publishing.publish import query
from pipelines.steps import STEPS, run_step
from tests.landing import DAY, Landing, payment, stock_level, ticket, ticket_message, ticket_resolution

FIRST = date(2024, 3, 4)
AS_OF = FIRST + 5 * DAY
WORDS = {"delivery": "the parcel with {} is late, where is it", "refund": "please give me my money back for {}"}


def write_tickets(landing: Landing, count: int = 80) -> None:
    """Tickets of the history, all but the last four resolved, with an answer each."""
    intents, names = list(WORDS), [f"t{number:03d}" for number in range(count)]
    about = {name: intents[number % 2] for number, name in enumerate(names)}
    messages = [ticket_message(name, FIRST, body=WORDS[about[name]].format(name)) for name in names]
    answers = [
        ticket_message(name, FIRST, 2, author="agent", body=f"We look into the {about[name]} of o1.") for name in names
    ]
    landing.write("tickets", FIRST, [ticket(name, FIRST, subject=None) for name in names])
    landing.write("ticket_messages", FIRST, [*messages, *answers[:-4]])
    solved = [ticket_resolution(name, FIRST, intent=about[name]) for name in names[:-4]]
    landing.write("ticket_resolutions", FIRST, solved)


def run_night(home: Home, as_of: date = AS_OF) -> dict[str, dict[str, object]]:
    return {name: run_step(name, as_of) for name in STEPS}


def rows_of(home: Home, table: str) -> pa.Table:
    return query(home, f"select * from {table}")


def test_only_the_four_required_entities_then_payments_without_a_chargeback(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 6)
    skipped = run_night(home)["publish"]["skipped"]
    assert skipped == {
        "risk": f"no row of payments, chargebacks is known as of {AS_OF}",
        "support": f"no row of tickets, ticket_messages, ticket_resolutions is known as of {AS_OF}",
        "reorder_plan": f"no row of stock_levels is known as of {AS_OF}",
    }
    (release,) = query(home, "select skipped, model_versions from releases").to_pylist()
    assert all(name in release["skipped"] for name in skipped)
    assert '"risk": null' in release["model_versions"]
    assert rows_of(home, "recommendations").num_rows > 0
    assert rows_of(home, "demand_forecasts").num_rows > 0
    for dataset in OUTPUT_TABLES:
        found = rows_of(home, dataset.name)
        assert [field.name for field in found.schema if field.name not in ("release_id", "as_of")] == [
            name for name, _ in dataset.columns
        ]
    assert rows_of(home, "risk_flags").num_rows == 0

    landing.write("payments", FIRST, [payment("pay1", FIRST)])
    landing.write("stock_levels", FIRST, [stock_level("p1", FIRST)])
    skipped = run_night(home, AS_OF + DAY)["publish"]["skipped"]
    assert set(skipped) == {"risk", "support"}
    assert skipped["risk"] == f"no row of chargebacks is known as of {AS_OF + DAY}"
    (plan,) = rows_of(home, "reorder_plan").to_pylist()
    assert (plan["product_id"], plan["on_hand"], plan["on_order"]) == ("p1", 10, 5)


def test_tickets_only_beyond_them_then_a_faulty_partition_until_it_is_mended(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 7)
    write_tickets(landing)
    results = run_night(home)
    assert set(results["publish"]["skipped"]) == {"risk", "reorder_plan"}
    triage = rows_of(home, "ticket_triage").to_pylist()
    assert [row["ticket_id"] for row in triage] == ["t076", "t077", "t078", "t079"]
    assert [row["intent"] for row in triage] == ["delivery", "refund"] * 2
    assert all(row["suggested_reply"] is None or "We look into" in row["suggested_reply"] for row in triage)

    landing.write_bytes("tickets", AS_OF, b"ticket_id,unknown\nt1,2\n")
    reason = str(run_night(home, AS_OF + DAY)["publish"]["skipped"]["support"])
    assert reason.startswith(f"tickets waits for a fix: tickets {AS_OF}")
    assert rows_of(home, "ticket_triage").num_rows == 0

    landing.write("tickets", AS_OF, [ticket("t100", AS_OF)])
    run_night(home, AS_OF + 2 * DAY)
    assert "t100" in rows_of(home, "ticket_triage")["ticket_id"].to_pylist()


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_has_a_table(output: str) -> None:
    assert any(dataset.output == output for dataset in OUTPUT_TABLES)
