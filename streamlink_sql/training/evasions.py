"""Ways to disguise a text so that a filter does not know it while a database or web server in front of it still does. Judges nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from urllib.parse import quote

KEYWORDS = (
    "all and benchmark by case delay delete drop else end exec exists from group having if insert into like limit not null or order select "
    "sleep table then union update values waitfor when where"
).split()
_KEYWORD = re.compile(rf"\b({'|'.join(KEYWORDS)})\b", re.IGNORECASE)

Evasion = Callable[[str, Random], str]


def mixed_case(text: str, rng: Random) -> str:
    """sElEcT."""
    return "".join(char.upper() if rng.random() < 0.5 else char.lower() for char in text)


def other_blanks(text: str, rng: Random) -> str:
    """Comments, tabs, line ends and encoded blanks between words."""
    return re.sub(" +", lambda _: rng.choice(("/**/", "/*x*/", "/* */", "%20", "+", "\t", "\n", "\r\n", "%0a", "%09", "  ")), text)


def url(text: str, rng: Random) -> str:
    """URL encoding, of all or of what is no letter, digit, blank or equals sign."""
    return quote(text, safe=rng.choice(("", " =")), errors="replace")


def url_twice(text: str, _rng: Random) -> str:
    """URL encoding of URL encoding."""
    return quote(quote(text, safe="", errors="replace"), safe="")


def split_keywords(text: str, rng: Random) -> str:
    """un/**/ion."""

    def split(found: re.Match[str]) -> str:
        word = found.group()
        at = rng.randint(1, len(word) - 1)
        return word[:at] + rng.choice(("/**/", "/*a*/", "%00", "/*\n*/")) + word[at:] if rng.random() < 0.6 else word

    return _KEYWORD.sub(split, text)


def versioned_comments(text: str, rng: Random) -> str:
    """/*!50000union*/."""
    return _KEYWORD.sub(
        lambda found: f"/*!{rng.choice(('', '50000', '12345'))}{found.group()}*/" if rng.random() < 0.6 else found.group(), text
    )


def full_width(text: str, rng: Random) -> str:
    """Letters and signs of Unicode's full-width block."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" and rng.random() < 0.4 else char for char in text)


def entities(text: str, rng: Random) -> str:
    """HTML entities for quotes, signs and some letters."""
    return "".join(f"&#{ord(char)};" if char in "'\"<>=-" or rng.random() < 0.1 else char for char in text)


def unicode_escapes(text: str, rng: Random) -> str:
    """%u0027, as some web servers read it."""
    return "".join(f"%u{ord(char):04x}" if char < "\uffff" and not char.isalnum() and rng.random() < 0.5 else char for char in text)


EVASIONS: tuple[Evasion, ...] = (
    mixed_case, other_blanks, url, url_twice, split_keywords, versioned_comments, full_width, entities, unicode_escapes,
)  # fmt: skip


def disguised(text: str, rng: Random) -> str:
    """The text after one to three evasions."""
    for evasion in rng.choices(EVASIONS, k=rng.randint(1, 3)):
        text = evasion(text, rng)
    return text
