"""The products of a simulated store: categories, brands, prices, costs, preferences, seasons and promotions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.draws import Floats, Ints, Times, choice, integers, normal, uniform
from demo.frames import money, names, timestamps, words

FACTORS = 8  # of the preference model
TREE = {
    "Home": {"Candles": "Candle", "Lighting": "Lamp", "Textiles": "Cushion", "Storage": "Box"},
    "Kitchen": {"Mugs": "Mug", "Bakeware": "Cake Tin", "Cutlery": "Spoon Set", "Glassware": "Tumbler"},
    "Garden": {"Planters": "Planter", "Tools": "Trowel", "Lanterns": "Lantern"},
    "Toys": {"Puzzles": "Puzzle", "Plush": "Bear", "Wooden": "Train", "Games": "Board Game"},
    "Stationery": {"Notebooks": "Notebook", "Pens": "Pen", "Cards": "Card Set"},
    "Fashion": {"Scarves": "Scarf", "Bags": "Bag", "Socks": "Socks"},
    "Sports": {"Yoga": "Mat", "Bottles": "Bottle", "Running": "Belt"},
    "Seasonal": {"Christmas": "Bauble", "Easter": "Egg Basket", "Summer": "Parasol"},
}
LEAVES = tuple((department, leaf, noun) for department, leaves in TREE.items() for leaf, noun in leaves.items())
DEPARTMENTS = tuple(TREE)
LOOKS = ("Red", "Blue", "Sage", "Ivory", "Striped", "Dotted", "Floral", "Plain", "Vintage", "Mini", "Large", "Folding")
SERIES = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbour", "Isle", "Juniper", "Kestrel", "Lark")
BRANDS = tuple(f"{a} & {b}" for a in ("Hale", "Moss", "Finch", "Reed") for b in ("Co", "Daughters", "Sons", "Wren"))
PROMOTED_WEEKS = 0.03  # of the product weeks
DISCOUNTS = (0.10, 0.15, 0.20, 0.30)
PRICE_CHANGE_MONTHS = 0.04  # of the product months


@dataclass(frozen=True)
class Catalogue:
    """Products, one row each."""

    seed: int
    first_day: int  # days since 1970
    product_id: pa.Array
    title: list[str]
    leaf: Ints
    department: Ints
    brand: Ints
    base_cents: Ints
    cost_cents: Ints
    lead_time: Ints
    order_multiple: Ints
    appeal: Floats  # log of how often it is met
    factors: Floats  # [products, FACTORS]
    launch: Ints  # days after the first

    def price_cents(self, day: int) -> Ints:
        """The list prices of a day: now and then they change with a month."""
        month = np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64)
        first = np.datetime64(self.first_day, "D").astype("datetime64[M]").astype(np.int64)
        rows, steps = np.arange(len(self.base_cents)), np.zeros(len(self.base_cents))
        for changed in range(int(first) + 1, int(month) + 1):
            moves = uniform(self.seed, "price changes", rows, changed) < PRICE_CHANGE_MONTHS
            steps += moves * 0.08 * np.sign(0.65 - uniform(self.seed, "price moves", rows, changed))
        return np.maximum((self.base_cents * np.exp(steps)).astype(np.int64), 20)

    def discount(self, day: int) -> Floats:
        """The share of the price that the day's promotions take off; they last a week."""
        rows, week = np.arange(len(self.leaf)), (day - self.first_day) // 7
        share = np.array(DISCOUNTS)[choice(self.seed, "discount", (4, 3, 2, 1), rows, week)]
        return np.where(uniform(self.seed, "promoted", rows, week) < PROMOTED_WEEKS, share, 0.0)

    def uplift(self, day: int) -> Floats:
        """How many times as often a promoted product is met."""
        elasticity = 5.0 + 2.0 * uniform(self.seed, "elasticity", np.arange(len(self.leaf)))
        return np.exp(elasticity * self.discount(day))

    def season(self, day: int) -> Floats:
        """How many times as often each department is met on a day of the year."""
        amplitude, phase = seasons(self.seed)
        of_year = (np.datetime64(day, "D") - np.datetime64(day, "D").astype("datetime64[Y]")).astype(np.int64)
        return np.asarray(np.exp(amplitude * np.cos(2 * np.pi * (int(of_year) - phase) / 365.25)))

    def rows(self, day: int, which: Ints, changed_day: Ints) -> pa.Table:
        """Rows of the entity `products` as they stand on a day."""
        paths = [f"{department} > {leaf}" for department, leaf, _ in LEAVES]
        launched: Times = (self.first_day + changed_day).astype("datetime64[D]").astype("datetime64[us]")
        return pa.table(
            {
                "product_id": self.product_id.take(pa.array(which)),
                "title": pa.array([self.title[row] for row in which.tolist()], pa.string()),
                "category": words(paths, self.leaf[which]),
                "brand": words(BRANDS, self.brand[which]),
                "unit_price": money(self.price_cents(day)[which]),
                "unit_cost": money(self.cost_cents[which]),
                "is_active": np.ones(len(which), np.bool_),
                "lead_time_days": self.lead_time[which],
                "order_multiple": self.order_multiple[which],
                "updated_at": timestamps(launched),
            }
        )


def seasons(seed: int) -> tuple[Floats, Ints]:
    """Amplitude (of the log) and day of the peak, by department."""
    rows = np.arange(len(DEPARTMENTS))
    amplitude = 0.1 + 0.5 * uniform(seed, "amplitude", rows)
    amplitude[-1] = 1.2
    return amplitude, integers(seed, "phase", 365, rows)


def make_catalogue(products: int, days: int, first_day: int, seed: int) -> Catalogue:
    """Make the products; an eighth of them is launched after the first day."""
    rows = np.arange(products)
    leaf = integers(seed, "leaf", len(LEAVES), rows)
    look, series = integers(seed, "look", len(LOOKS), rows), integers(seed, "series", len(SERIES), rows)
    base = np.exp(np.log(900) + 0.5 * normal(seed, "leaf price", leaf) + 0.5 * normal(seed, "price", rows))
    base = np.maximum(base.astype(np.int64) // 50 * 50 + 49, 49)
    centre = np.stack([normal(seed, "leaf factor", leaf, np.full(products, f)) for f in range(FACTORS)], axis=1)
    own = np.stack([normal(seed, "factor", rows, np.full(products, f)) for f in range(FACTORS)], axis=1)
    department = np.array([DEPARTMENTS.index(d) for d, _, _ in LEAVES])[leaf]
    late = uniform(seed, "is late", rows) < 0.125
    return Catalogue(
        seed=seed,
        first_day=first_day,
        product_id=names("SKU", rows, 6),
        title=[
            f"{LOOKS[a]} {LEAVES[c][2]} {SERIES[b]} {row % 89 + 10}"
            for row, (a, b, c) in enumerate(zip(look.tolist(), series.tolist(), leaf.tolist(), strict=True))
        ],
        leaf=leaf,
        department=department,
        brand=integers(seed, "brand", len(BRANDS), rows),
        base_cents=base,
        cost_cents=(base * (0.4 + 0.3 * uniform(seed, "cost", rows))).astype(np.int64),
        lead_time=3 + integers(seed, "lead time", 19, rows),
        order_multiple=np.array([1, 6, 12, 24])[choice(seed, "multiple", (4, 3, 2, 1), rows)],
        appeal=1.1 * normal(seed, "appeal", rows),
        factors=(0.8 * centre + 0.6 * own) / np.sqrt(FACTORS),
        launch=np.where(late, integers(seed, "launch", max(days, 1), rows), 0),
    )
