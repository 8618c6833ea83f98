"""The tables of an engine, their keys and sample values, and what of it a question needs. Runs no query of its own."""

from __future__ import annotations

from streamlink_sql.catalog.catalog import Catalog
from streamlink_sql.catalog.glossary import Glossary, glossary_beside, load_glossary
from streamlink_sql.catalog.kept import KeptSamples
from streamlink_sql.catalog.keys import infer_keys
from streamlink_sql.catalog.relevance import Budget
from streamlink_sql.catalog.values import ValueIndex

__all__ = ["Budget", "Catalog", "Glossary", "KeptSamples", "ValueIndex", "glossary_beside", "infer_keys", "load_glossary"]
