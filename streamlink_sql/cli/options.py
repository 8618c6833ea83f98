"""The options that commands share, said once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from streamlink_sql.errors import BadRequest

DATA = "What to ask: a folder of Parquet, CSV or JSON files, one such file, or a DuckDB or SQLite file."
MODEL = (
    "Who writes the SQL: `parser` (built in, the default), http://HOST:PORT/v1#NAME of a model server, worker:http://HOST:PORT, "
    "a GGUF file, a folder with a Hugging Face model, or replay:FILE.jsonl."
)
STORE = "Where history and audit are kept: a database URL, or `temporary` (until it ends). Default: a file in your data folder."

Data = Annotated[str | None, typer.Option("--data", help=DATA)]
Model = Annotated[str | None, typer.Option("--model", help=MODEL)]
Adapter = Annotated[Path | None, typer.Option("--adapter", help="A folder with an adapter for a local model.")]
Glossary = Annotated[Path | None, typer.Option("--glossary", help="A TOML file with synonyms and descriptions of your tables.")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file. Default: $STREAMLINK_CONFIG, else streamlink.toml here.")]
Store = Annotated[str | None, typer.Option("--store", help=STORE)]
Policy = Annotated[Path | None, typer.Option("--policy", help="A TOML file with roles: which tables, columns and rows each may see.")]
Role = Annotated[str | None, typer.Option("--role", help="The role in the policy that you ask as.")]
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="What the policy's conditions need to know of the asker, as NAME=VALUE; may be repeated."),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else; a problem, too, is JSON.")]


def attributes_of(pairs: list[str] | None) -> dict[str, str | int | tuple[str | int, ...]]:
    """What stands in options of the form NAME=VALUE, or NAME:int=VALUE; a name that comes again has several values."""
    told: dict[str, str | int | tuple[str | int, ...]] = {}
    for pair in pairs or ():
        name, mark, text = pair.partition("=")
        name, number, _ = name.partition(":int")
        if not name or not mark or not text.isprintable() or (number and not re.fullmatch(r"-?\d{1,18}", text)):
            raise BadRequest(f"--attribute cannot be {pair!r}: it takes NAME=VALUE, such as country=DE, or NAME:int=VALUE for a number.")
        value, known = int(text) if number else text, told.get(name)
        told[name] = value if known is None else (*(known if isinstance(known, tuple) else (known,)), value)
    return told
