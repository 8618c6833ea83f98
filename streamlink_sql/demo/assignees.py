"""The assignees of the demo: invented companies, universities, institutes and people. Knows nothing of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from streamlink_sql.demo import vocabulary
from streamlink_sql.demo.vocabulary import Country

MOST: Final = 40_000
TYPES: Final = ("company", "university", "research institute", "individual", "government")
TYPE_SHARES: Final = (0.82, 0.08, 0.04, 0.05, 0.01)
HOME_CLASSES: Final = 4


@dataclass(frozen=True, slots=True)
class Assignees:
    """The table, and what of it the patents are drawn from: position in `countries()`, founding year, home classes, cumulative activity."""

    table: pa.Table
    ids: np.ndarray
    countries: np.ndarray
    founded: np.ndarray
    classes: np.ndarray
    activity: np.ndarray


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    country: Country
    city: str
    type: str
    founded: int | None


def zipf(count: int, *, flat: float = 0.0, exponent: float = 1.0) -> np.ndarray:
    """Cumulative weights 1 / (rank + flat) ** exponent, ending at 1; draw with `np.searchsorted(weights, rng.random(n))`."""
    weights = np.cumsum(1.0 / (np.arange(1, count + 1) + flat) ** exponent)
    return weights / weights[-1] if count else weights


def how_many(rows: int) -> int:
    """Assignees for so many patents: one for ten, but no fewer than 50 while there are rows for them."""
    return min(MOST, max(rows // 10, min(rows, 50)))


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _invent(country: Country, city: str, type_: str, rng: np.random.Generator) -> str:
    parts = vocabulary.company_parts()
    suffix = "_asian" if country.style in {"chinese", "japanese", "korean"} and rng.random() < 0.8 else ""
    word = _pick(parts["stems" + suffix], rng) + _pick(parts["endings" + suffix], rng)
    field = _pick(parts["fields"], rng)
    if type_ == "company":
        middle = f" {field}" if rng.random() < 0.75 else ""
        return f"{word}{middle} {_pick(country.forms, rng)}"
    if type_ == "individual":
        return _pick(vocabulary.person_names()[country.style], rng)
    forms = {
        "university": (f"{word} University", f"University of {word}", f"{word} University of Technology", f"{city} {field} University"),
        "research institute": (f"{word} Institute for {field}", f"{city} Institute of {field}", f"{word} Research Centre"),
        "government": (f"{country.name} Agency for {field}", f"{city} Office for {field}", f"{country.name} Department of {field}"),
    }
    return _pick(forms[type_], rng)


def _entries(count: int, rng: np.random.Generator) -> list[_Entry]:
    """The first `count` assignees, the most active first; the same whatever `count` is."""
    homes = [country for country in vocabulary.countries() if country.assignees]
    by_code = {country.code: country for country in homes}
    entries = [
        _Entry(one.name, by_code[one.country], _pick(by_code[one.country].cities, rng), _type_of(one.name), one.founded)
        for one in vocabulary.large_companies()
    ][:count]
    seen = {entry.name for entry in entries}
    weights = np.cumsum([country.assignees for country in homes])
    shares = np.cumsum(TYPE_SHARES)
    while len(entries) < count:
        country = homes[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
        type_ = TYPES[min(int(np.searchsorted(shares, rng.random(), side="right")), len(TYPES) - 1)]
        founded = int(2018 - 130 * rng.random() ** 2.2)
        city = _pick(country.cities, rng)
        name = _invent(country, city, type_, rng)
        if name not in seen:
            seen.add(name)
            entries.append(_Entry(name, country, city, type_, None if type_ == "individual" else founded))
    return entries


def _type_of(name: str) -> str:
    if "University" in name:
        return "university"
    return "research institute" if name.startswith(("Institut", "Rheinland Institute", "Sokolnik Research")) else "company"


def _home_classes(entries: list[_Entry], rng: np.random.Generator) -> np.ndarray:
    classes = vocabulary.technology_classes()
    weights = np.cumsum([each.weight for each in classes])
    homes: np.ndarray = np.searchsorted(weights, rng.random((len(entries), HOME_CLASSES)) * weights[-1], side="right")
    position = {each.code: i for i, each in enumerate(classes)}
    for row, company in zip(homes, vocabulary.large_companies(), strict=False):
        row[:] = [position[code] for code in company.classes]
    return homes


def _table(entries: list[_Entry], ids: np.ndarray, seed: int) -> pa.Table:
    count = len(entries)
    types = np.array([entry.type for entry in entries], dtype=object)
    size = np.where(types == "company", 400_000, 120_000) / (np.arange(count) + 3) ** 0.65
    people = np.maximum(1, size * np.random.default_rng([seed, 2]).lognormal(0.0, 0.9, count)).astype(np.int64)
    revenue = (people * np.random.default_rng([seed, 5]).lognormal(12.3, 0.4, count) / 10_000).astype(np.int64) * 10_000
    table = pa.table(
        {
            "assignee_id": pa.array(ids, pa.int32()),
            "assignee_name": pa.array([entry.name for entry in entries], pa.string()),
            "country_code": pa.array([entry.country.code for entry in entries], pa.string()),
            "city": pa.array([entry.city for entry in entries], pa.string()),
            "assignee_type": pa.array(types, pa.string()),
            "founded_year": pa.array([entry.founded for entry in entries], pa.int32()),
            "employee_count": pa.array(people, pa.int32(), mask=types == "individual"),
            "annual_revenue_usd": pa.array(revenue, pa.int64(), mask=types != "company"),
        }
    )
    return table.take(pa.array(np.argsort(ids)))


def make_assignees(count: int, seed: int) -> Assignees:
    """`count` assignees; those of a smaller count are the first of a larger one."""
    entries = _entries(count, np.random.default_rng([seed, 1]))
    ids = np.arange(count, dtype=np.int64) * 7919 % 99_991 + 1
    position = {country.code: i for i, country in enumerate(vocabulary.countries())}
    return Assignees(
        table=_table(entries, ids, seed),
        ids=ids,
        countries=np.array([position[entry.country.code] for entry in entries], dtype=np.int64),
        founded=np.array([entry.founded or 0 for entry in entries], dtype=np.int64),
        classes=_home_classes(entries, np.random.default_rng([seed, 3])),
        activity=zipf(count, flat=8.0),
    )
