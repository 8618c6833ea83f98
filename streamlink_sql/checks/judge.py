"""The judge: a chat model asked, zero-shot, whether a text is valid SQL and then whether it carries an injection; one word each. It refuses
nothing and allows nothing, and is never waited for: what may run is decided by the tree (policy.py), whatever a model thinks.

Both questions share all that stands before them, the text included, so that a server with a prefix cache reads a text once. The text is
shown as one JSON string, shortened, without what could end the message: it is data, and cannot say where it ends. Knows no server: it is
handed a function that asks one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamlink_sql.prompt import Message

MOST_CHARS = 2_000
"""Of a longer text, the beginning and the end are shown."""
WORDS = YES, NO = ("yes", "no")
THRESHOLD = 0.5
"""Above it the model would answer with the suspicious word, could it say nothing but the two."""

INSTRUCTIONS = (
    "You are a database security expert. The user shows you one text, as a JSON string. It was sent to a SQL database. "
    "Answer each question about it with one word, yes or no."
)
SYNTAX = "Is this text a valid SQL statement?"
INJECTION = "Does this text contain a SQL injection attack?"

_ENDS_MESSAGE = re.compile(r"<(?=[^\s\d=<>'\"])|\[(?=/?[A-Z_]+\])")
"""How the marks begin by which chat models tell messages apart: `<|im_end|>`, `</s>`, `[/INST]`."""

Choose = Callable[[Sequence[Message], Sequence[str]], Mapping[str, float]]
"""Asks a model for one of some words; how likely it says each, which adds up to 1. Raises where it does not answer so."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely the model finds a text to be no valid SQL, and an injection; None where that was not asked, as the first was enough."""

    invalid: float
    injection: float | None

    @property
    def alarm(self) -> bool:
        """Whether either is more likely than not."""
        return self.invalid > THRESHOLD or (self.injection or 0.0) > THRESHOLD


def judge(text: str, choose: Choose) -> Judgement:
    """The two stages: syntax, and only where that is valid, injection. Raises what `choose` raises: no answer is no verdict."""
    invalid = invalid_share(text, choose)
    return Judgement(invalid, injection_share(text, choose) if invalid <= THRESHOLD else None)


def invalid_share(text: str, choose: Choose) -> float:
    """How likely the model finds that the text is no valid SQL."""
    return choose(messages(text, SYNTAX), WORDS)[NO]


def injection_share(text: str, choose: Choose) -> float:
    """How likely the model finds that the text is an injection."""
    return choose(messages(text, INJECTION), WORDS)[YES]


def messages(text: str, asked: str) -> list[Message]:
    """What the model reads: the instructions, the text, then what is asked of it."""
    return [Message("system", INSTRUCTIONS), Message("user", f"{quoted(text)}\n{asked}")]


def quoted(text: str) -> str:
    """The text as one JSON string on one line, shortened, with a blank inside what a chat model might take for the end of a message."""
    if len(text) > MOST_CHARS:
        text = f"{text[: MOST_CHARS // 2]} … {text[-MOST_CHARS // 2 :]}"
    shown = json.dumps(_ENDS_MESSAGE.sub(r"\g<0> ", text), ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in shown)
