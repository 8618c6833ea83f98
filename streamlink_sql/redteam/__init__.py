"""Attacks, and legitimate queries that look like some, as files; what they do to checks and engines. Never opens the user's data."""

from __future__ import annotations

from pathlib import Path

CORPORA = Path(__file__).parent / "corpora"
"""The folder with the corpora and their fixture, all of our own invention."""
