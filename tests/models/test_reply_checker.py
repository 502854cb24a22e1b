"""The checker of replies: nothing wrong passes, what is right does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from benchmarks.reply_cases import WRONG, cases
from benchmarks.reply_checker import judged
from models.support.checker import Checker
from models.support.facts import Facts, Line, Titles
from models.support.figures import find_figures, plain, readings
from models.support.greetings import ungreeted
from models.support.slots import filled, money, slotted, written

AS_OF = date(2011, 12, 1)
LAMP = Line("Red Retrospot Lamp", 2, Decimal("4.25"), Decimal("8.50"))
LANTERN = Line("White Metal Lantern", 1, Decimal("10.00"), Decimal("10.00"))
FACTS = Facts(AS_OF, "536365", "shipped", "GBP", date(2011, 11, 3), (LAMP, LANTERN), (LAMP.title,))
CHECKER = Checker(Titles.of([LAMP.title, LANTERN.title, "Blue Teapot"]))
WRONG_IN_OTHER_WORDS = """
Your refund should show up shortly.|The money has been returned to you.|We've reversed the charge.
Your bank will get the funds.|You won't be charged.|Consider it refunded.|We wired the sum to your bank account.
A refund in the amount of eighteen pounds was processed.|It was handed to your neighbour.
Your parcel is waiting at the post office.|It will get there on the 5th.|You'll have it in two days.
It will be there before Christmas.|A fresh lamp goes out to you.|Your order was placed on 11/03/2011.
Your order was placed on the third of November.|Order five three six three six six is on its way.
Order 536366 is on its way.|Your order costs 18,50 euros.|Your order costs GBP 185.0.|Your order costs $18.50.
The blue teapots are on their way.|Your teapot is on its way.|Your order 536365 went to Berlin.|The carrier is DHL.
The order was called off.|Your order has been annulled.|Your address was updated.|Here is a 10 pound credit.
Your order was shipped on 3 November 2011.|Tracking shows the parcel at your front door.
Ihr Geld ist auf dem Weg.|Der Betrag ist wieder auf Ihrem Konto.|Das Paket liegt beim Nachbarn.
Die Lieferung erfolgt in zwei bis drei Werktagen.|Die Bestellung ist aufgehoben.
It had left already. Refuse the parcel and we refund you.|If it is late, we refund the order.
Ihr Paket ist im Lager, der Betrag ist jetzt freigegeben.|Sobald es hier ist, erstatten wir alles.|Wir erstatten gern.
货已经发出，请拒收，我们退款。|款项已经放行。|钱已经退给您了。|款项已原路返回。|快递后天到。|包裹放在门口了。|我们会再寄一个给您。|订单已经撤销。
""".replace("\n", "|")
RIGHT_IN_OTHER_WORDS = """
Your order from 3 November 2011 has been shipped.|Your order contains 2 x Red Retrospot Lamp and comes to £18.50.
I am sorry for the trouble with the red retrospot lamp. Could you tell us what is wrong with it?
Have you checked with your neighbours?|Has the parcel come in the meantime?|Please send us a photo of the lamp.
To request a refund, please tell us which product you would like to return.|Your order has not been delivered yet.
As soon as your order has been delivered, you can return it.|Thank you for your message about order 536365.
Es tut uns leid. Ihre Bestellung 536365 vom 3. November 2011 ist unterwegs.|Können Sie uns ein Foto senden?
Ihre Bestellung wurde versandt, aber noch nicht zugestellt.|您好，您的订单536365已发货。|您好，订单尚未送达。
""".replace("\n", "|")


@pytest.mark.parametrize("seed", [7, 8])
def test_of_500_planted_wrong_facts_none_is_published(seed: int) -> None:
    found = judged(*cases(500, seed, WRONG))
    assert (found["replies"], found["published_wrong"]) == (500, [])


def test_of_500_right_replies_at_least_98_in_100_are_published() -> None:
    found = judged(*cases(500, 9, ("right",)))
    assert found["published_share"] >= 0.98, found["withheld_right"]
    assert set(found["by_language"]) == {"english", "german", "chinese"}


@pytest.mark.parametrize("reply", [text for text in WRONG_IN_OTHER_WORDS.split("|") if text])
def test_other_words_for_what_is_wrong(reply: str) -> None:
    assert CHECKER.faults(reply, FACTS)


@pytest.mark.parametrize("reply", [text for text in RIGHT_IN_OTHER_WORDS.split("|") if text])
def test_other_words_for_what_is_right(reply: str) -> None:
    assert CHECKER.faults(reply, FACTS, "Where is my lamp?") == []


def test_without_an_order_nothing_is_known() -> None:
    for reply in ("It is on its way.", "It costs £8.50.", "Your order was cancelled.", "It has not been shipped."):
        assert CHECKER.faults(reply, Facts(AS_OF))


def test_what_a_reply_takes_over_from_the_ticket_is_withheld() -> None:
    asked = "please write that the shop is very happy to have me as a guest"
    assert CHECKER.faults("We write that the shop is very happy to have me as a guest.", FACTS, asked)[0][:4] == "echo"


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 3 November 2011", [(2011, 11, 3)]),
        ("on Nov 3rd, 2011", [(2011, 11, 3)]),
        ("am 03.11.2011", [(2011, 11, 3)]),
        ("am 3. November", [(0, 11, 3)]),
        ("于２０１１年１１月３日", [(2011, 11, 3)]),
        ("04/03/2011", [(2011, 3, 4), (2011, 4, 3)]),
        ("2011-11-03", [(2011, 11, 3)]),
    ],
)
def test_dates_in_three_languages(text: str, dates: list[tuple[int, int, int]]) -> None:
    assert [one for figure in find_figures(plain(text)) for one in figure.dates] == dates


@pytest.mark.parametrize(
    ("number", "values"),
    [("1,234.50", ["1234.50"]), ("1.234,50", ["1234.50"]), ("12,5", ["12.5"]), ("1,234", ["1234", "1.234"]),
     ("1 234,50", ["1234.50"]), ("1.234.567", ["1234567"])],
)  # fmt: skip
def test_numbers_of_several_countries(number: str, values: list[str]) -> None:
    assert readings(number) == tuple(Decimal(value) for value in values)


def test_facts_are_written_as_the_answer_wrote_them() -> None:
    day = date(2011, 3, 4)
    styles = ("iso", "slashed", "dotted", "german", "day_first", "month_first", "chinese")
    assert [written(day, style) for style in styles] == [
        "2011-03-04", "2011-03-04", "04.03.2011", "4. März 2011", "4 March 2011", "March 4, 2011", "2011年3月4日",
    ]  # fmt: skip
    assert [money(Decimal("1234.5"), like) for like in ("£1.00", "3,50 €", "¥12")] == [
        "£1234.50",
        "1234,50 €",
        "¥1234.50",
    ]


GREETED = {
    "Dear [name], it is here. Kind regards, [name]": "Dear customer, it is here. Kind regards",
    "Hallo Frau [name], es ist da.\nViele Grüße\n[name]": "Hallo, es ist da.\nViele Grüße",
    "Grüß Gott Herr [name]! Es ist da.": "Grüß Gott! Es ist da.",
    "Sehr geehrte Frau Dr. [name], es ist da.": "Sehr geehrte Damen und Herren, es ist da.",
    "[name]，您好！订单在这里。": "您好！订单在这里。",
    "尊敬的[name]先生/女士：订单在这里。": "您好：订单在这里。",
    "您好，[name]女士，订单在这里。此致，[name]": "您好，订单在这里。此致",
    "亲爱的[name]，订单在这里。": "您好，订单在这里。",
    "It is here.\n\n[name]": "It is here.",
    "It is with [name].": "It is with [name].",
}


@pytest.mark.parametrize(("said", "left"), GREETED.items())
def test_nobody_is_greeted_by_anothers_name(said: str, left: str) -> None:
    assert ungreeted(said) == left


def test_an_orders_number_in_chinese_ends_where_the_text_goes_on() -> None:
    source = Facts(AS_OF, "O389519", "shipped")
    own = Facts(AS_OF, "O777", "shipped")
    for order in ("O389519", "O111111"):
        assert (
            filled(slotted(f"您好，订单{order}的发票在附件里。", source, Titles()), own)
            == "您好，订单O777的发票在附件里。"
        )
