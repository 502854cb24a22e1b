"""The report is one static page, whatever of the night is missing."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.costs import record_training
from pipelines.errors import NightcartError
from pipelines.home import Home
from pipelines.metering import Usage
from pipelines.monitoring.monitor import monitor
from pipelines.publishing.publish import rollback
from pipelines.publishing.report import render_report
from pipelines.publishing.report.support import by_intent, by_language
from pipelines.records import champions, decisions, model_performance, promotions
from tests.publishing.events import REPLY
from tests.publishing.generators import AS_OF, VERSIONS, done, home_in, publish_night, quarantine


def page_of(home: Home) -> str:
    """The night's page, without the plotting library."""
    page = Path(render_report(home, AS_OF)["report"]).read_text("utf-8")
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def section(page: str, heading: str) -> str:
    """What stands below a heading."""
    return page.partition(f"<h2>{heading}")[2].partition("<h2>")[0]


def figures_of(page: str) -> dict[str, Any]:
    """The plots of a page."""
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_a_page_shows_the_night(home: Home) -> None:
    release_id = publish_night(home)["release_id"]
    quarantine(home, [{"rule": "quantity_above_0", "rows": 3}])
    done(home, AS_OF, "monitor", monitor(home, AS_OF))
    page = page_of(home)
    for expected in (
        "The night of 1 November 2011",
        release_id,
        "1,680",
        "quantity above 0",
        "build features",
        "xgboost quantiles",
        "+15.0%",
        "[+10.0, +20.0%]",
        "first week: 13 units (11 to 22)",
        "units expected in the first week",
    ):
        assert expected in page
    figures = figures_of(page)
    products = {f"product-{number}" for number in range(10)}
    models = {f"{kind}-{output}" for output in VERSIONS for kind in ("model", "gate")}
    assert set(figures) == products | models | {"support-tickets"}
    assert all(f'id="{name}"' in page for name in figures)
    champion = figures["model-demand"]["data"][-1]
    assert champion["x"] == [0.5]
    assert champion["error_x"]["array"] == [pytest.approx(0.05)]


def test_what_it_cost(home: Home) -> None:
    publish_night(home)
    crowned = home.records.first(sa.select(champions).where(champions.c.output == "demand"))
    assert crowned is not None
    trained, used = crowned["trained_as_of"], Usage(wall_seconds=40.0, cpu_seconds=80.0, peak_mib=600.0)
    record_training(home, "demand", trained, {f"fit {crowned['model']}": used, "all": replace(used, gpu_seconds=9.5)})
    page = section(page_of(home), "What it cost")
    assert "build features" in page
    assert "<strong>together</strong>" in page
    assert "of it the fit of xgboost quantiles" in page
    assert ">9.5</td>" in page
    assert '>0.091</td><td class="number">0.0011</td>' in page  # Wh: 80 s of 4 W, 40 s of 600 MiB


def test_sales_are_summed_by_the_periods_before_the_night(home: Home) -> None:
    publish_night(home)
    sold = figures_of(page_of(home))["product-0"]["data"][2]
    assert len(sold["x"]) == 26
    assert sold["x"][-1] == str(AS_OF - timedelta(days=7))
    assert sold["y"][-1] == sum(number % 5 + 9 for number in range(1, 8))  # P09 sells n % 5 + 9 on the n-th day before
    assert sold["y"][0] == 0


def test_by_days_too(tmp_path: Path) -> None:
    home = home_in(tmp_path, frequency="D")
    publish_night(home)
    sold = figures_of(page_of(home))["product-0"]["data"][2]
    assert (len(sold["x"]), sold["x"][-1], sold["y"][-1]) == (60, str(AS_OF - timedelta(days=1)), 1 + 9)


def test_nothing_is_asked_of_the_network_and_titles_stay_text(home: Home) -> None:
    publish_night(home)
    page = Path(render_report(home, AS_OF)["report"]).read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "&lt;b&gt;P09&lt;/b&gt; MUG" in page
    assert "<b>P09</b>" not in page


