"""Small stand-ins that the tests of the embedded parser share: a real word-piece tokenizer over letters, and a schema."""

from __future__ import annotations

import string
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from streamlink_sql.types import Column, ForeignKey, Table, ValueMatch

TABLES = (
    Table(
        "clients",
        (Column("id", "integer"), Column("fullName", "text"), Column("home_city", "text"), Column("is_active", "boolean")),
        ("id",),
    ),
    Table(
        "orders",
        (
            Column("id", "integer"),
            Column("client_id", "integer"),
            Column("placed_on", "date"),
            Column("amount", "decimal"),
            Column("Order State", "text"),
        ),
        ("id",),
        (ForeignKey(("client_id",), "clients", ("id",)),),
    ),
    Table(
        "order_lines",
        (Column("order_id", "integer"), Column("producer", "text"), Column("weight", "real"), Column("packed_at", "timestamp")),
        (),
        (ForeignKey(("order_id",), "orders", ("id",), inferred=True),),
    ),
    Table("地域", (Column("名前", "text"), Column("select", "text"), Column("blob", "binary")), ("名前",)),
)
SYNONYMS = {("clients", ""): ("customers",), ("orders", "amount"): ("order value",), ("orders", "placed_on"): ("placed on",)}
QUESTION = "How many Orders over 1,200.50 did customers from 'New York' place in 2019, by city of the client?"
MATCHES = (
    ValueMatch("clients", "home_city", "New York", 50, 58, 1.0),
    ValueMatch("order_lines", "producer", "York Mills Ltd.", 54, 58, 0.55),
    ValueMatch("nowhere", "name", "New York", 50, 58, 1.0),
)


def write_tokenizer(path: Path) -> Path:
    """A word-piece tokenizer that knows single letters, digits and marks, saved as `tokenizer.json`."""
    marks = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *marks, *(f"##{mark}" for mark in marks), "orders", "city", "how", "many", "the", "##s"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(known))}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(path))
    return path
