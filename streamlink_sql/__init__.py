"""StreamLink: questions in plain language, answered by a database. Importing this loads nothing heavy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamlink_sql.connection import Connection, Result, connect
    from streamlink_sql.types import Answer, Question

__version__ = "0.1.0"
__all__ = ["Answer", "Connection", "Question", "Result", "__version__", "connect"]

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime sends reports to its maker otherwise; it looks here when it is imported

_HOMES = {"connect": "connection", "Connection": "connection", "Result": "connection", "Answer": "types", "Question": "types"}


def __getattr__(name: str) -> Any:
    """The public names, loaded when they are used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
