"""What the embedded parser sees and writes: the model's input, its actions, and how words become literals."""

from __future__ import annotations

import hashlib

import pytest

from streamlink_sql.generators.parser import actions, linking
from streamlink_sql.generators.parser.linking import link
from streamlink_sql.generators.parser.literals import LITERALS
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import KEYWORDS
from tests.tiny_parser import MATCHES, QUESTION, SYNONYMS, TABLES, write_tokenizer

SCHEMA = Schema.of(TABLES)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    return Pieces(write_tokenizer(tmp_path_factory.mktemp("pieces") / "tokenizer.json"))


def digest(*parts: bytes | str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else part.encode())
    return whole.hexdigest()[:16]


# What trained weights depend on. A test that fails here means: the shipped weights no longer fit, train anew.


def test_the_input_is_the_one_that_the_weights_were_trained_on(pieces: Pieces) -> None:
    got = link(QUESTION, SCHEMA, MATCHES, SYNONYMS, pieces)
    assert digest(got.pieces.tobytes(), got.spans.tobytes()) == "deb7bf5fa66cf56a"
    assert digest(got.features.tobytes()) == "90676baa6b5176bb"
    assert digest(got.relations.tobytes()) == "0e2c2cea1000b25c"
    assert digest(repr(got.words), repr((got.table_count, got.column_count))) == "c8d6676cca48174e"
    assert (
        digest(repr(linking.RELATIONS), repr(linking.FEATURE_SIZES), repr((linking.MOST_WORDS, linking.MOST_PIECES))) == "b01d3c29335024d4"
    )


def test_the_actions_are_those_that_the_weights_were_trained_on() -> None:
    assert digest(repr(KEYWORDS)) == "5a6709ce60e071f0"
    assert digest(repr(LITERALS)) == "b6275f8491247968"
    assert digest(actions.PERMITTED.tobytes(), repr((actions.FIXED, actions.STATES, actions.SPAN_END))) == "9b249fc521a4629d"
