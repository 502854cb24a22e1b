"""The words of support tickets in German, all our own."""

from __future__ import annotations

from random import Random

# fmt: off
SAYINGS = {
    "where_is_order": (
        ("Wo bleibt meine Bestellung?", "Bestellung {order}", "Lieferung?", "Noch nichts angekommen"),
        ("Ich habe {order} vor {days} Tagen bestellt und bis jetzt ist nichts {arrived}.",
         "Wann kommt {product} endlich bei uns an?",
         "Die Sendungsverfolgung von {order} steht seit {weekday} still.",
         "Der Paketdienst sagt zugestellt, aber vor der Tür steht kein Paket."),
        ("Das Paket ist beim Paketdienst und sollte bis {weekday} da sein.",
         "Ich habe einen Nachforschungsauftrag gestellt; ist es bis {weekday} nicht da, senden wir neu.")),
    "damaged_item": (
        ("Kaputt angekommen", "Bestellung {order}", "Artikel beschädigt", "Problem mit meinem Paket"),
        ("{product} kam {broken} an.", "Zwei Stück {product} aus {order} waren {broken}.",
         "Ich mache den Karton auf und {product} ist {broken}. Fotos habe ich.",
         "Schlecht verpackt: die Hälfte von {product} kann ich so nicht verkaufen."),
        ("Das tut mir leid. Ersatz für {product} geht heute hinaus, das Alte müssen Sie nicht zurückschicken.",
         "Bitte heben Sie die Teile auf, bis der Paketdienst sie gesehen hat; die Erstattung ist unterwegs.")),
    "wrong_item": (
        ("Falscher Artikel", "Nicht das, was ich bestellt habe", "Bestellung {order}", "Es fehlt etwas"),
        ("Bestellt habe ich {product}, gekommen ist etwas anderes.", "In {order} fehlt {product}.",
         "Sie haben {product} in einer anderen Farbe geschickt.",
         "Wir haben nachgezählt: {count} Stück {product} zu wenig."),
        ("Entschuldigung, da haben wir falsch gegriffen. {product} ist unterwegs.",
         "Danke für den Hinweis; geben Sie die falsche Kiste bitte dem Paketboten mit.")),
    "return_request": (
        ("Rücksendung", "Etwas zurückschicken", "Bestellung {order}", "Retoure"),
        ("Ich möchte {product} aus {order} {give_back}.", "Wie kann ich {count} Stück {product} {give_back}?",
         "Bitte schicken Sie ein Rücksendeetikett, {product} brauchen wir nicht mehr.",
         "Wir haben zu viel {product} gekauft; nehmen Sie den Rest zurück?"),
        ("Gern. Das Etikett hängt an; die Erstattung folgt, sobald {product} hier ist.",
         "Mit dem Etikett können Sie {product} in jedem Paketshop abgeben.")),
    "refund_status": (
        ("Erstattung?", "Wo bleibt mein Geld", "Bestellung {order}", "Gutschrift fehlt"),
        ("Ich habe {product} vor {days} Tagen zurückgeschickt und noch kein Geld gesehen.",
         "Wann ist der Betrag von {order} auf meinem Konto?",
         "Am {weekday} wurde mir die Erstattung versprochen. Nichts.",
         "Von {order} kam nur ein Teil zurück, {product} ist nicht dabei."),
        ("Die Erstattung von {order} ging am {weekday} hinaus; Banken brauchen bis zu fünf Tage.",
         "Ihr Paket ist im Lager, der Betrag ist jetzt freigegeben.")),
    "invoice_request": (
        ("Rechnung", "Beleg für {order}", "Bestellung {order}", "Umsatzsteuer"),
        ("Können Sie mir die {bill} für {order} schicken?",
         "Unsere Buchhaltung braucht eine {bill} mit Steuernummer.",
         "Auf der {bill} von {order} steht der alte Firmenname, bitte ändern.",
         "Im Paket mit {product} lag keine {bill}."),
        ("Die Rechnung von {order} hängt an.", "Der Name ist geändert, ich habe sie neu geschickt.")),
    "cancel_order": (
        ("Stornieren", "Bitte {order} stoppen", "Bestellung {order}", "Fehler in meiner Bestellung"),
        ("Bitte {cancel} Sie {order}.", "Ich habe {product} aus Versehen bestellt. Nicht verschicken.",
         "Ist es zu spät, {product} zu {cancel}?",
         "Wir wollen nicht mehr, was wir heute früh gekauft haben, {order}."),
        ("{order} ist storniert; es wird nichts berechnet.",
         "Es war schon weg. Nehmen Sie das Paket bitte nicht an.")),
    "payment_problem": (
        ("Doppelt abgebucht", "Zahlung", "Bestellung {order}", "Meine Karte"),
        ("Der Betrag von {order} ging zweimal von meinem Konto ab.",
         "Ich habe {order} bezahlt, bei Ihnen steht unbezahlt.",
         "Meine Bank zeigt zwei Zahlungen, ich habe {product} aber einmal bestellt.",
         "Der Gutschein wurde bei {order} nicht abgezogen."),
        ("Eine der beiden war nur vorgemerkt und entfällt bis {weekday}.",
         "Sie haben recht, die zweite Zahlung geht heute auf Ihre Karte zurück.")),
    "product_question": (
        ("Frage", "Zu {product}", "Größe?", "Bevor ich mehr bestelle"),
        ("Darf {product} in die Spülmaschine?", "Welche Maße hat {product}?", "Woraus ist {product} gemacht?",
         "Sind bei {product} Batterien dabei?"),
        ("{product} sollte man von Hand waschen.", "Alle Maße stehen jetzt auf der Seite; danke für die Frage.")),
    "stock_question": (
        ("Verfügbarkeit", "Wieder da?", "Mehr bestellen", "{product}"),
        ("Wann ist {product} wieder lieferbar?", "Können Sie uns {count} Stück {product} zurücklegen?",
         "Wir wollen {count} mehr von {product}, auf der Seite steht ausverkauft.",
         "Gibt es {product} nicht mehr?"),
        ("Die nächste Lieferung von {product} kommt am {weekday}.", "Ich habe {count} Stück zurückgelegt.")),
    "change_address": (
        ("Neue Anschrift", "Bestellung {order}", "Wir sind umgezogen", "Bitte umleiten"),
        ("Bitte schicken Sie {order} an unsere neue Anschrift: {address}.",
         "Vor dem Bezahlen von {order} habe ich vergessen, die Anschrift zu ändern.",
         "Am {weekday} ist niemand da, kann {product} zum Nachbarn? {address}"),
        ("Geändert; der Paketdienst weiß Bescheid.", "Es ist schon im Wagen, kann aber abgeholt werden.")),
}
VAGUE = (
    "Mit {order} stimmt etwas nicht. Bitte rufen Sie zurück.",
    "Bitte schauen Sie sich {order} an, so geht das nicht.",
    "Ich habe am {weekday} wegen {product} geschrieben, keiner hat geantwortet.",
    "Ich brauche Hilfe, es geht um {order}.",
)
ALSO = ("Außerdem: ", "Und noch etwas. ", "Übrigens: ", "PS: ")
GREETINGS = ("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,", "Guten Morgen,", "", "", "hallo zusammen")
CLOSINGS = ("Danke", "Mit freundlichen Grüßen", "Viele Grüße", "Vielen Dank", "", "", "MfG")
REMINDERS = ("Gibt es etwas Neues?", "Hallo? Ich warte immer noch.", "Ich frage noch einmal nach.")
THANKS = ("Perfekt, danke!", "Super, erledigt.", "Danke für die schnelle Hilfe.", "Gut, ich warte.")
NOT_YET = ("Das hilft mir leider nicht.", "Das hatte ich schon versucht.", "Und wer zahlt das?", "Sind Sie sicher?")
URGENT = ("Es ist dringend.", "Ich brauche noch heute eine Antwort!", "Sonst gehe ich zum Anwalt.",
"Bitte schnell.")
FIRST = ("Jürgen", "Annika", "Lukas", "Käthe", "Svenja", "Ömer", "Ute", "Jonas", "Greta")
LAST = ("Müller", "Schäfer", "Weiß", "Kraus", "Özdemir", "Lehmann", "Vogt", "Brandt")
SYNONYMS = {
    "arrived": ("angekommen", "da", "eingetroffen", "geliefert worden"),
    "broken": ("kaputt", "beschädigt", "zerbrochen", "zerkratzt", "verbogen", "undicht", "ohne Funktion"),
    "give_back": ("zurückschicken", "zurückgeben", "retournieren"),
    "bill": ("Rechnung", "Quittung", "Mehrwertsteuerrechnung"),
    "cancel": ("stornieren", "stoppen", "streichen"),
    "weekday": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
}
# fmt: on


def name(random: Random) -> str:
    """Somebody who does not exist."""
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def contact(name: str, random: Random) -> str:
    """A line with data of a person who does not exist: reserved domains and numbers, a test card."""
    kind = random.random()
    if kind < 0.5:
        return f"Meine E-Mail ist kunde{random.randint(1, 9999)}@example.{random.choice(('com', 'org', 'net'))}."
    if kind < 0.85:
        return f"Sie erreichen mich unter +49 30 23125 {random.randint(100, 999)}."
    return f"Bezahlt mit der Karte {random.choice(('4111 1111 1111 1111', '4242 4242 4242 4242'))}."


def address(random: Random) -> str:
    """An address that does not exist."""
    street = random.choice(("Musterstraße", "Beispielweg", "Nirgendwogasse"))
    return f"{street} {random.randint(1, 240)}, 00000 Musterstadt"
