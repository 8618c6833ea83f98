"""Finds the cell values that a question mentions. Pure text matching in memory: reads no database.

The embedded parser is trained and served with this very code, so a change here is a change of the model's input.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from streamlink_sql.catalog.demonyms import DEMONYMS
from streamlink_sql.types import ValueMatch

WORD = re.compile(r"\w+(?:[.'’&/+-]\w+)*", re.UNICODE)
_STOP_WORDS = """
a an and any are as at be by do does did each every for from has have how i in is it its list many me more most much no not of on one
or out per show so than that the their them there these they this to was were what when where which who whose why will with you all
first last name names number total average other new good top some give find only least both between over under after before
across among during since until within without
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
LONGEST_SPAN = 9
_SEPARATORS = {code: " " for code in range(128) if not chr(code).isalnum()}
MOST_PER_SPAN = 6
COMMON_WORD = 60
TYPO_CUTOFF = 84.0
_OWNER = re.compile(r"(.*\w)['’]s$", re.IGNORECASE)
_NO_OWNERS = STOP_WORDS | frozenset("he here let nobody one she somebody someone today".split())
"""Words before "'s" that own nothing."""
_CODE = re.compile(r"[A-Z]{3,5}")
_UNSPOKEN = re.compile(r"[aeiouy]|(.)(?=\1)")
_MOST_CODES = 40
_SHORTEST_SPELT = 5
_ABBREVIATED = 0.86

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question: as typed, normalised, and its characters `start` to `end`."""

    text: str
    norm: str
    start: int
    end: int


def normalise(text: str) -> str:
    """Case, accents, punctuation and white space folded away: 'Zürich-West ' becomes 'zurich west'."""
    if text.isascii():
        return " ".join(text.lower().translate(_SEPARATORS).split())
    folded = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(" " if unicodedata.category(c)[0] in "PZSC" else c for c in folded if not unicodedata.combining(c))
    return " ".join(kept.split())


def stem(word: str) -> str:
    """The word without a plural ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _stemmed(norm: str) -> str:
    return " ".join(stem(word) for word in norm.split())


def is_code_of(code: str, word: str) -> bool:
    """Whether a code abbreviates a longer word, both normalised: by its beginning (ins: inspection) or without vowels (cln: cleaning)."""
    return word.startswith(code) or _UNSPOKEN.sub("", word[1:]).startswith(code[1:]) and word[0] == code[0]


def named_instead(value: str, question: str) -> str:
    """What a question names that is like a value of several words and not the same: "Alfa GmbH" where Beta GmbH was found. Nothing where it
    names the value, or only part of it."""
    wanted, found = normalise(value).split(), list(WORD.finditer(question))
    said = [normalise(word.group()) for word in found]
    windows = range(len(said) - len(wanted) + 1)
    if len(wanted) < 2 or any(said[first : first + len(wanted)] == wanted for first in windows):
        return ""
    for first in windows:
        places = range(first, first + len(wanted))
        others = [place for place, word in zip(places, wanted, strict=True) if said[place] != word]
        if len(others) < len(wanted) and all(place and (found[place].group()[0].isupper() or said[place].isdigit()) for place in others):
            return question[found[first].start() : found[places[-1]].end()]
    return ""


