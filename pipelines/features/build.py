"""The step `build_features`: one dbt build as of a night, or as of a training's past cut-offs, and its snapshot."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from pipelines.catalog import FEATURES, MARTS
from pipelines.errors import UsageFault
from pipelines.features.dbt import dates, project_digest, run_dbt
from pipelines.features.skipped import skipped_outputs
from pipelines.features.snapshot import write_snapshot
from pipelines.home import Home
from pipelines.monitoring.histograms import write_input_histograms
from pipelines.records import clock, nights
from pipelines.training.cutoffs import judged_nights
from pipelines.warehouse import Session

log = logging.getLogger(__name__)
NEVER, FOREVER = date(1900, 1, 1), "9999-12-31"
MOST_PAYMENTS = 1_000_000  # in a part of a build, about
BUILD = ("build", "--exclude-resource-type", "unit_test")  # unit tests run in `make test`
TRAINING = ("features", "int_demand_scope", "int_out_of_stock_days")  # the models that are built for cut-offs


def build_features(home: Home, as_of: date) -> dict[str, Any]:
    """Build features and marts as of a night and write their snapshot.

    Returns the snapshot's digest, its rows per table, the lines that wait for their order or product, the outputs that
    something is missing for, and the digest of dbt's files: the next night builds upon this one only if they are still
    the same.

    Raises:
        NightcartError: a model or a test failed.
    """
    with home.warehouse.slot():
        newest = known_after(home, as_of)
        is_same_sql = home.records.result(newest, "build_features").get("dbt") == project_digest()
        build_parts(home, night_variables(home, as_of, newest), BUILD, newest if is_same_sql else None)
        with home.warehouse.session() as session:
            waiting = session.read("select count(*) as n from intermediate.int_order_lines_waiting")["n"][0].as_py()
            snapshot = write_snapshot(home, session, FEATURES + MARTS, as_of)
            skipped = skipped_outputs(home, session, as_of)
            write_input_histograms(home, session, as_of)
    with home.records.begin() as records:
        was_loaded = (nights.c.as_of == as_of) & nights.c.loaded_at.is_not(None)
        records.execute(sa.update(nights).where(was_loaded).values(built_at=clock()))
    return {**snapshot, "orphan_lines": waiting, "skipped": skipped, "dbt": project_digest()}


def build_training_features(
    home: Home,
    as_of: date,
    cutoffs: Sequence[date],
    fit_cutoffs: Sequence[date],
    recommendation_cutoffs: Sequence[date] | None = None,
    payment_fit_cutoffs: Sequence[date] = (),
    ticket_fit_cutoffs: Sequence[date] = (),
) -> dict[str, Any]:
    """Build the features as of past cut-offs, with what followed as known at each of fit_cutoffs; write a snapshot.

    Payments and tickets are those of all nights up to as_of, each as of its own night, with what became of them as
    known at each of payment_fit_cutoffs and ticket_fit_cutoffs. It reads what the nights have aggregated and leaves it
    as it is.

    Raises:
        UsageFault: a date lies after as_of.
        NightcartError: a model or a test failed.
    """
    known = (*fit_cutoffs, *payment_fit_cutoffs, *ticket_fit_cutoffs)
    late = [day for day in (*cutoffs, *known, *(recommendation_cutoffs or ())) if day > as_of]
    if late:
        raise UsageFault(f"cut-offs {', '.join(dates(late))} lie after {as_of}", "train as of a later night")
    variables = {
        "as_of": as_of.isoformat(),
        "cutoffs": dates(cutoffs),
        "fit_cutoffs": dates(fit_cutoffs),
        "recommendation_cutoffs": dates(cutoffs if recommendation_cutoffs is None else recommendation_cutoffs),
        "events": "all",
        "payment_fit_cutoffs": dates(payment_fit_cutoffs),
        "ticket_fit_cutoffs": dates(ticket_fit_cutoffs),
        **_settings(home),
    }
    with home.warehouse.slot():
        run_dbt(home, [*BUILD, "--select", *TRAINING], variables)
        with home.warehouse.session() as session:
            return write_snapshot(home, session, FEATURES, as_of)


def night_variables(home: Home, as_of: date, newest: date) -> dict[str, Any]:
    """What dbt builds a night with: its own cut-off, and what became of past nights as known then.

    newest: the night up to which the incremental models hold all rows.
    """
    days = dates([as_of])
    fits = ("fit_cutoffs", "payment_fit_cutoffs", "ticket_fit_cutoffs")
    return {
        "as_of": days[0],
        "known_after": str(newest),
        "events": "tonight",
        **dict.fromkeys(("cutoffs", "recommendation_cutoffs", *fits), days),
        **{f"{output}_judged": dates(past) for output, past in judged_nights(home, as_of).items()},
        **_settings(home),
    }


def build_parts(home: Home, variables: dict[str, Any], command: Sequence[str], newest: date | None) -> None:
    """Run dbt for what came after the newest night, or anew for all; features of many payments in parts.

    A part's memory follows its own payments. Each goes by when payments became known, so it finds those before built.
    """
    with home.warehouse.session() as session:
        parts = payment_parts(session, newest or NEVER)
    refresh = [] if newest else ["--full-refresh"]
    run_dbt(home, [*command, *refresh], variables | {"payments_until": parts[0]})
    for number, until in enumerate(parts[1:], 2):
        log.info("features of payments: part %s of %s", number, len(parts))
        later = {"payments_until": until, "is_first_part": False}
        run_dbt(home, [*BUILD, "--select", "int_payment_features+"], variables | later)


def payment_parts(session: Session, newest: date) -> list[str]:
    """Dates up to which the payments loaded after the newest night became known, part by part; the last has no end."""
    after = f"select known_at, count(*) as payments from raw.payments where loaded_as_of > '{newest}'"
    parts, payments = [FOREVER], 0
    for row in session.read(f"{after} group by known_at", order_by=["known_at"]).to_pylist():
        payments += row["payments"]
        if payments >= MOST_PAYMENTS:
            parts.insert(-1, row["known_at"].date().isoformat())
            payments = 0
    return parts


def known_after(home: Home, as_of: date) -> date:
    """The newest night whose rows the incremental models hold for sure, other than this one.

    A night newer than this one counts too: what this one could add, that one has added. This one doesn't, so that its
    retry builds its own rows again.
    """
    with home.records.begin() as records:
        built = sa.select(sa.func.max(nights.c.as_of)).where(nights.c.built_at.is_not(None), nights.c.as_of != as_of)
        return records.execute(built).scalar() or NEVER


def _settings(home: Home) -> dict[str, int]:
    demand, risk = home.settings.demand, home.settings.risk
    return {
        "period_days": demand.period_days,
        "horizon": demand.horizon,
        "payment_days": risk.score_window_days,
        "label_maturity_days": risk.label_maturity_days,
    }
