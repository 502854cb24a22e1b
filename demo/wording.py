"""The words of support tickets, all our own: templates with slots, synonyms, slips of the finger."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Intent:
    """What a customer wants: how often, how long after the order (days), how urgent, how it is said and answered."""

    weight: float
    days: tuple[float, float]
    urgency: tuple[float, float, float, float]  # low, normal, high, critical
    subjects: tuple[str, ...]
    openings: tuple[str, ...]
    answers: tuple[str, ...]


INTENTS: dict[str, Intent] = {
    "where_is_order": Intent(
        0.22, (3, 14), (0.1, 0.6, 0.25, 0.05),
        ("Where is my order?", "Order {order}", "Still waiting", "Delivery?", "Nothing has come yet"),
        ("I placed order {order} {days} days ago and nothing has {arrived} yet.",
         "Can you tell me when my {product} will get here?",
         "The tracking page of {order} hasn't moved since {weekday}. Is the parcel lost?",
         "Your mail said it was on its way, but we are still waiting for the {product}.",
         "Any news on {order}? I need the {product} for the weekend.",
         "The courier's site says delivered, yet there is no box at our door."),
        ("Sorry for the wait. The parcel is with the courier and should be with you by {weekday}.",
         "I asked the courier to search for it; if it isn't there by {weekday} we send another.")),
    "damaged_item": Intent(
        0.13, (3, 10), (0.05, 0.5, 0.4, 0.05),
        ("Broken on arrival", "Order {order}", "Item damaged", "Problem with my parcel", "Cracked!"),
        ("The {product} came {broken}.", "Two of the {product} in order {order} were {broken}.",
         "I opened the box and the {product} is {broken}. I have photos.",
         "Poorly packed: half of the {product} can't be sold like this.",
         "The lid of the {product} doesn't close and there is a chip in the side.",
         "Not happy. What {arrived} today from {order} is only good for the bin."),
        ("I'm sorry about that. A replacement of {product} leaves today, no need to send the old one back.",
         "Please keep the pieces until the courier has seen them; your refund is on its way.")),
    "wrong_item": Intent(
        0.10, (3, 10), (0.1, 0.6, 0.28, 0.02),
        ("Wrong item", "Not what I ordered", "Order {order}", "Mix-up in my parcel", "Missing items"),
        ("I ordered the {product} and received something else.", "Order {order} is short: the {product} is missing.",
         "You sent the {product} in another colour than the one I chose.",
         "There is a box in the parcel that belongs to somebody else, and our {product} isn't there.",
         "We counted twice, {count} too few of the {product}.", "The label says {product}, inside is another thing."),
        ("My apologies, we picked from the wrong shelf. The right {product} is on its way.",
         "Thank you for telling us; please hand the wrong box to the courier when the {product} comes.")),
    "return_request": Intent(
        0.12, (4, 25), (0.3, 0.6, 0.09, 0.01),
        ("Return", "Sending something back", "Order {order}", "How do I return this?", "Changed our mind"),
        ("I would like to {give_back} the {product} from {order}.", "How do I {give_back} {count} of the {product}?",
         "The {product} is nice but doesn't fit our shop. Can it go back?",
         "Please send a label, I don't need the {product} any more.",
         "We bought too many of the {product}; will you take the rest?",
         "Is 14 days still the rule? It's about the {product}."),
        ("Of course. The label is attached; the refund follows once the {product} is here.",
         "You can bring the {product} to any parcel shop with the label I sent.")),
    "refund_status": Intent(
        0.08, (12, 40), (0.1, 0.5, 0.35, 0.05),
        ("Refund?", "Where is my money", "Order {order}", "Credit note missing", "Still no refund"),
        ("I sent the {product} back {days} days ago and have not seen the money.",
         "When will the amount for {order} be on my account?", "You promised a refund on {weekday}. Nothing so far.",
         "The return of the {product} {arrived} at yours last week according to the courier. And the credit?",
         "Only part of {order} was paid back, the {product} is not in it."),
        ("The refund for {order} went out on {weekday}; banks need up to five days.",
         "I see your parcel in our warehouse and have released the amount now.")),
    "invoice_request": Intent(
        0.08, (0, 30), (0.5, 0.45, 0.05, 0.0),
        ("Invoice", "Receipt for {order}", "Order {order}", "Paperwork", "VAT"),
        ("Could you send me the {bill} for {order}?", "Our accountant needs a {bill} with the VAT number on it.",
         "The {bill} of {order} shows the old company name, please correct it.",
         "I can't find any {bill} in the parcel with the {product}.", "Is there a copy of the papers for {order}?"),
        ("The invoice of {order} is attached.", "I have corrected the name and sent it again.")),
    "cancel_order": Intent(
        0.07, (0, 1.2), (0.02, 0.28, 0.55, 0.15),
        ("Cancel", "Please stop order {order}", "Order {order}", "Mistake in my order", "Do not send"),
        ("Please {cancel} order {order}.", "I clicked twice, can you {cancel} one of the two?",
         "I ordered the {product} by mistake. Don't ship it.", "Is it too late to {cancel} the {product}?",
         "We no longer want what we bought this morning, {order}.",
         "Take the {product} off my order before it leaves."),
        ("{order} is cancelled; nothing will be charged.",
         "It had left already. Refuse the parcel and we refund you.")),
    "payment_problem": Intent(
        0.06, (0, 6), (0.02, 0.23, 0.5, 0.25),
        ("Charged twice", "Payment", "Order {order}", "My card", "Money taken two times"),
        ("The amount for {order} left my account twice.",
         "My bank shows two payments, but I ordered the {product} once.",
         "I paid {order} and your site says unpaid.", "Why was my card charged again on {weekday}?",
         "I don't recognise a payment to you on my statement.", "The voucher wasn't taken off the price of {order}."),
        ("One of the two was only reserved and falls away by {weekday}.",
         "You are right, the second payment goes back to your card today.")),
    "product_question": Intent(
        0.07, (0, 45), (0.55, 0.42, 0.03, 0.0),
        ("Question", "About the {product}", "Size?", "Before I order more", "Care instructions"),
        ("Is the {product} safe for the dishwasher?", "What are the measurements of the {product}?",
         "Does the {product} come with batteries, and may it stay outside?", "What is the {product} made of?",
         "Do you have a picture of the back of the {product}?", "How many of the {product} fit in one carton?"),
        ("The {product} should be washed by hand.", "All measures are on its page now; thank you for asking.")),
    "stock_question": Intent(
        0.04, (0, 60), (0.4, 0.52, 0.08, 0.0),
        ("Availability", "Back in stock?", "Order more", "Question", "{product}"),
        ("When will the {product} be available again?", "Can you put aside {count} of the {product} for us?",
         "We want {count} more of the {product}, the page says sold out.",
         "Will you have the {product} before {weekday}?",
         "Is the {product} discontinued? It is gone from the site."),
        ("The next delivery of the {product} comes on {weekday}.", "I have put {count} aside for you.")),
    "change_address": Intent(
        0.03, (0, 1.5), (0.02, 0.4, 0.5, 0.08),
        ("New address", "Order {order}", "Change of delivery", "We have moved", "Please redirect"),
        ("Please send {order} to our new address: {address}.", "I forgot to change the address before paying {order}.",
         "Nobody is home on {weekday}, can the {product} go to my neighbour at {address}?",
         "There is a slip in the postcode of {order}. It should read {address}.",
         "Can the parcel be brought to the shop instead, {address}?"),
        ("Changed; the courier knows.", "It is on the van already, but can be picked up at the depot.")),
}  # fmt: skip

VAGUE = (
    "There is a problem with order {order}. Please call me back.", "Please look at {order}, this isn't right.",
    "I wrote to you on {weekday} about the {product} and nobody answered.",
    "Need help with the {product}, it's about {order}.",
    "Hello, can someone have a look at my last order?",
)  # fmt: skip
ALSO = ("Also: ", "And another thing. ", "By the way, ", "PS: ", "While I'm at it: ")
GREETINGS = ("Hi,", "Hello,", "Dear team,", "Good morning,", "", "", "hi there", "To whom it may concern,")
CLOSINGS = ("Thanks", "Kind regards", "Regards", "Many thanks", "", "", "Best")
REMINDERS = (
    "Any news?",
    "Hello? I am still waiting for an answer.",
    "Just checking on this again.",
    "It's been days now.",
)
THANKS = (
    "Perfect, thank you!",
    "Great, that's solved.",
    "Thanks for the quick help.",
    "OK.",
    "Fine, I'll wait for it.",
)
NOT_YET = ("That doesn't help, I'm afraid.", "I had tried that before.", "And who pays for that?", "Are you sure?")
URGENT = ("This is urgent.", "I need an answer today!", "Otherwise I'll go to my lawyer.", "ASAP please.")
FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dev",
    "Esme",
    "Finn",
    "Grace",
    "Hugo",
    "Iris",
    "Jack",
    "Kim",
    "Leo",
    "Maya",
    "Nora",
    "Omar",
)
LAST = (
    "Archer",
    "Baker",
    "Carver",
    "Dyer",
    "Fletcher",
    "Glover",
    "Hooper",
    "Mason",
    "Potter",
    "Sawyer",
    "Turner",
    "Weaver",
)
SYNONYMS = {
    "arrived": ("arrived", "come", "turned up", "been delivered", "landed"),
    "broken": ("broken", "damaged", "smashed", "in pieces", "scratched", "bent", "leaking", "not working"),
    "give_back": ("return", "send back", "give back", "hand back"),
    "bill": ("invoice", "receipt", "bill", "VAT invoice"),
    "cancel": ("cancel", "stop", "call off", "undo"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
}


def with_slips(text: str, random: Random) -> str:
    """One to three slips of the finger in longer words: two letters swapped, or one lost."""
    words = text.split(" ")
    for place in random.sample(range(len(words)), min(len(words), random.randint(1, 3))):
        word = words[place]
        if len(word) > 4 and word.isalpha():
            at = random.randint(1, len(word) - 3)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[place] = swapped if random.random() < 0.6 else word[:at] + word[at + 1 :]
    return " ".join(words)


def contact(name: str, random: Random) -> str:
    """A line with data of a person who does not exist: reserved domains and numbers, a test card."""
    first, last = name.lower().split(" ")
    kind = random.random()
    if kind < 0.5:
        return f"My e-mail is {first}.{last}{random.randint(1, 99)}@example.{random.choice(('com', 'org', 'net'))}."
    if kind < 0.85:
        return f"Call me on {random.choice(('07700 900', '+44 20 7946 0'))}{random.randint(100, 999)}."
    return f"I paid with card {random.choice(('4111 1111 1111 1111', '4242 4242 4242 4242'))}."


def address(random: Random) -> str:
    """An address that does not exist."""
    street = random.choice(("Example Street", "Sample Road", "Nowhere Lane"))
    return f"{random.randint(1, 240)} {street}, ZZ{random.randint(1, 9)} 9ZZ"
