"""Titles of invented patents, 5 to 14 words, written column by column. Knows nothing of files."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamlink_sql.demo import vocabulary

GENERAL: Final = (
    "method for {action} {adjective} {subject} using {part}",
    "method and apparatus for {action} {adjective} {subject}",
    "{adjective} {subject} having {adjective} {part}",
    "system and method for {action} {adjective} {subject} in {place}",
    "{adjective} {subject} comprising {material} {part}",
    "{adjective} {subject} for {benefit}",
    "apparatus for {action} {subject} with {adjective} {part}",
    "{adjective} {subject} with {part} and {action} method thereof",
    "{part} assembly for {adjective} {subject} in {place}",
    "devices, systems and methods for {action} {adjective} {subject}",
    "{adjective} {part} and {adjective} {subject} including the same",
)
COMPUTING: Final = (
    "computer-implemented method for {action} {adjective} {subject} based on {evidence}",
    "techniques for {action} {adjective} {subject} using {evidence}",
    "{action} {adjective} {subject} with {part} for {benefit}",
)
CHEMISTRY: Final = (
    "process for {action} {adjective} {subject} containing {material}",
    "{adjective} {subject} composition comprising {material} and {material}",
    "use of {adjective} {material} in {action} {subject}",
)
PATTERNS: Final = GENERAL + COMPUTING + CHEMISTRY
ACTIONS: Final = {
    "information_action": ("G06", "G08", "G09", "G10", "G11", "G16", "H03", "H04", "G01S", "G05", "A63F"),
    "process_action": ("A01H", "A01N", "A21", "A23", "A61K", "A61L", "A61P", "B01J", "C", "D01", "D21"),
}
"""Slots with verbs for some classes: how their codes begin."""
SKEW: Final = {"adjective": 2.6, "part": 2.6, "subject": 1.3}
"""How strongly the first words of a slot are preferred: 1 is not at all."""


@cache
def _patterns_of_classes() -> tuple[np.ndarray, np.ndarray]:
    """For each class the patterns its titles may take (padded), and how many there are."""
    general, computing = len(GENERAL), len(COMPUTING)
    special = {
        **dict.fromkeys("GH", range(general, general + computing)),
        **dict.fromkeys("CD", range(general + computing, len(PATTERNS))),
    }
    choices = [[*range(general), *special.get(each.code[0], ())] for each in vocabulary.technology_classes()]
    width = max(map(len, choices))
    return np.array([choice + [0] * (width - len(choice)) for choice in choices]), np.array([len(choice) for choice in choices])


@cache
def _choices(slot: str) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """The words of a slot in one array, and where those of each class start and how many they are."""
    classes = vocabulary.technology_classes()
    if slot == "subject":
        counts = np.array([len(each.subjects) for each in classes])
        return pa.array([subject for each in classes for subject in each.subjects]), np.cumsum(counts) - counts, counts
    words = vocabulary.title_words()
    slots = [slot] if slot != "action" else [slot, *ACTIONS]
    counts = np.array([len(words[name]) for name in slots])
    mine = np.array([slots.index(_action_of(each.code)) if slot == "action" else 0 for each in classes])
    return pa.array([word for name in slots for word in words[name]]), (np.cumsum(counts) - counts)[mine], counts[mine]


def _action_of(code: str) -> str:
    """The slot whose verbs suit a class."""
    return next((slot for slot, beginnings in ACTIONS.items() if code.startswith(beginnings)), "action")


def _fill(slot: str, classes: np.ndarray, rng: np.random.Generator) -> pa.Array:
    draw = rng.random(len(classes)) ** SKEW.get(slot, 1.5)
    words, starts, counts = _choices(slot)
    return words.take(pa.array(starts[classes] + (draw * counts[classes]).astype(np.int64)))


def _write(pattern: str, classes: np.ndarray, rng: np.random.Generator) -> pa.Array:
    pieces = re.split(r"\{(\w+)\}", pattern)
    columns = [_fill(piece, classes, rng) if i % 2 else pa.scalar(piece) for i, piece in enumerate(pieces) if piece]
    return pc.utf8_capitalize(pc.binary_join_element_wise(*columns, ""))


def write_titles(classes: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """One title for each row; `classes` are positions in `vocabulary.technology_classes()`."""
    choices, counts = _patterns_of_classes()
    chosen = choices[classes, (rng.random(len(classes)) * counts[classes]).astype(np.int64)]
    rows = [np.flatnonzero(chosen == pattern) for pattern in range(len(PATTERNS))]
    columns = [_write(pattern, classes[mine], rng) for pattern, mine in zip(PATTERNS, rows, strict=True) if len(mine)]
    if not columns:
        return pa.array([], pa.string())
    return pa.concat_arrays(columns).take(pa.array(np.argsort(np.concatenate(rows), kind="stable")))
