"""The words, classes, countries and names of the demo, read from the TOML files beside it. Draws nothing at random."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

DERIVED_ADJECTIVES = 1200
DERIVED_PARTS = 2000


@dataclass(frozen=True, slots=True)
class Country:
    """A country or office: what it publishes and who is at home there. `kinds`: application, grant, utility model or ''."""

    code: str
    name: str
    names: tuple[str, ...]
    share: float
    growth: float
    assignees: float
    grant: float
    kinds: tuple[str, str, str]
    style: str
    forms: tuple[str, ...]
    cities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TechnologyClass:
    """A CPC subclass, how common it is and how fast it grows a year, and what its patents are about."""

    code: str
    title: str
    weight: float
    growth: float
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LargeCompany:
    """One of the most active assignees, with the classes it works in."""

    name: str
    country: str
    founded: int
    classes: tuple[str, ...]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", " ").split(";") if phrase.strip())


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _derived(roots: Iterable[str], stems: Iterable[str], count: int) -> tuple[str, ...]:
    """Technical words such as microsensor, in an order that mixes roots and stems."""
    words = [root.rstrip("o") + stem if root.endswith("o") and stem.startswith("o") else root + stem for root in roots for stem in stems]
    order = np.random.default_rng(count).permutation(len(words))[:count]
    return tuple(dict.fromkeys(words[i] for i in order))


@cache
def countries() -> tuple[Country, ...]:
    """Every country and office, the largest first."""
    return tuple(
        Country(
            code=code,
            name=entry["name"],
            names=tuple(entry["names"]),
            share=float(entry["share"]),
            growth=float(entry["growth"]),
            assignees=float(entry["assignees"]),
            grant=float(entry["grant"]),
            kinds=tuple(entry["kinds"]),
            style=entry["style"],
            forms=tuple(entry["forms"]),
            cities=_phrases(entry["cities"]),
        )
        for code, entry in _read("places.toml")["countries"].items()
    )


@cache
def technology_classes() -> tuple[TechnologyClass, ...]:
    """Every CPC subclass, by code."""
    return tuple(
        TechnologyClass(code, entry["title"], float(entry["weight"]), float(entry["growth"]), _phrases(entry["subjects"]))
        for code, entry in _read("classes.toml")["classes"].items()
    )


@cache
def sections() -> dict[str, tuple[str, tuple[str, ...]]]:
    """CPC section letter -> its title and the names people use for it."""
    return {code: (entry["title"], tuple(entry["names"])) for code, entry in _read("classes.toml")["sections"].items()}


@cache
def kinds() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Kind code -> what it means and the names people use for it."""
    return {code: (entry["title"], tuple(entry["names"])) for code, entry in _read("places.toml")["kinds"].items()}


@cache
def large_companies() -> tuple[LargeCompany, ...]:
    """The most active assignees, in that order."""
    fields = [[part.strip() for part in line.split("|")] for line in _read("places.toml")["companies"]["large"].strip().splitlines()]
    return tuple(LargeCompany(name, country, int(founded), tuple(classes.split())) for name, country, founded, classes in fields)


@cache
def company_parts() -> dict[str, tuple[str, ...]]:
    """The pieces of invented company names: stems, endings, stems_asian, endings_asian, fields."""
    entry = _read("places.toml")["companies"]
    return {name: _phrases(text) if name == "fields" else _words(text) for name, text in entry.items() if name != "large"}


@cache
def person_names() -> dict[str, tuple[str, ...]]:
    """Style -> full names of invented people, no two alike, in a mixed order."""
    names: dict[str, tuple[str, ...]] = {}
    for style, entry in _read("places.toml")["names"].items():
        first, last = _words(entry["first"]), _words(entry["last"])
        middles = ("", " A.", " J.", " M.", " R.", " L.", " E.") if style == "english" else ("",)
        people = [f"{one}{middle} {two}" for middle in middles for one in first for two in last]
        order = np.random.default_rng(len(people)).permutation(len(people))
        names[style] = tuple(people[i] for i in order)
    return names


@cache
def title_words() -> dict[str, tuple[str, ...]]:
    """Slot of a title -> its words and phrases, the most common first."""
    entry = _read("words.toml")
    roots = _words(entry["roots"])
    return {
        "adjective": _words(entry["adjectives"]) + _derived(roots, _words(entry["adjective_stems"]), DERIVED_ADJECTIVES),
        "action": _words(entry["actions"]),
        "information_action": _words(entry["information_actions"]),
        "process_action": _words(entry["process_actions"]),
        "part": _phrases(entry["parts"]) + _derived(roots, _words(entry["stems"]), DERIVED_PARTS),
        "material": _phrases(entry["materials"]),
        "benefit": _phrases(entry["benefits"]),
        "place": _phrases(entry["places"]),
        "evidence": _phrases(entry["evidence"]),
    }
