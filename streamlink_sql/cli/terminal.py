"""Text that a terminal only shows: without the characters that it obeys. Prints nothing."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def for_terminal(text: str, *, lines: bool = False) -> str:
    """Text without the characters that a terminal obeys. A line break stays where `lines` is true and else becomes a blank."""
    kept = (character if character == "\n" and lines else _harmless(character) for character in text)
    return "".join(kept)


def json_line(body: Any) -> str:
    """One JSON object on one line, with no character that a terminal obeys."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) == "Cc" or c in _BIDI else c for c in text)


def _harmless(character: str) -> str:
    if character in "\n\t\r\v\f\u2028\u2029":
        return " "
    return "" if unicodedata.category(character) == "Cc" or character in _BIDI else character
