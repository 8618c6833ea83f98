"""The intermediate representation of the embedded parser: what others import. Holds nothing of its own."""

from __future__ import annotations

from streamlink_sql.generators.parser.read import to_ir
from streamlink_sql.generators.parser.render import to_sql
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import KEYWORDS, Col, NotCovered, Tab, Token, Val

__all__ = ["KEYWORDS", "Col", "NotCovered", "Schema", "Tab", "Token", "Val", "to_ir", "to_sql"]
