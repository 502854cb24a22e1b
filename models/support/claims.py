"""What a sentence claims of an order, or promises, in English, German and Chinese; and whether the facts hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import IGNORECASE, Pattern

from models.support.facts import Facts

SENTENCE = re.compile(r"(?<=[.!?。！？;；\n])(?<!\b[A-Za-zÄÖÜ]\.)(?<!\d\.)\s*|\n+")
QUESTION = re.compile(r"[?？]\s*$")
CONDITION = re.compile(
    r"\b(if|once|when|as soon as|until|after|unless|whether|wenn|sobald|falls|nachdem|bis|ob)\b|如果|一旦|若|"
    r"以后|之后|是否",
    IGNORECASE,
)
INSTRUCTION = re.compile(
    r"^\W*(?:to\b|in order to|please (?!note|be|rest|know|find)|you (?:can|may|could|need)\b|kindly\b|um\b|"
    r"bitte (?!beachten)|sie können|请(?!注意|知)|您可以|如需)|\b(?:to|how to) (?:track|request|check|get|cancel)\b",
    IGNORECASE,
)
PAST = re.compile(
    r"\b(?:has|have|had|been|was|were|went|gone|sent|issued|processed|made|released|completed|approved|initiated|"
    r"transferred|credited|refunded|paid|already|wurden?|worden|bereits|schon|veranlasst|überwiesen|erhalten|"
    r"(?:ist|sind|habe|haben|hat))\b|已|了|过",
    IGNORECASE,
)
FIRM = re.compile(
    r"\b(?:will|'ll|shall|going to|expect\w*|promise\w*|guarantee\w*|assured?|wird|werden|werde|versprechen|"
    r"garantier\w*)\b|将|会|保证|承诺|预计",
    IGNORECASE,
)
PLEDGE = re.compile(
    r"\b(?:we|i)(?: \w+ly)? (?:refund|reimburse|credit|compensate|pay)\b|"
    r"\b(?:wir|ich) (?:erstatten?|zahlen?|überweisen?)\b|\b(?:erstatten?|überweisen?) (?:wir|ich)\b|"
    r"我们?(?:就|会|将)?(?:退款|退还|返还|赔)",
    IGNORECASE,
)
"""Said of ourselves as what we do: a promise, whatever it hangs on."""
HAPPENS = re.compile(
    r"\b(?:is|are|goes|go|follows?|today|tomorrow|now|on its way|back|receive[sd]?|get|comes?|lands?|arrives?|"
    r"should|shortly|soon|done|due|heute|morgen|jetzt|geht|gehen|folgt|kommt|bekommen|erhalten|unterwegs)\b|"
    r"正在|今天|明天|马上|给您|到账",
    IGNORECASE,
)
NOT = re.compile(r"\b(?:not|never|no|cannot|nicht|kein\w*|nie)\b|n't\b|没有|尚未|还没|未|不", IGNORECASE)
_ONCE = r"\b(?:once|as soon as|until|before|if)\s+(?:it|they|(?:your|the|this)\s+(?:\w+\s+){0,2}?\w+)\s+"
SUBORDINATE = re.compile(
    _ONCE + r"(?:is|are|has|have|gets)\s+(?:not\s+|already\s+)?(?:been\s+)?\w+"
    r"|\bsobald\s+(?:sie|es|(?:ihre?|die|das|der)\s+\w+)\s+\w+\s+(?:ist|sind|wurden?)|[^,，。]*?(?:送达|发货|"
    r"退货)(?:之后|以后|后)",
    IGNORECASE,
)
"""A clause that says when something else happens, and nothing of what has happened."""

_MONEY = (
    r"\bmoney|\bfunds\b|\bcharges?\b|\bpayment|\bamount\b|\bsum\b|\bdebit|your bank|your card|statement\b|"
    r"\bgeld\b|\bbetrag|abbuchung|zahlung|款|钱|金额"
)
_MOVES = (
    r"\brevers|restor|\bvoid|\bwired\b|\btransferred|dropp|\bback\b|on (?:its|the) way|show up|given|\blands?\b|"
    r"(?:will|'ll) (?:get|see|have)|falls away|released|returned|freigegeben|"
    r"rückgängig|wieder auf|auf dem weg|unterwegs|退|原路|放行|释放"
)
REFUND = re.compile(
    r"refund|reimburs|money[- ]back|pa(?:id|y|ying|yed)\b[^.]{0,30}\bback|back (?:on|to|in|"
    r"into) your (?:account|card|bank)|"
    r"credit(?:ed)?\b(?! card)|return(?:ed)? (?:the|your) money|restitution|compensat|"
    r"erstatt|rückzahl|zurückgezahlt|zurückgebucht|zurücküberw|gutgeschr|gutschrift|geld zurück|"
    r"退款|退回.{0,6}[款钱]|返还|退钱|退还|赔|"
    rf"(?:{_MONEY})[^.。]{{0,60}}(?:{_MOVES})|(?:{_MOVES})[^.。]{{0,60}}(?:{_MONEY})",
    IGNORECASE,
)  # fmt: skip
STATES: dict[str, Pattern[str]] = {
    "shipped": re.compile(
        r"\b(?:shipped|ships|dispatched|despatched|sent out|posted|on (?:its|the|their) way|in transit|en route|"
        r"with (?:the|our) (?:courier|carrier)|left (?:our|the) (?:warehouse|depot)|out for delivery|has left|"
        r"had left|left already|handed (?:over )?to (?:the|our)|(?:was|been|is|were) sent|on the van|in the post|"
        r"(?:parcel|order|package|it) (?:leaves|left)|versandt|versendet|verschickt|abgeschickt|abgesandt|unterwegs|"
        r"auf dem weg|verlassen|losgeschickt)\b|发货|寄出|已发出|运输中|在途|派送中|出库|已寄|在路上",
        IGNORECASE,
    ),
    "delivered": re.compile(
        r"\b(?:delivered|arrived|signed for|dropped off|left (?:at|with|by) (?:your|a|the)|in your (?:mail|"
        r"letter)box|"
        r"reached its|received by you|(?:order|it) is complete|zugestellt|geliefert|ausgeliefert|angekommen|"
        r"eingetroffen|abgegeben)\b|送达|签收|到货|收货",
        IGNORECASE,
    ),
    "cancelled": re.compile(
        r"\bcancel(?:l?ed|lation (?:is|was|has))\b|annul|called off|cancellation went|storniert|aufgehoben|"
        r"撤销|取消了|已.{0,3}取消|被取消",
        IGNORECASE,
    ),
    "paid": re.compile(
        r"\bpayment (?:was|has been|is) (?:received|confirmed|accepted)|received your payment|\bpaid for\b|"
        r"zahlung (?:ist )?(?:eingegangen|erhalten)|bezahlt\b|已付款|收到.{0,4}付款",
        IGNORECASE,
    ),
    "preparing": re.compile(
        r"\b(?:being|be) (?:prepared|packed|processed|picked)|\bin (?:preparation|processing)\b|wird (?:gerade )?"
        r"(?:vorbereitet|gepackt|bearbeitet)|正在(?:处理|打包|备货|准备)",
        IGNORECASE,
    ),
    "returned": re.compile(
        r"\b(?:received|have) your (?:return|parcel back|package back)|your (?:return|"
        r"parcel) (?:\w+ ){0,2}(?:in|at|reached) our|"
        r"return (?:has |was |is )?(?:been )?(?:arrived|received|registered|booked)|(?:was|been) returned|"
        r"retoure (?:\w+ ){0,3}(?:erhalten|eingegangen|angekommen)|ihre rücksendung (?:\w+ ){0,4}"
        r"(?:erhalten|eingegangen|angekommen)|(?:收到|到).{0,6}退货|退货.{0,4}(?:收到|已到)|已退货",
        IGNORECASE,
    ),
}  # fmt: skip
HOLD: dict[str, frozenset[str]] = {
    "shipped": frozenset({"shipped", "delivered"}),
    "delivered": frozenset({"delivered"}),
    "cancelled": frozenset({"cancelled"}),
    "paid": frozenset({"paid", "shipped", "delivered"}),
    "preparing": frozenset({"placed", "paid"}),
}
"""The statuses of an order for which a claim is true."""
NEVER: dict[str, Pattern[str]] = {
    "delivery by a date": re.compile(
        r"\b(?:will|should|shall|'ll|going to|expected to|due to|can expect|expect (?:it|your|the|to)|arrives?|"
        r"arriving)\b[^.]{0,60}"
        r"\b(?:arriv\w*|delivered|delivery|be with you|reach you|get to you|get there|be there|land|come|"
        r"(?:have|get|receive) (?:it|your))\b|\bdelivery (?:is |date )?(?:on|by|expected|scheduled|due)\b|"
        r"\bdelivered (?:by|on or before|"
        r"tomorrow|within)\b|(?:wird|werden|sollte|soll|dürfte)[^.]{0,60}(?:ankommen|eintreffen|zugestellt|"
        r"geliefert|bei ihnen|"
        r"erreichen|kommen)|kommt [^.]{0,30}(?:an|heute|morgen)\b|trifft [^.]{0,30} ein|"
        r"(?:将|会|预计|应该|明天|今天|日前|之前|内).{0,16}(?:送达|到货|送到|收到|到达|签收|抵达)|(?:送达|"
        r"到货)时间(?:是|为)",
        IGNORECASE,
    ),
    "a replacement": re.compile(
        r"\breplac(?:ement|ed|ing)\b|\b(?:send|sent|sending|ship|shipped|get you) (?:you )?(?:an?|"
        r"the) (?:other|another|new|right|correct)|"
        r"\banother (?:one|is|will)|\b(?:right|correct|new) (?:\S+ ){0,8}(?:is|are) on (?:its|the|their) way|"
        r"\bfresh\b|再(?:给您|为您)?[寄发]|[寄发]一[个件份]|ersatz|neue[ns]? (?:lieferung|exemplar|artikel)|"
        r"erneut (?:versandt|geschickt)|补发|换货|重新(?:发|寄)|更换",
        IGNORECASE,
    ),
    "a deed": re.compile(
        r"\b(?:i|we)(?:'ve|'m|'re| have| am| are| had| just| already| also| now)*\s+(?:asked|corrected|changed|"
        r"cancell?ed|refunded|released|sent|send|"
        r"sending|put|booked|arranged|updated|replaced|credited|transferred|issued|attached|ordered|reserved|blocked|"
        r"forwarded|extended|waived|removed|added|issuing|arranging|reported|escalated|opened|activated)\b|"
        r"\b(?:label|invoice|receipt|copy|form|document|list|bill|picture|photo)\w*(?: \S+){0,4}? (?:is|"
        r"are) (?:attached|enclosed)|"
        r"\b(?:attached|enclosed) (?:is|are|you|please)|find attached|with the label i sent|^\W*changed\b|is changed|"
        r"\b(?:habe|haben)\b[^.]{0,60}\b(?:geändert|storniert|erstattet|versandt|geschickt|gesendet|veranlasst|"
        r"überwiesen|gebucht|"
        r"korrigiert|angehängt|beigefügt|reserviert|weitergeleitet|beauftragt|hinterlegt|zurückgelegt)|"
        r"im anhang|anbei|beigefügt|"
        r"(?:我|我们)(?:已经?|给您|为您|帮您)*(?:修改|更改|取消|退款|发送|安排|申请|登记|预留|联系|附上)|附件",
        IGNORECASE,
    ),
    "what we did": re.compile(
        r"\b(?:i|we)(?:'ve| have| had)(?: \w+ly| now| just| already)? (?!not\b|to\b|received your (?:message|"
        r"request|mail)|understood|noted|"
        r"read\b|seen your|no\b|any\b|an?\b|the\b|all\b)\w+|\b(?:i|we) (?:\w+ly |just |already )?(?!need|look|"
        r"receiv|understand|apologi|want|"
        r"notic|check)\w+ed\b|\b(?:i|we) (?:made|took|gave|got|found|did|told|stopped|spoke)\b|"
        r"\b(?:address|courier|carrier|account|warehouse|team|profile|payment|it)\b[^.,]{0,20}\b(?:was|were|"
        r"has been|have been|is now) "
        r"(?:now |already )?(?:updated|informed|upgraded|changed|corrected|notified|fixed|stopped|adjusted|"
        r"restored|blocked|told)|"
        r"\b(?:wir haben|ich habe)\b(?![^.]{0,40}(?:nachricht|anfrage|erhalten|gesehen|gelesen|verstanden|"
        r"verständnis|fragen))|"
        r"(?:我|我们)(?:已|会|将|马上|立即|刚)(?!.{0,2}(?:收到|理解|看到|了解|注意))",
        IGNORECASE,
    ),
    "a place": re.compile(
        r"\bneighbou?rs?\b|\bfront door|at (?:the|your) door|letter ?box|mail ?box|post office|\bdepot\b|"
        r"safe place|parcel locker|"
        r"nachbar|haustür|vor der tür|briefkasten|packstation|postfiliale|门口|邻居|驿站|快递柜|前台",
        IGNORECASE,
    ),
    "goodwill": re.compile(
        r"\b(?:voucher|discount|coupon|gift card|free of charge|for free|free (?:shipping|delivery|item|gift|"
        r"replacement)|"
        r"promo(?:tion)? code|no (?:extra |additional )?(?:cost|charge)|compensat\w+|(?:nothing will|won't|not|"
        r"never) be charged|"
        r"gutschein|rabatt|kostenlos|gratis|geschenk\w*|entschädig\w*)\b|优惠券|折扣|免费|赠送|补偿|代金券|礼品",
        IGNORECASE,
    ),
    "a term": re.compile(
        r"\b(?:today|tonight|tomorrow|by the end of|this afternoon|this week|next week|next month|"
        r"within the (?:hour|day|week)|"
        r"a few days|couple of days|heute|morgen|übermorgen|nächste woche|diese woche|in kürze)\b|今天|明天|"
        r"后天|本周|下周|近日|当天",
        IGNORECASE,
    ),
}  # fmt: skip
"""Promises and deeds that no fact of an order can hold."""
NEAR = 24
"""Characters before a claim within which it is denied."""
THANKS = re.compile(r"\b(?:thank\w*|danke\w*|contact\w*|writing|wrote|schreiben|anfrage)\b|感谢|谢谢|来信", IGNORECASE)


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part.strip() for part in SENTENCE.split(text) if part and part.strip()]


def broken_claims(text: str, facts: Facts) -> Iterator[str]:
    """What the text claims or promises without the facts holding it, sentence by sentence."""
    for sentence in sentences(text):
        yield from _broken(sentence, facts)


def _broken(sentence: str, facts: Facts) -> Iterator[str]:
    if _claims_refund(sentence) and facts.returned_on is None:
        yield "a refund"
    if QUESTION.search(sentence):
        return
    said = SUBORDINATE.sub(" ", sentence)
    for name, pattern in STATES.items():
        for match in pattern.finditer(said):
            before = re.split(r"[,;:，；：]", said[: match.start()])[-1][-NEAR:]
            if not _holds(name, facts, is_denied=bool(NOT.search(before))):
                yield name
                break
    for name, pattern in NEVER.items():
        is_excused = (name == "a term" and THANKS.search(said)) or (name == "a place" and INSTRUCTION.search(said))
        if pattern.search(said) and not is_excused:
            yield name


def _claims_refund(sentence: str) -> bool:
    """Whether a refund is said to be made, or promised; asking for one, or how one is asked for, is no claim."""
    if not REFUND.search(sentence):
        return False
    if PAST.search(sentence) or FIRM.search(sentence) or PLEDGE.search(sentence):
        return not QUESTION.search(sentence)
    is_excused = QUESTION.search(sentence) or CONDITION.search(sentence) or INSTRUCTION.search(sentence)
    return bool(HAPPENS.search(sentence)) and not is_excused


def _holds(claim: str, facts: Facts, *, is_denied: bool) -> bool:
    if facts.order_id is None:
        return False
    is_so = facts.returned_on is not None if claim == "returned" else facts.status in HOLD[claim]
    return is_so != is_denied and (facts.status is not None or claim == "returned")
