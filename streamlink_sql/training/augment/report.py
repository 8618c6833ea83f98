"""What a set of pairs is like: how many of which kind, how diverse, what of the schema they cover. Makes no pair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.sample import plain, shape
from streamlink_sql.types import Table

FEATURES = {
    "joins": r"\bjoin\b",
    "aggregates": r"\b(count|sum|avg|min|max)\s*\(",
    "groups": r"\bgroup by\b",
    "limits on groups": r"\bhaving\b",
    "nested": r"\(\s*select\b",
    "set operations": r"\b(union|intersect|except)\b",
    "dates": r"\b(year|month|quarter|strftime|dayofweek|date_part|extract|interval)\b|'\d{4}-\d\d-\d\d",
    "text search": r"\bi?like\b",
    "orders": r"\border by\b",
    "windows": r"\bover\s*\(",
    "missing values": r"\bis (not )?null\b",
}
"""What a query may have, and how one tells."""
_FEATURES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in FEATURES.items()}
_NAMES = re.compile(r'"((?:[^"]|"")*)"|([^\W\d]\w*)')


def report(pairs: Sequence[Pair], tables: Sequence[Table], dropped: Mapping[str, int]) -> dict[str, Any]:
    """Counts by way, category and what was dropped; diversity; coverage of tables, columns and features of SQL."""
    return {
        "pairs": len(pairs),
        "ways": dict(Counter(pair.way for pair in pairs).most_common()),
        "categories": dict(Counter(pair.category or "accepted" for pair in pairs).most_common()),
        "dropped": dict(sorted(dropped.items(), key=lambda item: -item[1])),
        "diversity": diversity(pairs),
        "coverage": coverage(pairs, tables),
    }


def diversity(pairs: Sequence[Pair]) -> dict[str, float]:
    """How many different questions, queries and shapes there are, and how often two words in a row are new."""
    words = [plain(pair.question).split() for pair in pairs]
    twos = [two for each in words for two in pairwise(each)]
    return {
        "questions": len({" ".join(each) for each in words}),
        "shapes_of_questions": len({shape(pair.question) for pair in pairs}),
        "queries": len({pair.query for pair in pairs}),
        "templates": len({pair.template for pair in pairs}),
        "words": len({word for each in words for word in each}),
        "words_a_question": round(sum(map(len, words)) / max(1, len(words)), 2),
        "distinct_2": round(len(set(twos)) / max(1, len(twos)), 4),
    }


def coverage(pairs: Sequence[Pair], tables: Sequence[Table]) -> dict[str, Any]:
    """The share of tables and columns that occur in queries, those that do not, and the share of queries with each feature."""
    used: set[tuple[str, str]] = set()
    by_name = {table.name.casefold(): table for table in tables}
    features: Counter[str] = Counter()
    for pair in pairs:
        names = {(quoted or bare).casefold() for quoted, bare in _NAMES.findall(pair.query)}
        for table in (by_name[name] for name in names & by_name.keys()):
            used.add((table.name, ""))
            used |= {(table.name, column.name) for column in table.columns if column.name.casefold() in names}
        features.update(name for name, pattern in _FEATURES.items() if pattern.search(pair.query))
    columns = [(table.name, column.name) for table in tables for column in table.columns]
    return {
        "tables": round(sum((table.name, "") in used for table in tables) / max(1, len(tables)), 4),
        "columns": round(sum(place in used for place in columns) / max(1, len(columns)), 4),
        "not_covered": [f"{table}.{column}" for table, column in columns if (table, column) not in used],
        "features": {name: round(features[name] / max(1, len(pairs)), 4) for name in FEATURES},
    }
