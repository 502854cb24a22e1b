"""At which past cut-offs features are built to train, and at which models are judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.home import Home

EVALUATIONS = 3  # cut-offs that a model is judged at, their windows side by side
MIN_HISTORY_DAYS = 56  # days of sales before the earliest cut-off
MAX_ROWS = 1_500_000  # products x cut-offs x horizon: what fits in memory with room to spare
MAX_CUTOFFS = 60
WINDOW_DAYS = 28  # days after a cut-off whose purchases, payments or tickets judge
RECOMMENDATION_CUTOFFS = 6
RESOLUTION_DAYS = 14  # days after which nearly all tickets are resolved
JUDGED_WEEKS = 4  # weeks of past nights whose releases are judged by what came true
OF_EVENTS = ("risk", "support")
"""Outputs whose rows are events, each of one night."""


@dataclass(frozen=True)
class Cutoffs:
    """The cut-offs of one output: to train at, and to judge at (a subset of the past too)."""

    training: tuple[date, ...]
    evaluation: tuple[date, ...]

    @property
    def all(self) -> list[date]:
        """Every cut-off, in time order."""
        return sorted({*self.training, *self.evaluation})


@dataclass(frozen=True)
class Sales:
    """How far the sales known at a cut-off reach back, and how many products had some in the last year."""

    first_day: date | None
    products: int


def known_sales(home: Home, as_of: date) -> Sales:
    """First day with sales, and products sold within a year, as known at as_of."""
    with home.warehouse.session() as session:
        row = session.read(
            f"""
            select min(day) as first_day,
                   count(distinct case when day >= date '{as_of - timedelta(days=365)}' then product_id end) as products
            from intermediate.int_product_days
            where known_at <= timestamp '{as_of}' and day < date '{as_of}'
            """
        ).to_pylist()[0]
    return Sales(row["first_day"], int(row["products"]))


def demand_cutoffs(as_of: date, sales: Sales, horizon: int, period_days: int) -> Cutoffs:
    """Judged at the last three windows of the horizon; trained every quarter of it as far back as history goes.

    Where that would be more than MAX_ROWS, the training cut-offs lie further apart: some must come before the earliest
    window that judges.
    """
    window = timedelta(days=horizon * period_days)
    if sales.first_day is None or not sales.products:
        return Cutoffs((), ())
    earliest = sales.first_day + timedelta(days=MIN_HISTORY_DAYS)
    stride = timedelta(days=max(1, horizon // 4) * period_days)
    room = min(MAX_CUTOFFS, max(2, MAX_ROWS // (sales.products * horizon)))
    past = [as_of - stride * step for step in range(1, MAX_CUTOFFS + 1)]
    evaluation = [as_of - window * step for step in range(1, EVALUATIONS + 1)]
    return Cutoffs(
        tuple(sorted(_spread([day for day in past if day >= earliest], room))),
        tuple(sorted(day for day in evaluation if day >= earliest + window)),
    )


def _spread(days: list[date], most: int) -> list[date]:
    """At most so many (two or more) of the days, evenly apart, the first and the last among them."""
    if len(days) <= most:
        return days
    return [days[round(place * (len(days) - 1) / (most - 1))] for place in range(most)]


def recommendation_cutoffs(as_of: date, sales: Sales) -> Cutoffs:
    """Windows of 28 days side by side; the last three judge."""
    window = timedelta(days=WINDOW_DAYS)
    if sales.first_day is None:
        return Cutoffs((), ())
    earliest = sales.first_day + window
    past = [as_of - window * step for step in range(1, RECOMMENDATION_CUTOFFS + 1)]
    kept = tuple(sorted(day for day in past if day >= earliest))
    return Cutoffs(kept, tuple(day for day in kept[-EVALUATIONS:] if day >= earliest + window))


def event_cutoffs(as_of: date, first_day: date | None, mature_days: int) -> Cutoffs:
    """Three windows of 28 days side by side whose outcomes are known at as_of; trained on all that came before.

    mature_days: days after which the outcome of an event is known. The earliest cut-off has as many days of known
    outcomes before it as demand has of sales.
    """
    if first_day is None:
        return Cutoffs((), ())
    mature, window = timedelta(days=mature_days), timedelta(days=WINDOW_DAYS)
    earliest = first_day + timedelta(days=MIN_HISTORY_DAYS) + mature
    past = [as_of - mature - window * step for step in range(1, EVALUATIONS + 1)]
    return Cutoffs((), tuple(sorted(day for day in past if day >= earliest)))


def first_day_of(home: Home, table: str, happened: str, known_at: str, as_of: date) -> date | None:
    """The first day of an intermediate table's events, as known at as_of."""
    sql = (
        f"select cast(min({happened}) as date) as day from intermediate.{table} where {known_at} <= timestamp '{as_of}'"
    )
    with home.warehouse.session() as session:
        found: date | None = session.read(sql)["day"][0].as_py()
    return found


def mature_days(home: Home) -> dict[str, int]:
    """Days after a night when what its release said of each output has come true or not."""
    demand, risk = home.settings.demand, home.settings.risk
    return {
        "demand": demand.horizon * demand.period_days,
        "recommendations": WINDOW_DAYS,
        "risk": risk.label_maturity_days,
        "support": RESOLUTION_DAYS,
    }


def judged_nights(home: Home, as_of: date) -> dict[str, list[date]]:
    """The past nights whose releases are judged as of a night, by the calendar alone: those of four weeks.

    Of an output at cut-offs one night a week: it says nearly the same of the same entities every night. Of events every
    night, for each has events of its own. The last one is the newest whose outcomes are known.
    """
    nights = {}
    for output, days in mature_days(home).items():
        step = 1 if output in OF_EVENTS else 7
        nights[output] = [as_of - timedelta(days=days + back) for back in range(0, 7 * JUDGED_WEEKS, step)][::-1]
    return nights


def plan(home: Home, as_of: date) -> dict[str, Cutoffs]:
    """The cut-offs of each output for a training as of a date."""
    sales, demand, risk = known_sales(home, as_of), home.settings.demand, home.settings.risk
    paid = first_day_of(home, "int_payments", "paid_at", "known_at", as_of)
    opened = first_day_of(home, "int_tickets", "opened_at", "first_known_at", as_of)
    return {
        "demand": demand_cutoffs(as_of, sales, demand.horizon, demand.period_days),
        "recommendations": recommendation_cutoffs(as_of, sales),
        "risk": event_cutoffs(as_of, paid, risk.label_maturity_days),
        "support": event_cutoffs(as_of, opened, RESOLUTION_DAYS),
    }
