"""What accepted questions teach about words: which one stands for a value that no question says ("official": IsOfficial = 'T').

An adapter carries these words beside its weights, as a glossary that wrote itself. Runs no SQL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from streamlink_sql.catalog.values import STOP_WORDS, Place, normalise, stem
from streamlink_sql.generators.parser.actions import number_matches
from streamlink_sql.generators.parser.ir import Col, NotCovered, Schema, Tab, Token, Val, to_ir
from streamlink_sql.generators.parser.linking import NONE, PART, Word, name_links, split_words
from streamlink_sql.generators.parser.literals import locate, target_of
from streamlink_sql.generators.parser.ranking import Ranking
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.generators.parser.tokens import NEGATIVE
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.pairs import Pair
from streamlink_sql.types import Context

LEAST = 2
"""So many accepted questions have to say a word for a value, or it may be chance."""
OFTEN = 0.75
"""Of the questions with the word, this share has to mean the value; and half as many of those that mean it have to say the word."""
_NEGATIONS = frozenset(
    "not no never without non except excluding neither nor none cannot lacking yet unless but isn aren wasn weren don doesn didn haven "
    "hasn hadn won can couldn shouldn wouldn".split()
)

Meaning = tuple[Place, str]
"""A column and its value."""


def with_words(domain: Domain, accepted: Sequence[Pair]) -> Domain:
    """The domain, knowing the words that accepted pairs teach."""
    return replace(domain, words=words_for_values(domain, accepted))


def words_for_values(domain: Domain, accepted: Sequence[Pair]) -> dict[Place, dict[str, str]]:
    """Words for values, by column: of each value that queries compare with and questions do not say, the word that stands for it.

    A word that names a thing, or that anybody says about anything, stands for none. Pairs with a negation teach nothing, nor does a value
    that every query of its table compares with, nor a word for several values of a column. Values are those that samples of the data show,
    as of yes or no, and of states.
    """
    schema = Schema.of(domain.tables)
    meant: dict[Meaning, Counter[str]] = defaultdict(Counter)
    asked: Counter[Meaning] = Counter()
    said: Counter[str] = Counter()
    forms: dict[str, str] = {}
    partly: dict[str, set[Place]] = defaultdict(set)
    common = Ranking.read(WEIGHTS / "ranking.json").common_words
    tables: Counter[str] = Counter()
    for pair in dict.fromkeys(accepted):
        try:
            tokens = to_ir(pair.query, schema, "sqlite" if domain.dialect == "sqlite" else "duckdb")
        except NotCovered:
            continue
        words, context = split_words(pair.question), domain.context(pair.question)
        if _negates(words, tokens):
            continue
        found = _free_words(words, context, schema, partly)
        forms |= {root: form for root, form in found.items() if root not in common and root not in forms}
        roots = found.keys() - common
        said.update(roots)
        tables.update(_tables_of(tokens, schema))
        for meaning in set(_unsaid(pair.question, words, tokens, context, schema)):
            asked[meaning] += 1
            meant[meaning].update(roots)
    told: dict[Place, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (place, value), counts in meant.items():
        fit = [
            (place in partly[root], count, root)
            for root, count in counts.items()
            if count >= LEAST and count >= OFTEN * said[root] and 2 * count >= OFTEN * asked[place, value]
        ]
        is_shown = value in domain.snapshot.samples.get(place, ())  # or nobody could be shown it
        if fit and is_shown and tables[place[0]] > asked[place, value]:
            told[place][forms[max(fit)[2]]].add(value)
    clear = {place: {word: min(values) for word, values in sorted(of.items()) if len(values) == 1} for place, of in sorted(told.items())}
    return {place: words for place, words in clear.items() if words}


def _negates(words: Sequence[Word], tokens: Sequence[Token]) -> bool:
    """Whether a question or its query says what is not: who can tell then what a word stands for."""
    return any(word.text.lower() in _NEGATIONS for word in words) or any(token in NEGATIVE for token in tokens)


def _tables_of(tokens: Sequence[Token], schema: Schema) -> set[str]:
    """The names of the tables that a query speaks of."""
    numbers = {schema.table_of(token.index) for token in tokens if isinstance(token, Col)}
    numbers |= {token.index for token in tokens if isinstance(token, Tab)}
    return {schema.tables[number].name for number in numbers}


def _unsaid(question: str, words: Sequence[Word], tokens: Sequence[Token], context: Context, schema: Schema) -> Iterator[Meaning]:
    """The texts that a query compares columns with and its question does not say."""
    numbered = number_matches(context.matches, schema)
    for position, token in enumerate(tokens):
        if isinstance(token, Val) and isinstance(token.value, str) and tokens[position - 1] == "EQ":
            target = target_of(tokens[:position], schema)
            if target.column is None or target.kind != "text" or target.function:
                continue
            if locate(token.value, target, question, words, numbered) is None:
                table, column = schema.columns[target.column]
                yield (schema.tables[table].name, column.name), token.value


def _free_words(words: Sequence[Word], context: Context, schema: Schema, partly: Mapping[str, set[Place]]) -> dict[str, str]:
    """The words of a question, by stem, that are no cell and name nothing in full; notes which columns they name in part."""
    taken = {number for match in context.matches for number, word in enumerate(words) if match.start < word.end and word.start < match.end}
    links = name_links(words, schema, context.synonyms)
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        text = word.text.lower()
        levels = {item: level for (at, item), level in links.items() if at == number}
        if number in taken or len(text) < 3 or not text.isalpha() or text in STOP_WORDS or max(levels.values(), default=NONE) > PART:
            continue
        root = stem(normalise(text))
        found.setdefault(root, text)
        for item in levels:
            if item >= len(schema.tables):
                table, column = schema.columns[item - len(schema.tables)]
                partly[root].add((schema.tables[table].name, column.name))
    return found
