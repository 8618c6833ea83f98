"""StreamLink: questions in plain language, answered by a database. Importing this loads nothing heavy."""

from __future__ import annotations

__version__ = "0.1.0"
