"""The way people type: polite or in telegram style, with slips, or with another opening. Changes no value and no name."""

from __future__ import annotations

import re
from random import Random

from streamlink_sql.training.synthetic.phrases import finish, slip

_OPENINGS = (
    ("show me", "list", "give me", "display", "find", "get", "show", "return", "i want to see", "let me see"),
    ("what is the", "what's the", "give me the", "tell me the", "show the", "find the", "compute the", "calculate the", "i need the"),
    ("number of", "count of", "the number of", "give me the number of", "what is the number of", "find the number of"),
    ("what are the", "list the", "show the", "give me the", "name the", "tell me the"),
    ("which", "what"),
)
"""Beginnings of questions that stand for one another, set by set."""
_LEADS = re.compile(
    r"^(?:(?:please|can you|could you|i want to know|tell me|hi,?|hello,?)\s+)*"
    r"(?:(?:show|list|give|find|display|get|return|tell|compute|calculate)\s+(?:me\s+)?(?:all\s+)?|what(?:'s| is| are)\s+)(?:the\s+)?",
    re.IGNORECASE,
)


def said_again(question: str, rng: Random) -> str:
    """The question with another opening that means the same, where it has one of those."""
    plain = question.strip().rstrip("?.").strip()
    for openings in _OPENINGS:
        for opening in sorted(openings, key=len, reverse=True):
            if re.match(rf"{re.escape(opening)}\b", plain, re.IGNORECASE):
                return rng.choice(openings) + plain[len(opening) :]
    return plain


def terse(question: str) -> str:
    """Telegram style: "What is the average price per city?" as "average price per city"."""
    rest = _LEADS.sub("", question.strip()).rstrip("?. ")
    return rest if len(rest.split()) > 2 else question


def typed(question: str, query: str, rng: Random, *, noise: float = 0.04) -> str:
    """The question as a person might type it; no slip where the SQL's texts are said in other words, as one could hit those."""
    if rng.random() < 0.08:
        question = terse(question)
    said = finish(question, rng)
    texts = re.findall(r"'((?:[^']|'')*)'", query)
    whole = all(text.replace("''", "'").strip("%").casefold() in said.casefold() for text in texts)
    return slip(said, query, rng, noise) if whole else said