class ValueIndex:
    """Distinct cell values by (table, column); `match` finds those that a question mentions."""

    def __init__(self, entries: Mapping[Place, Iterable[str]]) -> None:
        self._places: dict[str, list[tuple[Place, str]]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._codes: dict[str, list[tuple[Place, str]]] = defaultdict(list)
        words: dict[str, set[str]] = defaultdict(set)
        for place, values in entries.items():
            values = tuple(values)
            if len(values) <= _MOST_CODES and all(_CODE.fullmatch(value) for value in values):
                for code in values:
                    self._codes[code[0].lower()].append((place, code))
            for value in values:
                norm = normalise(value)
                if not norm or len(norm) > 120:
                    continue
                known = self._places[norm]
                if not known:
                    self._stems[_stemmed(norm)].append(norm)
                    for word in set(norm.split()):
                        if len(word) > 2 and word not in STOP_WORDS:
                            words[word].add(norm)
                if len(known) < 64:
                    known.append((place, value))
        self._containing = {word: tuple(sorted(norms)) for word, norms in words.items() if len(norms) <= COMMON_WORD}
        self._vocabulary = sorted(word for word in words if len(word) > 4 and not word.isdigit())
        self._known_words = set(words)

    def __len__(self) -> int:
        return len(self._places)

    def match(self, question: str) -> tuple[ValueMatch, ...]:
        """Matches in the order of the question, the best of each stretch first; one inside a better one of its column is left out."""
        words = [_Word(m.group(), normalise(m.group()), m.start(), m.end()) for m in WORD.finditer(question)]
        found: dict[tuple[Place, str], ValueMatch] = {}
        for first in range(len(words)):
            for last in range(first, min(first + LONGEST_SPAN, len(words))):
                for end in _ends(words[last]):
                    for place, value, score in self._span(question, [*words[first:last], end]):
                        match = ValueMatch(*place, value, words[first].start, end.end, score)
                        other = found.get((place, value))
                        if other is None or (score, match.end - match.start) > (other.score, other.end - other.start):
                            found[place, value] = match
        return tuple(_without_nested(found.values()))

    def _span(self, question: str, words: list[_Word]) -> list[tuple[Place, str, float]]:
        """The values that these words mean, with a score each."""
        norm = " ".join(word.norm for word in words)
        hits = [(place, value, 1.0) for place, value in self._places.get(norm, ())]
        if len(norm) <= 2 or (len(words) == 1 and norm in STOP_WORDS):
            exact = question[words[0].start : words[-1].end]
            is_plain = norm in STOP_WORDS and exact.islower()
            return [] if is_plain else [hit for hit in hits if hit[1] == exact][:MOST_PER_SPAN]
        if not hits:
            for other in self._stems.get(_stemmed(norm), ())[:MOST_PER_SPAN]:
                hits += [(place, value, 0.95) for place, value in self._places[other]]
        if not hits:
            for country in DEMONYMS.get(norm, ()):
                hits += [(place, value, 0.9) for place, value in self._places.get(country, ())]
        is_spelt = not hits and len(words) == 1 and len(norm) >= _SHORTEST_SPELT
        codes = [(place, code, _ABBREVIATED) for place, code in self._codes.get(norm[0], ()) if is_spelt and is_code_of(code.lower(), norm)]
        if not hits and not all(word.norm in STOP_WORDS for word in (words[0], words[-1])):
            hits = self._partial(norm, words) or (self._typo(words[0]) if len(words) == 1 else [])
        return sorted((*codes, *hits), key=lambda hit: (-hit[2], hit[0], hit[1]))[: MOST_PER_SPAN * 2]

    def _partial(self, norm: str, words: list[_Word]) -> list[tuple[Place, str, float]]:
        """Values that hold all of these words: 'Ward' for 'Timothy Ward'."""
        if any(word.norm in STOP_WORDS for word in (words[0], words[-1])):
            return []
        candidates = self._containing.get(words[0].norm, ())
        hits = []
        for other in candidates:
            if f" {norm} " in f" {other} ":
                hits += [(place, value, 0.4 + 0.5 * len(norm) / len(other)) for place, value in self._places[other][:4]]
        return sorted(hits, key=lambda hit: -hit[2])[:MOST_PER_SPAN]

    def _typo(self, word: _Word) -> list[tuple[Place, str, float]]:
        """Values of one word that differ from this one by a slip."""
        if len(word.norm) < 5 or word.norm in self._known_words or stem(word.norm) in self._known_words or not word.norm.isalpha():
            return []
        close = process.extract(word.norm, self._vocabulary, scorer=fuzz.ratio, score_cutoff=TYPO_CUTOFF, limit=3)
        return [(place, value, 0.8 * ratio / 100) for near, ratio, _ in close for place, value in self._places.get(near, ())[:4]]


def _ends(word: _Word) -> Iterator[_Word]:
    """A word as the last of a value: as it stands, and what belongs to somebody without the mark of it: "Ann Lee's orders"."""
    yield word
    owner = _OWNER.match(word.text)
    if owner and not owner[1].isdigit() and owner[1].lower() not in _NO_OWNERS:
        yield _Word(owner[1], normalise(owner[1]), word.start, word.start + owner.end(1))


def _without_nested(matches: Iterable[ValueMatch]) -> list[ValueMatch]:
    """Leaves out what lies inside a longer match of the same column, codes inside a better match of any column, and all but the best few
    of each stretch and column."""
    ordered = sorted(matches, key=lambda m: (-(m.end - m.start), -m.score, m.table, m.column, m.value))
    kept: list[ValueMatch] = []
    spans: dict[Place, list[ValueMatch]] = defaultdict(list)
    for match in ordered:
        if match.score == _ABBREVIATED and any(m.start <= match.start and match.end <= m.end and m.score > match.score for m in kept):
            continue
        longer = spans[match.table, match.column]
        same = [m for m in longer if (m.start, m.end) == (match.start, match.end)]
        inside = any(m.start <= match.start and match.end <= m.end and m not in same and m.score >= 0.6 for m in longer)
        if inside or len(same) >= 3 or (same and match.score < same[0].score - 0.2):
            continue
        longer.append(match)
        kept.append(match)
    return sorted(kept, key=lambda m: (m.start, -(m.end - m.start), -m.score, m.table, m.column))
