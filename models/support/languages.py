"""The language that a text is written in, told by its script and its most frequent small words."""

from __future__ import annotations

import re

SCRIPTS = (
    ("ja", re.compile(r"[぀-ヿ]")),
    ("zh", re.compile(r"[一-鿿]")),
    ("ko", re.compile(r"[가-힯]")),
    ("ru", re.compile(r"[Ѐ-ӿ]")),
    ("el", re.compile(r"[Ͱ-Ͽ]")),
    ("ar", re.compile(r"[؀-ۿ]")),
)
"""In this order: Japanese is written in Chinese characters too."""
LEAST_SHARE = 0.2
"""Share of a text's letters from which on a script tells its language: a Chinese text may name an English product."""
SMALL_WORDS = {
    "en": "the and is to of i you my it for your that not have was with this are we on in has been please order thank",
    "de": "der die das und ist ich nicht sie mein meine ihre ihr wir den dem ein eine für mit auf habe hat von zu im",
    "fr": "le la les des est je vous pas ma mon votre nous une un pour avec dans sur que commande merci bonjour du et",
    "es": "el la los las es yo no mi su usted nosotros una un para con en que pedido gracias hola por y lo",
    "it": "il lo la gli è io non mio mia suo noi una un per con nel che ordine grazie ciao di e sono",
    "nl": "de het een is ik niet mijn uw wij voor met op en van bestelling bedankt dat heb heeft te",
}
_OF = {language: frozenset(words.split()) for language, words in SMALL_WORDS.items()}
WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """An ISO 639-1 code, "en" for a text that shows no language."""
    letters = [character for character in text if character.isalpha()]
    for language, script in SCRIPTS:
        if letters and len(script.findall(text)) >= LEAST_SHARE * len(letters):
            return language
    words = WORD.findall(text.lower())
    counts = {language: sum(word in small for word in words) for language, small in _OF.items()}
    return max(counts, key=lambda language: counts[language])
