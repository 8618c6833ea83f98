"""The detector: does a text look like an injection? A learned classifier over characters that raises an alarm and says where; it refuses
nothing and allows nothing. What may run is decided by the tree (policy.py), whatever the detector thinks.

Logistic regression over the different runs of one to five bytes of a text, hashed, after what disguises a text is taken off: letter case,
URL and HTML encoding, full-width letters, comments, white space, digits. A long text counts as much as its worst part, so that padding
hides little. Trained by `python -m streamlink_sql.training.detector`.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_name("injection.npz")
BITS = 17
"""The runs of bytes are hashed to this many bits: so many weights, of one byte each."""
LONGEST_RUN = 5
MOST_CHARS = 4_000
"""Of a longer text, the beginning and the end are read."""
PART, STEP = 60, 30
BATCH = 64
STRETCH = 60

Floats = NDArray[np.float64]
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}")
_ESCAPED = re.compile(r"[%\\]u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_VERSIONED = re.compile(r"/\*!\d*(.*?)\*/", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the detector thinks of a text: how likely it is an injection, 0 to 1; whether that is an alarm; and the stretch that says most,
    as read, so in lower case and without disguise."""

    score: float
    alarm: bool
    because: str


def plain(text: str) -> str:
    """The text without disguise: decoded, in lower case, without comments, with one blank for white space and 0 for a number."""
    if len(text) > MOST_CHARS:
        text = text[: MOST_CHARS // 2] + " " + text[-MOST_CHARS // 2 :]
    for _ in range(3):
        if not _ENCODED.search(text):
            break
        text = unquote(text, errors="replace")
    if "\\" in text or "%u" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.lower().replace("\0", "")
    if "/*" in text:
        text = _COMMENT.sub("", _VERSIONED.sub(r"\1", text))
    return _BLANK.sub(" ", _NUMBER.sub("0", text))


def _runs(data: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """For each length, the hash of the run of bytes at every place."""
    found, hashes = [], np.zeros(len(data), np.uint32)
    for size in range(1, min(LONGEST_RUN, len(data)) + 1):
        count = len(data) - size + 1
        hashes = (hashes[:count] * np.uint32(0x01000193)) ^ data[size - 1 :]
        mixed = (hashes ^ np.uint32(size * 0x9E3779B1 & 0xFFFFFFFF)) * np.uint32(0x85EBCA6B)
        mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        found.append(((mixed ^ (mixed >> np.uint32(16))) & np.uint32((1 << BITS) - 1)).astype(np.int64))
    return found


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(f"\x02{text}\x03".encode("utf-8", "replace"), np.uint8)


def runs_of(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different hashed runs of plain texts: the number of the text, and the hash, sorted by text."""
    keys = [np.unique(np.concatenate(_runs(_bytes(text)))) for text in texts]
    owners = np.repeat(np.arange(len(keys)), [len(each) for each in keys])
    return owners, np.concatenate(keys) if keys else np.zeros(0, np.int64)


def logits(texts: Sequence[str], weights: Floats, constant: float) -> Floats:
    """(texts,) scores of plain texts, each that of its worst part."""
    parts = [[text[at : at + PART] for at in range(0, max(1, len(text) - PART + STEP), STEP)] for text in texts]
    owners, hashes = runs_of([part for each in parts for part in each])
    counts = np.bincount(owners)
    scores = np.bincount(owners, weights[hashes]) / np.sqrt(counts) + constant
    starts = np.cumsum([0, *(len(each) for each in parts[:-1])])
    worst: Floats = np.maximum.reduceat(scores, starts)
    return worst


class Detector:
    """The weights, and what follows from them. May be used by many threads."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path) as saved:
            self._weights: Floats = saved["weights"].astype(np.float64) * float(saved["scale"])
            self._constant, self._threshold = float(saved["constant"]), float(saved["threshold"])

    def judge(self, text: str) -> Suspicion:
        """What it thinks of one text."""
        read = plain(text)
        score = float(self._logits([read])[0])
        alarm = score > self._threshold
        return Suspicion(1 / (1 + math.exp(-max(-50.0, min(50.0, score)))), alarm, self._stretch(read) if alarm else "")

    def alarms(self, texts: Iterable[str]) -> list[bool]:
        """Whether each text is an alarm; many at a time are faster than one by one."""
        left, found = iter(texts), list[bool]()
        while some := [plain(text) for text in islice(left, BATCH)]:
            found += (self._logits(some) > self._threshold).tolist()
        return found

    def _logits(self, texts: Sequence[str]) -> Floats:
        return logits(texts, self._weights, self._constant)

    def _stretch(self, text: str) -> str:
        """The part whose runs weigh most: the heaviest stretch of neighbouring characters."""
        data = _bytes(text)
        weight = np.zeros(len(data))
        for size, hashes in enumerate(_runs(data), 1):
            for place in range(size):
                weight[place : place + len(hashes)] += self._weights[hashes] / size
        best, total, start, found = 0.0, 0.0, 0, (0, len(data))
        for place, each in enumerate(weight.tolist()):
            if total <= 0:
                total, start = 0.0, place
            total += each
            if total > best:
                best, found = total, (start, place + 1)
        before, after = (
            data[part].tobytes().decode("utf-8", "ignore").strip("\x02\x03") for part in (slice(found[0]), slice(found[1], None))
        )
        heaviest = data[slice(*found)].tobytes().decode("utf-8", "ignore").strip("\x02\x03")
        begun, ended = re.search(r"\w*$", before), re.match(r"\w*", after)
        return ((begun[0] if begun else "") + heaviest + (ended[0] if ended else "")).strip()[:STRETCH]


@lru_cache(maxsize=1)
def detector() -> Detector:
    """The detector of the package, read once."""
    return Detector()