def test_what_to_reorder(home: Home) -> None:
    publish_night(home)
    page = section(page_of(home), "What to reorder")
    assert "<strong>5</strong> of 8 products, <strong>120</strong> units, <strong>115.20</strong> at unit cost" in page
    assert "(1 without a known unit cost left out)" in page
    assert re.findall(r"&lt;/b&gt; MUG .*?(P\d\d)", page) == ["P02", "P03", "P04", "P05", "P06"]
    assert "order 24: 3 in stock and on order" in page


def test_what_to_review(home: Home) -> None:
    publish_night(home)
    page = section(page_of(home), "Payments")
    assert re.findall(r'figure">(\d+)', page) == ["10", "3", "1"]
    assert re.findall(r"<td>(X\d\d)", page) == ["X03", "X08", "X05"]
    assert "expected loss 4,590" in page
    assert 'colspan="3">the amount is 2,300.00; usual is 25.00</td>' in page
    assert "4.0%" in page


def test_what_reviews_save_by_hours(home: Home) -> None:
    own = sa.and_(model_performance.c.output == "risk", model_performance.c.model_version == VERSIONS["risk"])
    (figure,) = home.records.rows(sa.select(model_performance).where(own))
    saved = {0: 300.0, 50: 500.0, 200: 480.0}
    rows = [
        figure | {"metric": f"saved_money_at_{reviews}", "model": model, "model_version": name, "value": money - less}
        for reviews, money in saved.items()
        for model, name, less in ((figure["model"], figure["model_version"], 0), ("amount_rule", "amount_rule", 20))
    ]
    with home.records.begin() as connection:
        connection.execute(sa.insert(model_performance), rows)
    publish_night(home)
    page = page_of(home)
    *_, rule, upper, lower, ours = figures_of(page)["risk-money"]["data"]
    assert (ours["x"], ours["y"]) == ([0.0, 50 * 5 / 60, 200 * 5 / 60], [300.0, 500.0, 480.0])
    assert rule["y"] == [280.0, 480.0, 460.0]
    assert len(upper["y"]) == len(lower["y"]) == 3
    assert "5 minutes a review" in section(page, "Payments")
    assert "saved money" not in page.partition("Other figures")[2].partition("</details>")[0]


def test_what_to_answer(home: Home) -> None:
    publish_night(home)
    page = section(page_of(home), "Open tickets")
    assert "<strong>25.0%</strong> need a person" in page
    urgent = page[: page.index("Answers to start from")]
    assert re.findall(r"T\d\d", urgent) == ["T03", "T01", "T06", "T00", "T04", "T07", "T02", "T05"]
    assert "health: an &lt;allergy&gt; is mentioned" in page
    risen = page[page.index("Unusually many") :]
    assert re.findall(r"<strong>(.*?)</strong>", risen) == ["&lt;b&gt;P03&lt;/b&gt; MUG"]
    assert "damaged item, at most 2 are usual" in risen
    (quoted, *_) = re.findall(r'class="quote">(.*?)</p>', page)
    assert len(quoted) == 120 and quoted == f"{REPLY[:119]}…"
    assert re.search(r"Answers to start from.*and \d+ more.*>en<", page, re.DOTALL)
    bars = figures_of(page_of(home))["support-tickets"]["data"]
    assert [bar["x"] for bar in bars] == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 2], [1, 0, 0, 1]]
    assert bars[0]["y"] == ["other", "invoice", "damaged item", "where is my order"]


def test_answers_of_each_language_are_shown_the_most_frequent_first() -> None:
    answers = [{"suggested_reply": f"Ihre Bestellung {n} ist auf dem Weg zu Ihnen", "tickets": 1} for n in range(4)]
    answers += [{"suggested_reply": "您好，已更改，快递已知道。", "tickets": 9}]
    found = by_language(answers)
    assert [row["language"] for row in found] == ["zh", "de", "de", "de"]


