"""The patterns of what is taken out of free text."""

from __future__ import annotations

import re

from pipelines.ingest.redact_names import MAY_BE_NAME

# Signs that a row of digits or a Latin address goes on with; Chinese stands right beside them.
LATIN = r"0-9A-Za-z_\u00aa-\u024f"
WIDE = {ord(wide): ord(wide) - 0xFEE0 for wide in "０１２３４５６７８９＠＋－．"}
MAY_BE_WIDE = "[０-９＠＋－．]"
EMAIL = re.compile(
    rf"""(?<! [{LATIN}.+%'-] ) [{LATIN}.+%'-]+ @ [{LATIN}-]+ (?:\.[{LATIN}-]+)+
      | (?<! [{LATIN}.+-] ) [{LATIN}][{LATIN}.+-]* \s? [(\[] \s? at \s? [)\]] \s? [{LATIN}-]+
        (?: \. [{LATIN}-]+ | \s? [(\[] \s? dot \s? [)\]] \s? [{LATIN}-]+ )+""",
    re.VERBOSE | re.IGNORECASE,
)
ANY_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")  # of other scripts

IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \u00a0-]?[A-Za-z0-9])")
_LENGTHS = """
NO15 BE16 DK18 FO18 FI18 GL18 NL18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 CR22 DE22 GB22 GE22 IE22 BG22 ME22
RS22 BH22 CH21 HR21 LI21 LV21 AE23 GI23 IL23 IQ23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 PT25
ST25 IS26 TR26 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 PL28 SV28 BR29 EG29 PS29 QA29
UA29 JO30 KW30 MU30 MT31 SC31 LC32
"""
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}

CARD_RUN = re.compile(r"(?<![0-9.,])[0-9](?:[ \u00a0.-]?[0-9]){13,}(?![0-9])")
CARD_DIGITS = re.compile(r"(?:[456][0-9]{13,18}|3[0-9]{13,15}|2[2-7][0-9]{14})")

_GAP = r"[\s./\u00a0-]{0,2}"
# +44 7700 900123, 0044 7700 900123, (020) 7946 0958, (555) 123-4567, 07700900123, 030/123456, 06 12 34 56 78,
# 555-123-4567
PHONE = re.compile(
    rf"""(?<![{LATIN}#.,+-]) (?:
        \+ \s? [1-9][0-9]{{0,2}} (?: {_GAP} \(? [0-9]{{1,5}} \)? ){{2,6}}
      | 00 [1-9][0-9]{{0,2}} (?: [\s./-] [0-9]{{2,6}} ){{2,5}}
      | 00 [1-9][0-9]{{8,13}}
      | \( 0? [1-9][0-9]{{1,4}} \) {_GAP} [0-9]{{3,4}} (?: {_GAP} [0-9]{{2,5}} ){{0,3}}
      | 0 [1-9][0-9]{{8,9}}
      | 0 [1-9][0-9]{{1,4}} [\s/.-]{{1,2}} [0-9]{{3,8}} (?: [\s.-] [0-9]{{2,4}} ){{0,2}}
      | 0 [1-9] (?: [\s.-] [0-9]{{2}} ){{4}}
      | (?: 1 [\s.-] )? [2-9][0-9]{{2}} ([\s.-]) [0-9]{{3}} \1 [0-9]{{4}}
    ) (?! [{LATIN}] | [.,][0-9] )""",
    re.VERBOSE,
)
PHONE_START = re.compile(r"[+(]|[0-9]+")
# 13812345678, 138 1234 5678: only in a text with Chinese in it, as other stores number orders so
HAN_PHONE = re.compile(rf"(?<![{LATIN}#.,+-])1[3-9][0-9]([\s-]?)[0-9]{{4}}\1[0-9]{{4}}(?![{LATIN}]|[.,][0-9])")
HAN = re.compile("[\u4e00-\u9fff]")
# A row of digits that is said to be a phone number.
SAID_PHONE = re.compile(
    rf"""(?P<word> (?: \b (?: phone | telephone | tel | mobile | cell | cellphone | whatsapp | fax | handy | telefon
          | telefax | mobil | rufnummer | (?: telefon | handy | mobil | mobilfunk ) -? (?: nummer | nr )
          | call \s (?: me | us ) | text \s me | ring \s me | reach \s me | my \s number | meine \s nummer
          | erreichbar | anrufen | rufen? \s (?: sie \s )? (?: mich | uns ) (?: \s bitte )? (?: \s an )?
          | meld(?:e|en) \s (?: sie \s )? (?: sich | dich ) )
        (?: \s (?: no | nr | number | nummer | is | ist | lautet | on | at | back | under | unter ) \b \.? ){{0,3}}
        [\s:.]{{1,3}}
      | (?: 电话 | 手机 | 座机 | 微信 | 联系方式 | 致电 | 打给我 ) (?: 号码 | 号 )? [是为：:]? \s? ) )
        [0-9] (?: [\s()./-]{{0,2}} [0-9] ){{6,14}} (?! [{LATIN}] | [.,][0-9] )""",
    re.VERBOSE | re.IGNORECASE,
)
# What right before a row of digits says that it is none.
ORDER_WORD = re.compile(
    r"""(?: \# | \b (?: order | invoice | reference | ref | ticket | tracking | parcel | shipment | return | receipt
        | payment | product | item | article | sku | ean | customer | case | bestellung | auftrag | rechnung | sendung
        | retoure | artikel | vorgang | (?: bestell | auftrags | rechnungs | sendungs | retouren | artikel | kunden
          | vorgangs | ticket | paket ) -? (?: nummer | nr ) ) s?
        (?: \s (?: no | nr | number | nummer | id | code | is | ist | lautet ) \b \.? ){0,2} [\s:\#.]{0,3}
      | (?: 订单 | 单号 | 发票 | 快递 | 运单 | 物流 | 商品 | 货号 | 编号 | 退货 | 工单 | 会员 )
        [号码编单是为：:\s\#]{0,5} ) $""",
    re.VERBOSE | re.IGNORECASE,
)

