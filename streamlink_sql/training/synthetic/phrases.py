"""Surface forms: nouns, numbers, dates and values as people type them. Writes no SQL."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from random import Random

from streamlink_sql.training.synthetic.schema import Col, Tab, plural


def expand(pattern: str, rng: Random, **slots: str) -> str:
    """Chooses one alternative of each `[a|b]` (also nested), then fills the slots `{x}`."""
    inner = re.compile(r"\[([^\[\]]*)\]")
    while inner.search(pattern):
        pattern = inner.sub(lambda match: rng.choice(match.group(1).split("|")), pattern, count=1)
    for name, text in slots.items():
        pattern = pattern.replace("{" + name + "}", text)
    return re.sub(r"\s+([,?.])", r"\1", re.sub(r"\s+", " ", pattern)).strip()


def noun(table: Tab, rng: Random) -> tuple[str, str]:
    """Singular and plural of a table's rows; the usual noun more often than the others."""
    return table.nouns[0] if rng.random() < 0.6 else rng.choice(table.nouns)


def phrase(col: Col, rng: Random) -> str:
    """What people call a column."""
    return col.phrases[0] if rng.random() < 0.55 else rng.choice(col.phrases)


def indefinite(text: str) -> str:
    """The text with its indefinite article; plurals and mass nouns go without."""
    if (
        re.match(r"(number|years|hours) of", text)
        or re.search(r"[^sui]s$", text)
        or re.match(r"\w+[^sui]s (of|sold|open|scored|conceded|played|against|for|under)\b", text)
    ):
        return text
    if text.split()[-1] in ("stock", "consumption", "usage", "experience", "output", "generation", "runtime"):
        return text
    return ("an " if re.match(r"[aeiou](?!ni|se|u[a-z]e)|honou?r|hour", text, re.IGNORECASE) else "a ") + text


def number(value: float, rng: Random) -> str:
    """A number as people type it: 5000 may be 5,000 or 5k, 2500000 may be 2.5 million."""
    if value != int(value):
        return f"{value:g}"
    whole = int(value)
    forms = [str(whole)] * 3
    if 1 <= whole <= 12 and rng.random() < 0.25:
        forms = ["zero one two three four five six seven eight nine ten eleven twelve".split()[whole]]
    if whole >= 10_000 or (whole >= 1000 and rng.random() < 0.4):
        forms.append(f"{whole:,}")
    if 1000 <= whole < 1_000_000 and whole % 1000 == 0:
        forms += [f"{whole // 1000}k", f"{whole // 1000} thousand"]
    if whole == 500_000:
        forms.append("half a million")
    if whole >= 1_000_000 and whole % 100_000 == 0:
        forms += [f"{whole / 1e6:g} million"] * 4 + [f"{whole / 1e6:g}M"]
    if whole >= 1_000_000_000 and whole % 100_000_000 == 0:
        forms += [f"{whole / 1e9:g} billion"] * 6
    return rng.choice(forms)


def amount(col: Col, value: float, rng: Random) -> str:
    """A number with the column's unit, where it has one and the asker says it."""
    text, unit = number(value, rng), col.attrs.get("unit", "")
    if not unit or rng.random() < 0.4 or any(unit.split("/")[0] in name for name in col.phrases):
        return text
    if unit == "$":
        return rng.choice((f"${text}", f"{text} dollars", f"{text} USD"))
    if unit == "%":
        return rng.choice((f"{text}%", f"{text} %", f"{text} percent", f"{text} per cent"))
    return f"{text} {rng.choice(unit.split('/'))}"


def round_number(value: float, rng: Random) -> float | int:
    """A number near the value that a person would choose as a limit."""
    if abs(value) < 1:
        return round(value, 2)
    if abs(value) < 12:
        return round(value) if rng.random() < 0.7 else round(value * 2) / 2
    digits = len(str(int(abs(value))))
    keep = 1 if digits > 3 and rng.random() < 0.5 else 2
    return int(round(value, keep - digits))


