"""The patterns of names in free text: said to be one, a person addressed, or whoever signs; English, German, Chinese.

A name that nothing announces stays: which capitalised words are one, no pattern can say.
"""

from __future__ import annotations

import re

_UPPER, _LETTER = r"A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u024f", r"A-Za-z\u00c0-\u024f"
_NO_NAME = (
    "Team|Customer|Sir|Madam|Madame|All|Support|Service|Services|Shop|Store|There|Everyone|Everybody|Damen|Herren|Kunde|"
    "Kundin|Kunden|Kundenservice|Kundendienst|Kundenbetreuung|Support-Team|Serviceteam|Hello|Hi|Hey|Hallo|Good|Guten|"
    "Order|Orders|Bestellung|Invoice|Rechnung|Please|Bitte|Thanks|Thank|Danke|The|This|My|Your|And|Und|Die|Der|Das|"
    "Ich|Wir|Sie|Mein|Meine|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|In|On|At|It|We|You|No|Not|What|"
    "Where|When|Why|How|Is|Are|Can|Could|Do|If|For|To|Also|But|PS|Kind|Best|Many|Regards|Mr|Mrs|Ms|Herr|"
    "Frau|Viele|Liebe|Beste|Sch\u00f6ne|Freundliche|Mit|Gr\u00fc\u00dfe|Gr\u00fcsse|Gruss|Gru\u00df|Vielen|Dank"
)
_WORD = rf"(?!(?:{_NO_NAME})\b)[{_UPPER}](?:[{_LETTER}'\u2019-]+|\.)"
_BETWEEN = r"(?:(?:von|van|der|den|de|zu|zum|zur|da|di|del|la|le|el|al|bin|ten)[ ]){0,2}"
ONE = rf"{_WORD}(?:[ ]{_BETWEEN}{_WORD}){{0,3}}"
_FULL = rf"{_WORD}(?:[ ]{_BETWEEN}{_WORD}){{1,3}}"
_END = rf"(?![{_LETTER}0-9])"
_TITLE = r"(?:(?:Dr|Prof|Dipl\.-Ing|Ing)\.?\s){0,2}"

SAID_NAME = re.compile(
    rf"""(?P<word> \b (?: (?i: my \s (?: full \s )? name \s is | my \s name['\u2019]s | name \s? : | named
          | in \s the \s name \s of | addressed \s to | (?: account | card ) \s? holder (?: \s is | \s? : )?
          | mein \s name \s (?: ist | lautet ) | ich \s hei(?: \u00df | ss ) e | auf \s den \s namen
          | im \s namen \s von | (?: konto | karten ) inhaber(?:in)? \s? :? | empf\u00e4nger(?:in)? \s? :
          | (?: vor | nach ) name \s? : )
        | (?: Mr | Mrs | Ms | Miss | Mx | Dr | Prof | Herrn? | Frau | Fr\u00e4ulein | Familie ) \b \.? ) \s? )
        (?P<name> {_TITLE} {ONE} ) {_END}
      | (?P<word2> \b (?: I \s am | I['\u2019]m | (?i: ich \s bin ) ) \s ) (?P<name2> {_TITLE} {_FULL} ) {_END}
      | (?P<word3> \b (?: [Dd]ear | [Hh]i | [Hh]ello | [Hh]ey | [Ll]iebe[rs]? | [Hh]allo | [Ss]ehr \s geehrte[rs]? )
          \s ) (?P<name3> {_TITLE} {ONE} ) (?= \s? [,.!\n] | $ )""",
    re.VERBOSE,
)
_GREETINGS = r"gr(?: \u00fc | ue ) (?: \u00df | ss ) e"
SIGNED_NAME = re.compile(
    rf"""(?P<word> (?i: regards | best \s wishes | yours \s (?: sincerely | faithfully | truly ) | sincerely
          | {_GREETINGS} n? | mfg | vg | lg | signed | gez\. ) [\s,.!-]{{1,4}} ) (?P<name> {_TITLE} {ONE} ) {_END}
      | (?P<word2> (?: (?i: cheers | many \s thanks | thank \s you (?: \s very \s much )? | vielen \s dank
            | thanks (?: \s (?: in \s advance | again ) )? | danke (?: \s im \s voraus )? ) | \b Best )
          [\s,.!-]{{1,4}} )
        (?P<name2> {_TITLE} {ONE} ) (?= \s* $ | \s* \n | [.,] \s* $ )
      | (?P<word3> [.!?\n] \s* ) (?P<name3> {_FULL} ) (?= \s* $ )""",
    re.VERBOSE,
)

_HAN = "\u4e00-\u9fff"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋"
    "蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史"
    "陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_SURNAME = f"(?:欧阳|上官|司马|诸葛|司徒|皇甫|夏侯|[{_SURNAMES}])"
_STOP = rf"(?=[^{_HAN}]|$|[的是在，和])"
# 我叫王伟 / 收件人：李小明 / 张先生 / 谢谢！王芳
HAN_NAME = re.compile(
    rf"""(?P<word> (?: 我叫 | 名字[是叫为：:]
          | (?: 姓名 | 收件人 | 收货人 | 联系人 | 持卡人 | 户名 | 署名 ) [是为：:]? ) \s? )
        (?P<name> {_SURNAME} (?: [{_HAN}]{{1,2}}? {_STOP} | [{_HAN}]{{1,2}} ) )
      | (?P<word2> 我是 ) (?P<name2> {_SURNAME} [{_HAN}]{{1,2}} ) (?= [，。,.!！\s] | $ )
      | (?P<word3> (?: 谢谢 | 多谢 | 感谢 | 敬礼 | 祝好 | 敬上 ) [！!。，,\s]{{1,3}} )
        (?P<name3> {_SURNAME} [{_HAN}]{{1,2}} ) (?= \s* $ )
      | (?P<name4> {_SURNAME} [{_HAN}]{{0,2}}? ) (?P<after> 先生 | 女士 | 小姐 | 太太 | 同志 )""",
    re.VERBOSE,
)

# What makes a text worth a closer look, in the dialect of Arrow's quick regular expressions.
MAY_BE_NAME = {
    "name": r"""(?i)\bname|\bnamen\b|holder|inhaber|empf\x{e4}nger|fr\x{e4}ulein"""
    r"""|\b(mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|familie)\b"""
    r"""|\bi am [A-Z]|\bi['\x{2019}]m |ich (bin|hei)|\b(dear|hi|hello|hey|hallo|lieber?s?|geehrte[rs]?) |addressed""",
    "signed": r"(?:[\s,.!?-]|^)[A-Z\x{c0}-\x{24f}][A-Za-z\x{c0}-\x{24f}'\x{2019}.-]*[.,]?\s*$"
    r"|(?i:regards|gr\x{fc}\x{df}|gr\x{fc}ss|gruess|wishes|yours|sincerely|mfg|\b[vl]g\b|signed|gez\.|cheers|thank|dank)",
    "han_name": r"我[叫是]|[名人][是叫为：:]?|先生|女士|小姐|太太|同志|谢|敬|祝好",
}
