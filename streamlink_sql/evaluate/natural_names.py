"""The natural names of Spider's tables.json as a glossary: they are part of the task's input, as a user's glossary is. Scores nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def natural_names(tables_json: Path) -> Mapping[str, Mapping[str, Any]]:
    """The entries of a file in Spider's tables.json format by database."""
    return {entry["db_id"]: entry for entry in json.loads(tables_json.read_text(encoding="utf-8"))}


def write_glossary(entry: Mapping[str, Any], path: Path) -> Path:
    """Writes one database's natural names, where they say more than the names themselves, as glossary TOML."""
    path.write_text("\n".join(_lines(entry)), encoding="utf-8")
    return path


def _lines(entry: Mapping[str, Any]) -> Iterator[str]:
    tables = entry["table_names_original"]
    for name, natural in zip(tables, entry.get("table_names", tables), strict=True):
        if _says_more(name, natural):
            yield f"[tables.{json.dumps(name)}]\nsynonyms = [{json.dumps(natural.strip())}]"
    columns = entry["column_names_original"]
    for (table, name), (_, natural) in zip(columns, entry.get("column_names", columns), strict=True):
        if table >= 0 and _says_more(name, natural):
            yield f"[tables.{json.dumps(tables[table])}.columns.{json.dumps(name)}]\nsynonyms = [{json.dumps(natural.strip())}]"


def _says_more(name: str, natural: str) -> bool:
    return bool(natural.strip()) and name.casefold().replace("_", " ") != natural.casefold().strip()
