"""The rows of the patents table, a stretch at a time, in order of publication. Knows nothing of files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streamlink_sql.demo import titles, vocabulary
from streamlink_sql.demo.assignees import HOME_CLASSES, Assignees, zipf

Numbers = NDArray[np.int64]
Weights = NDArray[np.float64]
Days = NDArray[np.datetime64]

FIRST_DAY: Final = np.datetime64("1980-01-01")
LAST_DAY: Final = np.datetime64("2024-12-31")
GROWTH: Final = 0.045
"""How much more is published each year."""
YEAR: Final = 365.25

SCHEMA: Final = pa.schema(
    [
        ("publication_number", pa.string()),
        ("country_code", pa.string()),
        ("kind_code", pa.string()),
        ("application_date", pa.date32()),
        ("publication_date", pa.date32()),
        ("grant_date", pa.date32()),
        ("title", pa.string()),
        ("assignee_id", pa.int32()),
        ("inventor_name", pa.string()),
        ("inventor_count", pa.int32()),
        ("cpc_class", pa.string()),
        ("ipc_class", pa.string()),
        ("claim_count", pa.int32()),
        ("citation_count", pa.int32()),
        ("reference_count", pa.int32()),
        ("family_id", pa.int64()),
    ]
)


@dataclass(slots=True)
class Publications:
    """Writes `rows` patents of `assignees`, each call of `next_rows` the following stretch; serial numbers run on."""

    rows: int
    seed: int
    assignees: Assignees
    done: int = 0
    serials: Numbers = field(default_factory=lambda: np.zeros(len(vocabulary.countries()), dtype=np.int64))

    def next_rows(self, count: int) -> pa.RecordBatch:
        """The next `count` patents, or as many as are left."""
        start, stop = self.done, min(self.rows, self.done + count)
        rng = np.random.default_rng([self.seed, 4, start])
        published = _publication_days(start, stop, self.rows, rng)
        years = published.astype("datetime64[Y]").astype(np.int64) + 1970
        assignee = _draw_assignees(self.assignees, years, rng)
        country = _draw_countries(self.assignees.countries[assignee], years, rng)
        cpc = _draw_classes(self.assignees.classes[assignee], years, rng)
        applied, granted, kind = _draw_life(country, published, rng)
        style = self.assignees.countries[assignee]
        self.done = stop
        columns = [
            self._numbers(country, years, kind),
            _codes().take(pa.array(country)),
            kind,
            _dates(applied),
            _dates(published),
            _dates(granted),
            titles.write_titles(cpc, rng),
            pa.array(self.assignees.ids[assignee], pa.int32()),
            _inventors(style, rng),
            pa.array(np.minimum(1 + rng.poisson(1.7, len(cpc)), 15), pa.int32()),
            _class_codes().take(pa.array(cpc)),
            _class_codes().take(pa.array(_nearby_classes(cpc, rng))),
            _counts(rng.lognormal(np.where(country == _position("US"), 2.85, 2.45), 0.55), 1, 250),
            _citations(published, rng),
            _counts(rng.lognormal(2.0, 0.9, len(cpc)), 0, 900),
            pa.array(10_000_000 + ((np.arange(start, stop) + rng.integers(0, 400, stop - start)) * 0.6).astype(np.int64)),
        ]
        return pa.RecordBatch.from_arrays([column.cast(each.type) for column, each in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)

    def _numbers(self, country: Numbers, years: Numbers, kind: pa.Array) -> pa.Array:
        """Country, number, kind; numbers of applications begin with the year, all run on within their country."""
        order = np.argsort(country, kind="stable")
        sizes = np.bincount(country, minlength=len(self.serials))
        serial = np.empty(len(country), dtype=np.int64)
        serial[order] = np.arange(len(country)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + self.serials[country[order]] + 1
        self.serials += sizes
        places = 10 ** max(7, len(str(self.rows)))
        is_application = pc.starts_with(kind, "A").to_numpy(zero_copy_only=False)
        number = np.where(is_application, years * places + serial, places // 10 + serial)
        return pc.binary_join_element_wise(_codes().take(pa.array(country)), pa.array(number).cast(pa.string()), kind, "")


@cache
def _codes() -> pa.Array:
    return pa.array([country.code for country in vocabulary.countries()])


@cache
def _class_codes() -> pa.Array:
    return pa.array([each.code for each in vocabulary.technology_classes()])


@cache
def _position(code: str) -> int:
    return next(i for i, country in enumerate(vocabulary.countries()) if country.code == code)


def _dates(days: Days) -> pa.Array:
    return pa.array(days.astype("datetime64[D]"), pa.date32())


def _counts(values: Weights, least: int, most: int) -> pa.Array:
    return pa.array(np.clip(values, least, most).astype(np.int32))


def _draw(weights: Weights, rng: np.random.Generator, count: int) -> Numbers:
    """Positions drawn by cumulative weights that need not end at 1."""
    drawn: Numbers = np.searchsorted(weights, rng.random(count) * weights[-1], side="right").astype(np.int64)
    return np.minimum(drawn, len(weights) - 1)


def _publication_days(start: int, stop: int, rows: int, rng: np.random.Generator) -> Days:
    """Days in ascending order: row i lies in the i-th of `rows` equal parts of the whole, so that stretches need no sorting."""
    part = (np.arange(start, stop) + rng.random(stop - start)) / rows
    span = int((LAST_DAY - FIRST_DAY).astype(np.int64)) + 1
    total = GROWTH * span / YEAR
    days = np.log1p(part * np.expm1(total)) / total * span
    published: Days = FIRST_DAY + np.minimum(days.astype(np.int64), span - 1)
    return published


def _draw_assignees(assignees: Assignees, years: Numbers, rng: np.random.Generator) -> Numbers:
    """Active ones more often, and none before it was founded: the first of all, an old one, stands in where chance finds no other."""
    drawn = _draw(assignees.activity, rng, len(years))
    for _ in range(6):
        early = np.flatnonzero(assignees.founded[drawn] > years - 4)
        drawn[early] = _draw(assignees.activity, rng, len(early))
    drawn[assignees.founded[drawn] > years - 4] = 0
    return drawn


def _draw_countries(home: Numbers, years: Numbers, rng: np.random.Generator) -> Numbers:
    """Half is published at home, the rest where the office is large in that year."""
    share = np.array([country.share for country in vocabulary.countries()])
    growth = np.array([country.growth for country in vocabulary.countries()])
    drawn = home.copy()
    abroad = rng.random(len(home)) >= 0.35
    for year in np.unique(years):
        rows = np.flatnonzero(abroad & (years == year))
        drawn[rows] = _draw(np.cumsum(share * np.exp(growth * (year - 2005))), rng, len(rows))
    return drawn


def _draw_classes(home: Numbers, years: Numbers, rng: np.random.Generator) -> Numbers:
    """Mostly the assignee's own classes, as far as they were in fashion that year, else any class of the year."""
    weight = np.array([each.weight for each in vocabulary.technology_classes()])
    growth = np.array([each.growth for each in vocabulary.technology_classes()])
    choice = np.minimum((rng.random(len(years)) ** 1.5 * HOME_CLASSES).astype(np.int64), HOME_CLASSES - 1)
    drawn = home[np.arange(len(years)), choice]
    fashion = np.exp(growth[drawn] * (years - np.where(growth[drawn] > 0, 2024, 1980)))
    elsewhere = rng.random(len(years)) >= 0.75 * fashion
    for year in np.unique(years):
        rows = np.flatnonzero(elsewhere & (years == year))
        drawn[rows] = _draw(np.cumsum(weight * np.exp(growth * (year - 2010))), rng, len(rows))
    return drawn


