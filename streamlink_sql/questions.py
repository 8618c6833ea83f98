"""What a question must be before anything reads it. Judges text only; knows no tables and no SQL."""

from __future__ import annotations

import re
import unicodedata

from streamlink_sql.errors import BadRequest, PolicyRefused

BYTES_MAX = 4096
WORD = re.compile(r"[^\W\d_]+")

ENGLISH = frozenset(
    """
    about all and any are average by can count did does each every find for from get give has have how last latest least many more
    most much newest number of oldest per rank return show since sum tell than that the their them there these this to were what when
    where which who whose with
    """.split()
)
"""Words of English questions that the languages below do not have."""
OTHERS = frozenset(
    """
    aan alle au aus aux avec bei cada chaque che com combien con cuál cuáles cuántas cuántos da dal dans das de dei della delle dem
    den depuis der des desde deutschland di die do donne door dos du durch e een ein eine einen el elk em en entre est et foram fueron
    für geef gibt gli haben hat hay het hoeveel il ist jahr je la las le les leur lista los mais met mit mostra mostrar mostre muestra
    más naar nach nel o ont os où par para per più plus por pour pro quais qual quale quali quantas quante quanti quantos quel quelle
    quelles quels qui quién qué seit sind sinds son sono sont sur são tussen uma una und une van viele von voor war waren welche
    welcher welke wer wie wieviele wurde wurden y zeige zijn zu zum zwischen
    """.split()
)
SCRIPTS = {
    "CJK": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "Cyrillic script",
    "ARABIC": "Arabic script",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "DEVANAGARI": "Devanagari script",
    "THAI": "Thai",
}


WRITE = re.compile(
    r"(?:(?:please|now|can you|could you)\s+)*"
    r"(?:(?:delete|drop|truncate|remove|erase|wipe)\s+(?:all|the|from|table|tables|database|schema|every|everything|my|our|column|rows?|view)\b"
    r"|(?:insert\s+into|alter\s+table|grant\s+\w+\s+(?:on|to)|update\s+\w+\s+set)\b)",
    re.IGNORECASE,
)
"""Plain requests to change data, which no reading of the question answers."""

COMMAND = re.compile(
    r"(?:copy\s+(?:\(|\S+\s+(?:\([^)]*\)\s*)?(?:to|from)\s+')|(?:export|import)\s+database\b|attach\s+(?:database\s+|if\s+not\s+exists\s+)*'"
    r"|create\s+(?:or\s+replace\s+)?(?:(?:temp|temporary|unique|virtual|persistent)\s+)?(?:table|view|index|schema|macro|function|trigger|type|sequence|secret)"
    r"\s+\S+\s*(?:\(|as\b|on\b|;|$)|(?:merge|replace)\s+into\b|explain\s+(?:analyze\s+|query\s+plan\s+)?(?:select|with|from|delete|insert|update)\b"
    r"|pragma\s+\w+\s*(?:[=(;]|$)|set\s+(?:(?:global|session|local)\s+)?\w+\s*=|(?:force\s+)?install\s+'?\w+'?\s*(?:;|$)"
    r"|call\s+\w+\s*\(|show\s+tables\s*(?:;|$))",
    re.IGNORECASE,
)
"""Statements of SQL other than queries, spelt as nobody spells a question."""
_MARKS = " \t\r\n'\"`)(.,-"
"""What is typed before a statement so that it escapes from a text in another one."""


def readable(text: str, *, english_only: bool) -> str:
    """The question without blanks around it; raises BadRequest or PolicyRefused with a sentence that helps."""
    if not isinstance(text, str):
        raise BadRequest(f"A question is text (str), not {type(text).__name__}.", rule="type")
    stripped = text.strip()
    if not stripped:
        raise BadRequest('The question is empty. Ask something like "how many rows are there per year?".', rule="empty")
    if len(stripped.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise BadRequest(f"The question is longer than {BYTES_MAX // 1024} KB. Ask it in a sentence or two.", rule="too_long")
    if any(_is_binary(character) for character in stripped):
        raise BadRequest("The question holds control characters or binary data. Ask it in plain text.", rule="binary")
    if not WORD.search(stripped):
        raise BadRequest("There is no word in the question. Ask it in plain words.", rule="no_words")
    statements = [part.lstrip(_MARKS) for part in _bare(stripped).split(";")]
    if any(WRITE.match(statement) for statement in statements):
        raise PolicyRefused(
            "StreamLink only reads: it changes, adds and deletes nothing. Ask for what you want to see.", rule="question.write"
        )
    if COMMAND.match(stripped) or any(COMMAND.match(statement) for statement in statements):
        raise PolicyRefused(
            "This is a command to the database, not a question. Ask in plain words, or give a query that reads (SELECT ...). "
            "The list of tables tells what there is.",
            rule="question.command",
        )
    if english_only and (language := other_language(stripped)):
        raise BadRequest(
            f"The embedded model reads English, and this question seems to be in {language}. Ask it in English, "
            "or name a model that reads it with the setting `model`.",
            rule="language",
        )
    return stripped


def storable(text: str, what: str) -> str:
    """A text of the asker's other than a question, as it is; raises BadRequest where it is no text that can be stored."""
    if not isinstance(text, str):
        raise BadRequest(f"{what} is text (str), not {type(text).__name__}.", rule="type")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(
            f"{what} holds a broken character at position {error.start}. Send it as UTF-8.", rule="encoding", span=[error.start, error.end]
        ) from error
    return text


def other_language(text: str) -> str | None:
    """The language or script of a text that is not English, in words; None when it may be English. Text in quotes is data, not language."""
    bare = _bare(text)
    letters = [character for character in bare if character.isalpha()]
    foreign = [character for character in letters if not unicodedata.name(character, "").startswith(("LATIN", "MICRO"))]
    if len(foreign) * 2 > len(letters):
        return _script(foreign)
    words = [word.casefold() for word in WORD.findall(bare)]
    told = [word for word in words if word in OTHERS]
    if len(set(told)) >= 2 and len(told) * 3 >= len(words) and not any(word in ENGLISH for word in words):
        return "another language"
    return None


def _bare(text: str) -> str:
    """The text without what stands in quotes."""
    return re.sub(r"(?<!\w)(\"[^\"]*\"|'[^']*'|“[^”]*”)(?!\w)", " ", text)


def _script(letters: list[str]) -> str:
    scripts = [unicodedata.name(letter, "OTHER").split()[0].removesuffix("-") for letter in letters]
    return next((SCRIPTS[script] for script in reversed(scripts) if script in SCRIPTS), "another script")


def _is_binary(character: str) -> bool:
    return character == "\ufffd" or (character not in "\n\r\t" and unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn"))