_CLEAR = "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|terrace|crescent|mews|highway|hwy|parkway|pkwy"
_VAGUE = "way|court|ct|place|pl|square|sq|close|gardens|grove|hill|park|row|walk"  # products are called so too
_NAME = r"[A-Z\u00c0-\u00de][\w'.\u2019-]*"
_CITY = r"[A-Z\u00c0-\u00de][a-z\u00df-\u00ff'.\u2019-]+"
_PLAIN = r"(?!(?:on|the|in|of|for|to|at|by|left|off|and|my|an?|is|was|are|from|with|your?|items?|down)\b)[a-z][\w'-]+"
_UK = r"[A-Z]{1,2}[0-9][A-Z0-9]?\ [0-9][ABD-HJLNP-UW-Z]{2}"
_PLACE = rf"""(?: ,? \s {_UK} \b
      | , \s [0-9]{{4,5}} \s {_NAME}
      | , \s {_CITY} (?: (?: (?<!\.) | (?<=\bSt\.) ) [ ] {_CITY} ){{0,2}}
        (?: ,? \s (?: {_UK} | [A-Z]{{2}} \s [0-9]{{5}} (?: -[0-9]{{4}} )? ) \b )? )"""
_DOOR = r"(?i: flat | apt | apartment | unit | suite ) \.? \s [0-9A-Za-z]+ \b"
_TOWN = rf",? \s [0-9]{{5}} \s {_CITY}"  # of a street whose name says nothing
_SIGN = r"(?!改成|改到|改为)[\u4e00-\u530f\u5311-\u9fff]"  # of a Chinese address, without the words around it:
_SIGN = r"(?![请寄到送给我的在是了为把搬至您你])" + _SIGN
_HOUSE = r"(?<![\w.,#-]) [0-9]{1,5} [A-Za-z]? (?: -[0-9]{1,4} )? ,? \s"
_ASKED = r"(?: (?<=\bat\s) | (?<=\bto\s) | (?<=address\s) | (?<=address:\s) | (?<=\bis\s) )"
ADDRESS = re.compile(
    rf"""(?: (?: \b {_DOOR} ,? \s )? {_HOUSE}
        (?: (?: {_NAME} \s ){{1,4}} (?: {_CLEAR.title()} | {_CLEAR} ) \b
          | (?: {_PLAIN} \s ){{1,3}} (?: street | road | avenue | lane | boulevard | drive ) \b
          | (?i: rue | avenue | boulevard | chemin | impasse | all\u00e9e | quai | via | calle ) \s
            (?: (?: de | du | des | la | le | les | del | della ) \s | l' ){{0,2}} {_NAME} (?: \s {_NAME} ){{0,2}} )
      | \b (?: {_NAME} (?: stra\u00dfe | strasse | str\. | weg | platz | allee | gasse | damm | ring )
            | {_NAME} \s (?: Stra\u00dfe | Strasse | Str\. | Weg | Platz | Allee ) )
        \s [0-9]{{1,4}} (?: \s? [a-h] \b )?
      | \b (?: Am | An \s (?: der | den ) | Auf \s (?: der | dem ) | Im | In \s de[rnm] | Zum | Zur | Unter \s den
          | Hinter \s de[rm] ) \s {_NAME} \s [0-9]{{1,4}} (?: \s? [a-h] \b )? (?= {_TOWN} )
      | \b [Pp]\.?\s?[Oo]\.?\s? Box \s [0-9]{{1,6}} | \b Postfach \s [0-9][0-9\s]{{0,8}}[0-9]
    ) \.? (?: ,? \s {_DOOR} )? {_PLACE}?
    | {_HOUSE} (?: {_NAME} \s ){{1,4}} (?: {_VAGUE.title()} | {_VAGUE} ) \b {_PLACE}
    | {_ASKED} {_HOUSE} (?: {_NAME} \s ){{1,4}} (?: {_VAGUE.title()} | {_VAGUE} ) \b
    | \b {_UK} \b
    | (?: (?: {_SIGN} ){{1,7}}? (?: 省 | 市 | 区 | 县 | 镇 | 乡 | 州 ) ){{0,4}} (?: {_SIGN} ){{1,8}}?
      (?: 路 | 街 | 大道 | 巷 | 弄 | 胡同 | 村 ) [东南西北中]? (?: {_SIGN} ){{0,3}}? [0-9]{{1,5}} (?: -[0-9]+ )? [号弄]
      (?: (?: [0-9A-Za-z-]+ | [一二三四五六七八九十] | [东南西北] )
          (?: 号?楼 | 号 | 层 | 栋 | 座 | 幢 | 单元 | 室 | 房 ) ){{0,4}}""",
    re.VERBOSE,
)

