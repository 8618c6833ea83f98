"""The options that commands share, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[str | None, typer.Option("--data", help="A folder of Parquet, CSV or JSON files, one such file, or a database file.")]
Model = Annotated[str | None, typer.Option("--model", help="Who writes the SQL: `parser`, an address of a model, or replay:FILE.jsonl.")]
Adapter = Annotated[Path | None, typer.Option("--adapter", help="A folder with an adapter for a local model.")]
Glossary = Annotated[Path | None, typer.Option("--glossary", help="A TOML file with synonyms and descriptions of your tables.")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file. Default: $STREAMLINK_CONFIG, else streamlink.toml here.")]
Store = Annotated[str | None, typer.Option("--store", help="Where history and audit are kept: a database URL, or `temporary`.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
