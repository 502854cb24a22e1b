"""The sections of the settings file: every key with its default, its unit and what is allowed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

LATER: dict[str, JsonValue] = {
    "in_effect": False
}  # accepted and checked, but nothing built so far reads it; `nightcart doctor` says so

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Money = Annotated[float, Field(ge=0)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Level = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A section of the settings file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Validate(Section):
    """When what came in stops the night."""

    max_bad_row_share: Share = 0.05  # share of a partition's rows, 0 to 1; looked at from 20 rows on
    min_volume_ratio: Share = 0.5  # of the median of the last four non-empty partitions of the same weekday; 0: off
    max_age_days: Positive | None = None  # days between as_of and the newest partition of orders; null: any age


class Recommendations(Section):
    """What is shown to customers."""

    top_k: Positive = 20  # products per customer
    exclude_bought: bool = True  # whether what a customer bought is left out
    repeatable_categories: list[str] = []  # category paths whose products are shown though bought
    max_per_category: Positive | None = None  # products; null: no limit
    min_margin: float | None = None  # share of the price; null: no limit
    pinned: list[str] = []  # product ids shown first
    banned: list[str] = []  # product ids never shown
    train_minutes: float = Field(default=10, gt=0)  # minutes of one core (or the GPU) for a fit, about
    study_trials: Annotated[int, Field(ge=0)] = 0  # trials of a study; 0: none
    holdout_share: Share = 0.0  # share of customers, drawn once by their ids, who are shown the default list


class Demand(Section):
    """How sales are forecast."""

    frequency: Literal["D", "W"] = "W"  # length of a period: D a day, W seven days counted from as_of
    horizon: Annotated[int, Field(ge=1, le=92)] = 8  # periods ahead
    country: Country | None = None  # ISO 3166 code, its public holidays count; null: Easter alone
    service_level: Level | None = 0.95  # share of order cycles without a stock-out; null: by each product's costs
    holding_cost_share: Money = 0.25  # of the unit cost, a year
    stockout_cost_share: Money = 0.5  # of the margin of each unit short
    order_cost: Money = 0.0  # money per reorder; above 0, an order lasts longer
    minimum_order: Money = 0.0  # money at unit cost that a product's order is at least worth
    train_minutes: float = Field(default=10, gt=0, json_schema_extra=LATER)  # minutes, a ceiling

    @property
    def period_days(self) -> int:
        """Days in a period."""
        return 7 if self.frequency == "W" else 1


class Risk(Section):
    """Which payments are looked at."""

    score_window_days: Positive = 1  # days before as_of in which the payments that a night scores became known
    label_maturity_days: Positive = 45  # days after which a payment without a chargeback counts as honest
    reviews_per_night: Annotated[int, Field(ge=0)] = 50  # payments that people can review
    review_cost: Money = 3.0  # money per review
    review_minutes: float = Field(default=5.0, gt=0)  # minutes that a person needs for a review; for the report alone
    block_cost: Money = 15.0  # money that blocking an honest payment costs
    monotone: list[str] = ["amount_over_usual", "amount_over_highest"]  # features that may only raise the probability
    train_minutes: float = Field(default=10, gt=0, json_schema_extra=LATER)  # minutes, a ceiling


class Support(Section):
    """How tickets are triaged."""

    automatic_accuracy: Annotated[float, Field(gt=0, le=1)] = 0.95  # share of right intents where no person looks
    encoder: str | None = "auto"  # folder of a sentence encoder; auto: what `make setup-encoder` installed; null: none
    encoder_sha256: Sha256 | None = None  # SHA-256 of its model.safetensors, hex; null: all-MiniLM-L6-v2's
    llm_url: str | None = None  # of an OpenAI-compatible endpoint, like http://host/v1; null: none
    llm_model: str = "default"  # name of the model that the endpoint serves
    llm_timeout: float = Field(default=30, gt=0)  # seconds that an answer may take
    llm_drafts: Positive = 10_000  # drafts asked for in a night, at most
    train_minutes: float = Field(default=10, gt=0)  # minutes of one core (or the GPU) for fine-tuning, about


class Gate(Section):
    """When a challenger becomes champion."""

    minimum_effect: Share = 0.0  # relative gain that the interval's lower end must exceed
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95  # of the interval
    segment_floor: Share = 0.05  # relative loss against the champion that no segment may exceed beyond doubt


class Release(Section):
    """How long releases are kept."""

    keep_days: Positive = 120  # days before the newest release from which on `nightcart prune` keeps releases


class Privacy(Section):
    """How personal data is pseudonymised."""

    key_file: str | None = None  # path of the secret key; null: `key` in the home, made at first use, mode 0600


class Alert(Section):
    """Who is told when a night fails."""

    url: Annotated[str, Field(pattern="^https?://")] | None = None  # gets a short JSON by POST; null: nobody is told


class Cost(Section):
    """What energy and machines cost; for the report alone."""

    energy_price: Money = 0.30  # money a kWh
    machine_price: Money = 0.10  # money an hour of the machine
    core_watts: Money = 4.0  # watts of a busy core; 4: what CodeCarbon takes for a processor that it does not know
    memory_watts: Money = 0.375  # watts a GiB of memory in use, the peak; 3 watts each 8 GiB


class Compute(Section):
    """What the models run on."""

    device: Literal["auto", "cuda", "cpu"] = "auto"  # auto: cuda where there is one, else cpu
    threads: Annotated[int, Field(ge=0)] = 0  # 0: all
    seed: int = 7  # of everything random