def test_many_intents_are_put_together() -> None:
    counts = [{"intent": f"i{n:02d}", "urgency": "low", "tickets": n} for n in range(1, 16)]
    found = by_intent(counts)
    assert list(found) == [f"i{n:02d}" for n in range(15, 3, -1)] + ["3 others"]
    assert found["3 others"] == {"critical": 0, "high": 0, "normal": 0, "low": 6}


def test_a_night_without_orders_payments_and_tickets(home: Home) -> None:
    def quiet(tables: dict[str, Any]) -> None:
        tables["risk_flags"], tables["ticket_triage"] = [], []
        tables["reorder_plan"] = [row for row in tables["reorder_plan"] if row["order_quantity"] == 0]

    publish_night(home, change=quiet)
    page = page_of(home)
    assert "Nothing: what is in stock and on order lasts the lead time for all 3 products" in page
    assert "None came in tonight" in page
    assert "None: every ticket that is known is resolved" in page
    assert "support-tickets" not in figures_of(page)


def test_a_table_may_be_skipped(home: Home) -> None:
    publish_night(home, skip={"reorder_plan": "no <stock_levels> are known"})
    page = page_of(home)
    assert "Skipped tonight: no &lt;stock_levels&gt; are known" in section(page, "What to reorder")
    assert "reorder plan skipped: no &lt;stock_levels&gt; are known. The table is there, typed and empty." in page
    assert "model-demand" in figures_of(page)


@pytest.mark.parametrize("output", ["demand", "recommendations", "risk", "support"])
def test_an_output_may_be_skipped(home: Home, output: str) -> None:
    publish_night(home, skip={output: "the landing zone has no <orders>"})
    page = page_of(home)
    assert "Skipped tonight: the landing zone has no &lt;orders&gt;" in page
    assert f"model-{output}" not in figures_of(page)


def test_a_champion_may_have_no_figures(home: Home) -> None:
    with home.records.begin() as connection:
        connection.execute(sa.delete(model_performance))
        connection.execute(sa.delete(promotions))
    publish_night(home)
    page = page_of(home)
    assert "too little history to judge a model on" in page
    assert "model-demand" not in figures_of(page)


def test_an_output_may_have_no_champion(home: Home) -> None:
    with home.records.begin() as connection:
        connection.execute(sa.delete(champions))
    publish_night(home, skip=dict.fromkeys(VERSIONS, "no champion"))
    assert "Skipped tonight: no champion" in page_of(home)


def test_a_figure_without_interval_or_value_is_drawn_as_it_is(home: Home) -> None:
    with home.records.begin() as connection:
        connection.execute(sa.update(model_performance).values(ci_low=None, ci_high=None))
        connection.execute(sa.update(model_performance).where(model_performance.c.model == "naive").values(value=None))
        connection.execute(sa.update(promotions).values(gain=None, ci_low=None, ci_high=None))
    publish_night(home)
    (drawn,) = figures_of(page_of(home))["model-demand"]["data"]
    assert drawn["error_x"]["array"] == [0]


def test_segments_and_what_is_new_stand_below_the_champion(home: Home) -> None:
    own, gate = model_performance.c.output == "recommendations", promotions.c.output == "recommendations"
    (figure, *_) = home.records.rows(sa.select(model_performance).where(own).order_by(model_performance.c.value))
    (gain,) = home.records.rows(sa.select(promotions).where(gate))
    del gain["id"]
    runner_up = {"role": "runner_up", "against": "own_history", "gain": -0.031, "ci_low": -0.05, "ci_high": -0.01}
    with home.records.begin() as connection:
        for about in ({"segment": "history=new"}, {"metric": f"{figure['metric']}_new"}):
            connection.execute(sa.insert(model_performance), [figure | about | {"value": 0.25, "n": 77}])
            connection.execute(sa.insert(promotions), [gain | about, gain | about | runner_up])
    publish_night(home)
    page = page_of(home)
    (table,) = re.findall(r"<summary>By segment</summary>(.*?)</details>", page, re.DOTALL)
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in table.split("<tr>")[2:]]
    assert [row[:3] for row in rows if "0.250" in row] == [["history:", "new", "77"], ["all", "77", "0.250"]]
    assert "over the baseline baseline, the runner up own history" in table
    assert table.count("-3.1%") == 2
    assert "[0.450, 0.550]" in table
    assert "of what is on the list and new to the customer" in table
    assert "[+10.0, +20.0%]" in page  # the gain on all customers still stands above