def _draw_life(country: Numbers, published: Days, rng: np.random.Generator) -> tuple[Days, Days, pa.Array]:
    """Application day, grant day (NaT without a grant) and kind code."""
    count = len(country)
    offices = vocabulary.countries()
    has_models = np.array([bool(office.kinds[2]) for office in offices])
    is_china = country == _position("CN")
    is_model = has_models[country] & (rng.random(count) < np.where(is_china, 0.3, 0.08))
    wait = np.where(rng.random(count) < 0.75, rng.normal(548, 30, count), rng.gamma(4.0, 160.0, count))
    wait = np.where(is_model, rng.integers(120, 420, count), np.clip(wait, 150, 1800)).astype(np.int64)
    examined = np.where(is_model, 0, rng.gamma(2.2, 330.0, count) + 90).astype(np.int64)
    grant = published + examined
    is_granted = (is_model | (rng.random(count) < np.array([office.grant for office in offices])[country])) & (grant <= LAST_DAY)
    state = np.where(is_model, 2, np.where(is_granted, 1, 0))
    codes = pa.array([code for office in offices for code in office.kinds])
    return published - wait, np.where(is_granted, grant, np.datetime64("NaT")), codes.take(pa.array(country * 3 + state))


def _nearby_classes(cpc: Numbers, rng: np.random.Generator) -> Numbers:
    """The IPC class: that of the CPC, or now and then the next one in the list."""
    moved = np.where(rng.random(len(cpc)) < 0.15, rng.choice(np.array([-1, 1]), len(cpc)), 0)
    return np.clip(cpc + moved, 0, len(_class_codes()) - 1)


def _citations(published: Days, rng: np.random.Generator) -> pa.Array:
    """How often a patent is cited: few often, most seldom, older ones more."""
    age = (LAST_DAY - published).astype(np.int64) / YEAR
    return pa.array(rng.poisson(np.minimum(rng.lognormal(-0.6, 1.25, len(age)) * np.sqrt(age + 0.1) * 1.6, 4000.0)).astype(np.int32))


def _inventors(home: Numbers, rng: np.random.Generator) -> pa.Array:
    """The first inventor: a name of the assignee's country, some far more often than others."""
    styles = [country.style for country in vocabulary.countries()]
    names = vocabulary.person_names()
    starts = dict(zip(names, np.cumsum([0, *map(len, names.values())]), strict=False))
    chosen = np.zeros(len(home), dtype=np.int64)
    for style, people in names.items():
        rows = np.flatnonzero(np.isin(home, [i for i, each in enumerate(styles) if each == style]))
        chosen[rows] = starts[style] + _draw(zipf(len(people), flat=20.0, exponent=0.9), rng, len(rows))
    return pa.array([name for people in names.values() for name in people]).take(pa.array(chosen))