# What makes a text worth a closer look for each kind, in the dialect of Arrow's quick regular expressions.
MAY_BE = {
    "email": r"(?i)@|[(\[]\s?at\s?[)\]]",
    "iban": r"[A-Za-z]{2}[0-9]{2}[ \x{a0}-]?(?:[A-Za-z0-9][ \x{a0}-]?){10}",
    "card": r"[0-9](?:[ \x{a0}.-]?[0-9]){13}",
    "said_phone": r"(?i)(phone|tel|mobile|cell|whatsapp|fax|handy|mobil|nummer|ruf|erreichbar|meld|call|text|ring"
    r"|reach|number|电话|手机|座机|微信|联系方式|致电|打给我)[^0-9]{0,30}[0-9]",
    "phone": r"[0-9](?:[\s\x{a0}()./-]{0,4}[0-9]){6}",
    "address": rf"""(?i)[0-9][a-z]?,?\s.*\b({_CLEAR}|{_VAGUE}|rue|chemin|impasse|all\x{{e9}}e|quai|via|calle)\b"""
    r"""|(stra\x{df}e|strasse|str\.|weg|platz|allee|gasse|damm|ring)\s[0-9]|\bp\.?\s?o\.?\s?box\s"""
    r"""|\b[a-z]{1,2}[0-9][a-z0-9]?\s[0-9][a-z]{2}\b|\bpostfach\s|[0-9][a-z]?,?\s[0-9]{5}\s[a-z\x{c0}-\x{de}]"""
    r"""|[路街道巷弄同村].{0,4}[0-9][号弄-]""",
} | MAY_BE_NAME