def test_what_came_true_stands_beside_what_was_promised(home: Home) -> None:
    publish_night(home)
    done(home, AS_OF, "monitor", monitor(home, AS_OF))
    assert "Did it come true" not in page_of(home)
    row = {"output": "demand", "model": "xgboost_quantiles", "model_version": VERSIONS["demand"], "metric": "wape"}
    row |= {"segment": "all", "n": 40, "labels_mature_until": AS_OF, "kind": "realised"}
    nights = [AS_OF - timedelta(days=ago) for ago in (92, 2, 1)]  # the first is too long ago
    worse = [{"as_of": night, "value": 0.8, "ci_low": 0.75, "ci_high": 0.85} for night in nights]
    worse[-1]["value"] = 0.46  # promised were .45 to .55
    with home.records.begin() as connection:
        connection.execute(sa.insert(model_performance), [row | came for came in worse])
    watched = monitor(home, AS_OF)["realised"]
    gap = {"metric": "wape", "segment": "sales=regular", "offline": 0.5, "realised": 0.8, "gap": 0.3, "n": 40}
    gap |= {"ci_low": 0.2, "ci_high": 0.4, "is_alarm": True}
    watched["demand"] |= {"gaps": [gap | {"segment": "all", "is_alarm": False}, gap], "nights": 1}
    done(home, AS_OF, "monitor", {"realised": watched})
    page = page_of(home)
    came = section(page, "Did it come true")
    assert "1 alarm<" in came and "1 night up to" in came
    assert "1 of 2 figures lie inside what was promised" in came
    assert came.index("sales: regular") < came.index("WAPE, all")
    assert "+0.300" in came and "[+0.200, +0.400]" in came
    figures = figures_of(Path(render_report(home, AS_OF)["report"]).read_text("utf-8"))
    high, low, promise, line = figures["realised-demand"]["data"]
    assert line["x"] == [str(night) for night in nights[1:]]
    assert line["error_y"]["array"] == pytest.approx([0.05, 0.39])
    assert (high["y"], low["y"], promise["y"]) == ([0.55, 0.55], [0.45, 0.45], [0.5, 0.5])


def test_a_challenger_that_was_refused_since_is_told(home: Home) -> None:
    (decided,) = home.records.rows(sa.select(decisions).where(decisions.c.output == "demand"))
    refused = {"as_of": AS_OF, "challenger": "tsb", "is_promoted": False, "reason": "naive stays; <tsb> +0.1%"}
    to_come = refused | {"as_of": AS_OF + timedelta(days=1), "reason": "of a later night"}
    with home.records.begin() as connection:
        connection.execute(sa.insert(decisions), [decided | refused, decided | to_come])
    publish_night(home)
    page = page_of(home)
    assert f"Refused since, as of {AS_OF}: naive stays; &lt;tsb&gt; +0.1%." in page
    assert "of a later night" not in page
    with home.records.begin() as connection:
        connection.execute(sa.update(decisions).where(decisions.c.as_of == AS_OF).values(is_promoted=True))
    assert "Refused since" not in page_of(home)  # it serves from the night after


