"""The languages that customers write in: English for most, German for a tenth, Chinese for a twentieth of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from demo import wording, wording_chinese, wording_german
from demo.draws import Flags, Ints, uniform

SHARES = (0.10, 0.05)  # of the customers: German, Chinese


@dataclass(frozen=True)
class Language:
    """How tickets are written and answered."""

    sayings: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]  # subjects, openings, answers
    vague_subjects: tuple[str, ...]
    vague: tuple[str, ...]
    also: tuple[str, ...]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    reminders: tuple[str, ...]
    thanks: tuple[str, ...]
    not_yet: tuple[str, ...]
    urgent: tuple[str, ...]
    answer: str  # how an agent frames an answer: {first}, {answer}
    synonyms: Mapping[str, tuple[str, ...]]
    name: Callable[[Random], str]
    contact: Callable[[str, Random], str]
    address: Callable[[Random], str]
    space: str = " "

    def fill(self, template: str, slots: dict[str, str], random: Random) -> str:
        """The template with its slots filled: facts of the order, or one of the synonyms."""
        words = {name: random.choice(synonyms) for name, synonyms in self.synonyms.items()}
        return template.format(**words, **slots)


def _english_name(random: Random) -> str:
    return f"{random.choice(wording.FIRST)} {random.choice(wording.LAST)}"


ENGLISH = Language(
    sayings={name: (one.subjects, one.openings, one.answers) for name, one in wording.INTENTS.items()},
    vague_subjects=("Help", "Order {order}", "Question"),
    vague=wording.VAGUE,
    also=wording.ALSO,
    greetings=wording.GREETINGS,
    closings=wording.CLOSINGS,
    reminders=wording.REMINDERS,
    thanks=wording.THANKS,
    not_yet=wording.NOT_YET,
    urgent=wording.URGENT,
    answer="Dear {first}, {answer} Kind regards, the service team",
    synonyms=wording.SYNONYMS,
    name=_english_name,
    contact=wording.contact,
    address=wording.address,
)
GERMAN = Language(
    sayings=wording_german.SAYINGS,
    vague_subjects=("Hilfe", "Bestellung {order}", "Frage"),
    vague=wording_german.VAGUE,
    also=wording_german.ALSO,
    greetings=wording_german.GREETINGS,
    closings=wording_german.CLOSINGS,
    reminders=wording_german.REMINDERS,
    thanks=wording_german.THANKS,
    not_yet=wording_german.NOT_YET,
    urgent=wording_german.URGENT,
    answer="Hallo {first}, {answer} Viele Grüße, Ihr Kundendienst",
    synonyms=wording_german.SYNONYMS,
    name=wording_german.name,
    contact=wording_german.contact,
    address=wording_german.address,
)
CHINESE = Language(
    sayings=wording_chinese.SAYINGS,
    vague_subjects=("求助", "订单{order}", "问题"),
    vague=wording_chinese.VAGUE,
    also=wording_chinese.ALSO,
    greetings=wording_chinese.GREETINGS,
    closings=wording_chinese.CLOSINGS,
    reminders=wording_chinese.REMINDERS,
    thanks=wording_chinese.THANKS,
    not_yet=wording_chinese.NOT_YET,
    urgent=wording_chinese.URGENT,
    answer="您好，{answer}此致，客服团队",
    synonyms=wording_chinese.SYNONYMS,
    name=wording_chinese.name,
    contact=wording_chinese.contact,
    address=wording_chinese.address,
    space="",
)


def language_of(customer: Ints, is_guest: Flags, number: Ints, seed: int) -> list[Language]:
    """The language of each: a customer has one, a guest one for each order."""
    luck = uniform(seed, "language", customer)
    luck[is_guest] = uniform(seed, "language of a guest", number[is_guest])
    german, chinese = SHARES
    return [GERMAN if one < german else CHINESE if one < german + chinese else ENGLISH for one in luck.tolist()]
