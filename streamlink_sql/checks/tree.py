"""Small readings of sqlglot trees that several checks need: where a node stood in the input, which known name is near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rapidfuzz import process
from sqlglot import exp

LONGEST_NAME = 100


def span_of(node: exp.Expr) -> list[int] | None:
    """The characters of the input that a node came from, as far as its names tell."""
    starts, ends = [], []
    for part in node.walk():
        if "start" in part.meta:
            starts.append(part.meta["start"])
            ends.append(part.meta["end"])
    return [min(starts), max(ends) + 1] if starts else None


def own_span(node: exp.Expr) -> list[int] | None:
    """The characters of a node's own word, when it keeps them."""
    return [node.meta["start"], node.meta["end"] + 1] if "start" in node.meta else None


def nearest(name: str, known: Iterable[str]) -> list[str] | None:
    """Up to three known names that look like this one; of a name longer than any, only its beginning is looked at."""
    choices = {text: text.lower() for text in known}
    found = process.extract(name[:LONGEST_NAME].lower(), choices, limit=3, score_cutoff=55)
    return [key for _, _, key in found] or None


def children(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes right under a node."""
    for value in node.args.values():
        if isinstance(value, exp.Expr):
            yield value
        elif isinstance(value, list):
            yield from (child for child in value if isinstance(child, exp.Expr))