def test_the_gate_s_picture_and_who_was_not_judged(home: Home) -> None:
    (gain,) = home.records.rows(sa.select(promotions).where(promotions.c.output == "demand"))
    del gain["id"]
    champion = {"role": "champion", "against": "recent_mean", "gain": 0.04, "ci_low": 0.01, "ci_high": 0.07}
    absent = {"role": "left_out", "challenger": "tsb", "gain": None, "reason": "<too> little"}
    with home.records.begin() as connection:
        for about in (champion, champion | {"segment": "price=low"}, absent):
            connection.execute(sa.insert(promotions), [gain | about])
    publish_night(home)
    page = page_of(home)
    assert "Not judged: tsb (&lt;too&gt; little)." in page
    assert "no segment&#39;s wholly beyond -5.0%" in page or "no segment's wholly beyond -5.0%" in page
    assert set(re.findall(r'id="(gate-\w+)"', page)) == {name for name in figures_of(page) if name[:5] == "gate-"}
    figure = figures_of(page)["gate-demand"]
    assert [trace["x"] for trace in figure["data"]] == [[0.04, 0.04], [0.15]]
    assert figure["layout"]["yaxis"]["ticktext"] == ["price: low", "all"]


def test_the_latest_page_is_the_current_release_s(home: Home) -> None:
    publish_night(home)
    assert render_report(home, AS_OF)["is_latest"]
    latest = home.root / "reports" / "latest.html"
    before = AS_OF - timedelta(days=1)
    older = publish_night(home, before)
    assert not render_report(home, before)["is_latest"]
    assert (home.root / "reports" / f"{before}.html").exists()
    assert "The night of 1 November 2011" in latest.read_text("utf-8")
    rollback(home, older["release_id"])
    assert render_report(home, before)["is_latest"]
    assert "The night of 31 October 2011" in latest.read_text("utf-8")


def test_attribution_and_data_docs_are_linked_where_they_are(home: Home) -> None:
    publish_night(home)
    assert "What came in" not in page_of(home)
    landing = home.root / "landing"
    landing.mkdir()
    (landing / "ATTRIBUTION.txt").write_text("Orders: a <public> set, CC BY 4.0", "utf-8")
    docs = home.root / "data_docs" / str(AS_OF) / "index.html"
    docs.parent.mkdir(parents=True)
    docs.write_text("")
    page = page_of(home)
    assert "Orders: a &lt;public&gt; set, CC BY 4.0" in page
    assert f'href="../data_docs/{AS_OF}/index.html"' in page


def test_an_unpublished_night_has_no_report(home: Home) -> None:
    with pytest.raises(NightcartError, match="is not published"):
        render_report(home, AS_OF)


def test_it_is_quick(home: Home) -> None:
    publish_night(home)
    render_report(replace(home), AS_OF)
    start = time.process_time()
    render_report(home, AS_OF)
    assert time.process_time() - start < 3


def test_what_changed_is_shown_with_its_histograms(home: Home) -> None:
    publish_night(home)
    assert "Nothing is judged yet" in section(page_of(home), "What changed")
    shares = {"tonight": {"<b>kiosk": 0.9, "2^3": 0.1}, "usual": {"<b>kiosk": 0.0, "2^3": 1.0}}
    moved = {"feature": "orders.channel", "is_prediction": False, "statistic": "jensen_shannon", **shares}
    moved |= {"value": 0.8, "threshold": 0.13}
    volume = moved | {
        "feature": "orders.rows",
        "statistic": "log_ratio",
        "tonight": {"rows": 12},
        "usual": {"rows": 900},
    }
    drift = {"judged": 40, "alarms": [moved, volume], "strongest": [moved | {"feature": "events.kind"}]}
    wanted = {"demand": "orders.channel has drifted"}
    done(home, AS_OF, "monitor", monitor(home, AS_OF) | {"drift": drift, "retrain_wanted": wanted})
    page = page_of(home)
    shown = section(page, "What changed")
    assert "12 rows; usual are 900" in shown
    assert "Demand is to be trained before the week is over: orders.channel has drifted" in shown
    assert "events.kind" in shown
    assert "<b>kiosk" not in page
    plots = figures_of(page)
    assert [trace["y"] for trace in plots["drift-0"]["data"]] == [[0.9, 0.1], [0.0, 1.0]]
    assert "drift-1" not in plots
