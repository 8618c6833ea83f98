"""Attacks on the checks, and legitimate queries that look like some: files for `streamlink-sql evaluate gate`. Data only; runs nothing."""

from __future__ import annotations

from pathlib import Path

CORPORA = Path(__file__).parent / "corpora"
"""The folder with the corpora and their fixture, all of our own invention."""