def day(value: dt.date, rng: Random) -> str:
    """A day as people type it."""
    month, short = calendar.month_name[value.month], calendar.month_abbr[value.month]
    forms = (
        value.isoformat(),
        f"{value.day} {month} {value.year}",
        f"{month} {value.day}, {value.year}",
        f"{short} {value.day} {value.year}",
        f"{value.day} {short} {value.year}",
    )
    return rng.choice(forms)


def said(value: object, rng: Random) -> str:
    """A cell as the asker writes it: as stored, in lower case, or quoted."""
    text = str(value)
    chance = rng.random()
    if chance < 0.22 and len(text) > 3:
        return text.lower()
    if chance < 0.34:
        mark = rng.choice("'\"'")
        return f"{mark}{text}{mark}" if mark not in text else text
    return text


OPENINGS = (
    "please {x}",
    "can you {x}?",
    "could you {x}",
    "could you please {x}?",
    "I need you to {x}",
    "I'd like you to {x}",
    "{x} please",
    "help me {x}",
    "hi, {x}",
)
STATEMENTS = (
    "I want to know {x}",
    "tell me {x}",
    "I'd like to know {x}",
    "do you know {x}?",
    "please tell me {x}",
    "I'm interested in {x}",
)


def finish(question: str, rng: Random) -> str:
    """Gives a question its manners: a polite frame, a capital or none, a mark at the end or none."""
    imperative = re.match(r"(show|list|give|find|count|display|get|return|compute|calculate|rank|name|tell)\b", question, re.IGNORECASE)
    lowered = question[0].lower() + question[1:]
    chance = rng.random()
    if imperative and chance < 0.1:
        question = rng.choice(OPENINGS[:-2] if lowered.startswith(("give", "tell", "name")) else OPENINGS).replace("{x}", lowered)
    elif question.lower().startswith(("how many", "which")) and chance < 0.03:
        question = rng.choice(STATEMENTS[:3]).replace("{x}", lowered)
    question = re.sub(r"\b(\w+) \1\b", r"\1", question.strip())
    asks = re.match(r"(what|which|who|how|when|where|do|is|are|can|could|in)\b", question, re.IGNORECASE)
    if asks and not question.endswith("?") and rng.random() < 0.75:
        question += "?"
    elif imperative and not question.endswith(("?", ".")) and rng.random() < 0.3:
        question += "."
    if rng.random() < 0.7:
        return question[0].upper() + question[1:]
    return question.lower() if rng.random() < 0.6 else question


def plural_of(name: str) -> str:
    """The plural of a column's name: `name of the shop` becomes `names of the shop`."""
    if name.startswith(("number of", "amount of")):
        return name
    head, mark, tail = name.partition(" of ")
    return name if head.endswith(("s", "information", "data")) and not head.endswith(("ss", "status", "us")) else plural(head) + mark + tail


def slip(question: str, query: str, rng: Random, part: float = 0.02) -> str:
    """Now and then a typing error in a long word that the SQL does not need: two letters change places."""
    words = [word for word in re.findall(r"\b[a-z]{6,}\b", question) if word[:4] not in query.lower()]
    if not words or rng.random() > part:
        return question
    word = rng.choice(words)
    at = rng.randrange(1, len(word) - 2)
    return question.replace(word, word[:at] + word[at + 1] + word[at] + word[at + 2 :], 1)


PAST = (
    "had",
    "won",
    "wrote",
    "sent",
    "made",
    "taught",
    "took",
    "held",
    "gave",
    "bought",
    "sold",
    "ran",
    "led",
    "built",
    "paid",
    "drove",
    "flew",
)


def has_one(verb: str) -> str:
    """The verb for one person: `serve` becomes `serves`, the past stays."""
    if verb == "have":
        return "has"
    first, _, rest = verb.partition(" ")
    one = first if first in PAST or first.endswith("ed") else f"{first}es" if first.endswith(("ch", "sh", "s")) else f"{first}s"
    return f"{one} {rest}".strip()
