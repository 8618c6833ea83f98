"""Questions with their SQL, as training takes them: what a pair is, and pairs in files of JSON lines. Makes and judges none."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from streamlink_sql.errors import BadRequest
from streamlink_sql.evaluate.sets import read_json_lines

Way = Literal["accepted", "forward", "backward", "open", "taught"]
"""Where a pair is from: a person vouched for it, it is such a one with other fields and values, SQL came first, it is about other
databases, or another model wrote the SQL."""
FUNCTIONS = frozenset(
    "count sum avg min max year month day quarter strftime dayofweek decade round abs length upper lower substr coalesce nullif extract"
    " date_part date_trunc date_diff julianday row_number rank dense_rank iif".split()
)
"""Functions that tell shapes apart."""
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its SQL; `template` names what made it, or the shape of its SQL, `category` what kind of question it is.

    `database` is empty for the data of the user; `reviewed` where a person has looked at what screening flagged, and keeps it.
    """

    question: str
    query: str
    category: str = ""
    template: str = ""
    way: Way = "backward"
    database: str = ""
    reviewed: bool = False


_WORDS = frozenset(
    "select distinct from where group by having order limit offset join inner left right full cross on and or not in is null like ilike"
    " between exists case when then else end as asc desc union all intersect except over partition rows range interval with cast true"
    " false date timestamp year month day quarter nulls first last filter using any some".split()
)
"""What is kept of SQL in a shape, beside functions: everything else names something."""
_PARTS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\b\d+(?:\.\d+)?\b|[^\W\d]\w*|\S""")


def shape_of(query: str) -> str:
    """A short name of the SQL without its names, texts and numbers: what one template makes of other fields and values has the same."""
    parts = " ".join(_part(found) for found in _PARTS.findall(query.strip().rstrip("; ")))
    plain = re.sub(r"\?( , \?)+", "?", re.sub(r"_( \. _)+", "_", parts))
    return hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()


def _part(text: str) -> str:
    if text[0] == "'" or text[0].isdigit():
        return "?"
    word = text.casefold()
    return word if word in _WORDS or not (text[0] in '"`_' or text[0].isalpha()) or word in FUNCTIONS else "_"


def hash_of_pairs(pairs: Iterable[Pair]) -> str:
    """What tells these pairs, in this order, from all others."""
    return hashlib.sha256("\n".join(map(as_line, pairs)).encode()).hexdigest()


def read_pairs(path: Path, way: Way = "accepted") -> list[Pair]:
    """The pairs of a file: lines with `question` and `query`, and what `write_pairs` adds. BadRequest names the line that has none."""
    pairs = []
    for number, line in read_json_lines(path):
        question, query, of = line.get("question"), line.get("query"), line.get("way", way)
        if not isinstance(question, str) or not isinstance(query, str) or not question.strip() or not query.strip():
            raise BadRequest(f"Line {number} of {path} needs the texts `question` and `query`.")
        if any("\ud800" <= letter <= "\udfff" for letter in json.dumps(line, ensure_ascii=False)):
            raise BadRequest(f"Line {number} of {path} holds half a character (a lone surrogate), which no file can keep.")
        if of not in WAYS:
            raise BadRequest(f"Line {number} of {path}: there is no way {of!r}. Known ways: {', '.join(WAYS)}.")
        template = str(line.get("template") or shape_of(query))
        category, database = str(line.get("category", "")), str(line.get("db_id", ""))
        pairs.append(Pair(question, query, category, template, of, database, line.get("reviewed") is True))
    return pairs


def as_line(pair: Pair) -> str:
    """A pair as one line of JSON."""
    entry: dict[str, str | bool] = {"question": pair.question, "query": pair.query, "way": pair.way, "template": pair.template}
    more: dict[str, str | bool] = {"category": pair.category, "db_id": pair.database, "reviewed": pair.reviewed}
    entry |= {name: value for name, value in more.items() if value}
    return json.dumps(entry, ensure_ascii=False)


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Writes a file that `read_pairs` reads; it is there whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text("".join(as_line(pair) + "\n" for pair in pairs), encoding="utf-8")
    part.replace(path)
